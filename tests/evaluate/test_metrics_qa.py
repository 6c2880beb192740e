"""SQuAD 2.0 scores agree with the official script, question by question and overall."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spanwise.errors import InputError
from spanwise.evaluate.metrics import qa

ORACLE: dict[str, Any] = json.loads(
    Path(__file__).with_name("squad_oracle.json").read_text(encoding="utf-8")
)
QUESTIONS = ORACLE["questions"]
GOLDS = [question["golds"] for question in QUESTIONS]
PREDICTED = [question["predicted"] for question in QUESTIONS]


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        ("The Normans", "normans"),
        ("10th and 11th centuries", "10th and 11th centuries"),
        ("an  anchor,\ta theatre!", "anchor theatre"),
        ("U.S.", "us"),
        ("the", ""),
        ("other Athens", "other athens"),
        ("“quoted”", "“quoted”"),
    ],
)
def test_answers_are_normalised_as_the_official_script_does(answer: str, normal: str) -> None:
    assert qa.normalise(answer) == normal


@pytest.mark.parametrize(
    ("gold", "predicted", "exact", "f1"),
    [
        ("Santa Clara, California", "Santa Clara", 0.0, 0.8),
        ("Denver Broncos", "the denver broncos.", 1.0, 1.0),
        ("1976", "1976", 1.0, 1.0),
        ("1976", "1977", 0.0, 0.0),
        ("the", "a", 1.0, 1.0),
        ("the", "France", 0.0, 0.0),
        ("to be or not to be", "be be", 0.0, 0.5),
    ],
)
def test_exact_match_and_f1(gold: str, predicted: str, exact: float, f1: float) -> None:
    assert qa.exact(gold, predicted) == exact
    assert qa.token_f1(gold, predicted) == pytest.approx(f1)


@pytest.mark.parametrize("index", range(len(QUESTIONS)))
def test_each_question_scores_as_by_the_official_script(index: int) -> None:
    case = QUESTIONS[index]
    exact, f1 = qa.per_question([case["golds"]], [case["predicted"]])[0]
    assert (exact, f1) == pytest.approx((case["exact"], case["f1"]))


def test_the_whole_set_scores_as_by_the_official_script() -> None:
    ours, official = qa.score(GOLDS, PREDICTED), ORACLE["overall"]
    for scores, prefix in ((ours.answerable, "HasAns_"), (ours.unanswerable, "NoAns_")):
        assert 100 * scores.exact == pytest.approx(official[f"{prefix}exact"])
        assert 100 * scores.f1 == pytest.approx(official[f"{prefix}f1"])
        assert scores.n == official[f"{prefix}total"]
    assert 100 * ours.all.exact == pytest.approx(official["exact"])
    assert 100 * ours.all.f1 == pytest.approx(official["f1"])


def test_the_best_threshold_is_that_of_the_official_script() -> None:
    no_answer = [question["no_answer"] for question in QUESTIONS]
    best, official = qa.best_threshold(GOLDS, PREDICTED, no_answer), ORACLE["overall"]
    assert 100 * best.exact == pytest.approx(official["best_exact"])
    assert 100 * best.f1 == pytest.approx(official["best_f1"])
    assert best.exact_threshold == official["best_exact_thresh"]
    assert best.f1_threshold == official["best_f1_thresh"]


def test_questions_of_equal_probability_are_answered_together() -> None:
    best = qa.best_threshold([["yes"], []], ["yes", "no"], [0.5, 0.5])
    assert best.exact == 0.5  # a cut between the two would pretend 1.0


def test_answering_nothing_is_a_threshold_too() -> None:
    best = qa.best_threshold([[], []], ["no", "no"], [0.0, 0.3])
    assert (best.exact, best.f1) == (1.0, 1.0)
    assert best.exact_threshold < 0.0


def test_silence_is_right_exactly_where_there_is_no_answer() -> None:
    scores = qa.score([["x"], [], []], [None, None, "y"])
    assert scores.no_answer_recognised == scores.unanswerable.exact == 0.5
    assert scores.wrongly_silent == 1.0
    assert scores.answerable.exact == 0.0
    assert scores.all.exact == pytest.approx(1 / 3)


def test_predictions_shifted_by_one_question_are_noticed() -> None:
    shifted = PREDICTED[1:] + PREDICTED[:1]
    assert qa.score(GOLDS, shifted).answerable.f1 < qa.score(GOLDS, PREDICTED).answerable.f1 / 2


def test_a_missing_prediction_is_refused() -> None:
    with pytest.raises(InputError, match="2 questions but 1 predictions"):
        qa.score([["x"], []], ["x"])
    with pytest.raises(InputError, match="no-answer probabilities"):
        qa.best_threshold([], [], [])
