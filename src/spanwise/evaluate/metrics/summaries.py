"""Summaries: a reference and a summary -> ROUGE-1, ROUGE-2 and ROUGE-L.

The F-measures of Google's `rouge-score`, averaged over the documents with their standard
deviation, as in the paper's table 4. There are two ROUGE-L: of the whole as one sequence
(`rougeL`), and of the union over sentences, one a line (`rougeLsum`). Stemming is off unless
asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanwise.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

KINDS = ("rouge1", "rouge2", "rougeL", "rougeLsum")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanStd:
    """Mean and (population) standard deviation over documents, 0..1."""

    mean: float
    std: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RougeScores:
    """ROUGE F-measures over `n` documents, `n_empty` of which got no summary at all."""

    rouge1: MeanStd
    rouge2: MeanStd
    rouge_l: MeanStd
    rouge_lsum: MeanStd
    n: int
    n_empty: int


def per_document(
    references: Sequence[str], summaries: Sequence[str], *, stem: bool = False
) -> NDArray[np.float64]:
    """Return `[documents, 4]`: the F-measures of `KINDS` (the bootstrap's units).

    An empty summary scores 0 and stays in the mean.

    Raises:
        InputError: not one summary for each reference.
        MissingExtraError: rouge-score is not installed.
    """
    if len(references) != len(summaries):
        msg = f"{len(references)} references but {len(summaries)} summaries: give one for each"
        raise InputError(msg)
    try:
        from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        what = "ROUGE"
        raise MissingExtraError(what, "eval") from error
    scorer = RougeScorer(list(KINDS), use_stemmer=stem)
    scores = np.zeros((len(references), len(KINDS)))
    for index, (reference, summary) in enumerate(zip(references, summaries, strict=True)):
        result = scorer.score(reference, summary)
        scores[index] = [result[kind].fmeasure for kind in KINDS]
    return scores


def rouge(
    references: Sequence[str], summaries: Sequence[str], *, stem: bool = False
) -> RougeScores:
    """Score one summary for each reference; errors as in `per_document`."""
    scores = per_document(references, summaries, stem=stem)
    if not len(scores):
        scores = np.zeros((1, len(KINDS)))
    means, deviations = scores.mean(axis=0), scores.std(axis=0)
    one, two, longest, longest_by_line = (
        MeanStd(mean=float(mean), std=float(std))
        for mean, std in zip(means, deviations, strict=True)
    )
    return RougeScores(
        rouge1=one,
        rouge2=two,
        rouge_l=longest,
        rouge_lsum=longest_by_line,
        n=len(references),
        n_empty=sum(not summary.strip() for summary in summaries),
    )
