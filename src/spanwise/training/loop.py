"""The training loop, visible from end to end.

    stream of batches -> forward, loss, backward -> summed over processes, clipped, step
                      -> metrics, checkpoints, evaluation -> the finished model

A run ends after its steps, epochs or minutes, or with SIGTERM or Ctrl-C after the step at hand;
every end leaves a checkpoint to go on from. Only the first of several processes writes.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from spanwise import config as settings
from spanwise.errors import TrainingError
from spanwise.flow.encode import Encoder
from spanwise.flow.words import splitter
from spanwise.model import checkpoint
from spanwise.model.loss import focal_loss, ranking_loss
from spanwise.training import finish, log, lora, ranks, state
from spanwise.training.average import Average, in_place_of
from spanwise.training.collate import TrainingBatch, collate
from spanwise.training.optim import optimizer, rate
from spanwise.training.state import Progress, State
from spanwise.training.stream import Chunks, Draws, Place, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from spanwise.model.checkpoint import Model
    from spanwise.training.collate import Tokenised
    from spanwise.training.config import TrainConfig


@dataclass
class Trainer:
    """A run: model, data and settings; `run()` carries it to its end.

    `evaluate` is called with the model every `eval_every` steps and at the end, and returns
    scores to log, the one to select by first; `report` receives every line of metrics.
    """

    model: Model
    sampler: Draws
    config: TrainConfig
    evaluate: Callable[[Model], dict[str, float]] | None = None
    report: Callable[[Mapping[str, Any]], None] | None = None
    clock: Callable[[], float] = time.monotonic
    progress: Progress = field(default_factory=Progress)
    stopped: str = ""

    def __post_init__(self) -> None:
        """Set generators, optimiser and folder up, and pick up the newest checkpoint."""
        config = self.config
        if config.threads:
            torch.set_num_threads(config.threads)
        self.ranks = ranks.join(config.device)
        self.device = self.ranks.device
        torch.manual_seed(config.seed + self.ranks.rank)
        self.network = self.model.network.to(self.device)
        self.ranks.same_start(self.network)
        if config.lora_rank:
            lora.attach(self.network, config.lora_rank)
        self.folder = Path(config.output)
        _make(self.folder)
        self.encoder = Encoder(self.model.tokenizer, self.model.config)
        self.optimizer = optimizer(self.network, config.optim)
        self.average: Average | None = None
        self._resume()
        if config.ema and self.average is None:
            self.average = Average(self.network, config.ema)
        if config.compile:
            self.network.encoder.compile(dynamic=True)
        self._signal = ""
        self._losses: list[float] = []
        self._since = (self.progress.examples, self.progress.elapsed_s)

    def run(self) -> Model:
        """Train to the end; return the finished model, which then stands in the output folder.

        After a signal the run is only saved, `stopped` names the signal, and the model is
        returned as it is.

        Raises:
            TrainingError: the loss is not finite, or the disk is full; the last checkpoint is
                intact.
        """
        begun = self.clock() - self.progress.elapsed_s
        saved = self.clock()
        self.network.train()
        batches = self._groups()
        with self._signals():
            while not self._over() and not self.stopped:
                group, place, n_examples = next(batches)
                self._losses.append(self._step(group, n_examples, self.clock() - begun))
                self.progress.step += 1
                self.progress.chunk, self.progress.batch = place
                self.progress.examples += n_examples
                if self.progress.step % self.config.log_every == 0:
                    self._log_loss()
                if self.config.eval_every and self.progress.step % self.config.eval_every == 0:
                    self._evaluate()
                if self._due(self.clock() - saved):
                    self.save()
                    saved = self.clock()
        batches.close()
        return self._end()

    def save(self) -> None:
        """Write a checkpoint now."""
        kept = self.ranks.gather(state.generators(self.device))
        if self.ranks.first:
            ema = self.average.weights if self.average else None
            now = State(self.progress, ema, kept, settings.plain(self.config))
            keep = max(1, self.config.keep)
            state.save(self.folder, self.model, self.optimizer, now, keep=keep)
        self.ranks.wait()

    def _resume(self) -> None:
        found = state.checkpoints(self.folder)
        if self.ranks.first:
            state.sweep(self.folder)
        if not found:
            return
        plain = settings.plain(self.config)
        stored = state.restore(found[-1], self.model, self.optimizer, plain, rank=self.ranks.rank)
        self.progress = stored.progress
        if stored.ema is not None and self.config.ema:
            self.average = Average(self.network, self.config.ema)
            for name, value in stored.ema.items():
                self.average.weights[name].copy_(value)
        if self.ranks.first:
            log.rewind(self.folder, self.progress.step)

    def _end(self) -> Model:
        """Save, and unless a signal stopped the run, measure and write the finished model."""
        self.save()
        if self.stopped:
            self.network.eval()
            return self.model
        if self._losses:
            self._log_loss()
        if not (self.config.eval_every and self.progress.step % self.config.eval_every == 0):
            self._evaluate()
        self.network.eval()
        if self.ranks.first:
            with in_place_of(self.network, self.average):
                finish.publish(lora.merged(self.model), self.folder, self.config)
        self.ranks.wait()
        return checkpoint.load(self.folder)

    def share(self) -> float:
        """Return the share of the run that is over, 0..1."""
        return min(1.0, self._share(self.progress.elapsed_s))

    def _share(self, elapsed_s: float) -> float:
        shares = [0.0]
        if self.config.steps:
            shares.append(self.progress.step / self.config.steps)
        if self.config.epochs:
            per_epoch = len(self.sampler)
            shares.append(self.progress.examples / math.ceil(self.config.epochs * per_epoch))
        if self.config.minutes:
            shares.append(elapsed_s / (self.config.minutes * 60))
        return max(shares)

    def _over(self) -> bool:
        return self._share(self.progress.elapsed_s) >= 1

    def _due(self, since_s: float) -> bool:
        """Whether it is time for a checkpoint; the first process decides for all."""
        due = float(self.ranks.first and since_s > self.config.save_every_s)
        return self.ranks.sum([due])[0] > 0

    def _groups(self) -> Generator[tuple[list[list[Tokenised]], Place, int], None, None]:
        """Yield this process's batches of one step, the place after them, and all examples."""
        start = Place(self.progress.chunk, self.progress.batch)
        chunks = Chunks(
            self.sampler, self.encoder, splitter(self.model.config.splitter), self.config
        )
        group: list[list[Tokenised]] = []
        for batch, place in stream(chunks, start):
            group.append(batch)
            if len(group) == self.config.accumulate * self.ranks.world:
                yield group[self.ranks.rank :: self.ranks.world], place, sum(map(len, group))
                group = []

    def _step(self, group: list[list[Tokenised]], n_examples: int, elapsed_s: float) -> float:
        """Take one optimiser step; return the loss per example."""
        loss = torch.zeros((), device=self.device)
        for items in group:
            part = self._loss(collate(items, self.encoder, self.device)) / n_examples
            part.backward()
            loss += part.detach()
        parameters = list(self.network.parameters())
        self.ranks.sum_gradients(parameters)
        signalled = float(bool(self._signal))
        total, elapsed_s, signalled = self.ranks.sum([loss.item(), elapsed_s, signalled])
        self.progress.elapsed_s = elapsed_s / self.ranks.world
        if signalled:  # to any process: all stop after the same step
            self.stopped = self._signal or "a signal to another process"
        norm = _norm(parameters, self.config.optim.clip)
        if not math.isfinite(total) or not torch.isfinite(norm):
            what = f"loss is {total}" if not math.isfinite(total) else f"gradient is {float(norm)}"
            msg = (
                f"the {what} at step {self.progress.step}; checkpoints in {self.folder} are "
                "intact: lower the learning rates, set optim.clip, or use precision 'fp32'"
            )
            raise TrainingError(msg)
        share = self._rate()
        for each in self.optimizer.param_groups:
            each["lr"] = each["peak"] * share
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average:
            self.average.update(self.network, self.progress.step)
        return total

    def _loss(self, batch: TrainingBatch) -> torch.Tensor:
        chosen = self.config.loss
        with self._autocast():
            logits = self.network(batch.inputs)
        loss = focal_loss(
            logits,
            batch.targets,
            batch.mask,
            alpha=chosen.alpha,
            gamma=chosen.gamma,
            smoothing=chosen.smoothing,
        )
        if chosen.ranking and bool(batch.ranked.any()):
            which = batch.ranked
            rank = ranking_loss(logits[which], batch.targets[which], batch.mask[which])
            loss = loss + chosen.ranking * rank
        return loss

    def _autocast(self) -> Any:  # noqa: ANN401 (two kinds of context manager)
        if self.config.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def _rate(self) -> float:
        """Return the share of the peak learning rate for the step at hand."""
        done = self._share(self.progress.elapsed_s)
        warmup, step = self.config.optim.warmup, self.progress.step
        if warmup <= 0:
            warmed = 1.0
        elif warmup >= 1:
            warmed = (step + 1) / warmup
        else:
            first = 1 / self.config.steps if self.config.steps else warmup / 10
            per_step = done / step if step else first
            warmed = (done + per_step) / warmup
        return rate(min(1.0, done), warmed, self.config.optim)

    def _evaluate(self) -> None:
        """Measure the weights that would be the finished model, and keep them if they are best."""
        if self.evaluate is None:
            return
        if self.ranks.first:
            self.network.eval()
            with in_place_of(self.network, self.average), torch.inference_mode():
                scores = self.evaluate(self.model)
                first = next(iter(scores.values()), -1.0)
                if self.config.select == "best" and first > self.progress.best:
                    self.progress.best = first
                    finish.keep_best(lora.merged(self.model), self.folder)
            self._log(scores)
        self.network.train()
        self.ranks.wait()

    def _log_loss(self) -> None:
        examples, elapsed_s = self._since
        seconds = max(1e-9, self.progress.elapsed_s - elapsed_s)
        numbers = {
            "loss": sum(self._losses) / len(self._losses),
            "examples_per_s": (self.progress.examples - examples) / seconds,
        }
        self._losses.clear()
        self._since = (self.progress.examples, self.progress.elapsed_s)
        if self.ranks.first:
            self._log(numbers)

    def _log(self, numbers: Mapping[str, float]) -> None:
        line = {
            "step": self.progress.step,
            "examples": self.progress.examples,
            "elapsed_s": round(self.progress.elapsed_s, 1),
            "lr_share": round(self._rate(), 4),
            **{name: round(value, 5) for name, value in numbers.items()},
        }
        log.append(self.folder, line)
        if self.report:
            self.report({**line, "share": self.share()})

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGTERM and Ctrl-C end the run after the step at hand; a second one ends at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}

        def stop(number: int, _: object) -> None:
            self._signal = signal.Signals(number).name
            signal.signal(number, before[signal.Signals(number)])

        for each in before:
            signal.signal(each, stop)
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _norm(parameters: list[torch.nn.Parameter], clip: float) -> torch.Tensor:
    """Return the norm of the gradient, which is then at most `clip` (0: left alone)."""
    if clip:
        return torch.nn.utils.clip_grad_norm_(parameters, clip)
    return torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"output {folder} cannot be made: {error}"
        raise TrainingError(msg) from error
