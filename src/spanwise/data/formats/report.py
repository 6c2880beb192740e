"""What a reader or writer of files did to the records on the way, and why.

Comes in: findings, one for each thing that could not pass as it was. Goes out: records together
with an `AlignmentReport` that counts the findings, lists them by record, and prints.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from spanwise.data.records import GoldSpan, Record
from spanwise.data.text import split
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spanwise.data.text import Offsets

Action = Literal["kept", "moved", "dropped"]
Misaligned = Literal["keep", "widen", "drop"]
_FITTED: dict[str, Action] = {"keep": "kept", "widen": "moved", "drop": "dropped"}
_SHOWN = 5  # findings of a kind that are printed


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that did not pass as it was: in which record and line, what was done, why."""

    record: str
    where: str
    action: Action
    reason: str
    what: str

    def __str__(self) -> str:
        """Return one line: the place and the thing."""
        return f"{self.where or self.record or 'a record without id'}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentReport:
    """How many records and spans passed, and everything that was kept oddly, moved or dropped."""

    n_records: int
    n_spans: int
    findings: tuple[Finding, ...] = ()

    def counts(self) -> dict[tuple[Action, str], int]:
        """Return how many findings there are by (action, reason), the most frequent first."""
        found = Counter((finding.action, finding.reason) for finding in self.findings)
        return dict(found.most_common())

    def of(self, record: str) -> tuple[Finding, ...]:
        """Return the findings of the record with that id."""
        return tuple(finding for finding in self.findings if finding.record == record)

    def __str__(self) -> str:
        """Return the counts by reason, each with its first few findings."""
        lines = [f"{self.n_records} records, {self.n_spans} spans, {len(self.findings)} findings"]
        for (action, reason), count in self.counts().items():
            lines.append(f"  {action} {count}: {reason}")
            alike = [x for x in self.findings if (x.action, x.reason) == (action, reason)]
            lines.extend(f"    {finding}" for finding in alike[:_SHOWN])
            if count > _SHOWN:
                lines.append(f"    … and {count - _SHOWN} more")
        return "\n".join(lines)


class Loaded(NamedTuple):
    """What a file held: its records, and the report of what did not pass as it was."""

    records: tuple[Record, ...]
    report: AlignmentReport


def load(
    path: Path,
    built: Sequence[tuple[str, Record]],
    findings: list[Finding],
    *,
    misaligned: Misaligned,
) -> Loaded:
    """Return (place, record) pairs with their spans fitted to words, and the report.

    Raises:
        DataError: there is no record, or `misaligned` is none of the three.
    """
    if misaligned not in _FITTED:
        msg = f"misaligned={misaligned!r}: expected one of {', '.join(map(repr, _FITTED))}"
        raise DataError(msg)
    if not built:
        why = f"; {findings[0].reason} ({findings[0]})" if findings else ""
        msg = f"{path}: holds no records{why}"
        raise DataError(msg)
    records = [fit(record, where, findings, misaligned=misaligned) for where, record in built]
    return Loaded(tuple(records), summarise(records, findings))


def summarise(records: Sequence[Record], findings: Sequence[Finding]) -> AlignmentReport:
    """Return the report on these records."""
    n_spans = sum(len(record.spans) for record in records)
    return AlignmentReport(n_records=len(records), n_spans=n_spans, findings=tuple(findings))


def words_of(record: Record) -> Sequence[Offsets]:
    """Return the offsets of a record's words: its own, or the default splitter's."""
    return split(record.text) if record.words is None else record.words


def fit(
    record: Record, where: str, findings: list[Finding], *, misaligned: Misaligned = "keep"
) -> Record:
    """Return the record with its spans fitted to its words, saying in `findings` what was done.

    Whitespace at a span's ends is cut off ("moved"), a span of nothing else dropped. One that
    begins or ends inside a word is kept, widened to whole words or dropped, as asked: a model
    reads whole words, so that training takes a kept one for the widened one.
    """
    if not record.spans:
        return record
    words = words_of(record)
    starts, ends = {start for start, _ in words}, {end for _, end in words}
    spans = []
    for given in record.spans:
        span = _trim(record, given, where, findings)
        if span and (span.start not in starts or span.end not in ends):
            whole = _widened(span, words)
            reason = "the span begins or ends inside a word"
            shown = f"{_show(record, span)}; whole words {record.text[whole.start : whole.end]!r}"
            findings.append(Finding(record.id, where, _FITTED[misaligned], reason, shown))
            span = {"keep": span, "widen": whole, "drop": None}[misaligned]
        if span:
            spans.append(span)
    return record if tuple(spans) == record.spans else replace(record, spans=tuple(spans))


def _trim(record: Record, span: GoldSpan, where: str, findings: list[Finding]) -> GoldSpan | None:
    surface = record.text[span.start : span.end]
    if surface == surface.strip():
        return span
    shown = _show(record, span)
    if not surface.strip():
        findings.append(Finding(record.id, where, "dropped", "the span is whitespace", shown))
        return None
    findings.append(Finding(record.id, where, "moved", "the span's ends are whitespace", shown))
    start = span.start + len(surface) - len(surface.lstrip())
    return GoldSpan(start, start + len(surface.strip()), span.label)


def _widened(span: GoldSpan, words: Sequence[Offsets]) -> GoldSpan:
    touched = [(start, end) for start, end in words if start < span.end and span.start < end]
    if not touched:
        return span
    return GoldSpan(min(span.start, touched[0][0]), max(span.end, touched[-1][1]), span.label)


def _show(record: Record, span: GoldSpan) -> str:
    return f"{record.text[span.start : span.end]!r} {span.start}:{span.end} {span.label!r}"
