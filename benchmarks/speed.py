"""Speed and memory beside `gliner`: same weights, texts, labels, threads, in one run.

    python benchmarks/speed.py --gliner-python PYTHON --tokenizer FILE [--shape small]

PYTHON is that of an environment with gliner, onnx and onnxruntime; FILE a `tokenizer.json` with the
vocabulary of the shape (all-MiniLM for "small"). Every system is a process of its own and all take
turns, round by round, so that whatever else the machine does falls on all of them alike; a round's
times are compared with each other and the median of those ratios is given. `--systems` and
`--cases` cut a run into parts: what is measured is added to RESULTS and the page is written anew.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import systems

HERE = Path(__file__).parent
LABELS = (  # noqa: SIM905 (a list of a hundred strings is harder to read)
    "person organization location country university field algorithm product date event award film "
    "book song band album politician party election law disease drug protein gene chemical planet "
    "language weapon vehicle currency sport team game dish restaurant price rating genre actor "
    "director character poem magazine instrument discipline theory metric dataset task conference"
).split()
LABELS += [f"{first} {second}" for first in ("famous", "minor") for second in LABELS]
BASE = "gliner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Texts of one length with a number of labels; `each`: one call per text (latency)."""

    name: str
    n_texts: int
    n_words: int
    n_labels: int
    each: bool = False


CASES = (
    Case(name="sentence, 9 labels", n_texts=200, n_words=41, n_labels=9),
    Case(name="sentence, 5 labels", n_texts=100, n_words=41, n_labels=5),
    Case(name="sentence, 25 labels", n_texts=100, n_words=41, n_labels=25),
    Case(name="sentence, 100 labels", n_texts=40, n_words=41, n_labels=100),
    Case(name="paragraph, 5 labels", n_texts=30, n_words=200, n_labels=5),
    Case(name="paragraph, 25 labels", n_texts=30, n_words=200, n_labels=25),
    Case(name="5,000 words, 5 labels", n_texts=1, n_words=5000, n_labels=5),
    Case(name="one sentence, 9 labels", n_texts=40, n_words=41, n_labels=9, each=True),
    Case(name="memory: 500 words, 60 labels", n_texts=8, n_words=500, n_labels=60),
)
PIECE_WORDS = 200
"""gliner drops what lies past its window, so long texts are cut for it by hand, as users must."""


class Worker:
    """A system in its own process."""

    def __init__(self, name: str, folder: Path, threads: int, python: str) -> None:
        """Start it and wait until it has loaded."""
        quiet = {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(  # noqa: S603 (our own command)
            [python, str(HERE / "systems.py"), name, str(folder), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **quiet},
        )
        start = time.perf_counter()
        self.answer()
        self.load_s = time.perf_counter() - start

    def answer(self) -> dict[str, Any]:
        """Return the next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the system has died; start it alone to see why")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def run(self, texts: list[str], labels: list[str], *, each: bool) -> dict[str, Any]:
        """Run one command."""
        assert self.process.stdin is not None
        self.process.stdin.write(
            json.dumps({"texts": texts, "labels": labels, "each": each}) + "\n"
        )
        self.process.stdin.flush()
        return self.answer()

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)


def main() -> None:
    """Build where nothing is built, measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--gliner-python", required=True, help="of an environment with gliner, onnx, onnxruntime")
    add("--tokenizer", type=Path, help="tokenizer.json, needed to build")
    add("--shape", choices=tuple(systems.SHAPES), default="small")
    add("--folder", type=Path, default=Path("runs/speed"), help="models and results")
    add("--systems", default=",".join(systems.LOADERS))
    add("--cases", default="", help="parts of names, with commas (default: all)")
    add("--rounds", type=int, default=5)
    add("--threads", type=int, default=2)
    add(
        "--cold", action="store_true", help="cold start instead: from process start to first result"
    )
    add("--build", action="store_true", help="only build the model")
    given = parser.parse_args()
    folder = given.folder / given.shape
    if not (folder / "model.int8.onnx").is_file():
        build(given.shape, folder, given.tokenizer, given.gliner_python)
    if given.build:
        return
    names = [name for name in systems.LOADERS if name in given.systems.split(",")]
    cases = [c for c in CASES if any(part in c.name for part in given.cases.split(","))]
    pythons = {n: given.gliner_python if n.startswith("gliner") else sys.executable for n in names}
    path = folder / "results.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    if given.cold:
        results["cold"] = results.get("cold", {}) | cold(pythons, folder, given)
    else:
        measure(results, cases, pythons, folder, given)
    path.write_text(json.dumps(results, indent=1) + "\n")
    print(page(results, given.shape, given.threads))


def build(shape: str, folder: Path, tokenizer: Path, python: str) -> None:
    """Make the model in gliner's form, with its ONNX files and ours."""
    from tokenizers import AddedToken, Tokenizer  # noqa: PLC0415 (only to build)

    base = folder / "base"
    base.mkdir(parents=True, exist_ok=True)
    made = Tokenizer.from_file(str(tokenizer))
    made.no_padding()
    made.no_truncation()
    made.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t in ("[FLERT]", "<<ENT>>", "<<SEP>>")]
    )
    made.save(str(base / "tokenizer.json"))
    command = [python, str(HERE / "systems.py"), "build", shape, str(folder)]
    subprocess.run(command, check=True)  # noqa: S603 (our own command)
    from spanwise.model import read_model  # noqa: PLC0415 (takes torch along)
    from spanwise.model.export import export  # noqa: PLC0415

    model = read_model(folder)
    for variant in ("fp32", "int8"):
        print(export(model, folder / f"model.{variant}.onnx", variant=variant))  # type: ignore[arg-type]


