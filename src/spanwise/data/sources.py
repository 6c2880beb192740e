"""All training sets of a data folder as sources of records.

Comes in: a folder with `train/` (ner, relations, qa, summaries, sentiment, openie) and
`synthetic/`. Goes out: one `Source` a set, the parts of a set (train, dev, test) joined: none of
them is one of the benchmarks that results are reported on.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from spanwise.data.entity_sets import read_entity_sets
from spanwise.data.prompted_sets import (
    read_openie_sets,
    read_qa_sets,
    read_sentiment_sets,
    read_summary_sets,
)
from spanwise.data.records import Source
from spanwise.data.relation_sets import read_relation_sets
from spanwise.data.synthetic import read_passages
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

__all__ = ["Source", "describe", "read_training"]

_READERS: dict[str, Callable[[Path], list[Source]]] = {
    "train/ner": read_entity_sets,
    "train/relations": read_relation_sets,
    "train/qa": read_qa_sets,
    "train/summaries": read_summary_sets,
    "train/sentiment": read_sentiment_sets,
    "train/openie": read_openie_sets,
    "synthetic/passages.jsonl.gz": read_passages,
}


def read_training(folder: str | PathLike[str]) -> list[Source]:
    """Return every training set under a data folder; parts of it that are absent are passed over.

    All of them together are half a million records: about 15 s and 0.6 GB.

    Raises:
        DataError: nothing was found, or a file breaks its format.
    """
    root = Path(folder)
    with _no_collection():
        sources = [
            source
            for place, read in _READERS.items()
            if (root / place).exists()
            for source in read(root / place)
        ]
    if not sources:
        msg = f"{root}: holds none of {', '.join(_READERS)}; pass the folder above train/"
        raise DataError(msg)
    return sources


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the cycle collector: walking millions of new objects takes twice the reading's time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def describe(sources: list[Source]) -> str:
    """Return a table of sets: task, records, spans, labels of the inventory, what it promises."""
    lines = [f"{'set':<24}{'task':<12}{'records':>8}{'spans':>8}{'empty':>8}{'labels':>8}  promise"]
    for source in sources:
        n_spans = sum(len(record.spans) for record in source.records)
        n_empty = sum(not record.spans for record in source.records)
        promise = ("closed" if source.closed else "partial") + (
            ", open labels" if source.open_labels else ""
        )
        lines.append(
            f"{source.name:<24}{source.task:<12}{len(source.records):>8}{n_spans:>8}{n_empty:>8}"
            f"{len(source.inventory):>8}  {promise}"
        )
    return "\n".join(lines)
