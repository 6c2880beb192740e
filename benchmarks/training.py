"""Training throughput beside `gliner`'s own trainer: same model, data, batch and machine.

    python benchmarks/training.py --data DIR --encoder FOLDER --gliner-python PYTHON

PYTHON is that of an environment with `gliner[training]`. Both sides read the same examples with the
same labels and take the same number of examples a step. All workers are made ready first and then
take turns, a few steps each, so that whatever else the machine does falls on all of them alike.
Dropout is the same on both sides but for the last row, trained as configs/small-stage1.toml has it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS = (  # name, whose, precision, the encoder's dropout (None: its own, 0.1)
    ("gliner, fp32", "gliner", "fp32", None),
    ("gliner, bf16", "gliner", "bf16", None),
    ("spanwise, fp32", "spanwise", "fp32", None),
    ("spanwise, bf16", "spanwise", "bf16", None),
    ("spanwise, bf16, no dropout in the encoder", "spanwise", "bf16", 0.0),
)


def main() -> None:
    """Measure and print a table, or be one of the workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, help="holds synthetic/")
    add("--encoder", type=Path, help="folder of the pretrained encoder")
    add("--gliner-python", help="interpreter with gliner[training]")
    add("--batch", type=int, default=16)
    add("--steps", type=int, default=6, help="of one turn")
    add("--turns", type=int, default=3)
    add("--threads", type=int, default=1)
    add("--wait", action="store_true", help="wait for a line on standard input before measuring")
    add("--worker", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        job = Job(**arguments.worker)
        {"gliner": train_gliner, "spanwise": train_spanwise}[job.whose](job)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(arguments, Path(folder))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one worker trains on."""

    whose: str
    precision: str
    dropout: float | None
    folder: str
    batch: int
    threads: int
    steps: int

    def read(self) -> list[dict[str, Any]]:
        """Return the examples in GLiNER's form, with the labels to ask."""
        found: list[dict[str, Any]] = json.loads(Path(self.folder, "examples.json").read_text())
        return found


class Turns:
    """Answers `go` on standard input with the time of the next steps."""

    def __init__(self, steps: int) -> None:
        """Say that everything is loaded, once the first step is done."""
        self.steps = steps
        self.done = 0
        self.begun = (0.0, 0.0)

    def step(self) -> None:
        """Count a step; at the end of a turn report, and wait for the next."""
        if self.done % self.steps == 0:
            if self.done:
                wall, cpu = time.perf_counter(), time.process_time()
                report = {"wall_s": wall - self.begun[0], "cpu_s": cpu - self.begun[1]}
                print(json.dumps(report), flush=True)
            else:
                print(json.dumps("ready"), flush=True)
            if sys.stdin.readline() != "go\n":
                raise SystemExit
            self.begun = (time.perf_counter(), time.process_time())
        self.done += 1


def train_spanwise(job: Job) -> None:
    """Train with this package's loop until standard input ends."""
    import torch  # noqa: PLC0415 (each worker imports its own side)

    from spanwise.data.sampling import Example  # noqa: PLC0415
    from spanwise.flow import words  # noqa: PLC0415
    from spanwise.training import run  # noqa: PLC0415
    from spanwise.training.config import TrainConfig  # noqa: PLC0415
    from spanwise.training.loop import Trainer  # noqa: PLC0415

    class Replayed(list[Example]):
        def __call__(self, position: int) -> Example:
            return self[position % len(self)]

    torch.set_num_threads(job.threads)
    examples = Replayed(
        Example(
            words.joined(row["tokenized_text"]),
            "",
            tuple(row["ner_labels"]),
            tuple((first, last + 1, row["ner_labels"].index(x)) for first, last, x in row["ner"]),
            "entities",
            "",
        )
        for row in job.read()
    )
    config = TrainConfig(
        model=f"{job.folder}/model",
        output=tempfile.mkdtemp(dir=job.folder),
        steps=1_000_000,
        batch_examples=job.batch,
        batch_tokens=1_000_000,
        precision=job.precision,  # type: ignore[arg-type]
        device="cpu",
        threads=job.threads,
        encoder_dropout=job.dropout,
        log_every=1,
        save_every_s=1e9,
    )
    turns = Turns(job.steps)
    Trainer(run.model(config), examples, config, report=lambda _: turns.step()).run()


def train_gliner(job: Job) -> None:
    """Train with GLiNER's own trainer until standard input ends."""
    import torch  # noqa: PLC0415
    from gliner import GLiNER  # noqa: PLC0415
    from gliner.training import Trainer, TrainingArguments  # noqa: PLC0415
    from transformers import TrainerCallback  # noqa: PLC0415

    torch.set_num_threads(job.threads)
    turns = Turns(job.steps)

    class Turn(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: object, **__: object) -> None:
            turns.step()

    model = GLiNER.from_pretrained(f"{job.folder}/model", local_files_only=True)
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(dir=job.folder),
        learning_rate=1e-5,
        others_lr=5e-5,
        focal_loss_alpha=0.75,
        per_device_train_batch_size=job.batch,
        max_steps=1_000_000,
        save_steps=1_000_000,
        logging_steps=1_000_000,
        use_cpu=True,
        bf16=job.precision == "bf16",
        dataloader_num_workers=0,
        report_to="none",
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=job.read(),
        data_collator=model._create_data_collator(),  # noqa: SLF001 (as its train_model does)
        processing_class=model.data_processor.transformer_tokenizer,
        callbacks=[Turn()],
    )
    trainer.train()


