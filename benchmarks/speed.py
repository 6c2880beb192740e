"""Speed and memory beside `gliner`: same weights, texts, labels, threads, in one run.

    python benchmarks/speed.py --gliner-python PYTHON --tokenizer FILE [--quick] [--shape small]

PYTHON is that of an environment with gliner, onnx and onnxruntime; FILE a `tokenizer.json` whose
vocabulary the shape has room for (all-MiniLM's), needed once to build the models. Every system is
a process of its own and all take turns, round by round, so that whatever else the machine does
falls on all of them alike; a round's times are compared with each other and the median of those
ratios is given. After every round the results are in DOCS/benchmarks.json, and at the end of every
part the page and the plot are made anew from that file, so a run that is cut short loses nothing
and `--parts`, `--cases` and `--systems` can add to it later.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import selectors
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import decode
import report
import systems

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).parent
LABELS = (  # noqa: SIM905 (a list of a hundred strings is harder to read)
    "person organization location country university field algorithm product date event award film "
    "book song band album politician party election law disease drug protein gene chemical planet "
    "language weapon vehicle currency sport team game dish restaurant price rating genre actor "
    "director character poem magazine instrument discipline theory metric dataset task conference"
).split()
LABELS += [f"{first} {second}" for first in ("famous", "minor") for second in LABELS]
BASE = report.BASE
SLOW_START = "gliner compile"
"""Compiles for minutes, so it is left out unless it is asked for."""
LARGE = frozenset(
    {"spanwise torch bf16", "spanwise onnx fp32", report.OURS, BASE}
    | {"gliner bf16", "gliner int8", "gliner onnx", "gliner onnx int8"}
)
"""As many systems of the large shape as 24 GB hold at once."""
PARTS = {"small": ("cases", "memory", "cold", "decode", "linear"), "large": ("cases",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Texts of one length with a number of labels.

    Attributes:
        each: one call per text (latency).
        quick: texts and rounds of the quick plan, None where it leaves the case out.
        large: those of the large shape, of which gliner reads two texts a second.
        few: in the quick plan, of gliner only its default and what was best so far.
    """

    name: str
    n_texts: int
    n_words: int
    n_labels: int
    each: bool = False
    quick: tuple[int, int] | None = None
    large: tuple[int, int] | None = None
    few: bool = False

    def planned(self, given: argparse.Namespace) -> tuple[int, int] | None:
        """Return how many texts and rounds to run, None where the case is left out."""
        if given.shape == "small" and not given.quick:
            return self.n_texts, given.rounds
        plan = self.large if given.shape == "large" else self.quick
        return plan and (plan[0], min(plan[1], given.rounds))


CASES = (
    Case(
        name="sentence, 9 labels",
        n_texts=200,
        n_words=41,
        n_labels=9,
        quick=(200, 5),
        large=(16, 5),
    ),
    Case(
        name="one sentence, 9 labels",
        n_texts=40,
        n_words=41,
        n_labels=9,
        each=True,
        quick=(30, 5),
        few=True,
    ),
    Case(
        name="sentence, 100 labels", n_texts=40, n_words=41, n_labels=100, quick=(16, 5), few=True
    ),
    Case(name="sentence, 5 labels", n_texts=100, n_words=41, n_labels=5),
    Case(name="sentence, 25 labels", n_texts=100, n_words=41, n_labels=25),
    Case(name="paragraph, 5 labels", n_texts=30, n_words=200, n_labels=5),
    Case(name="paragraph, 25 labels", n_texts=30, n_words=200, n_labels=25),
    Case(name="5,000 words, 5 labels", n_texts=1, n_words=5000, n_labels=5),
)
MEMORY = Case(
    name="memory: 500 words, 60 labels",
    n_texts=8,
    n_words=500,
    n_labels=60,
    quick=(8, 1),
    few=True,
)
LINEAR = (1_000, 10_000, 100_000)
LINEAR_REPEATS = 7
"""Of the shortest text, which the others are compared with and which takes a moment only."""
LINEAR_SYSTEM = "spanwise onnx int8"
PIECE_WORDS = 200
"""gliner drops what lies past its window, so long texts are cut for it by hand, as users must."""
ANSWER_S, LOAD_S = 180.0, 150.0
SENTENCE = "Ada Lovelace wrote the first program."
GLINER_SCRIPT = """
import sys
from gliner import GLiNER
model = GLiNER.from_pretrained(sys.argv[1], local_files_only=True)
print(model.predict_entities(sys.argv[2], ["person"]))
"""


