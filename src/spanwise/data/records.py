"""One record format for every task: a text, one query, and the spans that answer it.

A record is flat: one text with one question of the model. A passage annotated for several tasks
becomes several records. Offsets are characters, half-open, 0-based, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from spanwise.errors import DataError, did_you_mean
from spanwise.tasks.wording import RELATION_INSTRUCTION, RELATION_SEPARATOR, SUMMARY_INSTRUCTION

Task = Literal[
    "entities",
    "open_entities",
    "relations",
    "answers",
    "summary",
    "open",
    "key_phrases",
    "sentiment",
]
TASKS: tuple[str, ...] = get_args(Task)

__all__ = [
    "RELATION_INSTRUCTION",
    "RELATION_SEPARATOR",
    "SUMMARY_INSTRUCTION",
    "TASKS",
    "GoldSpan",
    "Record",
    "Source",
    "Task",
]


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A marked piece of the text, `text[start:end]`, and its label."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A text, what is asked of it, and the spans that answer.

    `labels` are all labels known to be fully marked in this text, in no particular order; one of
    them without a span is a true negative. None: only the labels of the spans are known.
    `instruction` is the question or prompt ("" for none). For the task "relations" a label is
    `head <> relation` and its spans are tails. `words` are the character offsets of the words
    where the source came tokenised and the default splitter would find others, else None.
    Records of one `group` belong together: the questions of one article, the tasks of one
    passage.
    """

    text: str
    spans: tuple[GoldSpan, ...]
    labels: tuple[str, ...] | None = None
    instruction: str = ""
    task: Task = "entities"
    source: str = ""
    id: str = ""
    group: str = ""
    words: tuple[tuple[int, int], ...] | None = None

    def __post_init__(self) -> None:
        """Raise DataError for an unknown task, or a span that is empty or outside the text."""
        if self.task not in TASKS:
            msg = (
                f"record {self.id!r}: task {self.task!r} is not one of {', '.join(TASKS)}"
                f"{did_you_mean(self.task, TASKS)}"
            )
            raise DataError(msg)
        for span in self.spans:
            if not 0 <= span.start < span.end <= len(self.text):
                msg = (
                    f"record {self.id!r} of {self.source or 'an unnamed source'}: span "
                    f"{span.start}:{span.end} ({span.label!r}) is empty or outside the text of "
                    f"{len(self.text)} characters; offsets are 0-based and half-open"
                )
                raise DataError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A set of records of one task, and what its annotation promises.

    `inventory` are the labels annotated throughout the set; for relations they are the bare
    relations, without heads. `closed`: a span of an inventory label that is not marked is a true
    negative, in every record. `open_labels`: the wording of labels varies from record to record,
    so that another record's label may be a synonym of one's own.
    """

    name: str
    task: Task
    records: tuple[Record, ...]
    inventory: tuple[str, ...]
    closed: bool
    open_labels: bool = False
