"""Char-offset JSON, as annotation tools export it: a text and `[start, end, label]` spans.

Comes in, a line or an array item each: doccano's `{"text", "label": [[s, e, l]]}` and
`{"text", "entities": [{"label", "start_offset", "end_offset"}]}`, Prodigy's and Label Studio-like
`{"text", "spans": [{"start", "end", "label"}]}`, and spaCy's `["text", {"entities": [[s, e, l]]}]`.
Goes out: records. What has no place in a record (relations, comments) is reported as dropped.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.data.formats.files import as_span, build, check, check_keys, read_objects, write_rows
from spanwise.data.formats.report import (
    AlignmentReport,
    Finding,
    Loaded,
    Misaligned,
    load,
    summarise,
)
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from spanwise.data.records import GoldSpan, Record

SPAN_KEYS = ("entities", "spans", "label", "labels")
_TEXT_KEYS = ("text", "data")
_PASSED_OVER = ("meta", "tokens", "Comments", "comments", "cats", "answer")
_LOST = ("relations",)
_KNOWN = ("id", *_TEXT_KEYS, *SPAN_KEYS, *_PASSED_OVER, *_LOST)
_PAIR = 2  # spaCy's ["text", {"entities": […]}]


def read_offsets(path: str | PathLike[str], *, misaligned: Misaligned = "keep") -> Loaded:
    """Return the records of a file of texts with char-offset spans, JSON or JSON lines.

    Annotations that were rejected in the tool ("answer": "reject" or "ignore") are dropped. Only
    the labels on a text's spans are known to be marked there (`Record.labels` is None).

    Raises:
        DataError: broken JSON, an unknown or misshapen field, a span outside the text, or no
            record at all; it names the file and the line or item.
    """
    path = Path(path)
    findings: list[Finding] = []
    built = []
    for where, raw in read_objects(path):
        row = _row(raw, where)
        record_id = where if row.get("id") in {None, ""} else str(row["id"])
        for key in _LOST:
            if row.get(key):
                reason = f"{key} are not read from char-offset JSON"
                findings.append(Finding(record_id, where, "dropped", reason, repr(row[key])[:80]))
        if row.get("answer", "accept") != "accept":
            reason = "the annotation was not accepted in the tool"
            findings.append(Finding(record_id, where, "dropped", reason, repr(row["answer"])))
            continue
        built.append((where, _record(row, record_id, where)))
    return load(path, built, findings, misaligned=misaligned)


def _row(raw: object, where: str) -> dict[str, Any]:
    if isinstance(raw, list) and len(raw) == _PAIR and isinstance(raw[1], dict):
        raw = {"text": raw[0], **raw[1]}
    if isinstance(raw, dict):
        raw = {key: value for key, value in raw.items() if not key.startswith("_")}
    return check_keys(raw, _KNOWN, where=where)


def _record(row: dict[str, Any], record_id: str, where: str) -> Record:
    texts = [row[key] for key in _TEXT_KEYS if key in row]
    given = [row[key] for key in SPAN_KEYS if row.get(key) is not None]
    if len(texts) != 1 or len(given) > 1:
        msg = f"{where}: has {', '.join(row)}; expected 'text' and one of {', '.join(SPAN_KEYS)}"
        raise DataError(msg)
    spans = check(given[0] if given else [], list, "the list of spans", where=where)
    return build(
        where,
        text=check(texts[0], str, "text", where=where),
        spans=tuple(dict.fromkeys(_span(span, where) for span in spans)),
        id=record_id,
    )


def _span(value: object, where: str) -> GoldSpan:
    if not isinstance(value, dict):
        return as_span(value, where=where)
    for start, end in (("start", "end"), ("start_offset", "end_offset")):
        if start in value and end in value and "label" in value:
            return as_span([value[start], value[end], value["label"]], where=where)
    msg = f"{where}: span {value!r} lacks start and end (or start_offset and end_offset) or label"
    raise DataError(msg)


def write_offsets(records: Iterable[Record], path: str | PathLike[str]) -> AlignmentReport:
    """Write `{"id", "text", "entities": [[start, end, label]]}`, a line each (an array: `.json`).

    Instructions have no place in it; the report says which were dropped.

    Raises:
        DataError: the file cannot be written.
    """
    records = list(records)
    reason = "char-offset JSON has no place for an instruction"
    findings = [
        Finding(record.id, "", "dropped", reason, record.instruction)
        for record in records
        if record.instruction
    ]
    rows = (
        {
            "id": record.id,
            "text": record.text,
            "entities": [[span.start, span.end, span.label] for span in record.spans],
        }
        for record in records
    )
    write_rows(rows, Path(path))
    return summarise(records, findings)
