"""What an evaluation ends in: one `Result` a benchmark, and the `Report` that holds them all.

Plain numbers only, so that everything can be written to a run file and read back. Scores are
0..1 by name; a report multiplies where the paper prints percent.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from spanwise.evaluate.metrics.bootstrap import Interval
    from spanwise.evaluate.metrics.calibration import Calibration
    from spanwise.evaluate.metrics.counts import Counts
    from spanwise.evaluate.metrics.curves import Curve
    from spanwise.evaluate.metrics.ner import Confusion

Family = Literal["entities", "answers", "summary", "relations", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One item that went wrong: what was asked, what was right and what was said."""

    id: str
    text: str
    asked: str
    wanted: tuple[str, ...]
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of one benchmark.

    Attributes:
        name: of the benchmark.
        family: which metrics apply.
        n_items: texts, questions or documents scored.
        scores: numbers by name, 0..1; `headline` is the one that tables show first.
        headline: a key of `scores`.
        interval: of the headline, by bootstrap over items.
        units: `[items, fields]`, what the headline is computed from (for paired tests).
        per_label: strict counts by label (entities).
        confusion: gold label against predicted label (entities).
        curve: precision and recall over thresholds, where a low-threshold pass was made.
        reliability: scores of predictions against their outcomes.
        failures: readings that could not be used, by reason.
        mistakes: the first few items that went wrong.
        files: the files read, with the hash of their bytes.
        notes: what a reader must know to compare the numbers.
    """

    name: str
    family: Family
    n_items: int
    scores: Mapping[str, float]
    headline: str
    interval: Interval | None = None
    units: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 1)), compare=False)
    per_label: Mapping[str, Counts] = field(default_factory=dict)
    confusion: Confusion | None = None
    curve: Curve | None = None
    reliability: Calibration | None = None
    failures: Mapping[str, int] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the units stay out (they have a file of their own)."""
        plain: dict[str, Any] = {
            "name": self.name,
            "family": self.family,
            "n_items": self.n_items,
            "headline": self.headline,
            "scores": dict(self.scores),
            "interval": None if self.interval is None else asdict(self.interval),
            "per_label": {label: counts.to_dict() for label, counts in self.per_label.items()},
            "failures": dict(self.failures),
            "files": dict(self.files),
            "notes": list(self.notes),
            "mistakes": [asdict(mistake) for mistake in self.mistakes],
        }
        if self.confusion is not None:
            plain["confusion"] = {
                "labels": list(self.confusion.labels),
                "matrix": self.confusion.matrix.tolist(),
            }
        if self.curve is not None:
            plain["curve"] = asdict(self.curve)
        if self.reliability is not None:
            plain["reliability"] = asdict(self.reliability)
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results of one system, and everything needed to repeat them.

    `settings` are the options, the system's own settings, hashes and versions; `absent` the
    benchmarks of the suite that the data folder does not hold; `timing` seconds and items read
    in this run (an interrupted run counts what its last part did).
    """

    system: str
    suite: str
    settings: Mapping[str, Any]
    results: tuple[Result, ...]
    absent: tuple[str, ...] = ()
    timing: Mapping[str, Mapping[str, float]] = field(default_factory=dict, compare=False)

    def __getitem__(self, name: str) -> Result:
        """Return the result of the benchmark of that name; KeyError where there is none."""
        for result in self.results:
            if result.name == name:
                return result
        raise KeyError(name)

    @property
    def mean_ner_f1(self) -> float | None:
        """Mean F1 over the entity sets that were read (table 2's last column), or None."""
        scores = [r.scores["f1"] for r in self.results if r.family == "entities"]
        return float(np.mean(scores)) if scores else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: the run file."""
        return {
            "system": self.system,
            "suite": self.suite,
            "settings": dict(self.settings),
            "absent": list(self.absent),
            "mean_ner_f1": self.mean_ner_f1,
            "timing": {name: dict(values) for name, values in self.timing.items()},
            "results": [result.to_dict() for result in self.results],
        }
