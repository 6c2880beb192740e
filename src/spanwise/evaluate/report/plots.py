"""Results -> plots, as SVG text. Nothing of matplotlib's global state is touched."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from spanwise.errors import MissingExtraError
from spanwise.evaluate import paper

if TYPE_CHECKING:
    from spanwise.evaluate.metrics.calibration import Calibration
    from spanwise.evaluate.metrics.curves import Curve
    from spanwise.evaluate.metrics.ner import Confusion
    from spanwise.evaluate.results import Report

_OURS, _THEIRS, _SECOND = "#1f6feb", "#9aa4b2", "#d4722a"


def f1_by_set(report: Report) -> str:
    """Return bars of F1 by entity set with their intervals, the paper's model beside them."""
    theirs = dict(
        zip((name for name, _ in paper.NER_SETS), paper.TABLE_2[paper.MODEL], strict=True)
    )
    results = [result for result in report.results if result.family == "entities"]
    names = [dict(paper.NER_SETS).get(result.name, result.name) for result in results]
    ours = np.array([100 * result.scores["f1"] for result in results])
    bounds = np.array(
        [
            (100 * r.interval.low, 100 * r.interval.high) if r.interval else (score, score)
            for r, score in zip(results, ours, strict=True)
        ]
    ).reshape(-1, 2)
    errors = np.abs(bounds.T - ours[None, :])
    figure, axes = _figure(7.0, 3.2)
    place = np.arange(len(names))
    axes.bar(place - 0.2, ours, 0.4, yerr=errors, color=_OURS, label=report.system, capsize=2)
    paper_scores = [theirs.get(result.name, np.nan) for result in results]
    axes.bar(place + 0.2, paper_scores, 0.4, color=_THEIRS, label=f"{paper.MODEL} (test part)")
    axes.set_xticks(place, names)
    axes.set_ylabel("F1 (%)")
    axes.set_ylim(0, 100)
    axes.legend(frameon=False, fontsize=8)
    return _svg(figure)


def over_thresholds(curve: Curve, *, threshold: float) -> str:
    """Return precision, recall and F1 over thresholds, the run's own threshold marked."""
    figure, axes = _figure(4.2, 3.0)
    axes.plot(curve.thresholds, curve.precision, color=_THEIRS, label="precision")
    axes.plot(curve.thresholds, curve.recall, color=_SECOND, label="recall")
    axes.plot(curve.thresholds, curve.f1, color=_OURS, label="F1", linewidth=2)
    axes.axvline(threshold, color="#666666", linestyle=":", linewidth=1)
    axes.set_xlabel("threshold")
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, fontsize=8)
    return _svg(figure)


def confusion(counts: Confusion) -> str:
    """Return the confusion as a heat map, each row as shares of its gold label."""
    matrix = counts.matrix.astype(np.float64)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.where(totals > 0, totals, 1.0)
    size = 1.6 + 0.32 * len(counts.labels)
    figure, axes = _figure(size + 0.8, size)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    ticks = np.arange(len(counts.labels))
    axes.set_xticks(ticks, counts.labels, rotation=60, ha="right", fontsize=7)
    axes.set_yticks(ticks, counts.labels, fontsize=7)
    for row, column in np.argwhere(counts.matrix > 0).tolist():
        color = "white" if shares[row, column] > 0.5 else "#333333"
        number = str(counts.matrix[row, column])
        axes.text(column, row, number, ha="center", va="center", fontsize=6, color=color)
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold")
    return _svg(figure)


def reliability(result: Calibration) -> str:
    """Return accuracy over score, against the diagonal of perfect calibration."""
    figure, axes = _figure(4.2, 3.0)
    axes.plot([0, 1], [0, 1], color="#666666", linestyle=":", linewidth=1)
    scores = [part.confidence for part in result.bins]
    axes.plot(scores, [part.accuracy for part in result.bins], "o-", color=_OURS)
    axes.set_xlabel(f"score (ECE {result.ece:.3f})")
    axes.set_ylabel("share right")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    return _svg(figure)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        what = "A report with plots"
        raise MissingExtraError(what, "eval") from error
    figure = Figure(figsize=(width, height), layout="tight")
    axes = figure.subplots()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _svg(figure: Any) -> str:  # noqa: ANN401  (matplotlib's Figure, an extra)
    """Return the figure as an `<svg>` element; the same figure gives the same text."""
    import matplotlib as mpl  # noqa: PLC0415  (an extra)

    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "spanwise", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None}, transparent=True)
    text = stream.getvalue()
    # One page holds many plots: no ids that repeat, and no description of the program.
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return re.sub(r'<g id="[^"]*">', "<g>", text[text.index("<svg") :])
