"""A run from its settings: data and model put together, trained, written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from spanwise.data import find_overlap, leave_out, read_dev, read_training
from spanwise.data.sampling import Sampler
from spanwise.errors import ConfigError, did_you_mean
from spanwise.model import start
from spanwise.training.loop import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanwise.model.checkpoint import Model
    from spanwise.training.config import TrainConfig


def public(
    config: TrainConfig,
    data: str | Path,
    encoder: str | Path,
    *,
    evaluate: Callable[[Model], dict[str, float]] | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> Trainer:
    """Return the trainer of a fresh model on the public and synthetic sets.

    Args:
        config: the run.
        data: folder with `train/` and `synthetic/`; texts that share 13 words with those of its
            `dev/` are left out.
        encoder: folder of the pretrained encoder.
        evaluate: see `Trainer`.
        report: see `Trainer`.

    Raises:
        ConfigError: `weights` names a set that does not exist, or is empty.
    """
    torch.manual_seed(config.seed)
    folder = Path(data)
    read = read_training(folder)
    if (folder / "dev").is_dir():
        training = (record for source in read for record in source.records)
        read = leave_out(read, find_overlap(training, read_dev(folder).texts()))
    sources = {source.name: source for source in read}
    for name in config.weights:
        if name not in sources:
            msg = f"weights: no set is called {name!r}{did_you_mean(name, sources)}"
            raise ConfigError(msg)
    chosen = [(sources[name], weight) for name, weight in config.weights.items() if weight > 0]
    if not chosen:
        msg = "weights: name at least one set with a weight above 0"
        raise ConfigError(msg)
    pool = [
        label
        for source, _ in chosen
        if source.open_labels
        for label in source.inventory
        if source.task == "entities"
    ]
    sampler = Sampler(
        [source for source, _ in chosen],
        [weight for _, weight in chosen],
        pool=sorted(set(pool)),
        config=config.sampling,
        seed=config.seed,
    )
    model = start.from_encoder(encoder, attention="eager", hidden_size=config.hidden_size)
    for module in model.network.encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # one pass over the data; dropout stays on word and label vectors
    return Trainer(model, sampler, config, evaluate=evaluate, report=report)
