"""Lines written to a file that appears whole, by a run that can be taken up again.

While it is being made, the file is a hidden one beside its place, named after what it is made
of: the same command finds the lines that an interrupted run left, another command does not.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from spanwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_EVERY = 256


class Lines:
    """A file of lines that takes its place in `finish`; use as a context.

    Attributes:
        n_there: complete lines that an earlier run of the same recipe left.
    """

    def __init__(self, path: str | Path, recipe: Any, *, resume: bool = True) -> None:  # noqa: ANN401
        """Open the file, or that of an earlier run.

        Args:
            path: where the finished file will be.
            recipe: plain data that decides the lines; another recipe is another run.
            resume: take an earlier run up (False: begin anew).

        Raises:
            InputError: the place is a folder, or cannot be written to.
        """
        self._target = Path(path)
        if self._target.is_dir():
            msg = f"{path} is a folder; pass the path of a file"
            raise InputError(msg)
        made_of = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]
        self._partial = self._target.with_name(f".{self._target.name}.{made_of}.partial")
        self.n_there = 0
        self._n_unsaved = 0
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._partial.open("r+b" if self._partial.exists() else "w+b")
        except OSError as error:
            msg = f"{path} cannot be written: {error.strerror}"
            raise InputError(msg) from error
        whole = 0
        for line in self._file if resume else ():
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            self.n_there += 1
        self._file.seek(whole)
        self._file.truncate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; without `finish` it waits for the next run."""
        self._file.close()

    def write(self, line: str) -> None:
        """Append a line."""
        self._file.write(line.encode() + b"\n")
        self._n_unsaved += 1
        if self._n_unsaved >= _EVERY:
            self._file.flush()
            self._n_unsaved = 0

    def count(self, mark: bytes) -> int:
        """Return how many of all lines hold these bytes, those of an earlier run too."""
        self._file.flush()
        self._file.seek(0)
        n_lines = sum(mark in line for line in self._file)
        self._file.seek(0, os.SEEK_END)
        return n_lines

    def finish(self) -> None:
        """Move the file to its place; from now on it is whole."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.replace(self._target)


def state(paths: Iterable[Path]) -> list[list[Any]]:
    """Return what tells whether files have changed: name, size and time of each, sorted."""
    files = {file for path in paths for file in (path.iterdir() if path.is_dir() else (path,))}
    return [
        [str(file), (found := file.stat()).st_size, found.st_mtime_ns]
        for file in sorted(files)
        if file.is_file()
    ]
