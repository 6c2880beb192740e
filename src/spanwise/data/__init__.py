"""Records: one format for every task, where they come from, and what examples are drawn from them.

`read_training` and `read_dev` read the sets that the published model is made and measured with;
`formats.read` reads a user's own files, whatever their format, and says what did not pass as it
was; `overlap` keeps evaluation texts out of training; `sampling` draws training examples.
"""

from __future__ import annotations

from spanwise.data.benchmarks import Article, Benchmarks, QaItem, RelationItem, read_dev
from spanwise.data.formats import AlignmentReport, Finding, Loaded, read
from spanwise.data.overlap import Overlap, find_overlap, leave_out, refuse_overlap
from spanwise.data.records import (
    RELATION_INSTRUCTION,
    RELATION_SEPARATOR,
    SUMMARY_INSTRUCTION,
    TASKS,
    GoldSpan,
    Record,
    Source,
    Task,
)
from spanwise.data.sources import describe, read_training

__all__ = [
    "RELATION_INSTRUCTION",
    "RELATION_SEPARATOR",
    "SUMMARY_INSTRUCTION",
    "TASKS",
    "AlignmentReport",
    "Article",
    "Benchmarks",
    "Finding",
    "GoldSpan",
    "Loaded",
    "Overlap",
    "QaItem",
    "Record",
    "RelationItem",
    "Source",
    "Task",
    "describe",
    "find_overlap",
    "leave_out",
    "read",
    "read_dev",
    "read_training",
    "refuse_overlap",
]
