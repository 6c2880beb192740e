"""One's own examples: read, checked and split before anything is trained.

Comes in: a file or folder in any format that `spanwise.data.formats` reads, or records. Goes out:
sources by task for training and for measuring, and a report that a user reads before waiting: what
did not pass as it was, how often each label occurs, and what looks wrong.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanwise.data import formats
from spanwise.data.negatives import PROMPTED
from spanwise.data.records import RELATION_SEPARATOR, Source
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanwise.data.formats import AlignmentReport
    from spanwise.data.records import Record
    from spanwise.training.config import TrainConfig

FEW = 5
"""A label with fewer spans than this is pointed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """What is trained and measured on, and what there is to know of it."""

    train: tuple[Source, ...]
    dev: tuple[Source, ...]
    reports: tuple[tuple[str, AlignmentReport], ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the report: alignment, records and spans, labels by number of spans, notes."""
        lines = [f"{name}: {report}" for name, report in self.reports]
        for part, sources in (("train", self.train), ("dev", self.dev)):
            for source in sources:
                n_spans = sum(len(record.spans) for record in source.records)
                lines.append(f"{part}: {len(source.records)} of {source.task}, {n_spans} spans")
        counts = _counts(self.train)
        shown = [f"{label} {count}" for label, count in counts.most_common(40)]
        more = f", … and {len(counts) - 40} more" if len(counts) > 40 else ""
        lines.append(f"labels: {', '.join(shown)}{more}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def examples(
    config: TrainConfig,
    *,
    train: Sequence[Record] | None = None,
    dev: Sequence[Record] | None = None,
) -> Examples:
    """Return the examples that the settings name, checked.

    Args:
        config: names files, the share held out, and whether texts are fully marked.
        train: records instead of the file.
        dev: records instead of the file.

    Raises:
        DataError: a file breaks its format, holds no record or no span, or has an empty label.
    """
    reports = []
    if train is None:
        train, report = formats.read(config.train)
        reports.append((config.train, report))
    _refuse_unusable(train, config.train)
    notes = []
    if dev is None and config.dev:
        dev, report = formats.read(config.dev)
        reports.append((config.dev, report))
    if dev is None:
        train, dev = _held_out(train, config.dev_share, config.seed)
    else:
        known = {_identity(record) for record in train}
        both = [record for record in dev if _identity(record) in known]
        if both:
            dev = [record for record in dev if _identity(record) not in known]
            notes.append(
                f"{len(both)} dev records are in the training data too and were left out of dev, "
                f"the first is {both[0].id!r}"
            )
    sources = _by_task(train, closed=config.closed)
    measured = _with_inventory(_by_task(dev, closed=config.closed), sources)
    notes += _notes(sources, measured)
    return Examples(train=sources, dev=measured, reports=tuple(reports), notes=tuple(notes))


def _identity(record: Record) -> tuple[str, str, str]:
    return record.task, record.instruction, record.text


def _refuse_unusable(records: Sequence[Record], name: str) -> None:
    if not records:
        msg = f"{name or 'train'}: there are no records to train on; give at least a handful"
        raise DataError(msg)
    for record in records:
        labels = [span.label for span in record.spans] + list(record.labels or ())
        if not all(label.strip() for label in labels):
            msg = (
                f"record {record.id!r} of {name}: a label is empty; the model reads labels: name it"
            )
            raise DataError(msg)
    if not any(record.spans for record in records):
        msg = (
            f"{name}: none of the {len(records)} records has a span, so there is nothing to learn; "
            "are the annotations in another key or file?"
        )
        raise DataError(msg)


def _held_out(
    records: Sequence[Record], share: float, seed: int
) -> tuple[list[Record], list[Record]]:
    """Split by text, so that no text is on both sides; at least one text stays in training."""
    texts = list(dict.fromkeys(record.group or record.text for record in records))
    n_dev = min(round(share * len(texts)), len(texts) - 1)
    order = np.random.default_rng((seed, 2)).permutation(len(texts))
    held = {texts[place] for place in order[:n_dev].tolist()}
    train = [record for record in records if (record.group or record.text) not in held]
    if not any(record.spans for record in train):
        return list(records), []
    return train, [record for record in records if (record.group or record.text) in held]


def _by_task(records: Iterable[Record], *, closed: bool) -> tuple[Source, ...]:
    tasks: dict[str, list[Record]] = {}
    for record in records:
        tasks.setdefault(record.task, []).append(record)
    return tuple(_source(found, closed=closed) for _, found in sorted(tasks.items()))


def _source(records: Sequence[Record], *, closed: bool) -> Source:
    task = records[0].task
    labels = {label for record in records for label in record.labels or ()}
    labels |= {span.label for record in records for span in record.spans}
    if task == "relations":
        labels = {label.rsplit(RELATION_SEPARATOR, 1)[-1] for label in labels}
    if task in PROMPTED:
        labels = labels or {PROMPTED[task]}
    return Source(
        name=f"own {task}",
        task=task,
        records=tuple(records),
        inventory=tuple(sorted(labels)),
        closed=closed,
    )


def _with_inventory(dev: Sequence[Source], train: Sequence[Source]) -> tuple[Source, ...]:
    """Let dev records be asked every label of training too, where texts are fully marked."""
    known = {source.task: source.inventory for source in train if source.closed}
    return tuple(
        replace(x, inventory=tuple(sorted({*x.inventory, *known.get(x.task, ())}))) for x in dev
    )


def _counts(sources: Iterable[Source]) -> Counter[str]:
    """Return how many spans each label has (relations without their heads)."""
    counts: Counter[str] = Counter()
    for source in sources:
        counts.update(dict.fromkeys(source.inventory, 0))
        for record in source.records:
            labels = [span.label for span in record.spans]
            if source.task == "relations":
                labels = [label.rsplit(RELATION_SEPARATOR, 1)[-1] for label in labels]
            counts.update(labels)
    return counts


def _notes(train: Sequence[Source], dev: Sequence[Source]) -> list[str]:
    notes = []
    counts = _counts(train)
    rare = [label for label, count in counts.items() if count < FEW]
    if rare:
        notes.append(f"fewer than {FEW} spans: {', '.join(sorted(rare)[:20])}")
    unseen = sorted(_counts(dev).keys() - counts.keys())
    if unseen:
        notes.append(f"in dev, never in training: {', '.join(unseen[:20])}")
    folded = Counter(label.lower() for label in counts)
    twice = sorted(label for label, n in folded.items() if n > 1)
    if twice:
        notes.append(f"labels that differ in case only: {', '.join(twice[:20])}; are they one?")
    told = Counter((r.text, r.instruction, r.spans) for s in train for r in s.records)
    repeated = sum(n - 1 for n in told.values())
    if repeated:
        notes.append(f"{repeated} records stand there more than once")
    return notes
