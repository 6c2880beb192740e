"""Items of a benchmark and a system's readings -> its result, one function a family.

A reading that failed stays in: it counts as having found nothing. Where a system writes instead
of marking (`Reading.written`), its words are scored as they are; where it marks, the best-scored
span speaks for it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from spanwise.data.text import split
from spanwise.errors import InputError
from spanwise.evaluate.metrics import bootstrap, ner, qa, relations, summaries
from spanwise.evaluate.metrics.calibration import calibration
from spanwise.evaluate.metrics.curves import over_thresholds
from spanwise.evaluate.results import Mistake, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from spanwise.evaluate.items import Benchmark, Item
    from spanwise.evaluate.metrics.calibration import Calibration
    from spanwise.evaluate.options import Options
    from spanwise.evaluate.results import Family
    from spanwise.evaluate.systems import Reading
    from spanwise.types import Entity

    Readings = Sequence[Reading]

_N_MISTAKES = 12
_SHOWN = 400  # characters of a text in an example of a mistake
_SILENCE = "(nothing)"


def score(
    benchmark: Benchmark, readings: Readings, *, options: Options, low: Readings | None = None
) -> Result:
    """Return the result of one benchmark.

    Args:
        benchmark: its items.
        readings: one for each item, in order.
        options: the settings of the run.
        low: readings at the low threshold `options.curve`, where they were made.

    Raises:
        InputError: no items, or not one reading for each.
        MissingExtraError: summaries are to be scored and rouge-score is not installed.
    """
    if not benchmark.items or len(readings) != len(benchmark.items):
        msg = (
            f"{benchmark.name}: {len(benchmark.items)} items and {len(readings)} readings; "
            "give one reading for each of at least one item"
        )
        raise InputError(msg)
    outcome = _SCORERS[benchmark.family](benchmark.items, readings, low, options)
    return Result(
        name=benchmark.name,
        family=benchmark.family,
        n_items=len(benchmark.items),
        headline=outcome.headline,
        scores=outcome.scores,
        interval=bootstrap.interval(
            outcome.units,
            bootstrap.f1 if benchmark.family == "entities" else bootstrap.mean,
            n_resamples=options.n_resamples,
            seed=options.seed,
        ),
        units=outcome.units,
        failures=dict(sorted(Counter(r.failure for r in readings if r.failure).items())),
        mistakes=_mistakes(benchmark.items, readings, outcome),
        files=benchmark.files,
        notes=benchmark.notes,
        **outcome.more,
    )


def best(reading: Reading) -> Entity | None:
    """Return the span with the highest score, the first of equals, or None."""
    return max(reading.spans, key=lambda span: (span.score, -span.start), default=None)


def answer(reading: Reading) -> str | None:
    """Return what the system answered, marked or written; None for nothing."""
    if reading.written is not None:
        return reading.written or None
    span = best(reading)
    return None if span is None else span.text


def summary(reading: Reading) -> str:
    """Return the summary: the words written, or the marked pieces in the order of the text."""
    if reading.written is not None:
        return reading.written
    pieces = sorted(reading.spans, key=lambda span: (span.start, span.end))
    return "\n".join(piece.text for piece in pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What differs between families; `more` are further fields of `Result`."""

    scores: dict[str, float]
    headline: str
    units: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    wanted: Callable[[Item], Iterable[str]]
    given: Callable[[Reading], Iterable[str]] = lambda reading: [answer(reading) or _SILENCE]
    more: dict[str, Any] = field(default_factory=dict)


def _entities(
    items: Sequence[Item], readings: Readings, low: Readings | None, options: Options
) -> _Outcome:
    del options
    gold = [item.gold for item in items]
    found = [reading.spans for reading in readings]
    words = [item.question.words or split(item.question.text) for item in items]
    scores = ner.score(gold, found, words=words)
    units = ner.per_text(gold, found)
    right = _outcomes(gold, found)
    return _Outcome(
        headline="f1",
        scores={
            "f1": scores.micro.f1,
            "precision": scores.micro.precision,
            "recall": scores.micro.recall,
            "macro_f1": scores.macro_f1,
            "boundary_f1": scores.boundaries.f1,
            "partial_f1": scores.partial.f1,
            "typed_f1": scores.typed.f1,
            "token_f1": scores.tokens.f1 if scores.tokens else 0.0,
        },
        units=units,
        wrong=units[:, 0] < units[:, 1:].max(axis=1),
        wanted=lambda item: [f"{_cut(item, span)} [{span.label}]" for span in item.gold],
        given=lambda reading: [f"{span.text} [{span.label}]" for span in reading.spans],
        more={
            "per_label": scores.per_label,
            "confusion": ner.confusion(gold, found),
            "curve": None if low is None else over_thresholds(gold, [x.spans for x in low]),
            "reliability": _reliability([s.score for spans in found for s in spans], right),
        },
    )


