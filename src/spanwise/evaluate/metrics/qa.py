"""Answers: gold strings and a predicted string -> exact match and F1, as SQuAD 2.0 defines them.

Follows the official `evaluate-v2.0.py` (Rajpurkar et al. 2018): answers are lower-cased, stripped
of punctuation, of a/an/the and of superfluous space; the best of several gold answers counts; on
an unanswerable question silence is right and anything else wrong. Answerable and unanswerable
questions are reported apart as well as together, because a mean over both hides a system that
never says "no".
"""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(answer: str) -> str:
    """Lower-case, drop ASCII punctuation and articles, squeeze white space."""
    plain = answer.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", plain).split())


def exact(gold: str, predicted: str) -> float:
    """Return 1.0 where both are the same after `normalise`, else 0.0."""
    return float(normalise(gold) == normalise(predicted))


def token_f1(gold: str, predicted: str) -> float:
    """Return the F1 of the bags of normalised tokens; two empty answers agree (1.0)."""
    wanted, given = normalise(gold).split(), normalise(predicted).split()
    if not wanted or not given:
        return float(wanted == given)
    n_same = (Counter(wanted) & Counter(given)).total()
    return 2 * n_same / (len(wanted) + len(given))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerScores:
    """Exact match and F1 (0..1) over `n` questions."""

    exact: float
    f1: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QaScores:
    """Scores over all, the answerable and the unanswerable questions.

    `no_answer_recognised` is the share of the unanswerable questions left unanswered (equal to
    `unanswerable.exact`); `wrongly_silent` the share of the answerable ones left unanswered.
    """

    all: AnswerScores
    answerable: AnswerScores
    unanswerable: AnswerScores
    no_answer_recognised: float
    wrongly_silent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BestThreshold:
    """The best scores (0..1) that some threshold on the no-answer probability reaches.

    A question is answered where its no-answer probability is at most the threshold. Chosen on
    the very data it is reported for, so an upper bound and not a result.
    """

    exact: float
    exact_threshold: float
    f1: float
    f1_threshold: float


def per_question(
    golds: Sequence[Sequence[str]], predicted: Sequence[str | None]
) -> NDArray[np.float64]:
    """Return `[questions, 2]`: exact match and F1 of each (the bootstrap's units).

    Args:
        golds: the accepted answers of each question; none of them means unanswerable.
        predicted: the answer given, or None (or "") for "there is none".

    Raises:
        InputError: the two are not of the same length.
    """
    if len(golds) != len(predicted):
        msg = f"{len(golds)} questions but {len(predicted)} predictions: give one for each"
        raise InputError(msg)
    scores = np.zeros((len(golds), 2))
    for index, (accepted, answer) in enumerate(zip(golds, predicted, strict=True)):
        candidates = [gold for gold in accepted if normalise(gold)] or [""]
        given = answer or ""
        scores[index, 0] = max(exact(gold, given) for gold in candidates)
        scores[index, 1] = max(token_f1(gold, given) for gold in candidates)
    return scores


def score(golds: Sequence[Sequence[str]], predicted: Sequence[str | None]) -> QaScores:
    """Score a set of questions; arguments and errors as in `per_question`."""
    scores = per_question(golds, predicted)
    answerable = np.array([bool(accepted) for accepted in golds], dtype=bool)
    silent = np.array([not answer for answer in predicted], dtype=bool)
    return QaScores(
        all=_mean(scores),
        answerable=_mean(scores[answerable]),
        unanswerable=_mean(scores[~answerable]),
        no_answer_recognised=_share(silent[~answerable]),
        wrongly_silent=_share(silent[answerable]),
    )


def best_threshold(
    golds: Sequence[Sequence[str]], candidates: Sequence[str], no_answer: Sequence[float]
) -> BestThreshold:
    """Find the no-answer threshold with the best exact match, and that with the best F1.

    As the official script, except that questions of equal probability stand or fall together:
    a cut between them is no threshold that anyone could set.

    Args:
        golds: the accepted answers of each question; none of them means unanswerable.
        candidates: the best answer found for each, whatever its score ("" where there is none).
        no_answer: the probability that the question has no answer, for each.

    Raises:
        InputError: the three are not of the same length, or there is no question.
    """
    if not golds or len(golds) != len(no_answer):
        msg = (
            f"{len(golds)} questions and {len(no_answer)} no-answer probabilities: "
            "give one for each of at least one question"
        )
        raise InputError(msg)
    scores = per_question(golds, candidates)
    answerable = np.array([bool(accepted) for accepted in golds], dtype=bool)
    given = np.array([bool(candidate) for candidate in candidates], dtype=bool)
    gain = np.where(answerable[:, None], scores, np.where(given[:, None], -1.0, 0.0))
    chances = np.asarray(no_answer, dtype=np.float64)
    order = np.argsort(chances, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(chances[order]) > 0, True))
    reached = (~answerable).sum() + np.cumsum(gain[order], axis=0)[ends]
    thresholds = chances[order][ends]
    silent = np.full((1, 2), float((~answerable).sum()))
    totals = np.concatenate([silent, reached])  # first row: answer nothing at all
    limits = np.concatenate([[np.nextafter(0.0, -1.0)], thresholds])
    best = totals.argmax(axis=0)
    return BestThreshold(
        exact=float(totals[best[0], 0]) / len(golds),
        exact_threshold=float(limits[best[0]]),
        f1=float(totals[best[1], 1]) / len(golds),
        f1_threshold=float(limits[best[1]]),
    )


def _mean(scores: NDArray[np.float64]) -> AnswerScores:
    if not len(scores):
        return AnswerScores(exact=0.0, f1=0.0, n=0)
    means = scores.mean(axis=0)
    return AnswerScores(exact=float(means[0]), f1=float(means[1]), n=len(scores))


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else 0.0
