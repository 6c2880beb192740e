"""System, suite and data folder -> report: the whole evaluation.

Reads benchmark after benchmark in chunks, writes every chunk's readings to the run folder (where
one is given) and scores them at the end. A run folder belongs to one system, one set of options
and one state of the data: started again, it goes on where it stopped; with anything else it is
refused. The same system and seed give the same numbers.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from contextlib import nullcontext
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from spanwise import config
from spanwise.data.records import TASKS
from spanwise.errors import ConfigError, InputError
from spanwise.evaluate import benchmarks, predictions, scoring
from spanwise.evaluate.options import Options
from spanwise.evaluate.results import Report
from spanwise.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from os import PathLike

    from spanwise.evaluate.items import Benchmark, Item
    from spanwise.evaluate.systems import Reading, System

RUN_FILE = "run.json"
_SETTINGS_FILE = "settings.json"
_PACKAGES = (
    "spanwise",
    "numpy",
    "onnxruntime",
    "tokenizers",
    "torch",
    "transformers",
    "rouge_score",
)


class Progress(Protocol):
    """Told how far a run is; `spanwise.evaluate.progress` has one for the terminal."""

    def start(self, name: str, *, total: int, done: int) -> None:
        """Begin a benchmark of `total` items, of which `done` were read before."""

    def advance(self, n_items: int) -> None:
        """Count items read since."""


class _Silent:
    def start(self, name: str, *, total: int, done: int) -> None:
        """Say nothing."""

    def advance(self, n_items: int) -> None:
        """Say nothing."""


def evaluate(
    system: System,
    suite: str,
    folder: str | PathLike[str],
    *,
    options: Options | None = None,
    out: str | PathLike[str] | None = None,
    progress: AbstractContextManager[Progress] | None = None,
) -> Report:
    """Put a system to the benchmarks of a suite.

    Args:
        system: what is evaluated.
        suite: "paper", "ner", "full", or benchmarks with commas.
        folder: the data folder, see `benchmarks.load`.
        options: all settings; the paper's where None.
        out: the run folder. Readings are kept there while the run goes on, the units of the
            headline numbers (for paired tests) and the run file at its end; None to keep nothing.
        progress: told how far the run is.

    Returns:
        One result for each benchmark that the folder holds.

    Raises:
        InputError: an unknown suite, a task that the system cannot be asked, or a system that
            returns another number of readings.
        DataError: no benchmark was found, or a file breaks its format.
        ConfigError: `out` belongs to another run.
        MissingExtraError: a benchmark needs a package that is not installed.
    """
    options = options or Options()
    options = replace(
        options,
        answer_threshold=_own(options.answer_threshold, system, "answer_threshold"),
        summary_threshold=_own(options.summary_threshold, system, "summary_threshold"),
    )
    found = benchmarks.load(suite, folder, options=options)
    _refuse_others(system, found.benchmarks)
    settings = _settings(system, suite, options, found.benchmarks)
    home = None if out is None else _claim(Path(out), settings)
    results, timing = [], {}
    with progress or nullcontext(_Silent()) as display:
        for benchmark in found.benchmarks:
            began = time.perf_counter()
            readings, n_read = _read(system, benchmark, options, home, display, low=False)
            low = None
            if options.curve is not None and benchmark.family in {"entities", "answers"}:
                low, _ = _read(system, benchmark, options, home, display, low=True)
            reading_s = time.perf_counter() - began
            result = scoring.score(benchmark, readings, options=options, low=low)
            total_s = time.perf_counter() - began
            timing[benchmark.name] = {
                "n_read": float(n_read),
                "reading_s": round(reading_s, 3),
                "scoring_s": round(total_s - reading_s, 3),
            }
            if home is not None:
                _write_units(home, benchmark.name, result.units)
            results.append(result)
    report = Report(
        system=system.name,
        suite=suite,
        settings=settings,
        results=tuple(results),
        absent=found.absent,
        timing=timing,
    )
    if home is not None:
        write_json(home / RUN_FILE, report.to_dict())
    return report


def _own(given: float | None, system: System, name: str) -> float | None:
    """Return what was given, or the system's own."""
    own: float | None = getattr(system, name, None)
    return own if given is None else given


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def hash_model(path: str | PathLike[str]) -> str:
    """Return a hash of a model's files: names and bytes, whatever the folder is called.

    Its card (`.md`) and hidden files do not count.

    Raises:
        ConfigError: there is no such file or folder.
    """
    root = Path(path)
    found = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
    files = [p for p in found if p.suffix != ".md" and not _hidden(p.relative_to(root))]
    if not files:
        msg = f"{root}: no model to hash there; give a file or a folder of files"
        raise ConfigError(msg)
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(root).as_posix().encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _read(
    system: System,
    benchmark: Benchmark,
    options: Options,
    home: Path | None,
    display: Progress,
    *,
    low: bool,
) -> tuple[list[Reading], int]:
    """Return the readings of all items, and how many of them were made now."""
    name = f"{benchmark.name}.low" if low else benchmark.name
    path = None if home is None else home / f"{name}.jsonl"
    items = benchmark.items
    task = items[0].question.task
    threshold = options.curve if low and options.curve is not None else options.threshold_for(task)
    readings = [] if path is None else predictions.resume(path, items)
    n_before = len(readings)
    display.start(name, total=len(items), done=n_before)
    for begin in range(n_before, len(items), options.chunk):
        chunk = items[begin : begin + options.chunk]
        made = _ask(system, chunk, threshold=threshold)
        if path is not None:
            predictions.append(path, chunk, made)
        readings += made
        display.advance(len(chunk))
    return readings, len(items) - n_before


