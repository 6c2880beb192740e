"""GLiNER's JSON: `{"tokenized_text": [word…], "ner": [[first, last_inclusive, label]…]}`.

Comes in: one JSON array of such objects, or a line each. Goes out: records whose text is the words
joined by single spaces. `label` (or `ner_labels`), the labels asked of an example, and
`ner_negatives`, labels it does not have, become `Record.labels`; without them the labels of the
spans are all that is known. Multi-task data of this form have the prompt among their words: it
stays there. Writing puts a record's instruction there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.data.formats.files import build, check, check_keys, read_objects, write_rows
from spanwise.data.formats.report import (
    AlignmentReport,
    Finding,
    Loaded,
    Misaligned,
    fit,
    load,
    summarise,
    words_of,
)
from spanwise.data.records import GoldSpan, Record
from spanwise.data.text import join, own_words, split
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

GLINER_KEYS = ("tokenized_text", "ner", "label", "ner_labels", "ner_negatives", "relations", "id")
_SPAN = 3


def read_gliner(path: str | PathLike[str], *, misaligned: Misaligned = "keep") -> Loaded:
    """Return the records of a file of GLiNER's training data, JSON or JSON lines.

    Raises:
        DataError: broken JSON, an unknown or misshapen field, a span outside its words, or no
            record at all; it names the file and the line or item.
    """
    path = Path(path)
    findings: list[Finding] = []
    built = [(where, _from_row(row, where, findings)) for where, row in read_objects(path)]
    return load(path, built, findings, misaligned=misaligned)


def _from_row(raw: object, where: str, findings: list[Finding]) -> Record:
    row = check_keys(raw, GLINER_KEYS, where=where)
    for key in ("tokenized_text", "ner"):
        if key not in row:
            msg = f"{where}: has no {key!r}"
            raise DataError(msg)
    record_id = str(row.get("id") or where)
    tokens = check(row["tokenized_text"], list, "tokenized_text", where=where)
    for token in tokens:
        check(token, str, "a word", where=where)
    text, offsets = join(tokens)
    spans: dict[GoldSpan, None] = {}
    for span in check(row["ner"], list, "ner", where=where):
        first, last, label = _span(span, len(tokens), where)
        start, end = offsets[first][0], offsets[last][1]
        if start == end:
            reason = "the span's words are empty"
            findings.append(Finding(record_id, where, "dropped", reason, repr(span)))
        else:
            spans[GoldSpan(start, end, label)] = None
    if row.get("relations"):
        reason = "relations are not read from GLiNER's JSON"
        findings.append(Finding(record_id, where, "dropped", reason, repr(row["relations"])[:80]))
    return build(
        where,
        text=text,
        spans=tuple(spans),
        labels=_labels(row, spans, where),
        id=record_id,
        words=own_words(text, offsets),
    )


def _span(span: object, n_words: int, where: str) -> tuple[int, int, str]:
    if not isinstance(span, list) or len(span) != _SPAN:
        msg = f"{where}: span {span!r}; expected [first word, last word, label]"
        raise DataError(msg)
    first, last, label = span
    for value in (first, last):
        check(value, int, f"an index of span {span!r}", where=where)
    if not 0 <= first <= last < n_words:
        msg = (
            f"{where}: span {span!r} is outside the {n_words} words or ends before it begins; "
            "indices are 0-based and the last word is included"
        )
        raise DataError(msg)
    return first, last, check(label, str, f"the label of span {span!r}", where=where)


def _labels(row: dict[str, Any], spans: Iterable[GoldSpan], where: str) -> tuple[str, ...] | None:
    given = [row[key] for key in ("label", "ner_labels", "ner_negatives") if row.get(key)]
    if not given:
        return None
    for labels in given:
        for label in check(labels, list, "a list of labels", where=where):
            check(label, str, "a label", where=where)
    present = [span.label for span in spans]
    return tuple(dict.fromkeys([*present, *(label for labels in given for label in labels)]))


def write_gliner(records: Iterable[Record], path: str | PathLike[str]) -> AlignmentReport:
    """Write records in GLiNER's form: one array, or a line each if named `.jsonl`.

    Spans are widened to whole words, as the form has nothing smaller; the report says which.

    Raises:
        DataError: the file cannot be written.
    """
    findings: list[Finding] = []
    fitted = [fit(record, "", findings, misaligned="widen") for record in records]
    write_rows((_to_row(record) for record in fitted), Path(path))
    return summarise(fitted, findings)


def _to_row(record: Record) -> dict[str, Any]:
    words = words_of(record)
    prompt = [record.instruction[start:end] for start, end in split(record.instruction)]
    starts = {start: place for place, (start, _) in enumerate(words, start=len(prompt))}
    ends = {end: place for place, (_, end) in enumerate(words, start=len(prompt))}
    row: dict[str, Any] = {
        "tokenized_text": prompt + [record.text[start:end] for start, end in words],
        "ner": [[starts[span.start], ends[span.end], span.label] for span in record.spans],
    }
    if record.labels is not None:
        row["label"] = list(dict.fromkeys([*record.labels, *(x.label for x in record.spans)]))
    return row
