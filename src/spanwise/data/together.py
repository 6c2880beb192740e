"""A question -> several about the same text, asked at once: each is a label of its own.

One by one the text is read anew for every question. Asked together, one reading teaches all of
them, and what a text says stands beside what it does not: questions that other people asked of it,
those without an answer, changed ones, one of another text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanwise.data.records import GoldSpan
from spanwise.data.unanswerable import changed_question, in_sight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.random import Generator

    from spanwise.data.records import Record

_CHANGED = 0.5  # share of answered questions that a changed one follows, where none were written
_ALONE = 0.3  # share of those in which the changed one comes without its original
_CUT_AWAY = 0.35  # share of questions that are asked although their answer was cut away
_ELSEWHERE = 0.3  # chance of a question to another text, where there is room
_NEIGHBOURS = 4  # questions of the same group that offer names and words


def questions(
    record: Record,
    piece: Record,
    others: Sequence[Record],
    near: Sequence[int],
    most: int,
    rng: Generator,
) -> dict[str, tuple[GoldSpan, ...]]:
    """Return up to `most` questions, each with its answers in a piece of the record's text.

    Args:
        record: the question that comes first.
        piece: the same, with the piece of its text that is read.
        others: the set's records.
        near: places in `others` of the record's group.
        most: from 1 to so many are asked, all numbers alike.
        rng: decides.
    """
    wanted = int(rng.integers(1, most + 1))
    beside = [others[i] for i in near if others[i].text == record.text and others[i] is not record]
    neighbours = [
        others[int(near[i])] for i in rng.integers(len(near), size=_NEIGHBOURS if near else 0)
    ]
    changing = neighbours if all(each.spans for each in (record, *beside)) else []
    asked: dict[str, tuple[GoldSpan, ...]] = {}
    for each in (record, *(beside[i] for i in rng.permutation(len(beside)))):
        for question, answers in _forms(each, piece, changing, rng):
            if len(asked) < wanted:
                asked.setdefault(question, answers)
    if len(asked) < wanted and neighbours and rng.random() < _ELSEWHERE:
        other = neighbours[0]
        if other.text != record.text and other.spans and not _holds_answer(piece, other):
            asked.setdefault(other.instruction, ())
    return asked or {record.instruction: piece.spans}


def _forms(
    each: Record, piece: Record, neighbours: Sequence[Record], rng: Generator
) -> Iterator[tuple[str, tuple[GoldSpan, ...]]]:
    """Yield a question as it can be put to the piece, and sometimes a changed one."""
    if not each.spans:
        if in_sight(each, piece.text):
            yield each.instruction, ()
        return
    base = each.text.find(piece.text)
    inside = tuple(
        GoldSpan(span.start - base, span.end - base, span.label)
        for span in each.spans
        if span.start >= base and span.end <= base + len(piece.text)
    )
    if not inside and rng.random() < _CUT_AWAY and not _holds_answer(piece, each):
        yield each.instruction, ()
    if len(inside) < len(each.spans):
        return
    changed = None
    if neighbours and rng.random() < _CHANGED:
        here = replace(piece, instruction=each.instruction, spans=inside)
        changed = changed_question(here, neighbours, rng)
    if changed is None or rng.random() >= _ALONE:
        yield each.instruction, inside
    if changed is not None:
        yield changed.instruction, ()


def _holds_answer(piece: Record, question: Record) -> bool:
    text = piece.text.lower()
    return any(question.text[s.start : s.end].lower() in text for s in question.spans)
