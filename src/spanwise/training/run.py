"""A run from its settings: data and model put together.

Two kinds of run: on the public and synthetic sets of a data folder, or on one's own examples.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from spanwise.data import find_overlap, leave_out, negatives, read_dev, read_training
from spanwise.data.sampling import Passes, Sampler
from spanwise.errors import CheckpointError, ConfigError, did_you_mean
from spanwise.flow.words import splitter
from spanwise.loading import locate
from spanwise.model import checkpoint, read_model, start
from spanwise.training import dev as measure
from spanwise.training import state
from spanwise.training.examples import examples
from spanwise.training.loop import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanwise.data.records import Source
    from spanwise.model.checkpoint import Model
    from spanwise.training.config import TrainConfig
    from spanwise.training.examples import Examples


def on_public_sets(
    config: TrainConfig, *, report: Callable[[Mapping[str, Any]], None] | None = None
) -> Trainer:
    """Return the trainer of a run on the public and synthetic sets.

    Args:
        config: the run; texts that share 13 words with those of the data folder's `dev/` are
            left out.
        report: see `Trainer`.

    Raises:
        ConfigError: `data` is not set, or `weights` names a set that does not exist, or none.
        DataError: the data folder cannot be read.
        CheckpointError: the model to start from cannot be read.
    """
    if not config.data:
        msg = "there is no data to train on: set train (a file of your own) or data (a folder)"
        raise ConfigError(msg)
    _refuse_finished(config)
    folder = Path(config.data)
    has_dev = (folder / "dev").is_dir()
    read = read_training(folder)
    if has_dev:
        training = (record for source in read for record in source.records)
        read = leave_out(read, find_overlap(training, read_dev(folder).texts()))
    chosen = _chosen(read, config.weights)
    sampler = Sampler(
        [source for source, _ in chosen],
        [weight for _, weight in chosen],
        pool=negatives.pool(source for source, _ in chosen),
        config=config.sampling,
        seed=config.seed,
    )
    measured = measure.public(folder, n_items=config.eval_items) if has_dev else None
    return Trainer(model(config), sampler, config, evaluate=measured, report=report)


def on_own_examples(
    config: TrainConfig,
    found: Examples,
    *,
    report: Callable[[Mapping[str, Any]], None] | None = None,
) -> Trainer:
    """Return the trainer of a run on one's own examples.

    Args:
        config: the run.
        found: what `examples.examples` returned for it.
        report: see `Trainer`.

    Raises:
        ConfigError: the output folder holds a finished model.
        CheckpointError: the model to start from cannot be read.
    """
    _refuse_finished(config)
    made = model(config)
    sampler = Passes(
        found.train,
        config=config.sampling,
        seed=config.seed,
        splitter=splitter(made.config.splitter),
    )
    measured = measure.own(found.dev) if found.dev else None
    return Trainer(made, sampler, config, evaluate=measured, report=report)


def trainer(
    config: TrainConfig, *, report: Callable[[Mapping[str, Any]], None] | None = None
) -> Trainer:
    """Return the trainer of either kind of run.

    Raises:
        ConfigError, DataError, CheckpointError: see the two functions above.
    """
    if config.train:
        return on_own_examples(config, examples(config), report=report)
    return on_public_sets(config, report=report)


def model(config: TrainConfig) -> Model:
    """Return the model that a run starts from.

    Raises:
        CheckpointError: it cannot be read, or there is none.
    """
    torch.manual_seed(config.seed)
    attention = config.attention
    if attention == "auto":
        on_gpu = config.device != "cpu" and torch.cuda.is_available()
        attention = "sdpa" if on_gpu else "eager"
    if config.encoder:
        made = start.from_encoder(
            locate(config.encoder),
            attention=attention,
            hidden_size=config.hidden_size,
            max_words=config.max_words,
            max_labels=config.max_labels,
        )
    else:
        folder = locate(config.model or None)
        if folder.is_file():
            msg = f"model {folder} is an exported file, which cannot be trained: pass a folder"
            raise CheckpointError(msg)
        made = read_model(folder, attention=attention)
    network = made.network
    network.config = config.reading.over(network.config)
    if config.dropout is not None:
        network.dropout.p = config.dropout
    if config.encoder_dropout is not None:
        for module in network.encoder.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = config.encoder_dropout
    return made


def _chosen(read: Sequence[Source], weights: Mapping[str, float]) -> list[tuple[Source, float]]:
    sources = {source.name: source for source in read}
    for name in weights:
        if name not in sources:
            msg = f"weights: no set is called {name!r}{did_you_mean(name, sources)}"
            raise ConfigError(msg)
    chosen = [(sources[name], weight) for name, weight in weights.items() if weight > 0]
    if not chosen:
        msg = "weights: name at least one set with a weight above 0"
        raise ConfigError(msg)
    return chosen


def _refuse_finished(config: TrainConfig) -> None:
    folder = Path(config.output)
    if (folder / checkpoint.CONFIG_FILE).is_file() and not state.checkpoints(folder):
        msg = f"output {folder} holds a finished model: choose another folder, or remove it first"
        raise ConfigError(msg)
