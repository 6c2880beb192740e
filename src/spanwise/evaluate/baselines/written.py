"""What a generative system wrote -> a reading, with everything that could not be used named.

Answers, tails and summaries are scored as words, so they need no place in the text. Entities do:
each piece of the JSON list takes the next free occurrence of its words. Nothing is guessed: a
piece that is not in the text, or has a label nobody asked for, is left out and counted.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from spanwise.data.text import occurrences
from spanwise.evaluate.baselines.prompts import NO_ANSWER
from spanwise.evaluate.metrics.qa import normalise
from spanwise.evaluate.systems import Reading
from spanwise.types import Entity

if TYPE_CHECKING:
    from spanwise.evaluate.systems import Question

EMPTY = "wrote nothing"
NOT_JSON = "no JSON list"
NOT_A_PIECE = "a piece without text and label"
NOT_ASKED = "a label that was not asked for"
NOT_IN_TEXT = "a piece that is not in the text"
_SILENT_WORDS = (NO_ANSWER, "none", "unanswerable", "not answerable", "unknown", "n/a", "not found")
_SILENCE = frozenset(normalise(words) for words in _SILENT_WORDS)
_QUOTES = "\"'\u201c\u201d\u2018\u2019`"


def read(question: Question, output: str) -> Reading:
    """Return the reading of what was written for one question."""
    words = output.strip()
    if question.task in {"answers", "relations"}:
        bare = words.strip(_QUOTES).strip()
        silent = normalise(bare) in _SILENCE
        failure = "" if words else EMPTY
        return Reading(written="" if silent else bare, failure=failure)
    if question.task == "summary":
        return Reading(written=words, failure="" if words else EMPTY)
    return _pieces(question, words)


def _pieces(question: Question, words: str) -> Reading:
    pieces = _json_list(words)
    if pieces is None:
        return Reading(failure=NOT_JSON if words else EMPTY)
    labels = {label.lower(): label for label in question.labels}
    used: Counter[str] = Counter()
    spans: list[Entity] = []
    failure = ""
    for piece in pieces:
        fields = piece if isinstance(piece, dict) else {}
        text, label = fields.get("text"), fields.get("label")
        if not (isinstance(text, str) and isinstance(label, str) and text and label):
            failure = failure or NOT_A_PIECE
            continue
        asked = labels.get(label.strip().lower())
        places = occurrences(question.text, text)
        if asked is None or used[text] >= len(places):
            failure = failure or (NOT_ASKED if asked is None else NOT_IN_TEXT)
            continue
        start, end = places[used[text]]
        used[text] += 1
        spans.append(Entity(text, asked, start, end, 1.0))
    spans.sort(key=lambda span: (span.start, span.end))
    return Reading(spans=tuple(spans), failure=failure)


def _json_list(words: str) -> list[Any] | None:
    """Return the first JSON list in a text that may have words or a code fence around it."""
    at = words.find("[")
    while at >= 0:
        value = _json_at(words, at)
        if isinstance(value, list):
            return value
        at = words.find("[", at + 1)
    return None


def _json_at(words: str, at: int) -> object:
    try:
        return json.JSONDecoder().raw_decode(words, at)[0]
    except ValueError:
        return None
