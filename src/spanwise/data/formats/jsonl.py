"""Records as JSON lines and as Parquet: the two formats that keep every field.

A line is an object with the fields of `Record`, those at their default left out; spans are
`[start, end, label]`, words `[start, end]`. A Parquet file has the same columns; it needs
pyarrow.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.data.formats.files import (
    as_span,
    build,
    check,
    check_keys,
    read_objects,
    write_rows,
    written,
)
from spanwise.data.formats.report import Loaded, Misaligned, load
from spanwise.data.records import Record
from spanwise.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from types import ModuleType

RECORD_KEYS = tuple(field.name for field in fields(Record))
_STRUCTS = {"spans": ("start", "end", "label"), "words": ("start", "end")}  # in Parquet
_STRINGS = ("instruction", "task", "source", "id", "group")


def read_jsonl(path: str | PathLike[str], *, misaligned: Misaligned = "keep") -> Loaded:
    """Return the records of a file of JSON lines (`.jsonl`, `.jsonl.gz`) or one JSON array.

    A record without an id gets its place ("file:line").

    Raises:
        DataError: broken JSON, an unknown or misshapen field, a span outside the text, or no
            record at all; it names the file and the line.
    """
    path = Path(path)
    built = [(where, _from_row(row, where)) for where, row in read_objects(path)]
    return load(path, built, [], misaligned=misaligned)


def write_jsonl(records: Iterable[Record], path: str | PathLike[str]) -> None:
    """Write records as JSON lines; the file appears when complete.

    Raises:
        DataError: the file cannot be written.
    """
    write_rows((_to_row(record) for record in records), Path(path))


def _to_row(record: Record) -> dict[str, Any]:
    row: dict[str, Any] = {"text": record.text}
    row["spans"] = [[span.start, span.end, span.label] for span in record.spans]
    if record.labels is not None:
        row["labels"] = list(record.labels)
    row.update({key: getattr(record, key) for key in _STRINGS if getattr(record, key)})
    if record.words is not None:
        row["words"] = [list(word) for word in record.words]
    return row


def _from_row(raw: object, where: str) -> Record:
    row = check_keys(raw, RECORD_KEYS, where=where)
    if "text" not in row:
        msg = f"{where}: has no 'text'"
        raise DataError(msg)
    given: dict[str, Any] = {"text": check(row["text"], str, "text", where=where)}
    spans = check([] if row.get("spans") is None else row["spans"], list, "spans", where=where)
    given["spans"] = tuple(as_span(span, where=where) for span in spans)
    if (labels := row.get("labels")) is not None:
        for label in check(labels, list, "labels", where=where):
            check(label, str, "a label", where=where)
        given["labels"] = tuple(labels)
    for key in _STRINGS:
        if row.get(key) is not None:
            given[key] = check(row[key], str, key, where=where)
    if (words := row.get("words")) is not None:
        given["words"] = _words(words, len(given["text"]), where)
    given["id"] = given.get("id") or where
    return build(where, **given)


def _words(words: object, length: int, where: str) -> tuple[tuple[int, int], ...]:
    at = 0
    checked = []
    for word in check(words, list, "words", where=where):
        if not isinstance(word, list) or len(word) != 2:
            msg = f"{where}: word {word!r}; expected [start, end]"
            raise DataError(msg)
        start, end = (check(x, int, f"an offset of word {word!r}", where=where) for x in word)
        if not at <= start < end <= length:
            msg = f"{where}: word {word!r} is empty, out of order or beyond {length} characters"
            raise DataError(msg)
        checked.append((start, end))
        at = end
    return tuple(checked)


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow as pa  # noqa: PLC0415 (an extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Parquet", "train") from error
    return pa, parquet


def read_parquet(path: str | PathLike[str], *, misaligned: Misaligned = "keep") -> Loaded:
    """Return the records of a Parquet file with a record's fields as columns.

    Raises:
        MissingExtraError: pyarrow is not installed.
        DataError: no Parquet file, an unknown or misshapen column, a span outside the text, or
            no record at all; it names the file and the row.
    """
    pyarrow, parquet = _pyarrow()
    path = Path(path)
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        msg = f"{path}: cannot be read as Parquet ({error})"
        raise DataError(msg) from error
    built = []
    for number, row in enumerate(rows):
        where = f"{path}: row {number}"
        for key, names in _STRUCTS.items():
            if isinstance(row.get(key), list):
                row[key] = [
                    [each.get(name) for name in names] if isinstance(each, dict) else each
                    for each in row[key]
                ]
        built.append((where, _from_row(row, where)))
    return load(path, built, [], misaligned=misaligned)


def write_parquet(records: Iterable[Record], path: str | PathLike[str]) -> None:
    """Write records as Parquet; the file appears when complete.

    Raises:
        MissingExtraError: pyarrow is not installed.
        DataError: the file cannot be written.
    """
    pyarrow, parquet = _pyarrow()
    offsets = [("start", pyarrow.int64()), ("end", pyarrow.int64())]
    schema = pyarrow.schema(
        [
            ("text", pyarrow.string()),
            ("spans", pyarrow.list_(pyarrow.struct([*offsets, ("label", pyarrow.string())]))),
            ("labels", pyarrow.list_(pyarrow.string())),
            *((key, pyarrow.string()) for key in _STRINGS),
            ("words", pyarrow.list_(pyarrow.struct(offsets))),
        ]
    )
    rows = []
    for record in records:
        row = _to_row(record)
        for key, names in _STRUCTS.items():
            if key in row:
                row[key] = [dict(zip(names, each, strict=True)) for each in row[key]]
        rows.append(row)
    with written(Path(path)) as file:
        parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), file)
