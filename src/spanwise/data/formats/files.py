"""Files of JSON in, checked objects out; bytes out, whole files or none.

What all formats share: reading JSON lines or one JSON array with the place of every object,
checking the shape of what was read, and writing atomically.
"""

from __future__ import annotations

import gzip
import json
import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from spanwise.data.records import GoldSpan, Record
from spanwise.data.text import read_rows
from spanwise.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

_SPAN = 3  # start, end, label
_BOM = "\ufeff"  # some editors put it ahead of a file


def read_text(path: Path) -> str:
    """Return a UTF-8 file's text, gzip'd or plain, with its line ends as they are.

    Raises:
        DataError: the file cannot be read or is not UTF-8.
    """
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except (OSError, EOFError) as error:
        msg = f"{path}: cannot be read ({error})"
        raise DataError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8"
        raise DataError(msg) from error


def read_lines(path: Path) -> list[str]:
    """Return a text file's lines without their ends, nor a mark of byte order ahead of all.

    Only line feeds end a line.

    Raises:
        DataError: the file cannot be read or is not UTF-8.
    """
    return [line.removesuffix("\r") for line in read_text(path).removeprefix(_BOM).split("\n")]


def read_objects(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield (place, value) for every line of a JSON Lines file or item of one JSON array.

    Raises:
        DataError: the file cannot be read, or holds no JSON; it names the line.
    """
    if path.suffixes[-1:] == [".jsonl"] or path.suffixes[-2:] == [".jsonl", ".gz"]:
        yield from read_rows(path)
        return
    text = read_text(path).removeprefix(_BOM)
    if not text.lstrip().startswith("["):
        yield from read_rows(path)
        return
    try:
        items = json.loads(text)
    except ValueError as error:
        msg = f"{path}: not JSON ({error}); expected an array of objects or JSON lines"
        raise DataError(msg) from error
    for number, item in enumerate(items):
        yield f"{path}: item {number}", item


def check_keys(row: object, known: Collection[str], *, where: str) -> dict[str, Any]:
    """Return the object, if it is one and has no key but the known ones.

    Raises:
        DataError: it is something else, or has another key.
    """
    if not isinstance(row, dict):
        msg = f"{where}: holds {row!r}; expected an object"
        raise DataError(msg)
    for key in row:
        if key not in known:
            msg = f"{where}: unknown key {key!r}{did_you_mean(key, known)}; known: "
            raise DataError(msg + ", ".join(known))
    return row


def check(value: object, kind: type | tuple[type, ...], what: str, *, where: str) -> Any:  # noqa: ANN401 (the type is asked for)
    """Return the value if it is of that type.

    Raises:
        DataError: it is not.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        names = [kind.__name__] if isinstance(kind, type) else [each.__name__ for each in kind]
        msg = f"{where}: {what} is {value!r}; expected {' or '.join(names)}"
        raise DataError(msg)
    return value


def as_span(value: object, *, where: str) -> GoldSpan:
    """Return the span of `[start, end, label]`.

    Raises:
        DataError: it has another form.
    """
    if not isinstance(value, list) or len(value) != _SPAN:
        msg = f"{where}: span {value!r}; expected [start, end, label]"
        raise DataError(msg)
    start, end = (check(x, int, f"an offset of span {value!r}", where=where) for x in value[:2])
    return GoldSpan(start, end, check(value[2], str, f"the label of span {value!r}", where=where))


def build(where: str, **fields: Any) -> Record:  # noqa: ANN401 (a record's fields)
    """Return a record; its constructor's complaint, if any, gets the place in the file.

    Raises:
        DataError: a field breaks the record's contract.
    """
    try:
        return Record(**fields)
    except DataError as error:
        msg = f"{where}: {error}"
        raise DataError(msg) from error


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that appears under its name only when all is written.

    It is gzip'd where the name ends in `.gz`. After an error or a kill the old file, if any, is
    as it was.

    Raises:
        DataError: the file cannot be written (a full disk, no permission).
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        msg = f"{path}: cannot be written ({error}); what was there before is unchanged"
        raise DataError(msg) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_rows(rows: Iterable[object], path: Path) -> None:
    """Write objects as JSON lines, or as one JSON array with a line each if named `.json`.

    Raises:
        DataError: the file cannot be written.
    """
    array = ".json" in path.suffixes[-2:]
    before, between, after = ("[\n", ",\n", "\n]\n") if array else ("", "\n", "\n")
    with written(path) as file:
        lead = before
        for row in rows:
            file.write(f"{lead}{json.dumps(row, ensure_ascii=False)}".encode())
            lead = between
        file.write((after if lead == between else f"{lead}{after}").encode())
