"""The training loop, visible from end to end.

    sampler -> chunk of examples -> sub-words -> batches under a token budget
            -> forward, loss, backward, clip, step -> metrics, checkpoints, evaluation

The stream of examples is a function of (seed, position) and batches are cut chunk by chunk, so
two numbers say where a run stands and a resumed run sees what the killed one would have seen.
"""

from __future__ import annotations

import json
import math
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from spanwise.errors import TrainingError
from spanwise.flow.encode import Encoder, batches
from spanwise.flow.words import splitter
from spanwise.model.loss import focal_loss
from spanwise.training import state
from spanwise.training.collate import TrainingBatch, collate, tokenise
from spanwise.training.optim import optimizer, rate
from spanwise.training.state import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spanwise.data.sampling import Sampler
    from spanwise.model.checkpoint import Model
    from spanwise.training.config import TrainConfig

CHUNK = 512
"""Examples that are sorted by length together; batches are cut from one chunk at a time."""


@dataclass
class Trainer:
    """A run: model, data and settings; `run()` carries it to its end.

    `evaluate` is called with the model every `eval_every` steps and returns numbers to log;
    `report` receives every line of metrics (for a progress bar).
    """

    model: Model
    sampler: Sampler
    config: TrainConfig
    evaluate: Callable[[Model], dict[str, float]] | None = None
    report: Callable[[dict[str, Any]], None] | None = None
    clock: Callable[[], float] = time.monotonic
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        """Set generators, optimiser and folder up, and pick up the newest checkpoint."""
        if self.config.threads:
            torch.set_num_threads(self.config.threads)
        torch.manual_seed(self.config.seed)
        self.folder = Path(self.config.output)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.network = self.model.network
        self.device = next(self.network.parameters()).device
        self.encoder = Encoder(self.model.tokenizer, self.model.config)
        self.split = splitter(self.model.config.splitter)
        self.optimizer = optimizer(self.network, self.config.optim)
        self.ema: dict[str, torch.Tensor] | None = None
        found = state.checkpoints(self.folder)
        if found:
            self.progress, self.ema = state.restore(found[-1], self.model, self.optimizer)

    def run(self) -> Model:
        """Train until the steps or the minutes are over; return the model in evaluation mode."""
        begun = self.clock() - self.progress.elapsed_s
        saved = self.clock()
        self.network.train()
        losses: list[float] = []
        for batch_group in self._groups():
            self.progress.elapsed_s = self.clock() - begun
            if self._over():
                break
            losses.append(self._step(batch_group))
            self.progress.step += 1
            if self.progress.step % 20 == 0:
                self._log(loss=float(np.mean(losses)))
                losses.clear()
            if self.config.eval_every and self.progress.step % self.config.eval_every == 0:
                self._evaluate()
            if self.clock() - saved > self.config.save_every_s:
                self.save()
                saved = self.clock()
        self.save()
        self.network.eval()
        return self.model

    def save(self) -> Path:
        """Write a checkpoint now."""
        return state.save(
            self.folder,
            self.model,
            self.optimizer,
            self.progress,
            keep=self.config.keep,
            ema=self.ema,
        )

    def _over(self) -> bool:
        minutes = self.config.minutes
        return self.progress.step >= self.config.steps or (
            minutes > 0 and self.progress.elapsed_s >= minutes * 60
        )

    def _groups(self) -> Iterator[list[TrainingBatch]]:
        """Yield `accumulate` batches at a time, from where the run stands."""
        group: list[TrainingBatch] = []
        while True:
            items = tokenise(
                [self.sampler(self.progress.chunk * CHUNK + i) for i in range(CHUNK)],
                self.encoder,
                self.split,
            )
            cut = list(
                batches(
                    [len(item) for item in items],
                    max_tokens=self.config.batch_tokens,
                    max_items=self.config.batch_examples,
                )
            )
            order = np.random.default_rng((self.config.seed, self.progress.chunk)).permutation(
                len(cut)
            )
            for place in order[self.progress.batch :].tolist():
                group.append(
                    collate([items[int(i)] for i in cut[place]], self.encoder, self.device)
                )
                self.progress.batch += 1
                self.progress.examples += len(cut[place])
                if len(group) == self.config.accumulate:
                    yield group
                    group = []
            self.progress.chunk += 1
            self.progress.batch = 0

    def _step(self, group: list[TrainingBatch]) -> float:
        """Take one optimiser step; return the loss per example."""
        share = self._rate()
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = parameters["peak"] * share
        n_examples = sum(map(len, group))
        total = 0.0
        for batch in group:
            with self._autocast():
                logits = self.network(batch.inputs)
            loss = focal_loss(
                logits,
                batch.targets,
                batch.mask,
                alpha=self.config.loss.alpha,
                gamma=self.config.loss.gamma,
                smoothing=self.config.loss.smoothing,
            )
            loss = loss / n_examples
            total += loss.item()
            if not math.isfinite(total):
                msg = (
                    f"the loss is {total} at step {self.progress.step}; the last checkpoint in "
                    f"{self.folder} is intact: lower the learning rates or set optim.clip"
                )
                raise TrainingError(msg)
            loss.backward()
        if self.config.optim.clip:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optim.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._average()
        return total

    def _autocast(self) -> Any:  # noqa: ANN401 (two kinds of context manager)
        if self.config.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def _rate(self) -> float:
        config, step = self.config, self.progress.step
        progress = step / config.steps
        if config.minutes:
            progress = max(progress, self.progress.elapsed_s / (config.minutes * 60))
        warmup = config.optim.warmup
        if warmup <= 0:
            warmed = 1.0
        elif warmup < 1:
            warmed = (progress + 1 / config.steps) / warmup
        else:
            warmed = (step + 1) / warmup
        return rate(progress, warmed, config.optim)

    def _average(self) -> None:
        """Keep an exponential moving average of the weights, if asked."""
        if not self.config.ema:
            return
        current = self.network.state_dict()
        if self.ema is None:
            self.ema = {k: v.detach().clone() for k, v in current.items()}
            return
        for name, value in current.items():
            if value.is_floating_point():
                self.ema[name].lerp_(value, 1 - self.config.ema)

    def _evaluate(self) -> None:
        if self.evaluate is None:
            return
        self.network.eval()
        with torch.inference_mode():
            numbers = self.evaluate(self.model)
        self.network.train()
        self._log(**numbers)

    def _log(self, **numbers: float) -> None:
        line = {
            "step": self.progress.step,
            "examples": self.progress.examples,
            "elapsed_s": round(self.progress.elapsed_s, 1),
            "lr_share": round(self._rate(), 4),
            **{name: round(value, 5) for name, value in numbers.items()},
        }
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if self.report:
            self.report(line)
