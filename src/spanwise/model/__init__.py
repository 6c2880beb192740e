"""The network in torch, its loss, and its files: ours and GLiNER's.

Importing a submodule imports torch; importing this package does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanwise.model.checkpoint import Model

__all__ = ["read_model"]


def read_model(folder: str | Path, *, attention: str = "sdpa") -> Model:
    """Read a model's folder, ours or GLiNER's.

    Raises:
        CheckpointError: see `checkpoint.load` and `upstream.load`.
    """
    from spanwise.model import checkpoint, upstream  # noqa: PLC0415 (they import torch)

    folder = Path(folder)
    if upstream.is_upstream(folder) and not (folder / checkpoint.CONFIG_FILE).is_file():
        return upstream.load(folder, attention=attention)
    return checkpoint.load(folder, attention=attention)
