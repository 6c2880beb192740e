"""The page of the speed benchmark: what it says follows from the results, and gaps are named."""

import argparse
import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("report")


@pytest.fixture
def speed(report):
    return importlib.import_module("speed")


def timed(*seconds):
    blank = {"n_texts": 2, "n_words": 41, "each": False, "cpu_s": [1.0], "peak_mb": 1.0}
    return {**blank, "seconds": [[each] for each in seconds]}


def test_what_was_not_measured_is_said_so(report):
    rows = report.summary("small", {}).splitlines()[2:]
    assert rows
    assert all(row.endswith("| - |") and "not measured" in row for row in rows)


def test_ratios_are_medians_of_the_ratios_within_rounds(report):
    rows = {"gliner": timed(8, 90, 10), report.OURS: timed(1, 9, 2)}
    assert report.ratio(rows, "gliner") == 8
    assert report.ratio(rows, "gliner bf16") is None


def test_the_best_of_gliner_is_never_its_default(report):
    rows = {"gliner": timed(1), "gliner bf16": timed(3), "gliner onnx": timed(2)}
    assert report.best(rows) == "gliner onnx"


def test_a_missed_bound_is_a_no(report):
    results = {report.SENTENCES: {"gliner": timed(5), report.OURS: timed(1)}}
    first = report.summary("small", results).splitlines()[2]
    assert "5.00x" in first
    assert first.endswith("| **no** |")


def test_the_large_shape_has_a_section_of_its_own(report, tmp_path):
    rows = {"gliner": timed(6), "gliner bf16": timed(3), report.OURS: timed(1)}
    report.write({"large": {report.SENTENCES: rows, "failed": {}}}, tmp_path)
    page = (tmp_path / "benchmarks.md").read_text()
    section = page[page.index("## Model `large`") :]
    assert "| sentence, 9 labels: onnx int8 at least 5x gliner's default | 6.00x | yes |" in section
    assert "| the same: at least 1.5x gliner's best | 3.00x | yes |" in section
    assert "2 texts of 41 words, 1 paired rounds" in section
    assert "tokenizer of the small shape" in section


def test_the_embedded_model_counts_as_installed(report):
    found = {"packages": 190.0, "bytecode": 30.0, "model": 70.0, "model in use": 20.0}
    rows = report.summary("small", {"install_mb": found})
    assert "at most 200 MB | 190.0 MB, 30.0 of it bytecode | yes |" in rows
    assert "with the embedded model | 260.0 MB, 20.0 of it read to run | **no** |" in rows


def test_the_large_shape_runs_few_texts_of_the_one_case_that_was_promised(speed):
    given = argparse.Namespace(shape="large", quick=True, rounds=5)
    planned = {case.name: case.planned(given) for case in speed.CASES}
    assert {name for name, plan in planned.items() if plan} == {speed.report.SENTENCES}
    assert planned[speed.report.SENTENCES] == (16, 5)
    given.rounds, given.shape = 2, "small"
    assert speed.CASES[0].planned(given) == (200, 2)
