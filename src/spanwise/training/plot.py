"""`metrics.jsonl` -> a picture: loss, learning rate and dev scores over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanwise.errors import MissingExtraError
from spanwise.files import whole_file
from spanwise.training import log

if TYPE_CHECKING:
    from pathlib import Path

FILE = "training.png"
_NOT_SCORES = frozenset({"step", "examples", "elapsed_s", "lr_share", "loss", "examples_per_s"})


def draw(folder: Path) -> Path:
    """Write `training.png` into the run's folder.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 (an extra)
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("The plot", "train") from error
    lines = log.read(folder)
    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)
    losses, scores = figure.subplots(2, 1, sharex=True)
    _curve(losses, lines, "loss", color="tab:blue")
    losses.set_ylabel("loss per example")
    losses.set_yscale("log")
    rates = losses.twinx()
    _curve(rates, lines, "lr_share", color="0.7")
    rates.set_ylabel("share of the peak learning rate", color="0.5")
    for name in sorted({key for line in lines for key in line} - _NOT_SCORES):
        _curve(scores, lines, name, label=name, marker="o", markersize=3)
    if scores.lines:
        scores.legend(fontsize="small", ncols=2)
    scores.set_ylim(0, 1)
    scores.set_ylabel("dev scores")
    scores.set_xlabel("step")
    path = folder / FILE
    with whole_file(path) as partial:
        figure.savefig(partial, format="png", dpi=120)
    return path


def _curve(axes: Any, lines: list[dict[str, Any]], name: str, **style: Any) -> None:  # noqa: ANN401
    points = [(line["step"], line[name]) for line in lines if name in line]
    if points:
        axes.plot(*zip(*points, strict=True), **style)
