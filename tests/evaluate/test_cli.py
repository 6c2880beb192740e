"""One command gives the tables, twice the same, for a model on disk and for an endpoint."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import pytest

from spanwise.cli import evaluate as command
from spanwise.errors import ConfigError, DataError, InputError, MissingFileError
from spanwise.evaluate import runner
from spanwise.evaluate.options import Options
from spanwise.evaluate.systems import ExtractorSystem
from spanwise.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spanwise.model.checkpoint import Model

pytest.importorskip("torch")

from spanwise.model import checkpoint

SUITE = "crossner-ai,squad,fewrel,cnndm"


@pytest.fixture(scope="module")
def model_home(tmp_path_factory: pytest.TempPathFactory, make_model: Callable[..., Model]) -> Path:
    """Save a tiny random model in our own format."""
    home = tmp_path_factory.mktemp("models") / "tiny"
    long = {"max_positions": 512, "max_words": 300, "encoder": {"max_position_embeddings": 512}}
    return checkpoint.save(make_model.__wrapped__("bert", **long), home)


def run(*words: Any) -> int:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


def test_one_command_gives_tables_run_file_and_report_twice_the_same(
    model_home: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rouge_score")
    common = (model_home, "--data", folder, "--suite", SUITE, "--quiet", "--threads", 1)
    assert run(*common, "--curve", 0.2, "--out", tmp_path / "one") == 0
    shown = capsys.readouterr().out
    for number in (2, 3, 4, 5):
        assert f"Table {number}" in shown
    assert shown.splitlines()[4].startswith("tiny")
    again = ("--out", tmp_path / "two", "--compare", tmp_path / "one")
    assert run(*common, "--curve", 0.2, *again) == 0
    runs = [json.loads((tmp_path / x / "run.json").read_text()) for x in ("one", "two")]
    for each in runs:
        del each["timing"]
    assert runs[0] == runs[1]
    assert len(runs[0]["settings"]["system"]["model_sha256"]) == 64
    assert "Against" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "one").iterdir()} >= {
        "run.json",
        "report.md",
        "report.html",
        "squad.jsonl",
        "squad.low.jsonl",
    }


def test_json_gives_the_run_file_on_standard_output(
    model_home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(model_home, "--data", folder, "--suite", "squad", "--json", "--items", 2) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["results"][0]["n_items"] == 2
    assert shown["settings"]["options"]["n_items"] == 2
    common = (model_home, "--data", folder, "--suite", "squad", "--json", "--items", 2)
    for flag, wanted in {"--reread": True, "--no-reread": False}.items():
        assert run(*common, flag) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["settings"]["system"]["choice"]["reread"] is wanted


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("--suite", "sqad"), InputError, "did you mean 'squad'"),
        (("--suite", "mit-restaurant"), DataError, "holds none of"),
        (("--threshold", 2), ConfigError, "threshold is 2.0"),
        (("--compare", "x"), ConfigError, "--compare needs --out"),
        (("--before", "nowhere"), DataError, "no finished run"),
        (("--as", "endpoint", "--key-env", "SPANWISE_NO_SUCH_KEY"), ConfigError, "no such env"),
        (("--as", "endpoint"), InputError, "is not HTTP"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    model_home: Path, folder: Path, words: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(model_home, "--data", folder, *words)


def test_a_model_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="does not exist"):
        run(tmp_path / "none", "--data", folder)
    with pytest.raises(ConfigError, match="--as utc needs a MODEL"):
        run("--as", "utc", "--data", folder)


def test_evaluation_costs_little_beyond_extraction(model_home: Path, folder: Path) -> None:
    sentence = (folder / "crossner/ai/dev.txt").read_text(encoding="utf-8").split("\n\n")[0]
    (folder / "crossner/ai/dev.txt").write_text("\n\n".join([sentence] * 60), encoding="utf-8")
    system = ExtractorSystem(load(model_home, threads=1), name="tiny")
    report = runner.evaluate(system, "crossner-ai", folder, options=Options())
    timing = report.timing["crossner-ai"]
    assert timing["scoring_s"] < 0.2 * timing["reading_s"]
