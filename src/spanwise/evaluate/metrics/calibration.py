"""Calibration: scores and whether they were right -> how far the scores can be believed.

Predictions are put in equal-width bins of their score; in each bin the mean score is compared
with the share that was right. ECE (Naeini et al. 2015) is the mean gap, weighted by the bins'
sizes; the bins are the points of a reliability plot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Predictions with a score in (low, high]; the first bin holds 0 as well."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """`ece` the mean gap, `worst` the largest, `brier` the mean squared error, all 0..1.

    `bins` are those that hold predictions, by rising score.
    """

    ece: float
    worst: float
    brier: float
    bins: tuple[Bin, ...]
    n: int


def calibration(
    scores: Sequence[float], correct: Sequence[bool], *, n_bins: int = 10
) -> Calibration:
    """Compare scores with outcomes.

    Args:
        scores: the predicted probability of each prediction, 0..1.
        correct: whether it was right.
        n_bins: the number of equal-width bins.

    Raises:
        InputError: lengths differ, a score is outside 0..1, or n_bins is below 1.
    """
    if len(scores) != len(correct):
        msg = f"{len(scores)} scores but {len(correct)} outcomes: give one for each"
        raise InputError(msg)
    if n_bins < 1:
        msg = f"n_bins is {n_bins}: give at least 1"
        raise InputError(msg)
    given = np.asarray(scores, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    outside = given[~((given >= 0.0) & (given <= 1.0))]
    if len(outside):
        msg = f"score {outside[0]} is not a probability: scores must be in 0..1"
        raise InputError(msg)
    if not len(given):
        return Calibration(ece=0.0, worst=0.0, brier=0.0, bins=(), n=0)
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    place = np.clip(np.searchsorted(edges, given, side="left") - 1, 0, n_bins - 1)
    bins = tuple(
        Bin(
            low=float(edges[index]),
            high=float(edges[index + 1]),
            n=int((place == index).sum()),
            confidence=float(given[place == index].mean()),
            accuracy=float(right[place == index].mean()),
        )
        for index in np.unique(place)
    )
    gaps = [abs(part.confidence - part.accuracy) for part in bins]
    weighted = sum(part.n * gap for part, gap in zip(bins, gaps, strict=True))
    return Calibration(
        ece=weighted / len(given),
        worst=max(gaps),
        brier=float(((given - right) ** 2).mean()),
        bins=bins,
        n=len(given),
    )
