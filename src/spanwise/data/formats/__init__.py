"""Records from files and back: every format that data for this task usually comes in.

`read(path)` sees the format from the name and the content. Every reader returns records and an
`AlignmentReport`: what was moved or dropped on the way, in which record, and why. Only JSON lines
and Parquet keep all of a record; the writers of the others return a report of what they lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from spanwise.data.formats.brat import read_brat, write_brat
from spanwise.data.formats.conll import read_conll, write_conll
from spanwise.data.formats.files import read_objects
from spanwise.data.formats.gliner import read_gliner, write_gliner
from spanwise.data.formats.jsonl import (
    RECORD_KEYS,
    read_jsonl,
    read_parquet,
    write_jsonl,
    write_parquet,
)
from spanwise.data.formats.offsets import read_offsets, write_offsets
from spanwise.data.formats.report import AlignmentReport, Finding, Loaded, Misaligned
from spanwise.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from os import PathLike

Format = Literal["jsonl", "parquet", "gliner", "conll", "brat", "offsets"]
_READERS = {
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "gliner": read_gliner,
    "conll": read_conll,
    "brat": read_brat,
    "offsets": read_offsets,
}

__all__ = [
    "AlignmentReport",
    "Finding",
    "Format",
    "Loaded",
    "Misaligned",
    "read",
    "read_brat",
    "read_conll",
    "read_gliner",
    "read_jsonl",
    "read_offsets",
    "read_parquet",
    "write_brat",
    "write_conll",
    "write_gliner",
    "write_jsonl",
    "write_offsets",
    "write_parquet",
]


def read(
    path: str | PathLike[str],
    *,
    format: Format | None = None,  # noqa: A002 (what everybody calls it)
    misaligned: Misaligned = "keep",
) -> Loaded:
    """Return the records of a file or folder and the report of what did not pass as it was.

    Args:
        path: a file; a folder for BRAT.
        format: None to see it from the name and the first object.
        misaligned: what becomes of a span that begins or ends inside a word: kept, widened to
            whole words, or dropped; reported in every case.

    Raises:
        DataError: the format is unknown or cannot be seen, or the file breaks it; the message
            names the file and the line.
    """
    chosen = format or _seen(Path(path))
    if chosen not in _READERS:
        known = ", ".join(_READERS)
        msg = f"no format is called {chosen!r}{did_you_mean(chosen, _READERS)}; known: {known}"
        raise DataError(msg)
    return _READERS[chosen](path, misaligned=misaligned)


def _seen(path: Path) -> str:
    """Return the name of the format that a file or folder has."""
    if path.is_dir():
        return "brat"
    suffix = path.suffixes[-2:][0] if path.suffix == ".gz" and path.suffixes[1:] else path.suffix
    if suffix == ".parquet":
        return "parquet"
    if suffix not in {".json", ".jsonl", ".ndjson"}:
        return "conll"
    first = next((row for _, row in read_objects(path)), None)
    if first is None:
        msg = f"{path}: holds no records"
        raise DataError(msg)
    if isinstance(first, dict):
        if "tokenized_text" in first:
            return "gliner"
        plain = [span for span in first.get("spans") or [] if isinstance(span, dict)]
        if not plain and first.keys() <= set(RECORD_KEYS) and not _doccano(first.get("labels")):
            return "jsonl"
    return "offsets"


def _doccano(labels: object) -> bool:
    """Tell whether `labels` holds spans, as in char-offset JSON, and no names."""
    return isinstance(labels, list) and any(isinstance(label, list) for label in labels)