def measure(
    results: dict[str, Any],
    cases: list[Case],
    pythons: dict[str, str],
    folder: Path,
    given: argparse.Namespace,
) -> None:
    """Run every case on every system, all systems in turn in every round."""
    memory = [case for case in cases if case.name.startswith("memory")]
    workers = {
        name: Worker(name, folder, given.threads, python) for name, python in pythons.items()
    }
    print("all systems are loaded", file=sys.stderr, flush=True)
    try:
        for case in (case for case in cases if case not in memory):
            for name, found in rounds(case, workers, given.rounds).items():
                results.setdefault(case.name, {})[name] = found
    finally:
        for worker in workers.values():
            worker.stop()
    for case in memory:
        for name, python in pythons.items():  # a process each, so the peak is this case's own
            worker = Worker(name, folder, given.threads, python)
            found = rounds(case, {name: worker}, 1)[name]
            worker.stop()
            results.setdefault(case.name, {})[name] = found


def rounds(case: Case, workers: dict[str, Worker], n_rounds: int) -> dict[str, Any]:
    """Return each system's seconds per round; the first, for warmth, is left out."""
    texts = made_texts(case)
    pieces = [piece for text in texts for piece in cut(text)] if case.n_words > 500 else texts
    labels = LABELS[: case.n_labels]
    found: dict[str, Any] = {name: {"seconds": [], "cpu_s": [], "peak_mb": 0.0} for name in workers}
    for turn in range(n_rounds + 1):
        for name, worker in workers.items():
            given = pieces if name.startswith("gliner") else texts
            short = given if turn or case.n_texts <= 8 else given[: max(8, len(given) // 8)]
            answer = worker.run(short, labels, each=case.each)
            found[name]["peak_mb"] = answer["peak_mb"]
            found[name]["spans"] = answer["spans"]
            if turn:
                found[name]["seconds"].append(answer["seconds"])
                found[name]["cpu_s"].append(answer["cpu_s"])
    return found


def made_texts(case: Case) -> list[str]:
    """Return texts of exactly so many words, drawn with a fixed seed from real sentences."""
    drawn = random.Random(7)
    lines = (HERE.parent / "tests/parity/texts.jsonl").read_text(encoding="utf-8").splitlines()
    plain = [text for text in (json.loads(line)["text"] for line in lines) if text.isascii()]
    words = re.findall(r"\w+(?:[-_]\w+)*|\S", " ".join(plain))
    texts = []
    for _ in range(case.n_texts):
        text: list[str] = []
        while len(text) < case.n_words:
            at = drawn.randrange(len(words) - 12)
            text += words[at : at + 12]
        texts.append(" ".join(text[: case.n_words]))
    return texts


def cut(text: str) -> list[str]:
    """Return pieces of a text that fit gliner's window."""
    words = text.split()
    return [" ".join(words[i : i + PIECE_WORDS]) for i in range(0, len(words), PIECE_WORDS)]


def cold(pythons: dict[str, str], folder: Path, given: argparse.Namespace) -> dict[str, float]:
    """Return the median seconds from a process's start to its first result."""
    found: dict[str, list[float]] = {name: [] for name in pythons}
    for _ in range(given.rounds):
        for name, python in pythons.items():
            start = time.perf_counter()
            worker = Worker(name, folder, given.threads, python)
            worker.run(["Ada Lovelace wrote the first program."], ["person"], each=False)
            found[name].append(time.perf_counter() - start)
            worker.stop()
    return {name: statistics.median(times) for name, times in found.items()}


def page(results: dict[str, Any], shape: str, threads: int) -> str:
    """Return the tables in Markdown: medians, and median ratios to gliner's default."""
    lines = [f"## {shape}: {threads} threads", ""]
    for case in CASES:
        rows = results.get(case.name)
        if not rows:
            continue
        lines += [f"### {case.name}", ""]
        head = "p50 ms | p95 ms" if case.each else "texts/s | words/s"
        lines += [f"| system | {head} | x {BASE} | CPU s | peak MB |", "|---|---|---|---|---|---|"]
        lines += [row(case, name, found, rows.get(BASE)) for name, found in rows.items()]
        lines.append("")
    if "cold" in results:
        lines += ["### cold start, seconds to the first result", "", "| system | s |", "|---|---|"]
        lines += [f"| {name} | {seconds:.2f} |" for name, seconds in results["cold"].items()]
    return "\n".join(lines) + "\n"


def row(case: Case, name: str, found: dict[str, Any], base: dict[str, Any] | None) -> str:
    """Return one system's line."""
    totals = [sum(times) for times in found["seconds"]]
    if case.each:
        every = sorted(t * 1e3 for times in found["seconds"] for t in times)
        first, second = every[len(every) // 2], every[int(len(every) * 0.95)]
    else:
        first = case.n_texts / statistics.median(totals)
        second = first * case.n_words
    ratio = "-"
    if base is not None and len(base["seconds"]) == len(totals):
        pairs = zip((sum(times) for times in base["seconds"]), totals, strict=True)
        ratio = f"{statistics.median(theirs / ours for theirs, ours in pairs):.2f}"
    cells = [f"{first:,.1f}", f"{second:,.1f}", ratio]
    cells += [f"{statistics.median(found['cpu_s']):.2f}", f"{found['peak_mb']:,.0f}"]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
