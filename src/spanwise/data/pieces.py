"""A record's text -> the piece of it that is trained on, in words, with its spans.

Long texts are cut at sentence ends, so that no span is torn and the model reads whole sentences.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from spanwise.data.records import GoldSpan
from spanwise.data.text import content_words
from spanwise.flow import windows
from spanwise.flow.words import RegexSplitter, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from spanwise.data.records import Record
    from spanwise.flow.words import Words


def cut(
    record: Record, words: Words, size: int, limit: int, rng: Generator
) -> tuple[Words, list[GoldSpan]]:
    """Return a piece of about `size` words, never more than `limit`, that holds one of the spans.

    Of a question without an answer it holds what comes nearest to it. Spans that do not lie wholly
    in the piece are left out. `words` are those of the whole text.
    """
    if len(words) <= size:
        return words, list(record.spans)
    edges = np.concatenate(([0], np.flatnonzero(windows.sentence_ends(words)) + 1))
    anchor = int(rng.integers(len(words)))
    if record.spans:
        span = record.spans[int(rng.integers(len(record.spans)))]
        anchor = max(0, int(np.searchsorted(words.starts, span.start, side="right")) - 1)
    elif record.task == "answers":
        anchor = _nearest(record.instruction, words, edges)
    low = int(np.searchsorted(edges, anchor, side="right")) - 1
    high = low + 1
    while True:
        before = low > 0 and edges[high] - edges[low - 1] <= size
        after = high < len(edges) - 1 and edges[high + 1] - edges[low] <= size
        if not before and not after:
            break
        if before and (not after or rng.random() < 0.5):
            low -= 1
        else:
            high += 1
    first, stop = int(edges[low]), int(edges[high])
    if stop - first > limit:  # one endless sentence
        first = max(first, min(anchor - 20, stop - limit))
        stop = min(stop, first + limit)
    return _between(words, record.spans, first, stop)


def _nearest(question: str, words: Words, edges: NDArray[np.int64]) -> int:
    """Return the first word of the sentence that shares most words with a question."""
    asked = content_words(question)
    shared = [
        len(asked & content_words(words.part(first, stop).text))
        for first, stop in pairwise(edges.tolist())
    ]
    return int(edges[int(np.argmax(shared))])


def sentences(text: str) -> list[tuple[int, int]]:
    """Return where each sentence of the text starts and ends, in characters."""
    return windows.sentences(split(text, RegexSplitter()))


def _between(
    words: Words, spans: Sequence[GoldSpan], first: int, stop: int
) -> tuple[Words, list[GoldSpan]]:
    base, end = int(words.starts[first]), int(words.ends[stop - 1])
    inside = [
        GoldSpan(s.start - base, s.end - base, s.label)
        for s in spans
        if s.start >= base and s.end <= end
    ]
    return words.part(first, stop), inside


def word_spans(
    words: Words, spans: Sequence[GoldSpan], places: Mapping[str, int]
) -> tuple[tuple[int, int, int], ...]:
    """Return `(first word, last word + 1, place of the label)` of the spans whose label is asked.

    A span that begins or ends inside a word covers it whole.
    """
    found = set()
    for span in spans:
        place = places.get(span.label)
        if place is None:
            continue
        first = int(np.searchsorted(words.ends, span.start, side="right"))
        stop = int(np.searchsorted(words.starts, span.end, side="left"))
        if first < stop:
            found.add((first, stop, place))
    return tuple(sorted(found))