def _ask(system: System, items: Sequence[Item], *, threshold: float) -> list[Reading]:
    made = system.read([item.question for item in items], threshold=threshold)
    if len(made) != len(items):
        msg = f"{system.name} gave {len(made)} readings of {len(items)} questions; one each is due"
        raise InputError(msg)
    return made


def _refuse_others(system: System, found: Sequence[Benchmark]) -> None:
    """Raise InputError for a benchmark whose task the system cannot be asked."""
    tasks = getattr(system, "tasks", TASKS)
    others = [each.name for each in found if each.items[0].question.task not in tasks]
    if others:
        msg = (
            f"{system.name} cannot be asked {', '.join(others)}; its tasks are "
            f"{', '.join(tasks)}: name a suite without the others, like 'squad,cnndm,fewrel'"
        )
        raise InputError(msg)


def _settings(
    system: System, suite: str, options: Options, found: Sequence[Benchmark]
) -> dict[str, Any]:
    """Return everything that decides the numbers, as plain JSON values."""
    return {
        "suite": suite,
        "benchmarks": {benchmark.name: dict(benchmark.files) for benchmark in found},
        "system": {"name": system.name, **system.settings},
        "options": config.plain(options),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    """Return the versions of this package and of those that may compute, where installed."""
    installed = {each.name.lower(): each.version for each in metadata.distributions()}
    return {name: installed[name] for name in _PACKAGES if name in installed}


def _claim(home: Path, settings: Mapping[str, Any]) -> Path:
    """Make the run folder, or take up one of the very same settings."""
    path = home / _SETTINGS_FILE
    plain = json.loads(json.dumps(settings))
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        different = sorted(key for key in {*before, *plain} if before.get(key) != plain.get(key))
        if different:
            msg = (
                f"{home}: holds a run with other {', '.join(different)}; give a new folder, "
                "or the same settings to go on with that run"
            )
            raise ConfigError(msg)
    else:
        home.mkdir(parents=True, exist_ok=True)
        write_json(path, plain)
    return home


def _write_units(home: Path, name: str, units: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    with whole_file(home / f"{name}.units.npy") as part, part.open("wb") as file:
        np.save(file, units)
