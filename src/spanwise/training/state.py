"""Everything a run needs to go on as if it had never stopped, saved whole or not at all.

`step-00001234/` holds the model in its own format (so that any checkpoint can be used as it is)
and `state.pt`: optimiser, random generators, position in the data. Restoring continues
bit-exactly on a CPU.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from spanwise.errors import CheckpointError, TrainingError
from spanwise.files import whole_folder
from spanwise.model import checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from torch.optim import Optimizer

    from spanwise.model.checkpoint import Model

STATE_FILE = "state.pt"


@dataclass(slots=True)
class Progress:
    """Where a run stands: the next step, the position in the data, seconds spent."""

    step: int = 0
    chunk: int = 0
    batch: int = 0
    examples: int = 0
    elapsed_s: float = 0.0


def save(
    folder: Path,
    model: Model,
    optimizer: Optimizer,
    progress: Progress,
    *,
    keep: int,
    ema: dict[str, torch.Tensor] | None = None,
) -> Path:
    """Write a checkpoint and remove all but the newest `keep`.

    Raises:
        TrainingError: the disk is full or cannot be written; older checkpoints are intact.
    """
    target = folder / f"step-{progress.step:08d}"
    state: dict[str, Any] = {
        "optimizer": optimizer.state_dict(),
        "torch_rng": torch.get_rng_state(),
        "progress": asdict(progress),
        "ema": ema,
    }
    try:
        with whole_folder(target) as partial:
            checkpoint.write(model, partial)
            torch.save(state, partial / STATE_FILE)
    except (OSError, RuntimeError) as error:
        msg = f"cannot write checkpoint {target}: {error}; free some space and resume the run"
        raise TrainingError(msg) from error
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints of a run, oldest first."""
    found = [p for p in folder.glob("step-*") if (p / STATE_FILE).is_file()]
    return sorted(found)


def restore(folder: Path, model: Model, optimizer: Optimizer) -> tuple[Progress, Any]:
    """Load a checkpoint's weights, optimiser and generators in place.

    Returns:
        The progress, and the averaged weights if there were any.

    Raises:
        CheckpointError: the state cannot be read, or belongs to another model.
    """
    tensors = checkpoint.read_safetensors(folder / checkpoint.WEIGHTS_FILE)
    checkpoint.fill(model.network, tensors, where=folder)
    try:
        state = torch.load(folder / STATE_FILE, weights_only=True)
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["torch_rng"])
        return Progress(**state["progress"]), state["ema"]
    except (RuntimeError, ValueError, KeyError, TypeError, EOFError) as error:
        msg = f"{folder / STATE_FILE} cannot be restored: {error}; remove that folder to go back"
        raise CheckpointError(msg) from error
