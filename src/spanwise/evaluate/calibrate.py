"""Labelled records -> the thresholds and the temperature that suit a model.

Temperature: the one under which the scores of the spans found are the best probabilities of being
right (least negative log-likelihood, after Guo et al. 2017). Thresholds: per label, the middle of
those with the highest F1. Both are judged by decoding anew, since a threshold also gates where a
span begins and ends; the model reads every record once and its logits are kept meanwhile.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanwise.calibration import Calibration
from spanwise.engine import Ask, Engine
from spanwise.errors import DataError
from spanwise.evaluate.metrics.calibration import calibration
from spanwise.flow import words
from spanwise.options import Settings
from spanwise.tasks.wording import RELATION_SEPARATOR
from spanwise.types import Label, Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanwise.backend.base import Backend
    from spanwise.data.records import Record
    from spanwise.flow.encode import Batch
    from spanwise.flow.words import WordSplitter
    from spanwise.types import Entity

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
TEMPERATURES = tuple(round(2 ** (step / 4), 3) for step in range(-4, 9))  # 0.5 to 4
_USUAL = 0.5
_FLOOR = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFit:
    """A label's threshold, its F1 with it and with the usual 0.5, and how many spans told."""

    label: str
    threshold: float
    f1: float
    f1_before: float
    n_gold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What was fitted and what it brings on the very records; `ece` is the scores' mean gap.

    `left_out` are labels with too few spans to fit a threshold.
    """

    calibration: Calibration
    labels: tuple[LabelFit, ...]
    left_out: tuple[str, ...]
    ece: float
    ece_before: float


def fit(
    backend: Backend,
    records: Sequence[Record],
    *,
    splitter: WordSplitter | str | None = None,
    temperature: bool = True,
    least: int = 5,
    source: str = "",
) -> Fit:
    """Fit a calibration for a model, from nothing: what it was calibrated with is left aside.

    Args:
        backend: computes the scores.
        records: fully labelled; one whose labels are not known is asked for all labels that the
            records of its task have.
        splitter: as for an extractor.
        temperature: fit one as well; else it stays 1.
        least: marked spans that a label needs for a threshold of its own.
        source: what the calibration says about where it comes from.

    Raises:
        DataError: there are no records, or none with a label.
    """
    trial = _Trial(backend, splitter, records)
    _, before = trial.spans(_USUAL, 1.0)
    chosen = _temperature(trial) if temperature else 1.0
    usual = _per_label(trial.spans(_USUAL, 1.0)[1])
    # A temperature draws scores together, and the grid with them.
    grid = [round(_cooled(t, chosen), 4) for t in THRESHOLDS]
    found = {t: _per_label(trial.spans(t, chosen)[1]) for t in grid}
    fits, left_out = [], []
    for label, n_gold in trial.n_gold.items():
        if n_gold < least:
            left_out.append(label)
            continue
        scores = {t: _f1(found[t].get(label, (0, 0)), n_gold) for t in grid}
        highest = max(scores.values())
        best = [t for t, score in scores.items() if score == highest]
        fits.append(
            LabelFit(
                label=label,
                threshold=best[(len(best) - 1) // 2],
                f1=highest,
                f1_before=_f1(usual.get(label, (0, 0)), n_gold),
                n_gold=n_gold,
            )
        )
    thresholds = {each.label: each.threshold for each in fits}
    _, after = trial.spans(_USUAL, chosen)
    return Fit(
        calibration=Calibration(
            thresholds=thresholds, temperature=chosen, records=len(records), source=source
        ),
        labels=tuple(fits),
        left_out=tuple(left_out),
        ece=_ece(after),
        ece_before=_ece(before),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A span that was found: its label's name, its score, whether it is right."""

    label: str
    score: float
    right: bool


