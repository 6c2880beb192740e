"""Scores -> spans: candidates by threshold, then greedily by score (paper, section 2.1).

For logits `[batch, words, labels, 3]` (start, end, inside) a candidate is every `(i, j, c)` with

    sigmoid(start[i, c]) > t,  sigmoid(end[j, c]) > t,  sigmoid(inside[k, c]) >= t for i <= k <= j

and its score is the mean of the inside probabilities (policy "mean", the paper), the minimum of all
probabilities used (policy "min", `gliner` since 0.2.17), or the geometric mean of its start and end
(policy "edges", for models that were trained to rank them). Span-level logits
`[batch, words, width, labels]` are candidates where their probability is above t.

Everything up to the greedy choice is numpy on the few positions above the threshold, laid out
as one line of words per (item, label); the greedy loop runs over candidates only.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from spanwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanwise.config import Policy

Overlap = Literal["flat", "nested"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Scored spans of many items, as parallel arrays `[candidates]`.

    `items` index the batch, `starts` and `ends` are words (half-open), `labels` the labels.
    """

    items: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    labels: NDArray[np.int64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.items)

    def take(self, chosen: NDArray[np.generic]) -> Candidates:
        """Return the candidates at these positions, or where this mask is true."""
        return Candidates(
            self.items[chosen],
            self.starts[chosen],
            self.ends[chosen],
            self.labels[chosen],
            self.scores[chosen],
        )


def check_thresholds(threshold: float | Sequence[float]) -> None:
    """Raise InputError for a threshold outside 0..1."""
    values = np.atleast_1d(np.asarray(threshold, dtype=np.float64))
    bad = ~((values >= 0) & (values <= 1))
    if bad.any():
        msg = f"threshold {float(values[bad][0])} is not a probability; give a number in 0..1"
        raise InputError(msg)


def token_candidates(
    logits: NDArray[np.floating],
    n_words: NDArray[np.int64],
    n_labels: NDArray[np.int64],
    thresholds: NDArray[np.float64],
    *,
    policy: Policy = "mean",
) -> Candidates:
    """Return the candidates of token-level logits.

    Args:
        logits: `[batch, words, labels, 3]`; padded words and labels hold anything.
        n_words: `[batch]`, real words of each item.
        n_labels: `[batch]`, real labels of each item.
        thresholds: `[batch, labels]`, or anything that broadcasts to it.
        policy: how a span is scored, "mean", "min" or "edges".

    Returns:
        Candidates ordered by item, start, end, label.
    """
    batch, words, labels, _ = logits.shape
    cut = np.broadcast_to(logit(thresholds), (batch, labels))
    real = (np.arange(words)[None, :, None] < n_words[:, None, None]) & (
        np.arange(labels)[None, None, :] < n_labels[:, None, None]
    )
    start, end, inside = logits[..., 0], logits[..., 1], logits[..., 2]
    # A position (item, word, label) becomes one number on a line where the words of an item and
    # label are neighbours and one free place follows each last word. All of a span's words are
    # inside, its first and last too, so only places that are `good` are looked at again.
    stride = words + 1
    item, word, label = np.nonzero((inside >= cut[:, None, :].astype(logits.dtype)) & real)
    places = (item * labels + label) * stride + word
    order = np.argsort(places, kind="stable")
    good, item, word, label = places[order], item[order], word[order], label[order]
    least = cut[item, label]
    first = good[start[item, word, label] > least]
    last = good[end[item, word, label] > least]
    if not len(first) or not len(last):
        return _none()
    inside_scores = sigmoid(inside[item, word, label])
    # `run_end[k]` is one past the unbroken run of good places that `good[k]` lies in.
    breaks = np.flatnonzero(np.diff(good) != 1)
    run_last = np.append(breaks, len(good) - 1)
    place_in_good = np.searchsorted(good, first)
    run_end = good[run_last[np.searchsorted(run_last, place_in_good)]] + 1
    low = np.searchsorted(last, first)
    counts = np.searchsorted(last, run_end) - low
    total = int(counts.sum())
    if not total:
        return _none()
    owner = np.repeat(np.arange(len(first)), counts)
    step = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    i, j = first[owner], last[low[owner] + step]
    begin = place_in_good[owner]
    scores = np.zeros(0)
    if policy != "edges":
        scores = _over(inside_scores, begin, begin + (j - i) + 1, policy)
    row, i = np.divmod(i, stride)
    j = j - row * stride
    item, label = np.divmod(row, labels)
    if policy != "mean":
        first, last = sigmoid(start[item, i, label]), sigmoid(end[item, j, label])
        if policy == "edges":
            scores = np.sqrt(first * last)
        else:
            scores = np.minimum(scores, np.minimum(first, last))
    found = Candidates(item, i, j + 1, label, scores)
    return found.take(np.lexsort((label, j, i, item)))


