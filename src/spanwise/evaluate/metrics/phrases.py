"""Key phrases: gold phrases and a ranking of predicted ones -> F1@k.

Computed for each document and then averaged, as in the key-phrase literature (Meng et al. 2017,
Yuan et al. 2020): the first k distinct predictions are compared with the gold phrases after
lower-casing and squeezing white space. Papers often stem as well; hand in `fold` to do so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseScores:
    """Means over the documents that have gold phrases, 0..1; `k` is None for "all of them"."""

    precision: float
    recall: float
    f1: float
    k: int | None
    n: int


def lower(phrase: str) -> str:
    """Lower-case and squeeze white space."""
    return " ".join(phrase.lower().split())


def f1_at_k(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    *,
    k: int | None = 5,
    fold: Callable[[str], str] = lower,
) -> PhraseScores:
    """Score the first k phrases of each document.

    Precision divides by the number of phrases returned, at most k: a system is not charged for
    finding fewer than k. Documents without gold phrases are left out.

    Args:
        gold: the true phrases of each document, in any order.
        predicted: the phrases found in each, best first.
        k: how many count; None for all (F1@M).
        fold: what makes two phrases the same.

    Raises:
        InputError: not as many predictions as documents, or k below 1.
    """
    if len(gold) != len(predicted):
        msg = f"{len(gold)} documents but {len(predicted)} predictions: give one list for each"
        raise InputError(msg)
    if k is not None and k < 1:
        msg = f"k is {k}: give how many phrases count, at least 1, or None for all"
        raise InputError(msg)
    rows: list[tuple[float, float, float]] = []
    for true, found in zip(gold, predicted, strict=True):
        wanted = {fold(phrase) for phrase in true}
        given = list(dict.fromkeys(fold(phrase) for phrase in found))[:k]
        if wanted:
            n_same = len(wanted.intersection(given))
            rows.append(
                (
                    n_same / len(given) if given else 0.0,
                    n_same / len(wanted),
                    2 * n_same / (len(given) + len(wanted)),
                )
            )
    n = len(rows)
    means = [sum(column) / n for column in zip(*rows, strict=True)] if n else [0.0, 0.0, 0.0]
    return PhraseScores(precision=means[0], recall=means[1], f1=means[2], k=k, n=n)
