"""The examples of docs/evaluation.md run and print what they say."""

from __future__ import annotations

import argparse
import doctest
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from spanwise.cli import evaluate as command

if TYPE_CHECKING:
    import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_the_examples_print_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, attempted = doctest.testfile(
        str(DOCUMENT), module_relative=False, encoding="utf-8", optionflags=doctest.REPORT_NDIFF
    )
    assert attempted > 7
    assert failed == 0


def test_the_commands_shown_are_commands() -> None:
    shown = re.findall(r"^    spanwise evaluate (.+)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert len(shown) == 4
    for words in shown:
        parser = argparse.ArgumentParser()
        command.configure(parser)
        parser.parse_args(shlex.split(words))
