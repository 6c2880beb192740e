"""Settings of a training run, read from TOML.

One dataclass for every run. A file that names `train` is a fine-tuning: what it leaves open is
then taken from `FINE_TUNING` instead of from the paper.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spanwise import config as settings
from spanwise.data.sampling import SamplingConfig
from spanwise.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    def __post_init__(self) -> None:
        """Raise ConfigError for a value out of range."""
        _at_least(self, 0, "lr_encoder", "lr_rest", "decay_encoder", "decay_rest", "warmup", "clip")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            msg = f"betas must be two numbers from 0 to below 1, got {list(self.betas)}"
            raise ConfigError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """Focal loss as in the paper: positives weighted `alpha`, negatives `1 - alpha`.

    Attributes:
        alpha: weight of positives, below 0 for no weighting.
        gamma: focal exponent, 0 for none.
        smoothing: label smoothing.
        ranking: weight of a second loss for questions and relations, in which the first and last
            word of the answer compete with all other words; 0, as in the paper, for none.
    """

    alpha: float = 0.75
    gamma: float = 0.0
    smoothing: float = 0.0
    ranking: float = 0.0

    def __post_init__(self) -> None:
        """Raise ConfigError for a value out of range."""
        _at_least(self, 0, "gamma", "ranking")
        if self.alpha > 1 or not 0 <= self.smoothing < 1:
            msg = (
                f"loss: alpha {self.alpha} must be at most 1 (below 0: no weighting), smoothing "
                f"{self.smoothing} from 0 to below 1"
            )
            raise ConfigError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingConfig:
    """How the finished model reads unless it is asked otherwise; None: as the one it started from.

    Attributes:
        policy: the score of a span, see `flow.decode`.
        reread: labels that want one span, whose sentence is read once more by itself.
        thresholds: least probability by label name; the others are asked 0.5.
    """

    policy: settings.Policy | None = None
    reread: tuple[str, ...] | None = None
    thresholds: dict[str, float] | None = None

    def over(self, config: settings.ModelConfig) -> settings.ModelConfig:
        """Return a model's configuration with what is given here."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(config, **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """A training run.

    Attributes:
        model: model to start from: a folder of ours, a GLiNER checkpoint, a hub name; "" for the
            embedded model.
        encoder: pretrained encoder that gets a fresh head instead: a folder or a hub name.
        data: folder of the public sets, with `train/`, `synthetic/` and `dev/`.
        train: file (or BRAT folder) of one's own examples, instead of `data`.
        dev: file of one's own examples to measure on.
        dev_share: share of `train` held out to measure on, where `dev` is not given.
        closed: every text of `train` is marked for every label in it, so that a label without a
            span is a true negative.
        output: folder of the run: the finished model, checkpoints, metrics, plot.
        steps: optimiser steps, 0 for no limit.
        epochs: passes over the data, 0 for no limit.
        minutes: time budget, 0 for none; the schedule then follows the time.
        batch_tokens: padded sub-words of one batch.
        batch_examples: most examples of one batch.
        accumulate: batches per optimiser step and process.
        save_every_s: seconds between checkpoints.
        log_every: steps between lines of metrics.
        eval_every: steps between evaluations, 0 for the end only.
        eval_items: items of each public benchmark that an evaluation reads.
        keep: checkpoints kept; 0 removes the last one too once the run has ended.
        select: which weights become the finished model: the last, or the best on dev data.
        precision: "fp32" or "bf16" (autocast).
        device: "cpu", "cuda", "cuda:1", or "auto" for a GPU where there is one.
        seed: decides sampling, dropout and initial weights.
        threads: of torch, 0 leaves them alone.
        workers: processes that prepare batches ahead, 0 to prepare them in between.
        compile: compile the encoder (`torch.compile`).
        ema: decay of the averaged weights, 0 for none; evaluation and the finished model use them.
        hidden_size, max_words, max_labels: of a fresh head.
        dropout: on word and label vectors; None leaves the model's own.
        encoder_dropout: inside the encoder; None leaves its own.
        attention: the encoder's attention; "auto" is "eager" on a CPU, where its backward is
            faster, and "sdpa" on a GPU.
        lora_rank: trains low-rank adapters on the encoder instead of its weights, 0 for none.
        reading: how the finished model reads.
        weights: shares of the public sets by name.
    """

    model: str = ""
    encoder: str = ""
    data: str = ""
    train: str = ""
    dev: str = ""
    dev_share: float = 0.0
    closed: bool = True
    output: str = "checkpoints/run"
    steps: int = 0
    epochs: float = 0.0
    minutes: float = 0.0
    batch_tokens: int = 2400
    batch_examples: int = 64
    accumulate: int = 1
    save_every_s: float = 180.0
    log_every: int = 20
    eval_every: int = 0
    eval_items: int = 100
    keep: int = 2
    select: Literal["last", "best"] = "last"
    precision: Literal["fp32", "bf16"] = "fp32"
    device: str = "auto"
    seed: int = 0
    threads: int = 0
    workers: int = 0
    compile: bool = False
    ema: float = 0.0
    hidden_size: int = 256
    max_words: int = 768
    max_labels: int = 30
    dropout: float | None = None
    encoder_dropout: float | None = None
    attention: Literal["auto", "eager", "sdpa"] = "auto"
    lora_rank: int = 0
    optim: OptimConfig = field(default_factory=OptimConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    reading: ReadingConfig = field(default_factory=ReadingConfig)
    weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ConfigError for a value out of range, or for two that exclude each other."""
        _at_least(self, 1, "batch_tokens", "batch_examples", "accumulate", "log_every")
        _at_least(self, 1, "eval_items", "hidden_size", "max_words", "max_labels")
        _at_least(self, 0, "steps", "epochs", "minutes", "eval_every", "keep", "workers")
        _at_least(self, 0, "lora_rank", "threads", "save_every_s")
        for name in ("dev_share", "ema", "dropout", "encoder_dropout"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                msg = f"{name} must be from 0 to below 1, got {value}"
                raise ConfigError(msg)
        if not (self.steps or self.epochs or self.minutes):
            msg = "nothing ends the run: set steps, epochs or minutes"
            raise ConfigError(msg)
        for one, other in (("model", "encoder"), ("data", "train")):
            if getattr(self, one) and getattr(self, other):
                msg = f"{one} {getattr(self, one)!r} and {other} {getattr(self, other)!r}: give one"
                raise ConfigError(msg)
        if (self.dev or self.dev_share) and not self.train:
            msg = "dev and dev_share belong to one's own examples: name them as train"
            raise ConfigError(msg)
        if self.dev and self.dev_share:
            msg = f"dev {self.dev!r} is given: dev_share {self.dev_share} would hold out more"
            raise ConfigError(msg)
        if self.select == "best" and not (self.dev or self.dev_share or self.data):
            msg = "select 'best' needs dev data: set dev, dev_share or data"
            raise ConfigError(msg)


FINE_TUNING: dict[str, Any] = {
    "output": "model",
    "epochs": 12,
    "batch_examples": 8,
    "keep": 0,
    "encoder_dropout": 0.0,
    "optim": {"lr_encoder": 5e-5, "lr_rest": 2e-4, "schedule": "linear", "clip": 100.0},
    "sampling": {
        "max_words": 250,
        "cut_short": 0.0,
        "drop_labels": 0.1,
        "all_labels": 0.6,
        "synonyms": 0.0,
        "instructions": 0.0,
    },
}
"""What a fine-tuning leaves open: some hundred examples, minutes on a CPU (docs/training.md)."""


def of(mapping: Mapping[str, Any], *, where: str = "") -> TrainConfig:
    """Return the settings of a mapping; for a fine-tuning over `FINE_TUNING`.

    Raises:
        ConfigError: a key or value is not understood.
    """
    return settings.read(TrainConfig, _over_defaults(mapping), where=where)


def read_toml(path: str | Path, changes: Mapping[str, Any] | None = None) -> TrainConfig:
    """Return the settings of a TOML file; `changes` go over them.

    Raises:
        ConfigError: the file is missing or no TOML, or a key or value is not understood.
    """
    path = Path(path)
    try:
        stored = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        msg = f"{path} is no file; pass the path of a TOML file with training settings"
        raise ConfigError(msg) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no TOML: {error}"
        raise ConfigError(msg) from error
    return of(_merged(stored, changes or {}), where=str(path))


def _over_defaults(mapping: Mapping[str, Any]) -> dict[str, Any]:
    if not mapping.get("train"):
        return dict(mapping)
    base = dict(FINE_TUNING)
    if mapping.get("steps") or mapping.get("minutes"):
        base.pop("epochs")  # whoever sets an end sets the end
    if not mapping.get("dev"):
        base["dev_share"] = 0.1
    return _merged(base, mapping)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merged(base[key], value) if both else value
    return merged


def _at_least(config: object, least: int, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if not math.isfinite(value) or value < least:
            msg = f"{name} must be at least {least}, got {value}"
            raise ConfigError(msg)