class Worker:
    """A system in its own process."""

    def __init__(self, name: str, folder: Path, threads: int, python: str) -> None:
        """Start it; `answer` returns once it has loaded."""
        quiet = {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": str(threads)}
        self.name = name
        self.process = subprocess.Popen(  # noqa: S603 (our own command)
            [python, str(HERE / "systems.py"), name, str(folder), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **quiet},
        )

    def answer(self, within_s: float) -> dict[str, Any]:
        """Return the next answer.

        Raises:
            RuntimeError: the system failed, died, or took too long.
        """
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            if not ready.select(within_s):
                raise RuntimeError(f"no answer within {within_s:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("it died")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def run(
        self, texts: list[str], labels: list[str], *, each: bool = False, since_start: bool = False
    ) -> dict[str, Any]:
        """Run one command."""
        assert self.process.stdin is not None
        command = {"texts": texts, "labels": labels, "each": each, "since_start": since_start}
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise RuntimeError("it died") from error
        return self.answer(ANSWER_S)

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


class Run:
    """One run of this file: what it was asked for, how long it may go on, what it has found."""

    def __init__(self, given: argparse.Namespace) -> None:
        """Take the options and what earlier runs have left."""
        self.given = given
        self.folder: Path = given.folder / given.shape
        self.docs: Path = given.docs
        self.path = self.docs / "benchmarks.json"
        self.stop_at = time.monotonic() + (60 * given.minutes if given.minutes else 1e9)
        self.everything = json.loads(self.path.read_text()) if self.path.is_file() else {}
        self.results: dict[str, Any] = self.everything.setdefault(given.shape, {})
        usual = set(systems.LOADERS) - {SLOW_START} if given.shape == "small" else LARGE
        wanted = given.systems.split(",") if given.systems else usual
        self.names = [name for name in systems.LOADERS if name in wanted]

    def python(self, name: str) -> str:
        """Return the interpreter of a system."""
        return str(self.given.gliner_python) if name.startswith("gliner") else sys.executable

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.stop_at

    def save(self) -> None:
        """Write the results, whole or not at all."""
        self.docs.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".tmp")
        beside.write_text(json.dumps(self.everything, indent=1) + "\n")
        beside.replace(self.path)

    def workers(self, names: Iterable[str]) -> dict[str, Worker]:
        """Start systems and return those that have loaded.

        Side by side; large ones in turn, as each takes twice its memory while it loads.
        """
        made: dict[str, Worker] = {}
        names = list(names)
        step = len(names) if self.given.shape == "small" else 1
        for low in range(0, len(names), max(1, step)):
            some = names[low : low + step]
            made |= {n: Worker(n, self.folder, self.given.threads, self.python(n)) for n in some}
            for name in some:
                try:
                    made[name].answer(LOAD_S)
                except RuntimeError as error:
                    self.failed(made, name, error, "start")
        note(f"{len(made)} systems are loaded")
        return made

    def failed(self, workers: dict[str, Worker], name: str, error: Exception, where: str) -> None:
        """Leave a system out from here on, and say so."""
        workers.pop(name).stop()
        self.results.setdefault("failed", {})[f"{name}: {where}"] = str(error)
        note(f"{name} fails ({where}): {error}")

    def drop_slow(
        self, case: Case, found: dict[str, Any], names: list[str], warm: dict[str, float]
    ) -> None:
        """Leave out settings of gliner that took twice as long as its fastest to warm up."""
        others = {n: s for n, s in warm.items() if n.startswith("gliner") and n != BASE}
        for name, took in others.items():
            if took > 2 * min(others.values()):
                names.remove(name)
                found.pop(name)
                why = f"left out of the quick run: {took / min(others.values()):.1f} x the best"
                self.results["failed"][f"{name}: {case.name}"] = why

    def best(self, names: Iterable[str]) -> list[str]:
        """Return ours, gliner's default, and the two of its others that were fastest so far."""
        done = self.results.get(CASES[0].name, {})
        names = list(names)
        others = [n for n in names if n.startswith("gliner") and n != BASE]
        others.sort(key=lambda n: report.seconds(done[n]) if n in done else 1e9)
        return [n for n in names if n not in others[2:]]


