"""`spanwise evaluate MODEL --data DIR`: the paper's tables for any system, from one command."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from argparse import BooleanOptionalAction
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spanwise.errors import ConfigError
from spanwise.evaluate import comparison, report, runner
from spanwise.evaluate.baselines import local
from spanwise.evaluate.baselines.chat import ChatSystem
from spanwise.evaluate.baselines.flan import FlanSystem
from spanwise.evaluate.baselines.http import HttpClient
from spanwise.evaluate.baselines.utc import UtcSystem
from spanwise.evaluate.benchmarks import SUITES
from spanwise.evaluate.options import Options
from spanwise.evaluate.progress import bars
from spanwise.evaluate.readers import ANSWER, SUMMARY
from spanwise.evaluate.report import tables
from spanwise.evaluate.systems import ExtractorSystem
from spanwise.loading import load, locate
from spanwise.options import Settings

if TYPE_CHECKING:
    import argparse
    from contextlib import AbstractContextManager

    from spanwise.evaluate.report.tables import Table
    from spanwise.evaluate.results import Report
    from spanwise.evaluate.runner import Progress
    from spanwise.evaluate.systems import System

KINDS = ("gliner", "utc", "flan", "chat", "endpoint")
_DEFAULTS = Options()


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.description = (
        "Measure a model on the paper's benchmarks and write a run file and a report. "
        "Started again with the same --out, an interrupted run goes on where it stopped."
    )
    add = parser.add_argument
    add("model", nargs="?", help="checkpoint: a folder or hub name (default: the embedded model)")
    add("--data", required=True, type=Path, metavar="DIR", help="holds crossner/, squad/, …")
    add("--suite", default="paper", help=f"{', '.join(SUITES)}, or benchmarks with commas")
    add("--out", type=Path, metavar="RUN", help="run folder: readings, run.json, report.md, .html")
    add("--name", help="as it should stand in the tables (default: the model's)")
    add("--compare", type=Path, metavar="RUN", help="a finished run to test the difference with")
    add("--before", type=Path, metavar="RUN", help="the run before self-learning (table 6)")
    add("--json", action="store_true", help="print the run file instead of tables")
    add("--quiet", action="store_true", help="no progress bars")
    _configure_questions(parser.add_argument_group("how it is asked"))
    _configure_systems(parser.add_argument_group("which system"))


def _configure_questions(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--threshold", type=float, default=_DEFAULTS.threshold)
    add("--answer-threshold", type=float, help="default: the model's own, or --threshold")
    add("--summary-threshold", type=float, help="default: the model's own, or the paper's 0.1")
    add("--miscellaneous", action="store_true", help="ask for CrossNER's miscellaneous as well")
    add("--keep-case", action="store_true", help="do not lower-case the labels")
    add("--words", choices=("source", "model"), default=_DEFAULTS.words)
    add("--split", choices=("auto", "dev", "test"), default=_DEFAULTS.split)
    add("--items", type=int, metavar="N", help="a random subset of each benchmark")
    add("--seed", type=int, default=_DEFAULTS.seed)
    add(
        "--curve",
        type=float,
        nargs="?",
        const=0.05,
        metavar="T",
        help="read everything again at this low threshold, for curves (default of the flag: 0.05)",
    )
    add("--stem", action="store_true", help="stem words before ROUGE compares them")


def _configure_systems(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--as", dest="kind", choices=KINDS, default="gliner", help="what MODEL is")
    add("--backend", choices=("auto", "onnx", "pytorch"), default="auto", help="gliner: runs it")
    add("--policy", choices=("mean", "min", "edges"), help="gliner: how spans are scored")
    add(
        "--reread",
        action=BooleanOptionalAction,
        help="gliner: read the best span's sentence again (default: as the model says)",
    )
    add("--device", default="cpu", help="as torch names it")
    add("--threads", type=int, default=0, help="gliner: of the backend (default: its own choice)")
    add("--url", help="endpoint: up to the version, as in http://127.0.0.1:8000/v1")
    add("--key-env", metavar="NAME", help="endpoint: environment variable that holds the key")
    add("--parallel", type=int, default=4, metavar="N", help="endpoint: requests at once")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print the tables and write the report; return the exit status.

    Raises:
        SpanwiseError: whatever keeps the evaluation from running, in one sentence.
    """
    options = _options(arguments)
    if arguments.compare is not None:
        if arguments.out is None:
            msg = "--compare needs --out: the comparison reads both run folders"
            raise ConfigError(msg)
        comparison.read_run(arguments.compare)  # what is not there is better known at the start
    before = None if arguments.before is None else comparison.read_run(arguments.before)
    system = _system(arguments)
    found = runner.evaluate(
        system,
        arguments.suite,
        arguments.data,
        options=options,
        out=arguments.out,
        progress=_progress(quiet=arguments.quiet),
    )
    differences = []
    if arguments.compare is not None:
        differences = comparison.compare(arguments.out, arguments.compare)
    earlier = None if before is None else before["mean_ner_f1"]
    if arguments.json:
        print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    else:
        _show(found, before=earlier)
        if differences:
            _print(tables.difference_table(differences, str(arguments.compare)))
    if arguments.out is not None:
        paths = report.write(found, arguments.out, before=earlier, differences=differences)
        print(f"report: {paths[0]} and {paths[1]}", file=sys.stderr)
    return 0


