"""The page of the speed benchmark: what it says follows from the results, and gaps are named."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / "benchmarks" / "report.py"


@pytest.fixture
def report():
    spec = importlib.util.spec_from_file_location("report", FILE)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


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
