"""Files written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block ends well.

    After an error (a full disk, a kill) whatever was at `path` before is still there.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        _sync(partial)
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its place when the block ends well."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    old = partial.with_name(f"{partial.name}.old")
    try:
        yield partial
        for file in partial.rglob("*"):
            if file.is_file():
                _sync(file)
                file.chmod(0o644)  # some writers make files for their owner's eyes only
        partial.chmod(0o755)
        if target.exists():
            target.replace(old)
        partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    """Have the file's bytes on disk before it is renamed into place."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
