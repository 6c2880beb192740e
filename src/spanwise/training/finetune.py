"""`spanwise.train`: one's own examples -> a model of one's own, in one call.

Importing this file brings no torch; calling the function does.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.errors import ConfigError, MissingExtraError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanwise.data.records import Record
    from spanwise.extractor import Extractor
    from spanwise.training.config import TrainConfig


def train(
    data: str | Path | Sequence[Record],
    *,
    output: str | Path | None = None,
    model: str | Path | None = None,
    dev: str | Path | Sequence[Record] | None = None,
    settings: Mapping[str, Any] | None = None,
    report: Callable[[Mapping[str, Any]], None] | None = None,
) -> Extractor:
    """Train a model on one's own examples and return it, ready to use.

    The model is written to `output`, for `spanwise.load(output)`. Interrupted and called again
    with the same arguments, training goes on where it stopped.

    Args:
        data: examples, in any format that `spanwise.data.read` reads, or records; or a `.toml`
            file of settings that names them.
        output: folder to be made; "model" where nothing else says otherwise.
        model: what to start from: a folder of ours, a GLiNER checkpoint, a hub name; None for the
            embedded model.
        dev: examples to measure on; None holds a tenth of `data` out.
        settings: fields of `spanwise.training.config.TrainConfig`, nested as in TOML.
        report: receives a dictionary of metrics now and then.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        ConfigError: a setting is unknown or out of range, or `output` holds a finished model.
        DataError: the examples cannot be used as they are.
        CheckpointError: the model cannot be read.
        TrainingError: the loss is not finite, the disk is full, or a signal stopped the run.
    """
    require()
    from spanwise.loading import load  # noqa: PLC0415 (all of these import torch)
    from spanwise.training import ranks, run  # noqa: PLC0415
    from spanwise.training.examples import examples  # noqa: PLC0415

    config = _config(data, dev, {"output": output, "model": model}, settings or {})
    if config.train:
        records = None if isinstance(data, (str, Path)) else list(data)
        measured = None if dev is None or isinstance(dev, (str, Path)) else list(dev)
        found = examples(config, train=records, dev=measured)
        made = run.on_own_examples(config, found, report=report)
    else:
        made = run.on_public_sets(config, report=report)
    made.run()
    ranks.leave()
    draw_curves(config)
    if made.stopped:
        msg = f"{made.stopped} stopped the run; call again to go on from {config.output}"
        raise TrainingError(msg)
    return load(config.output)


def draw_curves(config: TrainConfig) -> Path | None:
    """Draw the curves of a run and return the picture, or None without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return None
    from spanwise.training import plot  # noqa: PLC0415 (slow to import)

    return plot.draw(Path(config.output))


def require() -> None:
    """Do nothing if what training needs is installed.

    Raises:
        MissingExtraError: torch or transformers is not.
    """
    if not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
        raise MissingExtraError("Training", "train")


def _config(
    data: str | Path | Sequence[Record],
    dev: str | Path | Sequence[Record] | None,
    places: Mapping[str, str | Path | None],
    settings: Mapping[str, Any],
) -> TrainConfig:
    from spanwise.training.config import of, read_toml  # noqa: PLC0415 (imports numpy)

    given = dict(settings)
    for name, value in {**places, "dev": dev}.items():
        if value is None:
            continue
        if name in given:
            msg = f"{name} is given twice, as an argument and in settings: leave one"
            raise ConfigError(msg)
        given[name] = str(value) if isinstance(value, (str, Path)) else "records"
    if isinstance(data, (str, Path)) and Path(data).suffix == ".toml":
        return read_toml(data, given)
    return of({"train": str(data) if isinstance(data, (str, Path)) else "records", **given})
