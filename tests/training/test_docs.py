"""The examples of docs/training.md run and print what they say."""

import doctest
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "training.md"


def test_the_examples_print_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, attempted = doctest.testfile(
        str(DOCUMENT), module_relative=False, encoding="utf-8", optionflags=doctest.REPORT_NDIFF
    )
    assert attempted > 6
    assert failed == 0