def _options(arguments: argparse.Namespace) -> Options:
    return replace(
        _DEFAULTS,
        threshold=arguments.threshold,
        answer_threshold=arguments.answer_threshold,
        summary_threshold=arguments.summary_threshold,
        miscellaneous=arguments.miscellaneous,
        lowercase=not arguments.keep_case,
        words=arguments.words,
        split=arguments.split,
        n_items=arguments.items,
        seed=arguments.seed,
        curve=arguments.curve,
        stem=arguments.stem,
    )


def _system(arguments: argparse.Namespace) -> System:
    """Load what is to be evaluated."""
    if arguments.kind == "gliner":
        return _extractor(arguments)
    if arguments.model is None:
        msg = f"--as {arguments.kind} needs a MODEL: a folder, a hub name, or an endpoint's name"
        raise ConfigError(msg)
    name = arguments.name or Path(arguments.model).name
    if arguments.kind == "endpoint":
        return _endpoint(arguments, name)
    if arguments.kind == "utc":
        return UtcSystem(local.TokenTagger(arguments.model, device=arguments.device), name=name)
    if arguments.kind == "flan":
        return FlanSystem(local.Seq2Seq(arguments.model, device=arguments.device), name=name)
    return ChatSystem(local.LocalChat(arguments.model, device=arguments.device), name=name)


def _extractor(arguments: argparse.Namespace) -> System:
    path = locate(arguments.model)
    extractor = load(
        path, backend=arguments.backend, device=arguments.device, threads=arguments.threads
    )
    given = "spanwise (embedded)" if arguments.model is None else Path(arguments.model).name
    return ExtractorSystem(
        extractor,
        name=arguments.name or given,
        choice=Settings(policy=arguments.policy, reread=arguments.reread),
        answer_threshold=extractor.config.thresholds.get(ANSWER),
        summary_threshold=extractor.config.thresholds.get(SUMMARY),
        settings={
            "model": arguments.model or "embedded",
            "model_sha256": runner.hash_model(path),
            "backend": extractor.backend.name,
        },
    )


def _endpoint(arguments: argparse.Namespace, name: str) -> System:
    key = ""
    if arguments.key_env is not None:
        key = os.environ.get(arguments.key_env, "")
        if not key:
            msg = f"--key-env {arguments.key_env}: no such environment variable, or it is empty"
            raise ConfigError(msg)
    client = HttpClient(url=arguments.url or "", model=arguments.model, key=key)
    return ChatSystem(client, name=name, n_parallel=arguments.parallel)


def _progress(*, quiet: bool) -> AbstractContextManager[Progress] | None:
    """Return bars for a terminal; none where they are unwanted or cannot be shown."""
    if quiet or not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        return None
    return bars()


def _show(report: Report, *, before: float | None) -> None:
    for table in tables.paper_tables(report, before=before):
        if table.n_ours:
            _print(table)
    for result in report.results:
        if result.failures:
            failed = ", ".join(f"{reason} ({n})" for reason, n in result.failures.items())
            print(f"{result.name}: output that could not be used: {failed}")
    if report.absent:
        print(f"not in the data folder: {', '.join(report.absent)}")


def _print(table: Table) -> None:
    """Print a table in aligned columns, with its notes."""
    rows = [table.header, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.header))]
    print(f"\n{table.title}\n")
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())
    for note in table.notes:
        print(f"- {note}")
