"""The synthetic corpus as records: passages that a large language model annotated for all tasks.

Comes in: `passages.jsonl.gz`, one passage a line: text, entities as [surface, specific type,
general type], relations, questions, instructions, key phrases, summary, sentiment, all as
verbatim surfaces. Goes out: one `Source` a task. A surface stands for all its occurrences between
word boundaries, save those inside a longer listed surface; an answer as `answer_places` says.
The wording of types and relations varies between passages, so those sources are `open_labels`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from spanwise.data.prompted_sets import ANSWER, MATCH, POLARITIES, SUMMARY, answer_places
from spanwise.data.records import (
    RELATION_INSTRUCTION,
    RELATION_SEPARATOR,
    SUMMARY_INSTRUCTION,
    GoldSpan,
    Record,
    Source,
)
from spanwise.data.text import occurrences, read_rows, without_nested
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from spanwise.data.records import (
        Task,
    )

KEY_PHRASE = "key phrase"
_KEYS = ("id", "text", "entities", "relations", "qa", "open", "keyphrases", "summary", "sentiment")


def read_passages(path: Path) -> list[Source]:
    """Return the passages of a file as one source a task, named `synthetic_…`.

    `synthetic_entities` asks for the specific types, `synthetic_types` for the general ones. A
    type used in a passage is marked throughout it. Relations are not exhaustive, so theirs is
    not closed; nor are specific types that a passage does not use. The general types are few and
    broad: one that a passage does not use is taken to be absent from it. A passage without summary
    or key phrases gives no such record; one without sentiment gives one with nothing marked.

    Raises:
        DataError: a line breaks the format, or a surface is not in its text.
    """
    built: dict[str, list[Record]] = defaultdict(list)
    for where, passage in read_rows(path, needs=_KEYS):
        for record in _records(_Passage(where, passage)):
            built[record.source].append(record)
    return [_source(name, records) for name, records in built.items()]


def _source(name: str, records: list[Record]) -> Source:
    task = records[0].task
    varies = task in {"entities", "relations"} and name != "synthetic_types"
    labels = {label for record in records for label in record.labels or ()}
    if task == "relations":
        labels = {label.split(RELATION_SEPARATOR)[-1] for label in labels}
    return Source(
        name=name,
        task=task,
        records=tuple(records),
        inventory=tuple(sorted(labels)),
        closed=not varies,
        open_labels=varies,
    )


class _Passage:
    """A passage's line, its place in the file, and its surfaces found in its text."""

    def __init__(self, where: str, row: dict[str, Any]) -> None:
        self.where = where
        self.row = row
        self.text: str = row["text"]

    def record(
        self,
        task: Task,
        spans: Iterable[GoldSpan],
        labels: Iterable[str],
        *,
        name: str,
        number: int = 0,
        instruction: str = "",
    ) -> Record:
        """Return one record of this passage."""
        return Record(
            text=self.text,
            spans=tuple(dict.fromkeys(spans)),
            labels=tuple(dict.fromkeys(labels)),
            instruction=instruction,
            task=task,
            source=f"synthetic_{name}",
            id=f"synthetic/{self.row['id']}/{name}/{number}",
            group=self.row["id"],
        )

    def find(self, marked: Iterable[tuple[str, str]]) -> Iterator[GoldSpan]:
        """Yield the spans of (surface, label) pairs: all occurrences, none in a longer surface."""
        labels: dict[str, list[str]] = defaultdict(list)
        for surface, label in marked:
            labels[surface].append(label)
        found = [(surface, occurrences(self.text, surface)) for surface in labels]
        for surface, places in found:
            if not places:
                msg = f"{self.where}: {surface!r} is not in the text of passage {self.row['id']}"
                raise DataError(msg)
        for surface, (start, end) in without_nested(found):
            for label in labels[surface]:
                yield GoldSpan(start, end, label)


def _records(passage: _Passage) -> Iterator[Record]:
    row = passage.row
    for name, column in (("entities", 1), ("types", 2)):
        typed = [(entity[0], entity[column]) for entity in row["entities"]]
        if typed:
            labels = [label for _, label in typed]
            yield passage.record("entities", passage.find(typed), labels, name=name)
    if row["relations"]:
        yield _relations(passage)
    yield from _prompted(passage)
    if row["keyphrases"]:
        spans = passage.find((phrase, KEY_PHRASE) for phrase in row["keyphrases"])
        yield passage.record("key_phrases", spans, (KEY_PHRASE,), name="key_phrases")
    spans = passage.find((surface, polarity) for surface, polarity in row["sentiment"])
    yield passage.record("sentiment", spans, POLARITIES, name="sentiment")


def _relations(passage: _Passage) -> Record:
    """Return the relations: all occurrences of each tail but those inside another head or tail."""
    tails: dict[str, list[str]] = defaultdict(list)
    for head, relation, tail in passage.row["relations"]:
        tails[tail].append(RELATION_SEPARATOR.join((head, relation)))
    heads = [(head, "") for head, _, _ in passage.row["relations"]]
    pairs = [(tail, label) for tail, labels in tails.items() for label in labels]
    spans = [span for span in passage.find([*pairs, *heads]) if span.label]
    return passage.record(
        "relations",
        spans,
        (label for _, label in pairs),
        name="relations",
        instruction=RELATION_INSTRUCTION,
    )


def _prompted(passage: _Passage) -> Iterator[Record]:
    """Yield the questions, the instructions and the summary; what matches nothing has no spans."""
    text, row = passage.text, passage.row
    for number, (question, answer) in enumerate(row["qa"]):
        places = answer_places(text, question, answer)
        if answer and not places:
            msg = f"{passage.where}: the answer {answer!r} is not in the text"
            raise DataError(msg)
        spans = [GoldSpan(start, end, ANSWER) for start, end in places]
        yield passage.record(
            "answers", spans, (ANSWER,), name="answers", number=number, instruction=question
        )
    for number, (instruction, surfaces) in enumerate(row["open"]):
        found = passage.find((surface, MATCH) for surface in surfaces)
        yield passage.record(
            "open", found, (MATCH,), name="open", number=number, instruction=instruction
        )
    if row["summary"]:
        found = passage.find((sentence, SUMMARY) for sentence in row["summary"])
        yield passage.record(
            "summary", found, (SUMMARY,), name="summary", instruction=SUMMARY_INSTRUCTION
        )
