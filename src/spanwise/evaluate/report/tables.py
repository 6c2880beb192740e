"""A report -> the paper's five tables with ours on top, and tables of everything else.

Each table carries what must be known to compare: what the rows above the line were measured on,
and what those below were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanwise.evaluate import paper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanwise.evaluate.comparison import Difference
    from spanwise.evaluate.results import Report, Result

NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells as text; the first `n_ours` rows are this run's. `notes` go below the table."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_ours: int = 1
    notes: tuple[str, ...] = ()


def paper_tables(report: Report, *, before: float | None = None) -> list[Table]:
    """Return tables 2 to 6; a table of which nothing was measured here has the paper's rows only.

    Args:
        report: this run.
        before: mean F1 (0..1) over the same entity sets before self-learning, if there was any.
    """
    return [
        _entities(report),
        _answers(report),
        _summaries(report),
        _relations(report),
        _self_learning(report, before),
    ]


def _found(report: Report, name: str) -> Result | None:
    return next((result for result in report.results if result.name == name), None)


def _entities(report: Report) -> Table:
    found = [_found(report, name) for name, _ in paper.NER_SETS]
    read = [index for index, result in enumerate(found) if result is not None]
    ours = [None if result is None else 100 * result.scores["f1"] for result in found]
    rows = [_entity_row(report.system, ours, read)]
    rows += [_entity_row(name, list(row), read) for name, row in paper.TABLE_2.items()]
    notes = [
        f"“mean, same sets” is over the {len(read)} of 7 sets read here.",
        f"Means are of the numbers shown; the paper prints 62.76 as that of {paper.MODEL}.",
    ]
    notes += [f"{x.name}: {'; '.join(x.notes)}." for x in found if x is not None and x.notes]
    return Table(
        title="Table 2: named entities, zero-shot, exact span and label, micro F1 (%)",
        header=("system", *(title for _, title in paper.NER_SETS), "mean", "mean, same sets"),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _entity_row(name: str, scores: Sequence[float | None], read: Sequence[int]) -> tuple[str, ...]:
    whole = [score for score in scores if score is not None]
    same = [score for index in read if (score := scores[index]) is not None]
    return (
        name,
        *(NOTHING if score is None else f"{score:.2f}" for score in scores),
        f"{np.mean(whole):.2f}" if len(whole) == len(scores) else NOTHING,
        f"{np.mean(same):.2f}" if same else NOTHING,
    )


def _answers(report: Report) -> Table:
    result = _found(report, "squad")
    keys = ("exact", "f1", "answerable_exact", "answerable_f1", "unanswerable_exact")
    rows = [] if result is None else [(report.system, *(_percent(result, key) for key in keys))]
    third = (f"{paper.THIRD_PARTY_SQUAD[key]:.1f}" for key in keys)
    rows.append((f"{paper.MODEL}, measured by a third party", *third))
    for name, row in paper.TABLES_3_TO_5.items():
        rows.append((name, *(f"{score:.2f}" for score in row.squad), *[NOTHING] * 3))
    return Table(
        title="Table 3: questions, SQuAD 2.0, exact match and F1 (%)",
        header=("system", "EM", "F1", "EM, answerable", "F1, answerable", "EM, unanswerable"),
        rows=tuple(rows),
        n_ours=len(rows) - len(paper.TABLES_3_TO_5) - 1,
        notes=(
            (
                "The paper's rows cannot be of the whole development set: its own model, measured "
                "on all 11,873 questions, reaches the numbers of the row marked so. Compare our "
                "columns of answerable questions with that row, not our EM and F1 with the paper's."
            ),
            *_notes(result),
        ),
    )


def _summaries(report: Report) -> Table:
    result = _found(report, "cnndm")
    rows = []
    if result is not None:
        kinds = ("rouge1", "rouge2", "rougelsum", "rougel")
        pairs = [(result.scores[kind], result.scores[f"{kind}_std"]) for kind in kinds]
        rows.append((report.system, *(f"{mean:.4f} ± {std:.4f}" for mean, std in pairs)))
    for name, row in paper.TABLES_3_TO_5.items():
        rows.append((name, *(f"{mean:.4f} ± {std:.4f}" for mean, std in row.rouge), NOTHING))
    return Table(
        title="Table 4: summaries, CNN/DailyMail, ROUGE F (mean ± standard deviation)",
        header=("system", "ROUGE-1", "ROUGE-2", "ROUGE-L", "ROUGE-L, one sequence"),
        rows=tuple(rows),
        n_ours=len(rows) - len(paper.TABLES_3_TO_5),
        notes=(
            (
                "Comparable where the same 1,000 articles are read; the paper does not say whether "
                "it stemmed words (here: only on request)."
            ),
            (
                "ROUGE-L is taken sentence by sentence (`rougeLsum`). The paper does not say which "
                "it used; its ratio of 0.92 to ROUGE-1 points to this one."
            ),
            *_notes(result),
        ),
    )


def _relations(report: Report) -> Table:
    result = _found(report, "fewrel")
    keys = ("exact", "f1", "exact_offsets")
    rows = [] if result is None else [(report.system, *(_percent(result, key) for key in keys))]
    for name, row in paper.TABLES_3_TO_5.items():
        rows.append((name, *(f"{score:.2f}" for score in row.fewrel), NOTHING))
    return Table(
        title="Table 5: relations, FewRel val_wiki, tail of a given head and relation (%)",
        header=("system", "EM", "F1", "exact offsets"),
        rows=tuple(rows),
        n_ours=len(rows) - len(paper.TABLES_3_TO_5),
        notes=(
            (
                "EM and F1 compare words as SQuAD does (case, articles and punctuation aside); the "
                "paper does not define its own. “Exact offsets” also wants the right mention's "
                "place. One tail is predicted: the best-scored span above the threshold."
            ),
            *_notes(result),
        ),
    )


def _self_learning(report: Report, before: float | None) -> Table:
    rows = []
    after = report.mean_ner_f1
    if before is not None and after is not None:
        rows.append((report.system, f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}"))
    for name, (one, other) in paper.TABLE_6.items():
        rows.append((name, f"{one:.4f}", f"{other:.4f}", f"{other - one:+.4f}"))
    return Table(
        title="Table 6: self-learning, mean F1 over the entity sets",
        header=("system", "before", "after", "gain"),
        rows=tuple(rows),
        n_ours=len(rows) - len(paper.TABLE_6),
        notes=("Ours is over the sets read here, the paper's over all seven.",),
    )


def difference_table(differences: Sequence[Difference], other: str) -> Table:
    """Return the comparison with another run, with intervals and p-values."""
    return Table(
        title=f"Against {other}",
        header=("benchmark", "measure", "this run", "the other", "difference", "95%", "p"),
        rows=tuple(
            (
                each.benchmark,
                each.headline,
                f"{100 * each.first:.2f}",
                f"{100 * each.second:.2f}",
                f"{100 * each.test.difference:+.2f}",
                f"{100 * each.test.low:+.2f} … {100 * each.test.high:+.2f}",
                f"{each.test.p_value:.3f}",
            )
            for each in differences
        ),
        notes=("Interval: paired bootstrap over items. p: approximate randomisation, two-sided.",),
    )


def score_table(result: Result) -> Table:
    """Return all numbers of one benchmark."""
    return Table(
        title="Scores",
        header=("measure", "value"),
        rows=tuple((name, f"{value:.4f}") for name, value in result.scores.items()),
        notes=()
        if result.interval is None
        else (
            (
                f"95% interval of {result.headline}: "
                f"{result.interval.low:.4f} … {result.interval.high:.4f} (bootstrap over items)."
            ),
        ),
    )


def label_table(result: Result) -> Table:
    """Return precision, recall and F1 by label, the most frequent first."""
    ordered = sorted(result.per_label.items(), key=lambda pair: (-pair[1].n_gold, pair[0]))
    return Table(
        title="By label",
        header=("label", "precision", "recall", "F1", "gold", "predicted"),
        rows=tuple(
            (
                label,
                f"{100 * counts.precision:.2f}",
                f"{100 * counts.recall:.2f}",
                f"{100 * counts.f1:.2f}",
                str(counts.n_gold),
                str(counts.n_predicted),
            )
            for label, counts in ordered
        ),
    )


def confusion_table(result: Result, *, n_rows: int = 12) -> Table:
    """Return the most frequent confusions: gold label, label given instead, how often."""
    if result.confusion is None:
        return Table(title="Confusions", header=("gold", "given", "times"), rows=())
    labels, matrix = result.confusion.labels, result.confusion.matrix
    pairs = [
        (int(matrix[row, column]), labels[row], labels[column])
        for row in range(len(labels) - 1)
        for column in range(len(labels) - 1)
        if row != column and matrix[row, column]
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    return Table(
        title="Right place, wrong label",
        header=("gold", "given", "times"),
        rows=tuple((gold, given, str(times)) for times, gold, given in pairs[:n_rows]),
    )


def _percent(result: Result, key: str) -> str:
    return f"{100 * result.scores[key]:.2f}"


def _notes(result: Result | None) -> tuple[str, ...]:
    if result is None:
        return ("Not measured in this run.",)
    return tuple(f"Here: {note}." for note in result.notes)
