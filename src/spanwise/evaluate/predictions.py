"""Readings on disk: what lets a killed run go on, and a finished one be scored again.

One JSON line a reading, in the order of the items, flushed after every chunk. A line cut short by
a kill is dropped on reading; a file of other items is refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spanwise.errors import DataError
from spanwise.evaluate.systems import Reading
from spanwise.types import Entity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spanwise.evaluate.items import Item


def append(path: Path, items: Sequence[Item], readings: Sequence[Reading]) -> None:
    """Append the readings of these items, and have them on disk before returning.

    Raises:
        DataError: the file cannot be written.
    """
    lines = [
        json.dumps(_plain(item, reading), ensure_ascii=False)
        for item, reading in zip(items, readings, strict=True)
    ]
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
    except OSError as error:
        msg = f"{path}: cannot be written ({error}); give another run folder or make room"
        raise DataError(msg) from error


def resume(path: Path, items: Sequence[Item]) -> list[Reading]:
    """Return the readings of the first items that the file holds, and cut off what is no line.

    Raises:
        DataError: the file is of other items, or cannot be read.
    """
    if not path.exists():
        return []
    try:
        data = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read ({error})"
        raise DataError(msg) from error
    whole = data[: data.rfind(b"\n") + 1]
    readings = []
    for number, line in enumerate(whole.splitlines()):
        row = json.loads(line)
        if number >= len(items) or row["id"] != items[number].id:
            msg = (
                f"{path}:{number + 1}: holds item {row['id']!r}, which is not number {number + 1} "
                "of this benchmark: the folder is of another run; give a new one"
            )
            raise DataError(msg)
        readings.append(_reading(row, items[number]))
    if len(whole) < len(data):
        path.write_bytes(whole)
    return readings


def _plain(item: Item, reading: Reading) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": item.id,
        "spans": [[span.start, span.end, span.label, float(span.score)] for span in reading.spans],
    }
    if reading.written is not None:
        row["written"] = reading.written
    if reading.failure:
        row["failure"] = reading.failure
    return row


def _reading(row: dict[str, Any], item: Item) -> Reading:
    text = item.question.text
    return Reading(
        spans=tuple(
            Entity(text[start:end], label, start, end, score)
            for start, end, label, score in row["spans"]
        ),
        written=row.get("written"),
        failure=row.get("failure", ""),
    )
