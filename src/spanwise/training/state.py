"""Everything a run needs to go on as if it had never stopped, saved whole or not at all.

`step-00001234/` holds the model in its own format (so that any checkpoint can be used as it is)
and `state.pt`: optimiser, random generators, position in the data, averaged weights, adapters.
Restoring continues bit-exactly on a CPU.
"""

from __future__ import annotations

import pickle
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError

from spanwise.errors import CheckpointError, ConfigError, TrainingError
from spanwise.files import whole_folder
from spanwise.model import checkpoint
from spanwise.training import lora

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch.optim import Optimizer

    from spanwise.model.checkpoint import Model

STATE_FILE = "state.pt"
_MAY_CHANGE = frozenset(
    {
        "output", "steps", "minutes", "epochs", "save_every_s", "log_every", "eval_every",
        "eval_items", "keep", "select", "device", "threads", "workers", "compile", "dev",
    }
)  # fmt: skip
"""Settings that a resumed run may have otherwise: they decide neither the data nor the weights."""


@dataclass(slots=True)
class Progress:
    """Where a run stands: the next step, the position in the data, seconds spent.

    `best` is the best score on dev data so far, below 0 where there was none.
    """

    step: int = 0
    chunk: int = 0
    batch: int = 0
    examples: int = 0
    elapsed_s: float = 0.0
    best: float = -1.0


@dataclass(slots=True)
class State:
    """What is kept beside the model."""

    progress: Progress
    ema: dict[str, torch.Tensor] | None = None
    generators: list[dict[str, torch.Tensor]] = field(default_factory=list)
    settings: Mapping[str, Any] = field(default_factory=dict)


def generators(device: torch.device) -> dict[str, torch.Tensor]:
    """Return the state of this process's random generators."""
    found = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        found["cuda"] = torch.cuda.get_rng_state(device)
    return found


def save(folder: Path, model: Model, optimizer: Optimizer, state: State, *, keep: int) -> Path:
    """Write a checkpoint and remove all but the newest `keep`.

    Raises:
        TrainingError: the disk is full or cannot be written; older checkpoints are intact.
    """
    target = folder / f"step-{state.progress.step:08d}"
    stored: dict[str, Any] = {
        "optimizer": optimizer.state_dict(),
        "torch_rng": state.generators[0]["cpu"],
        "generators": state.generators,
        "progress": asdict(state.progress),
        "ema": state.ema,
        "settings": dict(state.settings),
        "adapters": lora.trained(model.network) if lora.attached(model.network) else None,
    }
    try:
        with whole_folder(target) as partial:
            checkpoint.write(lora.merged(model), partial)
            torch.save(stored, partial / STATE_FILE)
    except (OSError, RuntimeError, SafetensorError) as error:
        msg = f"cannot write checkpoint {target}: {error}; free some space and resume the run"
        raise TrainingError(msg) from error
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints of a run, oldest first."""
    return sorted(p for p in folder.glob("step-*") if (p / STATE_FILE).is_file())


def sweep(folder: Path) -> None:
    """Remove what a killed process left half written."""
    for rest in folder.glob(".step-*"):
        shutil.rmtree(rest, ignore_errors=True)


def restore(
    folder: Path, model: Model, optimizer: Optimizer, settings: Mapping[str, Any], *, rank: int = 0
) -> State:
    """Load a checkpoint's weights, optimiser and generators in place.

    Args:
        folder: of the checkpoint.
        model: built as at the run's start; with adapters, on the same weights.
        optimizer: of that model.
        settings: of the run that wants to go on.
        rank: of this process, which gets its own generators back.

    Raises:
        CheckpointError: the state cannot be read, or belongs to another model.
        ConfigError: the checkpoint was made with settings that would train otherwise.
    """
    try:
        stored = torch.load(folder / STATE_FILE, weights_only=True, map_location="cpu")
        _refuse_others(folder, stored.get("settings") or settings, settings)
        if stored.get("adapters") is None:
            tensors = checkpoint.read_safetensors(folder / checkpoint.WEIGHTS_FILE)
            checkpoint.fill(model.network, tensors, where=folder)
        else:
            model.network.load_state_dict(stored["adapters"], strict=False)
        optimizer.load_state_dict(stored["optimizer"])
        kept = stored.get("generators") or [{"cpu": stored["torch_rng"]}]
        own = kept[min(rank, len(kept) - 1)]
        torch.set_rng_state(own["cpu"])
        if "cuda" in own and torch.cuda.is_available():
            torch.cuda.set_rng_state(own["cuda"])
        return State(Progress(**stored["progress"]), stored["ema"], kept, settings)
    except (RuntimeError, ValueError, KeyError, TypeError, EOFError, OSError) as error:
        if isinstance(error, ConfigError):
            raise
        msg = f"{folder / STATE_FILE} cannot be restored: {error}; remove that folder to go back"
        raise CheckpointError(msg) from error
    except pickle.UnpicklingError as error:
        msg = f"{folder / STATE_FILE} is damaged: {error}; remove that folder to go back"
        raise CheckpointError(msg) from error


def _refuse_others(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    keys = sorted(({*before} | {*now}) - _MAY_CHANGE)
    other = [key for key in keys if before.get(key) != now.get(key)]
    if other:
        shown = "; ".join(f"{key} was {before.get(key)!r}, is {now.get(key)!r}" for key in other)
        msg = f"{folder} was trained with other settings ({shown}): use those, or another output"
        raise ConfigError(msg)