def measure(arguments: argparse.Namespace, folder: Path) -> None:
    """Write model and examples, let the workers take turns, and print the table."""
    n_sub_words, n_labels = prepare(arguments, folder)
    workers = []
    for name, whose, precision, dropout in ROWS:
        python = arguments.gliner_python if whose == "gliner" else sys.executable
        if python is None:
            continue
        job = {
            "whose": whose,
            "precision": precision,
            "dropout": dropout,
            "folder": str(folder),
            "batch": arguments.batch,
            "threads": arguments.threads,
            "steps": arguments.steps,
        }
        workers.append((name, start([python, __file__, "--worker", json.dumps(job)], folder)))
    if arguments.wait:
        print("ready", flush=True)
        sys.stdin.readline()
    times: dict[str, list[dict[str, float]]] = {name: [] for name, _ in workers}
    for _ in range(arguments.turns):
        for name, ask in workers:
            times[name].append(ask())
    for _, ask in workers:
        ask(last=True)
    print(
        f"{arguments.batch} examples a step, {n_sub_words:.0f} sub-words and {n_labels:.1f} labels "
        f"an example, {arguments.threads} threads, {arguments.turns} turns of {arguments.steps} "
        "steps each, medians\n"
    )
    print("| trainer | examples/s | of CPU time |")
    print("|---|---|---|")
    n = arguments.batch * arguments.steps
    for name, found in times.items():
        wall, cpu = (statistics.median(n / x[kind] for x in found) for kind in ("wall_s", "cpu_s"))
        print(f"| {name} | {wall:.1f} | {cpu:.1f} |")


def start(command: Sequence[str], folder: Path) -> Callable[..., dict[str, float]]:
    """Start a worker, wait until it is ready, and return what asks it for a turn."""
    errors = (folder / "errors.txt").open("w")
    process = subprocess.Popen(  # noqa: S603 (this very file)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def answer() -> Any:  # noqa: ANN401 (a line of JSON)
        for line in stdout:
            if line.startswith(('"ready"', '{"wall_s"')):
                return json.loads(line)
        raise SystemExit("a worker ended:\n" + (folder / "errors.txt").read_text()[-3000:])

    def ask(*, last: bool = False) -> dict[str, float]:
        if last:
            stdin.close()
            process.wait()
            return {}
        stdin.write("go\n")
        stdin.flush()
        found: dict[str, float] = answer()
        return found

    assert answer() == "ready"
    return ask


def prepare(arguments: argparse.Namespace, folder: Path) -> tuple[float, float]:
    """Write the model in GLiNER's format and the examples; return their mean sizes."""
    from spanwise.data.sampling import Sampler, SamplingConfig  # noqa: PLC0415
    from spanwise.data.synthetic import read_passages  # noqa: PLC0415
    from spanwise.flow.encode import Encoder  # noqa: PLC0415
    from spanwise.model import start, upstream  # noqa: PLC0415

    model = start.from_encoder(arguments.encoder, hidden_size=256)
    upstream.save(model, folder / "model")
    sources = read_passages(arguments.data / "synthetic" / "passages.jsonl.gz")
    entities = next(source for source in sources if source.task == "entities")
    config = SamplingConfig(max_labels=25, max_words=170)
    draw = Sampler([entities], [1.0], pool=entities.inventory, config=config, seed=0)
    encoder = Encoder(model.tokenizer, model.config)
    rows, sizes = [], []
    for example in map(draw, range(1024)):
        tokens = example.words.surfaces()
        spans = [[first, stop - 1, example.labels[x]] for first, stop, x in example.spans]
        rows.append({"tokenized_text": tokens, "ner": spans, "ner_labels": list(example.labels)})
        (pieces,) = encoder.words([tokens])
        labels = sum(encoder.label_cost(label) for label in example.labels)
        sizes.append((len(pieces.ids) + labels + encoder.frame_cost, len(example.labels)))
    (folder / "examples.json").write_text(json.dumps(rows))
    return tuple(statistics.mean(column) for column in zip(*sizes, strict=True))  # type: ignore[return-value]


if __name__ == "__main__":
    main()
