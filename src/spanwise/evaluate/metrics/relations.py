"""Relations: the tail of a given head and relation, whole triples, and false alarms.

Three questions, three functions. `tails` is the paper's FewRel setting (section 3, table 5): head
and relation are given and one tail is to be found; judged by its words as SQuAD answers are
(`exact`, `f1`) and, more strictly, by its place (`exact_offsets`): the right name at another place
of the text passes the first and not the second. `triples` counts whole relations. `false_alarms`
asks how often something is found where the relation is absent.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from spanwise.errors import InputError
from spanwise.evaluate.metrics import qa
from spanwise.evaluate.metrics.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from spanwise.types import Relation


class Located(Protocol):
    """A piece of text and, where it is known, its place: `Span` and `Entity` are two."""

    @property
    def text(self) -> str:
        """The words."""

    @property
    def start(self) -> int | None:
        """First character, or None where a system wrote the words and marked no place."""

    @property
    def end(self) -> int | None:
        """One past the last character, or None likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TailScores:
    """How well tails were found, 0..1, over `n` pairs of head and relation.

    `exact` and `f1` compare normalised words (`qa.normalise`); `exact_offsets` compares places.
    `silent` is the share of pairs for which nothing was predicted.
    """

    exact: float
    f1: float
    exact_offsets: float
    silent: float
    n: int


def tails(golds: Sequence[Sequence[Located]], predicted: Sequence[Located | None]) -> TailScores:
    """Score one predicted tail for each pair of head and relation.

    Args:
        golds: the accepted tails of each pair, at least one (mentions of the same tail).
        predicted: the best tail found, or None.

    Raises:
        InputError: the two are not of the same length, or a pair has no gold tail.
    """
    scores = per_pair(golds, predicted)
    if not len(scores):
        return TailScores(exact=0.0, f1=0.0, exact_offsets=0.0, silent=0.0, n=0)
    means = scores.mean(axis=0)
    return TailScores(
        exact=float(means[0]),
        f1=float(means[1]),
        exact_offsets=float(means[2]),
        silent=float(np.mean([tail is None for tail in predicted])),
        n=len(scores),
    )


def per_pair(
    golds: Sequence[Sequence[Located]], predicted: Sequence[Located | None]
) -> NDArray[np.float64]:
    """Return `[pairs, 3]`: exact words, F1 of words, exact place. Arguments as in `tails`."""
    if len(golds) != len(predicted):
        msg = f"{len(golds)} pairs but {len(predicted)} predicted tails: give one for each"
        raise InputError(msg)
    scores = np.zeros((len(golds), 3))
    for index, (accepted, tail) in enumerate(zip(golds, predicted, strict=True)):
        if not accepted:
            msg = f"pair {index} has no gold tail: ask `false_alarms` about absent relations"
            raise InputError(msg)
        if tail is None:
            continue
        scores[index] = (
            max(qa.exact(gold.text, tail.text) for gold in accepted),
            max(qa.token_f1(gold.text, tail.text) for gold in accepted),
            any((gold.start, gold.end) == (tail.start, tail.end) for gold in accepted),
        )
    return scores


def triples(
    gold: Sequence[Sequence[Relation]],
    predicted: Sequence[Sequence[Relation]],
    *,
    by: Literal["offsets", "text"] = "offsets",
) -> Counts:
    """Count whole triples: head, relation and tail must all be right.

    Args:
        gold: the true relations of each text; repeated ones count once.
        predicted: the relations found in each text; a repeated one is wrong the second time.
        by: "offsets" wants both ends at their exact places; "text" compares their normalised
            words and counts a triple once, wherever in the text it is said.

    Raises:
        InputError: the two are not of the same number of texts.
    """
    if len(gold) != len(predicted):
        msg = f"{len(gold)} gold texts but {len(predicted)} predicted ones: give a list for each"
        raise InputError(msg)
    total = Counts()
    for true, found in zip(gold, predicted, strict=True):
        wanted = {_key(relation, by) for relation in true}
        given = Counter(_key(relation, by) for relation in found)
        total += Counts(
            n_correct=float(len(wanted & given.keys())),
            n_predicted=given.total() if by == "offsets" else len(given),
            n_gold=len(wanted),
        )
    return total


def false_alarms(predicted: Sequence[Sequence[object]]) -> float:
    """Return the share of questions with an answer, where the right answer is none (0..1).

    Args:
        predicted: what was found for each pair of head and relation that the text does not hold.
    """
    return float(np.mean([bool(found) for found in predicted])) if len(predicted) else 0.0


def _key(relation: Relation, by: Literal["offsets", "text"]) -> Hashable:
    head, tail = relation.head, relation.tail
    if by == "text":
        return qa.normalise(head.text), relation.relation, qa.normalise(tail.text)
    return head.start, head.end, relation.relation, tail.start, tail.end
