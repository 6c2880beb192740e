"""Lines of metrics: appended to `metrics.jsonl`, one JSON object each, and read back.

A resumed run first drops the lines that the killed one wrote after its last checkpoint, so every
step stands there once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spanwise.errors import TrainingError
from spanwise.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "metrics.jsonl"


def append(folder: Path, line: Mapping[str, Any]) -> None:
    """Write one line.

    Raises:
        TrainingError: the disk is full or cannot be written.
    """
    path = folder / FILE
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    except OSError as error:
        msg = f"cannot write {path}: {error}; free some space and resume the run"
        raise TrainingError(msg) from error


def read(folder: Path) -> list[dict[str, Any]]:
    """Return all lines; one that was cut short by a kill is left out."""
    path = folder / FILE
    if not path.is_file():
        return []
    found = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found


def rewind(folder: Path, step: int) -> None:
    """Drop the lines after a step."""
    kept = [line for line in read(folder) if line["step"] <= step]
    if (folder / FILE).is_file():
        with whole_file(folder / FILE) as partial:
            text = "".join(json.dumps(line) + "\n" for line in kept)
            partial.write_text(text, encoding="utf-8")
