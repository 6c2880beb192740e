"""Named entities: gold spans and predicted spans -> precision, recall, F1.

The number of the paper (section 3, table 2) is `NerScores.micro`: a prediction counts only with
the gold span's exact start, end and label. Everything softer (boundaries alone, partial overlap,
single tokens) has a name of its own and never mixes with it. A span predicted twice is wrong the
second time; labels are compared as they are given, so fold their case before, on both sides.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from spanwise.errors import InputError
from spanwise.evaluate.metrics.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from numpy.typing import NDArray

NOTHING = "(none)"
"""Row or column of a confusion for a span that the other side lacks."""


class Marked(Protocol):
    """A labelled piece of a text, in characters: `GoldSpan` and `Entity` are two."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """One past the last character."""

    @property
    def label(self) -> str:
        """The type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NerScores:
    """All counts of one set.

    `micro`, `per_label` and `macro_f1` are strict: exact span and label. The others are kept
    apart: `boundaries` ignores the label; `partial` ignores it too and gives one half for an
    overlap that is not exact; `typed` accepts any overlap with the right label (SemEval-2013
    task 9.1 calls these exact, partial and type). `tokens` counts single words and is None
    where no words were given.
    """

    micro: Counts
    per_label: dict[str, Counts]
    boundaries: Counts
    partial: Counts
    typed: Counts
    tokens: Counts | None = None
    n_texts: int = 0

    @property
    def macro_f1(self) -> float:
        """Mean of the F1 of every label that is in the gold or was predicted."""
        scores = [counts.f1 for counts in self.per_label.values()]
        return float(np.mean(scores)) if scores else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How often a gold label (row) was predicted as another (column), on exact boundaries.

    The last row and column, `(none)`, hold spans that only one side has. `matrix` is
    `[labels, labels]`.
    """

    labels: tuple[str, ...]
    matrix: NDArray[np.int64] = field(compare=False)


def score(
    gold: Sequence[Sequence[Marked]],
    predicted: Sequence[Sequence[Marked]],
    *,
    words: Sequence[Sequence[tuple[int, int]]] | None = None,
) -> NerScores:
    """Score one set of texts.

    Args:
        gold: the true spans of each text; repeated ones count once.
        predicted: the spans found in each text.
        words: character offsets of each text's words, for the token-level counts.

    Raises:
        InputError: gold, predicted and words are not of the same number of texts.
    """
    _same_length(gold, predicted, what="predicted")
    strict = per_text(gold, predicted)
    return NerScores(
        micro=_total(strict),
        per_label=_per_label(gold, predicted),
        boundaries=_total(_count_equal(gold, predicted, key=lambda span: (span.start, span.end))),
        partial=_overlapping(gold, predicted, typed=False),
        typed=_overlapping(gold, predicted, typed=True),
        tokens=None if words is None else _tokens(gold, predicted, words),
        n_texts=len(gold),
    )


def per_text(
    gold: Sequence[Sequence[Marked]], predicted: Sequence[Sequence[Marked]]
) -> NDArray[np.float64]:
    """Return strict counts `[texts, 3]`: correct, predicted, gold (the bootstrap's units).

    Raises:
        InputError: gold and predicted are not of the same number of texts.
    """
    _same_length(gold, predicted, what="predicted")
    return _count_equal(gold, predicted, key=lambda span: (span.start, span.end, span.label))


def confusion(gold: Sequence[Sequence[Marked]], predicted: Sequence[Sequence[Marked]]) -> Confusion:
    """Count which label stands where which should, over spans with exact boundaries.

    A gold span whose label was predicted (perhaps beside others) is on the diagonal.

    Raises:
        InputError: gold and predicted are not of the same number of texts.
    """
    _same_length(gold, predicted, what="predicted")
    names = sorted({span.label for spans in (*gold, *predicted) for span in spans})
    labels = (*names, NOTHING)
    row = {label: index for index, label in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for true, found in zip(gold, predicted, strict=True):
        true_at, found_at = _labels_by_place(true), _labels_by_place(found)
        for place in true_at.keys() | found_at.keys():
            wanted, given = true_at.get(place, Counter()), found_at.get(place, Counter())
            right = wanted & given
            missed = sorted((wanted - right).elements())
            spare = sorted((given - right).elements())
            for label in right.elements():
                matrix[row[label], row[label]] += 1
            width = max(len(missed), len(spare))
            missed += [NOTHING] * (width - len(missed))
            spare += [NOTHING] * (width - len(spare))
            for one, other in zip(missed, spare, strict=True):
                matrix[row[one], row[other]] += 1
    return Confusion(labels=labels, matrix=matrix)


def _labels_by_place(spans: Iterable[Marked]) -> dict[tuple[int, int], Counter[str]]:
    places: dict[tuple[int, int], Counter[str]] = {}
    for span in spans:
        places.setdefault((span.start, span.end), Counter())[span.label] += 1
    return places


def _same_length(gold: Sequence[object], other: Sequence[object], *, what: str) -> None:
    if len(gold) != len(other):
        msg = f"{len(gold)} gold texts but {len(other)} {what} ones: give one list for each text"
        raise InputError(msg)


def _total(counts: NDArray[np.float64]) -> Counts:
    correct, predicted, gold = counts.sum(axis=0)
    return Counts(n_correct=float(correct), n_predicted=int(predicted), n_gold=int(gold))


def _count_equal(
    gold: Sequence[Sequence[Marked]],
    predicted: Sequence[Sequence[Marked]],
    *,
    key: Callable[[Marked], Hashable],
) -> NDArray[np.float64]:
    """Return `[texts, 3]` counts of correct, predicted and gold by equality of `key`."""
    counts = np.zeros((len(gold), 3))
    for index, (true, found) in enumerate(zip(gold, predicted, strict=True)):
        wanted = {key(span) for span in true}
        given = Counter(key(span) for span in found)
        counts[index] = (len(wanted & given.keys()), given.total(), len(wanted))
    return counts


def _per_label(
    gold: Sequence[Sequence[Marked]], predicted: Sequence[Sequence[Marked]]
) -> dict[str, Counts]:
    totals: dict[str, Counts] = {}
    for true, found in zip(gold, predicted, strict=True):
        wanted = {(span.start, span.end, span.label) for span in true}
        given = Counter((span.start, span.end, span.label) for span in found)
        for label in {key[2] for key in (*wanted, *given)}:
            mine = {key for key in wanted if key[2] == label}
            theirs = {key: n for key, n in given.items() if key[2] == label}
            totals[label] = totals.get(label, Counts()) + Counts(
                n_correct=float(len(mine & theirs.keys())),
                n_predicted=sum(theirs.values()),
                n_gold=len(mine),
            )
    return dict(sorted(totals.items()))


def _overlapping(
    gold: Sequence[Sequence[Marked]], predicted: Sequence[Sequence[Marked]], *, typed: bool
) -> Counts:
    """Match each prediction with at most one gold span that it overlaps, best overlap first.

    Exact boundaries count 1. Any other overlap counts 1 where labels are compared, else 0.5.
    """
    total = Counts()
    for true, found in zip(gold, predicted, strict=True):
        wanted = sorted({(s.start, s.end, s.label if typed else "") for s in true})
        given = sorted((s.start, s.end, s.label if typed else "") for s in found)
        pairs = sorted(
            (a[:2] != b[:2], abs(a[0] - b[0]) + abs(a[1] - b[1]), i, j)
            for i, a in enumerate(wanted)
            for j, b in enumerate(given)
            if a[2] == b[2] and a[0] < b[1] and b[0] < a[1]
        )
        correct, used_gold, used_found = 0.0, set(), set()
        for inexact, _, i, j in pairs:
            if i not in used_gold and j not in used_found:
                used_gold.add(i)
                used_found.add(j)
                correct += 0.5 if inexact and not typed else 1.0
        total += Counts(n_correct=correct, n_predicted=len(given), n_gold=len(wanted))
    return total


def _tokens(
    gold: Sequence[Sequence[Marked]],
    predicted: Sequence[Sequence[Marked]],
    words: Sequence[Sequence[tuple[int, int]]],
) -> Counts:
    """Count (word, label) pairs; a span holds every word that it overlaps."""
    _same_length(gold, words, what="lists of words for the")
    total = Counts()
    for true, found, offsets in zip(gold, predicted, words, strict=True):
        wanted, given = _covered(true, offsets), _covered(found, offsets)
        total += Counts(
            n_correct=float(len(wanted & given)), n_predicted=len(given), n_gold=len(wanted)
        )
    return total


def _covered(spans: Sequence[Marked], offsets: Sequence[tuple[int, int]]) -> set[tuple[int, str]]:
    return {
        (index, span.label)
        for span in spans
        for index, (start, end) in enumerate(offsets)
        if start < span.end and span.start < end
    }
