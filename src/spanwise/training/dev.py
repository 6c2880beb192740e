"""Scores on dev data while training: a model -> a few numbers to log, the first to select by.

For the public sets a small, fixed part of each benchmark: CrossNER F1, SQuAD's answerable F1 and
the share of unanswerable questions recognised, FewRel's exact tails. For one's own examples the F1
of exact spans, all labels asked at once, as a user would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanwise.backend.pytorch import PyTorchBackend
from spanwise.errors import DataError
from spanwise.evaluate import benchmarks, scoring
from spanwise.evaluate.metrics import ner
from spanwise.evaluate.options import Options
from spanwise.evaluate.systems import ExtractorSystem, Question
from spanwise.extractor import Extractor
from spanwise.flow import words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from spanwise.data.records import Record, Source
    from spanwise.evaluate.items import Benchmark
    from spanwise.model.checkpoint import Model

Scores = dict[str, float]
_SUITE = "crossner-ai,crossner-literature,crossner-music,crossner-politics,crossner-science"


def public(
    folder: str | PathLike[str], *, n_items: int, seed: int = 0
) -> Callable[[Model], Scores]:
    """Return a function that measures a model on a part of each benchmark under a data folder.

    Args:
        folder: holds `dev/`.
        n_items: of each benchmark, drawn once.
        seed: of that draw.

    Raises:
        DataError: the folder holds no benchmark.
    """
    options = Options(n_items=n_items, seed=seed, split="dev", n_resamples=1)
    found: list[Benchmark] = []
    for suite in (_SUITE, "squad", "fewrel"):
        try:
            found += benchmarks.load(suite, folder, options=options).benchmarks
        except DataError:
            continue
    if not found:
        msg = f"{folder}: holds none of the dev benchmarks; leave eval_every at 0 without them"
        raise DataError(msg)

    def measure(model: Model) -> Scores:
        system = ExtractorSystem(_extractor(model), name="training")
        scores: Scores = {}
        f1s = []
        for benchmark in found:
            readings = system.read([x.question for x in benchmark.items], threshold=0.5)
            result = scoring.score(benchmark, readings, options=options).scores
            if benchmark.family == "entities":
                f1s.append(result["f1"])
            elif benchmark.family == "answers":
                scores["squad_answerable_f1"] = result["answerable_f1"]
                scores["squad_unanswerable"] = result["no_answer_recognised"]
            else:
                scores["fewrel_exact"] = result["exact"]
        entities = {"crossner_f1": float(np.mean(f1s))} if f1s else {}
        parts = {**entities, **scores}
        return {"dev": float(np.mean(list(parts.values()))), **parts}

    return measure


def own(sources: Sequence[Source]) -> Callable[[Model], Scores]:
    """Return a function that measures a model on one's own records: `f1`, precision, recall.

    A record is asked its labels, or those of its set; with several tasks each has its own F1 too.
    """
    asked = [
        (source.task, _question(record, source)) for source in sources for record in source.records
    ]
    gold = [record.spans for source in sources for record in source.records]

    def measure(model: Model) -> Scores:
        system = ExtractorSystem(_extractor(model), name="training")
        readings = system.read([question for _, question in asked], threshold=0.5)
        spans = [reading.spans for reading in readings]
        all_ = ner.score(gold, spans).micro
        scores = {"f1": all_.f1, "precision": all_.precision, "recall": all_.recall}
        tasks = sorted({task for task, _ in asked})
        for task in tasks if len(tasks) > 1 else ():
            mine = [i for i, (its, _) in enumerate(asked) if its == task]
            counts = ner.score([gold[i] for i in mine], [spans[i] for i in mine]).micro
            scores[f"{task}_f1"] = counts.f1
        return scores

    return measure


def _question(record: Record, source: Source) -> Question:
    named = {span.label for span in record.spans} | set(record.labels or ())
    if source.task not in {"relations", "answers", "open", "summary"}:
        named |= set(source.inventory)
    labels = tuple(sorted(named)) or source.inventory
    return Question(
        text=record.text,
        labels=labels,
        instruction=record.instruction,
        task=source.task,
        words=None if record.words is None else _fitting(record),
    )


def _fitting(record: Record) -> tuple[tuple[int, int], ...]:
    """Return the record's own words, so that its spans can be found exactly."""
    given = words.given(record.text, np.asarray(record.words, dtype=np.int64).reshape(-1, 2))
    return tuple(zip(given.starts.tolist(), given.ends.tolist(), strict=True))


def _extractor(model: Model) -> Extractor:
    device = next(model.network.parameters()).device
    return Extractor(PyTorchBackend(model, device=str(device)))