def span_candidates(
    logits: NDArray[np.floating],
    n_words: NDArray[np.int64],
    n_labels: NDArray[np.int64],
    thresholds: NDArray[np.float64],
) -> Candidates:
    """Return the candidates of span-level logits `[batch, words, width, labels]`.

    The span at `[b, i, k, c]` covers words `i` to `i + k`; those past the last word do not exist.
    Arguments are those of `token_candidates`; the score is the span's own probability.
    """
    batch, words, width, labels = logits.shape
    cut = np.broadcast_to(logit(thresholds), (batch, labels))[:, None, None, :]
    stop = np.arange(words)[:, None] + np.arange(width)[None, :]
    real = (stop[None] < n_words[:, None, None])[..., None] & (
        np.arange(labels)[None, None, None, :] < n_labels[:, None, None, None]
    )
    item, i, k, label = np.nonzero((logits > cut) & real)
    return Candidates(item, i, i + k + 1, label, sigmoid(logits[item, i, k, label]))


def greedy(
    found: Candidates, *, overlap: Overlap = "flat", multi_label: bool = False
) -> NDArray[np.int64]:
    """Return the positions of the spans to keep among candidates of ONE document.

    By falling score (ties: earlier start, then the order given), a span is kept unless it
    conflicts with one kept before. Flat: spans do not overlap. Nested: one may lie wholly in
    another, partial overlap is refused. Multi-label: the very same span may carry several labels.

    Returns:
        Positions `[kept]` in text order: by start, then end, then falling score.
    """
    order = np.argsort(-found.scores, kind="stable")
    starts, ends = found.starts.tolist(), found.ends.tolist()
    kept: list[int] = []
    taken = _Taken()
    for place in order.tolist():
        if taken.admits(starts[place], ends[place], nested=overlap == "nested", same=multi_label):
            taken.add(starts[place], ends[place])
            kept.append(place)
    chosen = np.asarray(kept, dtype=np.int64)
    keys = (-found.scores[chosen], found.ends[chosen], found.starts[chosen])
    return chosen[np.lexsort(keys)]


class _Taken:
    """Spans kept so far, sorted by start; flat spans have at most one neighbour on each side."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []
        self.longest = 0

    def add(self, start: int, end: int) -> None:
        at = bisect_right(self.spans, (start, end))
        if at == 0 or self.spans[at - 1] != (start, end):
            self.spans.insert(at, (start, end))
        self.longest = max(self.longest, end - start)

    def admits(self, start: int, end: int, *, nested: bool, same: bool) -> bool:
        """Whether the span conflicts with none kept; only those that can reach it are looked at."""
        at = bisect_right(self.spans, (start - self.longest, -1))
        while at < len(self.spans) and self.spans[at][0] < end:
            i, j = self.spans[at]
            at += 1
            if j <= start:
                continue
            if (i, j) == (start, end):
                if not same:
                    return False
            elif not nested or not ((i <= start and end <= j) or (start <= i and j <= end)):
                return False
        return True


def logit(probability: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the logit of a probability; 0 and 1 give minus and plus infinity."""
    p = np.asarray(probability, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p) - np.log1p(-p))


def sigmoid(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the logistic function in float64."""
    with np.errstate(over="ignore"):  # the limit, 0, is right
        return np.asarray(1.0 / (1.0 + np.exp(-x.astype(np.float64))))


def _over(
    values: NDArray[np.float64], begin: NDArray[np.int64], stop: NDArray[np.int64], policy: Policy
) -> NDArray[np.float64]:
    """Mean or minimum of `values[begin:stop]` per span; each depends on its own values only."""
    edges = np.stack((begin, stop), axis=1).ravel()
    if policy == "min":
        return np.asarray(np.minimum.reduceat(np.append(values, np.inf), edges)[::2])
    return np.asarray(np.add.reduceat(np.append(values, 0.0), edges)[::2] / (stop - begin))


def _none() -> Candidates:
    empty = np.zeros(0, dtype=np.int64)
    return Candidates(empty, empty, empty, empty, np.zeros(0))
