"""Precision and recall over thresholds: scored spans of one run -> a curve.

A point answers "what if only spans with at least this score counted?". Decoding anew with a
higher threshold can differ slightly, since a threshold also gates a span's start and end: the
curve is for choosing, the number at the chosen threshold comes from a run with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from spanwise.errors import InputError
from spanwise.evaluate.metrics.ner import Marked

if TYPE_CHECKING:
    from collections.abc import Sequence


class Scored(Marked, Protocol):
    """A labelled piece of a text with a score: `Entity` is one."""

    @property
    def score(self) -> float:
        """Probability, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Points by rising threshold; precision of an empty set of predictions is 1 here."""

    thresholds: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]

    @property
    def best(self) -> tuple[float, float]:
        """The threshold with the highest F1 (the lowest of equals), and that F1."""
        index = int(np.argmax(self.f1))
        return self.thresholds[index], self.f1[index]


DEFAULT_THRESHOLDS: tuple[float, ...] = tuple(round(0.05 * step, 2) for step in range(1, 20))


def over_thresholds(
    gold: Sequence[Sequence[Marked]],
    predicted: Sequence[Sequence[Scored]],
    *,
    thresholds: Sequence[float] = DEFAULT_THRESHOLDS,
) -> Curve:
    """Score the predictions with at least each threshold, strictly (exact span and label).

    Args:
        gold: the true spans of each text.
        predicted: the spans found in each, at a threshold below all of `thresholds`.
        thresholds: the points of the curve.

    Raises:
        InputError: not as many predictions as texts.
    """
    if len(gold) != len(predicted):
        msg = f"{len(gold)} gold texts but {len(predicted)} predicted ones: give a list for each"
        raise InputError(msg)
    scores, right, n_gold = [], [], 0
    for true, found in zip(gold, predicted, strict=True):
        wanted = {(span.start, span.end, span.label) for span in true}
        n_gold += len(wanted)
        for span in sorted(found, key=lambda each: -each.score):
            key = (span.start, span.end, span.label)
            scores.append(span.score)
            right.append(key in wanted)
            wanted.discard(key)
    points = np.array(sorted(thresholds), dtype=np.float64)
    kept = np.asarray(scores, dtype=np.float64)[None, :] >= points[:, None]
    n_predicted = kept.sum(axis=1)
    n_correct = (kept & np.asarray(right, dtype=bool)[None, :]).sum(axis=1)
    precision = np.where(n_predicted > 0, n_correct / np.maximum(n_predicted, 1), 1.0)
    recall = n_correct / max(n_gold, 1)
    f1 = 2 * n_correct / np.maximum(n_predicted + n_gold, 1)
    return Curve(
        thresholds=tuple(points.tolist()),
        precision=tuple(precision.tolist()),
        recall=tuple(recall.tolist()),
        f1=tuple(f1.tolist()),
    )
