"""The end of a run: the model in the output folder itself, so that `spanwise.load` takes it.

The files of the model are put in place one by one, its configuration last: a folder that holds
one holds a whole model.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from spanwise.errors import TrainingError
from spanwise.files import whole_folder
from spanwise.model import checkpoint
from spanwise.training import state

if TYPE_CHECKING:
    from pathlib import Path

    from spanwise.model.checkpoint import Model
    from spanwise.training.config import TrainConfig

BEST = "best"


def keep_best(model: Model, folder: Path) -> None:
    """Write the model as the best so far.

    Raises:
        TrainingError: the disk is full or cannot be written; the best before it is intact.
    """
    _write(model, folder / BEST)


def publish(model: Model, folder: Path, config: TrainConfig) -> None:
    """Put the finished model into the run's folder.

    With `select = "best"` it is the best one kept. With `keep = 0` checkpoints are removed.

    Raises:
        TrainingError: the disk is full or cannot be written; the checkpoints are intact.
    """
    best = folder / BEST
    if config.select == "best" and (best / checkpoint.CONFIG_FILE).is_file():
        model = checkpoint.load(best)
    made = _write(model, folder / "finished")
    (folder / checkpoint.CONFIG_FILE).unlink(missing_ok=True)
    for name in (checkpoint.WEIGHTS_FILE, checkpoint.TOKENIZER_FILE, checkpoint.CONFIG_FILE):
        (made / name).replace(folder / name)
    made.rmdir()
    if config.keep == 0:
        for old in [*state.checkpoints(folder), best]:
            shutil.rmtree(old, ignore_errors=True)


def _write(model: Model, folder: Path) -> Path:
    try:
        with whole_folder(folder) as partial:
            checkpoint.write(model, partial)
    except (OSError, RuntimeError, SafetensorError) as error:
        msg = f"cannot write the model to {folder}: {error}; free some space and resume the run"
        raise TrainingError(msg) from error
    return folder
