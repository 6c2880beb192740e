"""Long text -> overlapping windows, and spans back to the document.

A text longer than one window is covered by several that overlap by a quarter, cut at sentence
ends where one is near. Inside an overlap the two windows share a border, again a sentence end
where possible: a span is taken from the window on whose side it starts. So every word belongs to
exactly one window and is read with context on both sides, an entity across a cut is whole in the
window that owns its start, and nothing is found twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanwise.flow.words import Words

LongText = Literal["windows", "error", "truncate"]

_SENTENCE_ENDS = frozenset(".!?…。！？؟।")
_CLOSERS = frozenset("\"'»”’)]}")
_SHORTENED = re.compile(
    "(?:[A-Z]|Capt|Col|Dr|Fig|Gen|Gov|Lt|Mr|Mrs|Ms|Mt|Prof|Rev|Sen|Sgt|St|Vol|ca|cf|v|vs)"
)


@dataclass(frozen=True, slots=True)
class Window:
    """Words `start` to `stop` of a document; spans starting in `own_start:own_stop` are its own."""

    start: int
    stop: int
    own_start: int
    own_stop: int


def cut(
    costs: NDArray[np.int64], *, max_cost: int, max_words: int, ends: NDArray[np.bool_]
) -> list[Window]:
    """Cut a document into windows.

    Args:
        costs: `[words]`, what each word takes from a window (its sub-words; 0 where free).
        max_cost: the most that one window's words may take together.
        max_words: the most words of one window.
        ends: `[words]`, whether a sentence ends with this word.

    Returns:
        Windows in order that cover every word; one if all fits (also for no word at all).
    """
    n_words = len(costs)
    total = np.concatenate(([0], np.cumsum(costs)))
    if n_words <= max_words and total[-1] <= max_cost:
        return [Window(0, n_words, 0, n_words)]
    windows: list[Window] = []
    start = own_start = 0
    while True:
        stop = _reach(total, start, max_cost=max_cost, max_words=max_words)
        if stop >= n_words:
            windows.append(Window(start, n_words, own_start, n_words))
            return windows
        size = stop - start
        stop = _near_end(ends, max(start + 1, stop - size // 4), stop)
        next_start = _near_end(
            ends, max(start + 1, stop - size // 4), max(start + 1, stop - size // 6)
        )
        border = _near_end(ends, next_start, next_start + (stop - next_start) // 2)
        border = max(border, own_start + 1)
        windows.append(Window(start, stop, own_start, border))
        start, own_start = min(next_start, border), border


def sentence_ends(words: Words) -> NDArray[np.bool_]:
    """Return `[words]`, whether a sentence (or a line of its own) ends with this word.

    A rule of punctuation: a full stop, question or exclamation mark, closing quotes and brackets
    included, before white space and anything but a lower-case letter; or a line break. No
    sentence ends with an initial ("J.", "U.S.") or a title ("Dr.").
    """
    n_words = len(words)
    found = np.zeros(n_words, dtype=bool)
    if not n_words:
        return found
    found[-1] = True
    text, starts, ends = words.text, words.starts.tolist(), words.ends.tolist()
    stopped = False
    for i in range(n_words - 1):
        last = text[ends[i] - 1]
        stopped = last in _SENTENCE_ENDS or (stopped and last in _CLOSERS)
        if last == "." and _shortens(text, starts, ends, i):
            stopped = False
        gap = text[ends[i] : starts[i + 1]]
        following = text[starts[i + 1]]
        if "\n" in gap or (
            stopped
            and (gap or last > "\u2fff")
            and following not in _CLOSERS
            and not following.islower()
        ):
            found[i] = True
    return found


def sentences(words: Words) -> list[tuple[int, int]]:
    """Return the character offsets of the text's sentences, from first word to last."""
    last = np.flatnonzero(sentence_ends(words))
    first = np.concatenate(([0], last[:-1] + 1)) if len(last) else last
    return list(zip(words.starts[first].tolist(), words.ends[last].tolist(), strict=True))


def _shortens(text: str, starts: list[int], ends: list[int], i: int) -> bool:
    """Return whether the full stop that word `i` ends with belongs to a shortened word."""
    alone = ends[i] - starts[i] == 1 and i and ends[i - 1] == starts[i]
    word = text[starts[i - 1] if alone else starts[i] : ends[i] - 1].rpartition(".")[2]
    return _SHORTENED.fullmatch(word) is not None


def _reach(total: NDArray[np.int64], start: int, *, max_cost: int, max_words: int) -> int:
    """Return the furthest stop of a window from `start`, at least one word on."""
    by_cost = int(np.searchsorted(total, total[start] + max_cost, side="right")) - 1
    return max(start + 1, min(by_cost, start + max_words))


def _near_end(ends: NDArray[np.bool_], low: int, high: int) -> int:
    """Return the last cut in `low..high` that follows a sentence end, or `high`."""
    found = np.flatnonzero(ends[low - 1 : high])
    return low + int(found[-1]) if len(found) else high
