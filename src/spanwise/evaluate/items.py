"""The unit of an evaluation: a question to a system, and the gold that the system never sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanwise.data.records import GoldSpan
    from spanwise.evaluate.results import Family
    from spanwise.evaluate.systems import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question and what is right.

    `gold` are the spans wanted (entities; mentions of the tail), `references` the strings: the
    accepted answers (none: unanswerable) or the reference summary.
    """

    id: str
    question: Question
    gold: tuple[GoldSpan, ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A named set of items, the files it came from (with their hashes), and what to know of it."""

    name: str
    family: Family
    items: tuple[Item, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
