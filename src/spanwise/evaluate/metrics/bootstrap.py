"""How sure a number is: confidence intervals, and a paired test between two systems.

Both work on `units` `[n, fields]`: what each independent unit (a text, a question, a document)
adds to the sums from which the number is computed. `f1` needs (correct, predicted, gold) of each
text; `mean` needs one value each. Resampling units, not spans, keeps spans of one text together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Statistic = Callable[[NDArray[np.float64], int], NDArray[np.float64]]

_CHUNK = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number, and the range that holds it with the given confidence (percentiles)."""

    value: float
    low: float
    high: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """The first system's number minus the second's, its interval, and how likely by chance.

    `p_value` is two-sided: the chance of a difference at least as large if the two systems
    were exchangeable on every unit.
    """

    difference: float
    low: float
    high: float
    p_value: float


def f1(sums: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return micro F1 `[...]` of sums `[..., 3]` of correct, predicted and gold."""
    del n
    total = sums[..., 1] + sums[..., 2]
    return np.asarray(2 * sums[..., 0] / np.where(total > 0, total, 1.0), dtype=np.float64)


def mean(sums: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the mean `[...]` of one value a unit, from its sums `[..., 1]` over n units."""
    return np.asarray(sums[..., 0] / n, dtype=np.float64)


def interval(
    units: NDArray[np.float64],
    statistic: Statistic,
    *,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the statistic of all units and its percentile bootstrap interval (Efron 1979).

    Args:
        units: `[n, fields]`, what each unit adds to the sums.
        statistic: sums `[..., fields]` and n -> the number `[...]`; `f1` or `mean`.
        n_resamples: how many resamples to draw.
        confidence: the interval's mass, in 0..1.
        seed: of the resampling; the same seed gives the same interval.

    Raises:
        InputError: no units, no resamples, or a confidence outside 0..1.
    """
    _check(units, n_resamples, confidence)
    values = statistic(_resampled(units, n_resamples, seed), len(units))
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    value = statistic(units.sum(axis=0), len(units))
    return Interval(value=float(value), low=float(low), high=float(high), confidence=confidence)


def paired(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    statistic: Statistic,
    *,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> PairedTest:
    """Compare two systems on the same units.

    The interval comes from the paired bootstrap; the p-value from approximate randomisation
    (Noreen 1989), which exchanges the two systems' outputs on random halves of the units.
    Arguments as in `interval`, `first` and `second` unit by unit.

    Raises:
        InputError: the two differ in shape, or as in `interval`.
    """
    if first.shape != second.shape:
        msg = f"units of shapes {first.shape} and {second.shape}: both must score the same units"
        raise InputError(msg)
    _check(first, n_resamples, confidence)
    n = len(first)
    both = np.concatenate([first, second], axis=1)
    sums = _resampled(both, n_resamples, seed)
    fields = first.shape[1]
    differences = statistic(sums[:, :fields], n) - statistic(sums[:, fields:], n)
    low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
    totals = first.sum(axis=0), second.sum(axis=0)
    observed = float(statistic(totals[0], n) - statistic(totals[1], n))
    moved = _exchanged(second - first, n_resamples, seed)
    shuffled = statistic(totals[0] + moved, n) - statistic(totals[1] - moved, n)
    n_beyond = int((np.abs(shuffled) >= abs(observed) - 1e-12).sum())
    return PairedTest(
        difference=observed,
        low=float(low),
        high=float(high),
        p_value=(n_beyond + 1) / (n_resamples + 1),
    )


def _check(units: NDArray[np.float64], n_resamples: int, confidence: float) -> None:
    if units.ndim != 2 or not len(units):
        msg = f"units of shape {units.shape}: give [n, fields] with at least one unit"
        raise InputError(msg)
    if n_resamples < 1 or not 0.0 < confidence < 1.0:
        msg = (
            f"n_resamples {n_resamples} and confidence {confidence}: give at least one resample "
            "and a confidence between 0 and 1"
        )
        raise InputError(msg)


def _resampled(units: NDArray[np.float64], n_resamples: int, seed: int) -> NDArray[np.float64]:
    """Return sums `[resamples, fields]` of n units drawn with replacement, many at a time."""
    random = np.random.default_rng([seed, 0])
    n = len(units)
    pieces = []
    for begin in range(0, n_resamples, _CHUNK):
        size = min(_CHUNK, n_resamples - begin)
        drawn = random.integers(0, n, size=(size, n))
        rows = np.arange(size)[:, None] * n
        counts = np.bincount((drawn + rows).ravel(), minlength=size * n).reshape(size, n)
        pieces.append(counts.astype(np.float64) @ units)
    return np.concatenate(pieces)


def _exchanged(gaps: NDArray[np.float64], n_resamples: int, seed: int) -> NDArray[np.float64]:
    """Return sums `[resamples, fields]` of the gaps of random halves of the units."""
    random = np.random.default_rng([seed, 1])
    pieces = []
    for begin in range(0, n_resamples, _CHUNK):
        size = min(_CHUNK, n_resamples - begin)
        swap = random.integers(0, 2, size=(size, len(gaps)))
        pieces.append(swap.astype(np.float64) @ gaps)
    return np.concatenate(pieces)