def main() -> None:
    """Build where nothing is built, measure, and write the page."""
    given = arguments()
    run = Run(given)
    if not given.page and not (run.folder / "model.int8.onnx").is_file():
        if given.tokenizer is None:
            raise SystemExit(f"{run.folder} holds no model; pass --tokenizer to build one")
        build(given.shape, run.folder, given.tokenizer, given.gliner_python)
        export_ours(run.folder)
    elif given.export:
        export_ours(run.folder)
    if given.build or given.export:
        return
    asked = given.parts.split(",") if given.parts else PARTS[given.shape]
    if given.install_size:
        asked = [*asked, "install"]
    if not given.page:
        if "cases" in asked:
            run.results |= {"machine": machine(run), "failed": {}}
        for part, measured in MEASURES.items():
            if part in asked and not run.over:
                note(f"part: {part}")
                measured(run)
                run.save()
                report.write(run.everything, run.docs)
    report.write(run.everything, run.docs)
    print(report.summary(given.shape, run.results))


def arguments() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--gliner-python", required=True, help="of an environment with gliner, onnx, onnxruntime")
    add("--tokenizer", type=Path, help="tokenizer.json, needed to build")
    add("--shape", choices=tuple(systems.SHAPES), default="small")
    add("--folder", type=Path, default=Path("runs/speed"), help="the models")
    add("--docs", type=Path, default=HERE.parent / "docs", help="results, page and plot")
    add("--systems", default="", help=f"with commas (default: all but {SLOW_START!r})")
    add("--cases", default="", help="parts of names, with / between them (default: all)")
    add("--parts", default="", help=f"with commas, of {', '.join(MEASURES)} (default: all but one)")
    add("--rounds", type=int, default=5)
    add("--threads", type=int, default=2)
    add("--quick", action="store_true", help="the most important cases, in about five minutes")
    add("--minutes", type=float, default=0.0, help="start nothing more after so long")
    add("--install-size", action="store_true", help="the part left out by default")
    add("--build", action="store_true", help="only build the model")
    add("--export", action="store_true", help="only export our files again")
    add("--page", action="store_true", help="only write the page again")
    return parser.parse_args()


def build(shape: str, folder: Path, tokenizer: Path, python: str) -> None:
    """Make the model in gliner's form, with its ONNX files."""
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


def export_ours(folder: Path) -> None:
    """Export the model with this version of ours; an older file measures an older version."""
    from spanwise.model import read_model  # noqa: PLC0415 (takes torch along)
    from spanwise.model.export import export  # noqa: PLC0415

    model = read_model(folder)
    for variant in ("fp32", "int8"):
        print(export(model, folder / f"model.{variant}.onnx", variant=variant))  # type: ignore[arg-type]


def measure(run: Run) -> None:
    """Run every case on every system, all systems in turn in every round."""
    chosen = [c for c in CASES if any(part in c.name for part in run.given.cases.split("/"))]
    workers = run.workers(run.names)
    try:
        for case in chosen:
            planned = case.planned(run.given)
            if run.over or planned is None:
                continue
            names = run.best(workers) if run.given.quick and case.few else list(workers)
            rounds(run, replace(case, n_texts=planned[0]), planned[1], workers, names)
            report.write(run.everything, run.docs)
    finally:
        for worker in workers.values():
            worker.stop()