def _answers(
    items: Sequence[Item], readings: Readings, low: Readings | None, options: Options
) -> _Outcome:
    del options
    golds = [item.references for item in items]
    given = [answer(reading) for reading in readings]
    scores = qa.score(golds, given)
    units = qa.per_question(golds, given)
    table = {
        "exact": scores.all.exact,
        "f1": scores.all.f1,
        "answerable_exact": scores.answerable.exact,
        "answerable_f1": scores.answerable.f1,
        "unanswerable_exact": scores.unanswerable.exact,
        "no_answer_recognised": scores.no_answer_recognised,
        "wrongly_silent": scores.wrongly_silent,
        "answerable_share": scores.answerable.n / len(items),
    }
    if low is not None:
        chances = [1.0 - span.score if (span := best(reading)) else 1.0 for reading in low]
        bests = qa.best_threshold(golds, [answer(reading) or "" for reading in low], chances)
        table |= {
            "best_exact": bests.exact,
            "best_exact_threshold": 1.0 - bests.exact_threshold,
            "best_f1": bests.f1,
            "best_f1_threshold": 1.0 - bests.f1_threshold,
        }
    return _Outcome(
        headline="f1",
        scores=table,
        units=units[:, 1:2],
        wrong=units[:, 1] < 1.0,
        wanted=lambda item: item.references or [_SILENCE],
        more={"reliability": _of_best(readings, units[:, 0] > 0)},
    )


def _summaries(
    items: Sequence[Item], readings: Readings, low: Readings | None, options: Options
) -> _Outcome:
    del low  # a curve over thresholds says nothing about ROUGE
    made = [summary(reading) for reading in readings]
    units = summaries.per_document([item.references[0] for item in items], made, stem=options.stem)
    table = {}
    for kind, values in zip(summaries.KINDS, units.T, strict=True):
        table[kind.lower()] = float(values.mean())
        table[f"{kind.lower()}_std"] = float(values.std())
    table["empty"] = float(np.mean([not text.strip() for text in made]))
    return _Outcome(
        headline="rouge1",
        scores=table,
        units=units[:, :1],
        wrong=units[:, 0] <= np.quantile(units[:, 0], 0.1),
        wanted=lambda item: item.references,
        given=lambda reading: [summary(reading)],
    )


def _relations(
    items: Sequence[Item], readings: Readings, low: Readings | None, options: Options
) -> _Outcome:
    del low, options
    golds = [[_Tail(_cut(item, s), s.start, s.end) for s in item.gold] for item in items]
    given = [_tail(reading) for reading in readings]
    scores = relations.tails(golds, given)
    units = relations.per_pair(golds, given)
    return _Outcome(
        headline="exact",
        scores={
            "exact": scores.exact,
            "f1": scores.f1,
            "exact_offsets": scores.exact_offsets,
            "silent": scores.silent,
        },
        units=units[:, :1],
        wrong=units[:, 0] < 1.0,
        wanted=lambda item: [_cut(item, span) for span in item.gold],
        more={"reliability": _of_best(readings, units[:, 0] > 0)},
    )


def _absent(
    items: Sequence[Item], readings: Readings, low: Readings | None, options: Options
) -> _Outcome:
    del items, low, options
    given = [answer(reading) for reading in readings]
    units = np.array([[float(text is not None)] for text in given])
    return _Outcome(
        headline="false_alarms",
        scores={"false_alarms": relations.false_alarms([[t] if t else [] for t in given])},
        units=units,
        wrong=units[:, 0] > 0,
        wanted=lambda _: [_SILENCE],
    )


_SCORERS: dict[Family, Callable[[Sequence[Item], Readings, Readings | None, Options], _Outcome]] = {
    "entities": _entities,
    "answers": _answers,
    "summary": _summaries,
    "relations": _relations,
    "absent": _absent,
}


@dataclass(frozen=True, slots=True)
class _Tail:
    text: str
    start: int | None
    end: int | None


def _tail(reading: Reading) -> _Tail | None:
    if reading.written is not None:
        return _Tail(reading.written, None, None) if reading.written else None
    span = best(reading)
    return None if span is None else _Tail(span.text, span.start, span.end)


def _cut(item: Item, span: ner.Marked) -> str:
    return item.question.text[span.start : span.end]


def _outcomes(
    gold: Sequence[Sequence[ner.Marked]], found: Sequence[Sequence[ner.Marked]]
) -> list[bool]:
    """Tell for each predicted span, in order, whether it is exactly right."""
    right = []
    for true, spans in zip(gold, found, strict=True):
        wanted = {(span.start, span.end, span.label) for span in true}
        right += [(span.start, span.end, span.label) in wanted for span in spans]
    return right


def _of_best(readings: Readings, right: Iterable[bool]) -> Calibration | None:
    pairs = [
        (span.score, bool(correct))
        for reading, correct in zip(readings, right, strict=True)
        if (span := best(reading)) is not None
    ]
    return _reliability([each for each, _ in pairs], [correct for _, correct in pairs])


def _reliability(scores: Sequence[float], right: Sequence[bool]) -> Calibration | None:
    return calibration(scores, right) if scores else None


def _mistakes(items: Sequence[Item], readings: Readings, outcome: _Outcome) -> tuple[Mistake, ...]:
    """Return some of the items that went wrong, spread evenly over the benchmark."""
    bad = [
        (item, reading)
        for item, reading, wrong in zip(items, readings, outcome.wrong, strict=True)
        if wrong
    ]
    step = max(1, len(bad) // _N_MISTAKES)
    return tuple(
        Mistake(
            id=item.id,
            text=item.question.text[:_SHOWN],
            asked=item.question.instruction or ", ".join(item.question.labels),
            wanted=tuple(text[:_SHOWN] for text in outcome.wanted(item)),
            given=tuple(text[:_SHOWN] for text in outcome.given(reading)),
        )
        for item, reading in bad[::step][:_N_MISTAKES]
    )
