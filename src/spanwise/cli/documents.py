"""What was typed -> documents, one at a time.

An input is a text, a file, or `-` for standard input. A file ending in `.jsonl` (or any input
with `jsonl=True`) holds one record per line. Files are read as UTF-8 with their line ends as
they are, so offsets are those of the file; a byte order mark is left out.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from spanwise.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Document:
    """A text to read.

    Attributes:
        text: the text, or the words of a pre-tokenised record.
        record: what its result is written with: the file's name, the record's fields, or the text.
        done: bytes of the inputs that end with this document; 0 where that is unknown.
    """

    text: str | list[str]
    record: dict[str, Any] = field(default_factory=dict)
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How inputs are cut into documents.

    Attributes:
        jsonl: every line is a JSON object; False: only in files that end in `.jsonl`.
        lines: every line is a text of its own.
        text_field: where an object holds its text.
    """

    jsonl: bool = False
    lines: bool = False
    text_field: str = "text"


def read(inputs: Sequence[str], form: Form, *, stdin: TextIO | None = None) -> Iterator[Document]:
    """Yield the documents of all inputs, in order.

    Raises:
        InputError: an input looks like a path and no file is there.
        DataError: a file is no UTF-8, or a line is no object with a text in it.
    """
    done = 0
    for given in inputs:
        if given == "-":
            yield from _cut(stdin or _standard_input(), "standard input", form, None)
        elif (path := as_file(given)) is not None:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from _cut(file, str(path), form, done)
            done += path.stat().st_size
        elif form.jsonl:
            msg = f"{given[:80]!r} is no file; --jsonl reads files and standard input ('-')"
            raise InputError(msg)
        else:
            yield Document(given, {"text": given})


def as_file(given: str) -> Path | None:
    """Return the path of an input that names a file, None for one that is a text.

    Raises:
        InputError: it is a folder, or reads like a path and nothing is there.
    """
    if given == "-":
        return None
    path = Path(given)
    try:
        if path.is_file() or path.is_fifo() or path.is_char_device():
            return path
        folder = path.is_dir()
    except (OSError, ValueError):  # too long for a name, or with a zero in it: a text
        return None
    one_word = not any(c.isspace() for c in given)
    if one_word and (folder or path.suffix in {".txt", ".jsonl", ".json", ".md"}):
        what = "is a folder" if folder else "does not exist"
        msg = f"{given} {what}; pass a file, a text, or '-' for standard input"
        raise InputError(msg)
    return None


def _standard_input() -> TextIO:
    return io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")


def _cut(file: TextIO, name: str, form: Form, begin: int | None) -> Iterator[Document]:
    """Yield the documents of an open file; `begin` is where it starts among all inputs' bytes."""
    try:
        if form.jsonl or name.endswith(".jsonl"):
            yield from _records(file, name, form.text_field, begin)
        elif form.lines:
            for line in file:
                text = line.rstrip("\r\n")
                yield Document(text, {"text": text}, _place(file, begin))
        else:
            text = file.read()
            yield Document(text, {"text": text} if begin is None else {"file": name})
    except UnicodeDecodeError as error:
        msg = f"{name} is no UTF-8: {error.reason} at byte {error.start}; convert it first"
        raise DataError(msg) from error


def _records(file: TextIO, name: str, text_field: str, begin: int | None) -> Iterator[Document]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield record(line, f"{name}:{number}", text_field, done=_place(file, begin))


def record(line: str, where: str, text_field: str, *, done: int = 0) -> Document:
    """Return the document of one JSON line.

    Raises:
        DataError: it is no object with a text in it; the message begins with `where`.
    """
    try:
        made = json.loads(line)
    except json.JSONDecodeError as error:
        msg = f"{where} is no JSON: {error}"
        raise DataError(msg) from error
    if not isinstance(made, dict) or text_field not in made:
        there = f"has {', '.join(made)}" if isinstance(made, dict) else "is no object"
        msg = f"{where} has no field {text_field!r} (it {there}); see --text-field"
        raise DataError(msg)
    text = made[text_field]
    words = isinstance(text, list) and all(isinstance(word, str) for word in text)
    if not isinstance(text, str) and not words:
        msg = f"{where}: field {text_field!r} must be a string or a list of words"
        raise DataError(msg)
    return Document(text, made, done)


def lines(given: str, *, stdin: TextIO | None = None) -> Iterator[tuple[str, int]]:
    """Yield the lines of a file or of standard input (`-`), and the bytes read with each.

    Raises:
        InputError: no file is there.
        DataError: it is no UTF-8.
    """
    path = as_file(given)
    if path is None and given != "-":
        msg = f"{given[:80]!r} is no file; pass JSON lines, or '-' for standard input"
        raise InputError(msg)
    opened = None if path is None else path.open(encoding="utf-8-sig", newline="")
    file = opened or stdin or _standard_input()
    try:
        for line in file:
            yield line, _place(file, None if path is None else 0)
    except UnicodeDecodeError as error:
        msg = f"{given} is no UTF-8: {error.reason} at byte {error.start}; convert it first"
        raise DataError(msg) from error
    finally:
        if opened is not None:
            opened.close()


def _place(file: TextIO, begin: int | None) -> int:
    """Return how many bytes of all inputs have been read, 0 where they cannot be counted."""
    return 0 if begin is None else begin + file.buffer.tell()
