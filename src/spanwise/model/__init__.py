"""The network in torch, its loss, and its files: ours and GLiNER's.

Importing a submodule imports torch; importing this package does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from spanwise.model.checkpoint import Model

__all__ = ["read_model", "write_model"]

Form = Literal["spanwise", "gliner"]
Precision = Literal["fp32", "fp16", "bf16"]


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


def write_model(
    model: Model, folder: str | Path, *, form: Form = "spanwise", precision: Precision = "fp32"
) -> Path:
    """Write a model's folder, whole or not at all.

    Args:
        model: what to write.
        folder: created, or replaced.
        form: our format or GLiNER's.
        precision: of the weights on disk.

    Raises:
        UnsupportedError: GLiNER's format cannot hold the model; see `upstream.save`.
    """
    import torch  # noqa: PLC0415 (so that importing this package does not)

    from spanwise.model import checkpoint, upstream  # noqa: PLC0415

    dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    if form == "gliner":
        return upstream.save(model, folder, dtype=dtype)
    return checkpoint.save(model, folder, dtype=dtype)
