"""Settings of a training run, read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from spanwise import config as settings
from spanwise.data.sampling import SamplingConfig
from spanwise.errors import ConfigError

Schedule = Literal["cosine", "linear", "constant", "trapezoid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimConfig:
    """Two groups of parameters, one schedule.

    Attributes:
        lr_encoder, lr_rest: peak learning rates of the encoder and of everything else.
        decay_encoder, decay_rest: AdamW weight decay, not applied to biases and norms.
        betas: Adam's.
        schedule: after warm-up. "trapezoid" stays at the peak and falls linearly over the last
            `cooldown` share.
        warmup: share of the run if below 1, else steps.
        cooldown: see `schedule`.
        clip: largest norm of the gradient, 0 for none.
    """

    lr_encoder: float = 1e-5
    lr_rest: float = 5e-5
    decay_encoder: float = 0.01
    decay_rest: float = 0.01
    betas: tuple[float, ...] = (0.9, 0.999)
    schedule: Schedule = "cosine"
    warmup: float = 0.1
    cooldown: float = 0.25
    clip: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """Focal loss as in the paper: positives weighted `alpha`, negatives `1 - alpha`."""

    alpha: float = 0.75
    gamma: float = 0.0
    smoothing: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """A training run.

    Attributes:
        model: folder to start from: a model of ours, a GLiNER checkpoint, or an encoder with a
            fresh head; "" for the embedded model.
        output: folder of the run: checkpoints, metrics, plot.
        steps: optimiser steps.
        minutes: time budget, 0 for none; the schedule then follows the time.
        batch_tokens: padded sub-words of one batch.
        batch_examples: most examples of one batch.
        accumulate: batches per optimiser step.
        save_every_s: seconds between checkpoints.
        eval_every: steps between evaluations, 0 for none.
        keep: checkpoints kept.
        precision: "fp32" or "bf16" (autocast).
        seed: decides sampling, dropout and initial weights.
        threads: of torch, 0 leaves them alone.
        compile: compile the encoder (`torch.compile`).
        ema: decay of the averaged weights, 0 for none.
        hidden_size: H of a fresh head.
        lora_rank: trains low-rank adapters on the encoder instead of its weights, 0 for none.
    """

    model: str = ""
    output: str = "checkpoints/run"
    steps: int = 1000
    minutes: float = 0.0
    batch_tokens: int = 2400
    batch_examples: int = 64
    accumulate: int = 1
    save_every_s: float = 180.0
    eval_every: int = 0
    keep: int = 2
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0
    threads: int = 0
    compile: bool = False
    ema: float = 0.0
    hidden_size: int = 256
    lora_rank: int = 0
    optim: OptimConfig = field(default_factory=OptimConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ConfigError for a value out of range."""
        for name in ("steps", "batch_tokens", "batch_examples", "accumulate", "keep"):
            if getattr(self, name) < 1:
                msg = f"{name} must be at least 1, got {getattr(self, name)}"
                raise ConfigError(msg)


def read_toml(path: str | Path) -> TrainConfig:
    """Return the settings of a TOML file.

    Raises:
        ConfigError: the file is missing or no TOML, or a key or value is not understood.
    """
    path = Path(path)
    try:
        stored = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"{path} does not exist; pass the path of a TOML file with training settings"
        raise ConfigError(msg) from None
    except tomllib.TOMLDecodeError as error:
        msg = f"{path} is no TOML: {error}"
        raise ConfigError(msg) from error
    return settings.read(TrainConfig, stored, where=str(path))