def rounds(
    run: Run, case: Case, n_rounds: int, workers: dict[str, Worker], names: list[str]
) -> None:
    """Note each system's seconds per round; the first, for warmth, is left out."""
    texts = made_texts(case)
    pieces = [piece for text in texts for piece in cut(text)] if case.n_words > 500 else texts
    blank: dict[str, Any] = {"n_texts": case.n_texts, "n_words": case.n_words, "each": case.each}
    found = {name: {**blank, "seconds": [], "cpu_s": [], "peak_mb": 0.0} for name in names}
    warm: dict[str, float] = {}
    for turn in range(n_rounds + 1):
        if run.over and turn > 1:
            break
        for name in [name for name in names if name in workers]:
            given = pieces if name.startswith("gliner") else texts
            short = given if turn else given[: max(8, len(given) // 8)]
            try:
                answer = workers[name].run(short, LABELS[: case.n_labels], each=case.each)
            except RuntimeError as error:
                run.failed(workers, name, error, case.name)
                found.pop(name)
                continue
            found[name]["peak_mb"] = max(found[name]["peak_mb"], answer["peak_mb"])
            found[name]["spans"] = answer["spans"]
            if not turn:
                warm[name] = sum(answer["seconds"])
            else:
                found[name]["seconds"].append(answer["seconds"])
                found[name]["cpu_s"].append(answer["cpu_s"])
        if not turn and run.given.quick:
            run.drop_slow(case, found, names, warm)
        if turn:
            run.results.setdefault(case.name, {}).update(found)
            run.save()
        note(f"{case.name}: round {turn} of {n_rounds}")


def memory(run: Run) -> None:
    """Note the peak of processes that did nothing but load the model and run one case once."""
    names = run.names
    if run.given.quick:
        first = [n for n in run.best(names) if n.startswith("gliner") and n != BASE][:1]
        names = [n for n in names if n in {"spanwise torch fp32", LINEAR_SYSTEM, BASE, *first}]
    texts, labels = made_texts(MEMORY), LABELS[: MEMORY.n_labels]
    workers = run.workers(names)
    try:
        for name in list(workers):
            try:
                answer = workers[name].run(texts, labels, since_start=True)
            except RuntimeError as error:
                run.failed(workers, name, error, MEMORY.name)
                continue
            workers[name].stop()
            run.results.setdefault("memory", {})[name] = answer["peak_mb"]
            run.save()
            note(f"{MEMORY.name}: {name} {answer['peak_mb']:.0f} MB")
            if run.over:
                break
    finally:
        for worker in workers.values():
            worker.stop()


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


def cold(run: Run) -> None:
    """Note seconds from a process's start to its end, one sentence and one label, and its peak.

    With an idle disk cache (the files of the model and of the packages were dropped from it) and
    with a warm one.
    """
    model = run.folder / "model.int8.onnx"
    ours = [sys.executable, "-m", "spanwise", "entities", SENTENCE, "-l", "person", "--quiet"]
    ours += ["--model", str(model), "--threads", str(run.given.threads)]
    theirs = [str(run.given.gliner_python), "-c", GLINER_SCRIPT, str(run.folder), SENTENCE]
    commands = {"spanwise entities": ours, "gliner script": theirs}
    found: dict[str, Any] = {}
    run.results["cold"] = found
    n_rounds = min(3, run.given.rounds) if run.given.quick else run.given.rounds
    for kind in ("idle", "warm"):
        for turn in range(n_rounds):
            for name, command in commands.items():
                if run.over and turn:
                    return
                if kind == "idle":
                    forget([run.folder, site_packages(command[0]), HERE.parent / "src"])
                seconds, peak_mb = timed(command)
                noted = found.setdefault(name, {}).setdefault(kind, {"s": [], "peak_mb": []})
                noted["s"].append(seconds)
                noted["peak_mb"].append(peak_mb)
            run.save()
            note(f"cold start, {kind}: round {turn + 1} of {n_rounds}")


def timed(command: list[str]) -> tuple[float, float]:
    """Return seconds and peak MB of a process.

    Raises:
        RuntimeError: it failed.
    """
    quiet = {"TOKENIZERS_PARALLELISM": "false"}
    start = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 (our own command)
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **quiet},
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[1:4]} ends with status {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def forget(folders: Iterable[Path]) -> None:
    """Ask the system to drop the files of folders from its disk cache."""
    if not hasattr(os, "posix_fadvise"):
        return
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file():
                handle = os.open(file, os.O_RDONLY)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(handle)


def site_packages(python: str) -> Path:
    """Return where an environment's packages lie."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.check_output([python, "-c", ask], text=True).strip())  # noqa: S603


def decoding(run: Run) -> None:
    """Note how long decoding takes by itself."""
    run.results["decode"] = decode.measured()


def linear(run: Run) -> None:
    """Note seconds and peak memory of ever longer texts, each in a process of its own."""
    name = LINEAR_SYSTEM
    for n_words in LINEAR:
        if run.over:
            return
        case = Case(name="", n_texts=1, n_words=n_words, n_labels=9)
        worker = Worker(name, run.folder, run.given.threads, run.python(name))
        try:
            worker.answer(LOAD_S)
            worker.run(made_texts(replace(case, n_words=200)), LABELS[:9])
            texts = made_texts(case)
            answers = [
                worker.run(texts, LABELS[:9], since_start=True)
                for _ in range(LINEAR_REPEATS if n_words <= LINEAR[0] else 1)
            ]
        except RuntimeError as error:
            note(f"{n_words} words: {error}")
            return
        finally:
            worker.stop()
        noted = {
            "seconds": statistics.median(answer["seconds"][0] for answer in answers),
            "peak_mb": answers[-1]["peak_mb"],
        }
        run.results.setdefault("linear", {})[str(n_words)] = noted
        run.save()
        note(f"{n_words} words: {noted['seconds']:.1f} s, {noted['peak_mb']:.0f} MB")


def install(run: Run) -> None:
    """Note MB (10^6 bytes) that a wheel and its needs put into a fresh environment.

    "packages" is everything but the embedded model, "bytecode" what pip compiles of it; "model" all
    files of the model, "model in use" the one that runs. pip itself does not count.
    """
    with tempfile.TemporaryDirectory(prefix="spanwise-size-") as scratch:
        folder = Path(scratch)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        wheel = [*pip, "wheel", "--quiet", "--no-deps", "-w", str(folder), str(HERE.parent)]
        subprocess.run(wheel, check=True)  # noqa: S603 (our own command)
        fresh = folder / "venv"
        create = [sys.executable, "-m", "venv", "--without-pip", str(fresh)]
        subprocess.run(create, check=True)  # noqa: S603
        python = str(fresh / "bin" / "python")
        (file,) = folder.glob("*.whl")
        install = [*pip, "--python", python, "install", "--quiet", str(file)]
        subprocess.run(install, check=True)  # noqa: S603
        packages = site_packages(python)
        models = packages / "spanwise" / "models"
        in_use = sum(file.stat().st_size for file in models.rglob("*.onnx"))
        bytecode = sum(file.stat().st_size for file in packages.rglob("*.pyc"))
        run.results["install_mb"] = {
            "packages": (size(packages) - size(models)) / 1e6,
            "bytecode": bytecode / 1e6,
            "model": size(models) / 1e6,
            "model in use": in_use / 1e6,
        }
    run.save()


def size(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


MEASURES = {
    "cases": measure,
    "memory": memory,
    "cold": cold,
    "decode": decoding,
    "linear": linear,
    "install": install,
}


def machine(run: Run) -> dict[str, Any]:
    """Return what the numbers depend on: processor, its instructions, versions."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    named = re.search(r"model name\s*: (.*)", info)
    flags = re.search(r"flags\s*: (.*)", info)
    known = set(flags.group(1).split()) if flags else set()
    speedy = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8")
    ask = (
        "import importlib.metadata as m, json, platform;"
        "names = {d.metadata['Name']: d.version for d in m.distributions()};"
        f"print(json.dumps({{n: names[n] for n in {report.PACKAGES} if n in names}}"
        " | {'python': platform.python_version()}))"
    )
    versions = {}
    for who, python in (("spanwise", sys.executable), ("gliner", run.given.gliner_python)):
        versions[who] = json.loads(subprocess.check_output([python, "-c", ask]))  # noqa: S603
    return {
        "processor": named.group(1).strip() if named else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "threads": run.given.threads,
        "flags": [flag for flag in speedy if flag in known],
        "load": round(os.getloadavg()[0], 1),
        "versions": versions,
    }


def note(text: str) -> None:
    """Tell whoever waits, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
