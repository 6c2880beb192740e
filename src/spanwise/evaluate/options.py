"""Every setting of an evaluation, with the paper's values as defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spanwise.errors import ConfigError
from spanwise.tasks.prompted import SUMMARY_THRESHOLD

if TYPE_CHECKING:
    from spanwise.data.records import Task

Split = Literal["auto", "dev", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How benchmarks are put to a system (paper, sections 2.4 and 3).

    Attributes:
        threshold: least score of a span, where a task has none of its own.
        answer_threshold: least score of an answer; None for the system's own, or `threshold`.
        summary_threshold: least score of a piece of a summary; None for the system's own, or the
            paper's (0.1) where it has none.
        miscellaneous: ask for CrossNER's class `miscellaneous` too. Without it, spans of that
            class are neither gold nor asked for.
        lowercase: lower-case the labels of entity sets, as the paper does.
        words: "source" gives entity sets in their own words, as GLiNER's evaluation does;
            "model" gives the text and lets the system split it.
        split: which part of a benchmark to read: "test", "dev", or "auto" for the test part
            where the folder has it and the development part elsewhere.
        n_items: a random subset of each benchmark of this size; None for all of it.
        seed: of the subset, of the wrong relations asked for, and of the bootstrap.
        curve: read everything once more with this low threshold, for precision-recall curves
            and the best thresholds; None to leave them out (and save the time).
        chunk: items between two writes to the run folder: what a killed run loses at most.
        n_resamples: of the bootstrap.
        stem: stem words before ROUGE compares them.
    """

    threshold: float = 0.5
    answer_threshold: float | None = None
    summary_threshold: float | None = None
    miscellaneous: bool = False
    lowercase: bool = True
    words: Literal["source", "model"] = "source"
    split: Split = "auto"
    n_items: int | None = None
    seed: int = 0
    curve: float | None = None
    chunk: int = 512
    n_resamples: int = 1000
    stem: bool = False

    def __post_init__(self) -> None:
        """Raise ConfigError for a value out of range."""
        for name in ("threshold", "answer_threshold", "summary_threshold", "curve"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                msg = f"{name} is {value}: a threshold is a probability, give 0 to 1"
                raise ConfigError(msg)
        if self.words not in {"source", "model"} or self.split not in {"auto", "dev", "test"}:
            msg = f"words {self.words!r}, split {self.split!r}: see Options for what they may be"
            raise ConfigError(msg)
        for name in ("n_items", "chunk", "n_resamples"):
            value = getattr(self, name)
            if value is not None and value < 1:
                msg = f"{name} is {value}: give at least 1"
                raise ConfigError(msg)
        least = min(self.threshold, self.threshold_for("answers"))
        if self.curve is not None and self.curve >= least:
            msg = f"curve is {self.curve}: give a threshold below {least}"
            raise ConfigError(msg)

    def threshold_for(self, task: Task) -> float:
        """Return the least score of a span for a task."""
        if task == "answers" and self.answer_threshold is not None:
            return self.answer_threshold
        if task == "summary":
            given = self.summary_threshold
            return SUMMARY_THRESHOLD if given is None else given
        return self.threshold
