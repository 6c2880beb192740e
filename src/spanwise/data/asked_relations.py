"""Questions -> relations: "When was Beyoncé born?" asks for the tail of `Beyoncé <> when was born`.

Sets of relations have a hundred names between them; questions have as many as there are facts. A
question about something that its paragraph names is a relation of that thing, named by the rest of
the question, and all such questions of a paragraph are one record of several relations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanwise.data.records import RELATION_INSTRUCTION, RELATION_SEPARATOR, GoldSpan, Record, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(
    r"(?<=[\w,;] )(?:the )?([A-Z][\w'-]*(?:[ -](?:(?:of|the|de|van|von|and) )?[A-Z0-9][\w'-]*)*)"
)
_ASKING = re.compile(r"^(?:what|which)\b *|\b(?:did|does|do)\b *", re.IGNORECASE)
_SPACE = re.compile(r" +")
_LONGEST = 9  # words of a relation's name; what is longer asks for more than one thing
_MOST = 6  # relations of one record


def asked_relations(source: Source) -> Source | None:
    """Return the questions of a set that can be read as relations, by paragraph; None if none can.

    The wording is as open as the questions', so the set is not closed.
    """
    by_text: dict[str, list[tuple[str, Record]]] = {}
    for record in source.records:
        label = _label(record)
        if label:
            by_text.setdefault(record.text, []).append((label, record))
    records = tuple(
        record
        for text, asked in by_text.items()
        for low in range(0, len(asked), _MOST)
        for record in _records(text, asked[low : low + _MOST], f"{source.name}_relations")
    )
    if not records:
        return None
    labels = {label for record in records for label in record.labels or ()}
    return Source(
        name=f"{source.name}_relations",
        task="relations",
        records=records,
        inventory=tuple(sorted({label.rpartition(RELATION_SEPARATOR)[2] for label in labels})),
        closed=False,
        open_labels=True,
    )


def _label(record: Record) -> str:
    """Return the question as `head <> relation`, or "" if it names nothing that its text names."""
    question = record.instruction.strip().rstrip("?").strip()
    answers = {record.text[s.start : s.end].lower() for s in record.spans}
    for match in _NAME.finditer(question):
        head = match.group(1).removesuffix("'s")
        if head in record.text and head.lower() not in answers:
            rest = f"{question[: match.start()]} {question[match.start(1) + len(head) :]}"
            relation = _SPACE.sub(" ", _ASKING.sub("", rest.replace(" 's ", " "))).strip(" ,'")
            relation = relation[:1].lower() + relation[1:]
            if relation and len(relation.split()) <= _LONGEST:
                return f"{head}{RELATION_SEPARATOR}{relation}"
    return ""


def _records(text: str, asked: Iterable[tuple[str, Record]], name: str) -> Iterable[Record]:
    spans = {}
    for label, record in asked:
        for span in record.spans:
            spans[GoldSpan(span.start, span.end, label)] = record
    if spans:
        first = next(iter(spans.values()))
        yield Record(
            text=text,
            spans=tuple(spans),
            labels=tuple(dict.fromkeys(span.label for span in spans)),
            instruction=RELATION_INSTRUCTION,
            task="relations",
            source=name,
            id=f"{first.id}/relations",
            group=first.group,
            words=first.words,
        )
