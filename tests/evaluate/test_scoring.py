"""Which of a reading's spans speaks for it."""

from __future__ import annotations

import pytest

from spanwise.errors import InputError
from spanwise.evaluate import scoring
from spanwise.evaluate.items import Benchmark
from spanwise.evaluate.options import Options
from spanwise.evaluate.systems import Reading
from spanwise.types import Entity

LOW = Entity("It rained.", "x", 0, 10, 0.3)
HIGH = Entity("Then sun.", "x", 11, 20, 0.8)
EQUAL = Entity("So what.", "x", 21, 29, 0.8)


def test_the_best_scored_span_is_the_answer_the_first_of_equals() -> None:
    assert scoring.best(Reading(spans=(LOW, EQUAL, HIGH))) == HIGH
    assert scoring.answer(Reading(spans=(LOW, HIGH))) == "Then sun."
    assert scoring.answer(Reading()) is None


def test_what_was_written_is_the_answer_and_nothing_written_is_silence() -> None:
    assert scoring.answer(Reading(spans=(HIGH,), written="sun")) == "sun"
    assert scoring.answer(Reading(spans=(HIGH,), written="")) is None


def test_a_summary_keeps_the_order_of_the_text_a_piece_a_line() -> None:
    assert scoring.summary(Reading(spans=(HIGH, LOW))) == "It rained.\nThen sun."
    assert scoring.summary(Reading(written="Rain, then sun.")) == "Rain, then sun."


def test_a_benchmark_without_items_is_refused() -> None:
    with pytest.raises(InputError, match="0 items and 0 readings"):
        scoring.score(Benchmark(name="x", family="answers", items=()), [], options=Options())