class _Trial:
    """A model and records, decoded again and again from logits that are computed once."""

    def __init__(
        self, backend: Backend, splitter: WordSplitter | str | None, records: Sequence[Record]
    ) -> None:
        self.kept = _Kept(backend)
        self.engine = Engine(self.kept, splitter)
        known: dict[str, dict[str, None]] = {}
        for record in records:
            names = [*(record.labels or ()), *(span.label for span in record.spans)]
            known.setdefault(record.task, {}).update(dict.fromkeys(names))
        self.items: list[tuple[words.Words, Query, Record]] = []
        for record in records:
            labels = known[record.task] if record.labels is None else record.labels
            if labels:
                query = Query(tuple(Label(name) for name in labels), record.instruction)
                self.items.append((self._split(record), query, record))
        if not self.items:
            msg = "no record has a label; calibrating needs labelled records"
            raise DataError(msg)
        self.n_gold = Counter(
            _name(span.label, record) for _, _, record in self.items for span in record.spans
        )

    def _split(self, record: Record) -> words.Words:
        if record.words is None:
            return self.engine.split([record.text])[0]
        return words.given(record.text, np.asarray(record.words, dtype=np.int64).reshape(-1, 2))

    def spans(self, threshold: float, temperature: float) -> tuple[int, list[_Judged]]:
        """Return how many spans are marked, and the spans found with these settings."""
        self.kept.config = replace(self.kept.config, temperature=temperature, thresholds={})
        self.engine.config = self.kept.config
        asks = (
            Ask(text, query, Settings(threshold=threshold, apart=record.task == "relations"))
            for text, query, record in self.items
        )
        judged = []
        for (_, _, record), found in zip(self.items, self.engine.read(asks, []), strict=True):
            judged += _judge(record, found)
        return sum(self.n_gold.values()), judged


class _Kept:
    """A backend that computes every batch once."""

    name = "kept"

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._logits: dict[bytes, NDArray[np.float32]] = {}
        self.config = backend.config
        self.tokenizer = backend.tokenizer
        self.batch_tokens = backend.batch_tokens
        self.pads = backend.pads

    def score(self, batch: Batch) -> NDArray[np.float32]:
        """Return a copy of the logits, which decoding may write to."""
        parts = (batch.ids, batch.word_positions, batch.label_positions, batch.n_labels)
        key = b"|".join(str(part.shape).encode() + part.tobytes() for part in parts)
        if key not in self._logits:
            self._logits[key] = self._backend.score(batch)
        return self._logits[key].copy()


def _judge(record: Record, found: Sequence[Entity]) -> list[_Judged]:
    wanted = {(span.start, span.end, span.label) for span in record.spans}
    return [
        _Judged(_name(each.label, record), each.score, (each.start, each.end, each.label) in wanted)
        for each in found
    ]


def _name(label: str, record: Record) -> str:
    """Return the name that a threshold goes by; of `head <> relation` it is the relation."""
    return label.rpartition(RELATION_SEPARATOR)[2] if record.task == "relations" else label


def _temperature(trial: _Trial) -> float:
    """Return the temperature with the least negative log-likelihood; 1 where nothing tells."""
    losses = {}
    for temperature in TEMPERATURES:
        # The same logits pass under every temperature, so the same spans are compared.
        _, judged = trial.spans(_cooled(_FLOOR, temperature), temperature)
        if len({each.right for each in judged}) < 2:
            return 1.0
        losses[temperature] = _loss(judged)
    return min(losses, key=lambda each: (losses[each], abs(math.log(each))))


def _cooled(probability: float, temperature: float) -> float:
    """Return what a probability becomes under a temperature."""
    return 1 / (1 + math.exp(-math.log(probability / (1 - probability)) / temperature))


def _loss(judged: Sequence[_Judged]) -> float:
    scores = np.clip([each.score for each in judged], 1e-6, 1 - 1e-6)
    right = np.asarray([each.right for each in judged])
    return float(-np.log(np.where(right, scores, 1 - scores)).mean())


def _per_label(judged: Sequence[_Judged]) -> dict[str, tuple[int, int]]:
    """Return (right, found) spans by label."""
    right = Counter(each.label for each in judged if each.right)
    found = Counter(each.label for each in judged)
    return {label: (right[label], found[label]) for label in found}


def _f1(counts: tuple[int, int], n_gold: int) -> float:
    right, found = counts
    return 2 * right / (found + n_gold)


def _ece(judged: Sequence[_Judged]) -> float:
    return calibration([each.score for each in judged], [each.right for each in judged]).ece
