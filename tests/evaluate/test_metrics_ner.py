"""Strict NER counts agree with nervaluate, and every kind of mistake costs what it should."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from spanwise.data.records import GoldSpan
from spanwise.errors import InputError
from spanwise.evaluate.metrics import ner
from spanwise.evaluate.metrics.counts import Counts

GOLD = [
    [GoldSpan(0, 5, "person"), GoldSpan(10, 14, "city")],
    [GoldSpan(3, 8, "city")],
    [],
]


def shift(spans: list[GoldSpan], by: int) -> list[GoldSpan]:
    return [replace(span, start=span.start + by, end=span.end + by) for span in spans]


def test_the_gold_itself_scores_one_everywhere() -> None:
    words = [[(0, 5), (10, 14)], [(3, 8)], [(0, 2)]]
    scores = ner.score(GOLD, GOLD, words=words)
    assert scores.micro == Counts(n_correct=3, n_predicted=3, n_gold=3)
    assert scores.micro.f1 == scores.macro_f1 == 1.0
    assert scores.tokens is not None
    assert [scores.boundaries.f1, scores.partial.f1, scores.typed.f1, scores.tokens.f1] == [1.0] * 4


@pytest.mark.parametrize("by", [-1, 1])
def test_spans_shifted_by_one_character_score_nothing_strictly_and_half_partially(by: int) -> None:
    scores = ner.score(GOLD[:2], [shift(spans, by) for spans in GOLD[:2]])
    assert scores.micro.f1 == 0.0
    assert scores.boundaries.f1 == 0.0
    assert scores.partial.f1 == pytest.approx(0.5)
    assert scores.typed.f1 == 1.0


def test_an_end_taken_as_inclusive_scores_nothing() -> None:
    short = [[replace(span, end=span.end - 1) for span in spans] for spans in GOLD]
    assert ner.score(GOLD, short).micro.f1 == 0.0


def test_swapped_labels_score_nothing_but_keep_their_boundaries() -> None:
    other = {"person": "city", "city": "person"}
    swapped = [[replace(span, label=other[span.label]) for span in spans] for spans in GOLD]
    scores = ner.score(GOLD, swapped)
    assert scores.micro.f1 == scores.macro_f1 == scores.typed.f1 == 0.0
    assert scores.boundaries.f1 == scores.partial.f1 == 1.0


def test_labels_of_another_case_are_other_labels() -> None:
    upper = [[replace(span, label=span.label.upper()) for span in spans] for spans in GOLD]
    assert ner.score(GOLD, upper).micro.f1 == 0.0


def test_spans_of_one_text_do_not_count_for_another() -> None:
    assert ner.score(GOLD, [GOLD[1], GOLD[0], GOLD[2]]).micro.n_correct == 0


def test_a_span_predicted_twice_is_wrong_the_second_time() -> None:
    scores = ner.score([GOLD[1]], [GOLD[1] * 2])
    assert scores.micro == Counts(n_correct=1, n_predicted=2, n_gold=1)
    assert scores.per_label["city"] == scores.micro


def test_macro_weighs_labels_equally_and_counts_invented_ones() -> None:
    gold = [[GoldSpan(0, 1, "a"), GoldSpan(2, 3, "a"), GoldSpan(4, 5, "b")]]
    found = [[GoldSpan(0, 1, "a"), GoldSpan(2, 3, "a"), GoldSpan(6, 7, "c")]]
    scores = ner.score(gold, found)
    assert scores.macro_f1 == pytest.approx(1 / 3)
    assert {label: each.f1 for label, each in scores.per_label.items()} == {
        "a": 1.0,
        "b": 0.0,
        "c": 0.0,
    }


def test_ratios_of_empty_sets_are_zero() -> None:
    nothing = ner.score([[]], [[]])
    assert (nothing.micro.precision, nothing.micro.recall, nothing.micro.f1) == (0.0, 0.0, 0.0)
    assert nothing.macro_f1 == 0.0


def test_tokens_count_single_words() -> None:
    words = [[(0, 3), (4, 8), (9, 12)]]
    scores = ner.score([[GoldSpan(0, 8, "x")]], [[GoldSpan(4, 12, "x")]], words=words)
    assert scores.tokens == Counts(n_correct=1, n_predicted=2, n_gold=2)


def test_a_different_number_of_texts_is_refused() -> None:
    with pytest.raises(InputError, match="3 gold texts but 1 predicted"):
        ner.score(GOLD, GOLD[:1])
    with pytest.raises(InputError, match="lists of words"):
        ner.score(GOLD, GOLD, words=[])


def test_units_of_the_bootstrap_add_up_to_the_micro_counts() -> None:
    counts = ner.per_text(GOLD, [GOLD[0], [], GOLD[1]])
    np.testing.assert_array_equal(counts, [[2, 2, 2], [0, 0, 1], [0, 1, 0]])


def test_confusion_shows_what_was_taken_for_what() -> None:
    gold = [[GoldSpan(0, 1, "a"), GoldSpan(2, 3, "b"), GoldSpan(4, 5, "b")]]
    found = [[GoldSpan(0, 1, "b"), GoldSpan(2, 3, "b"), GoldSpan(6, 7, "a")]]
    result = ner.confusion(gold, found)
    assert result.labels == ("a", "b", ner.NOTHING)
    np.testing.assert_array_equal(result.matrix, [[0, 1, 0], [0, 1, 1], [1, 0, 0]])


def random_document(random_: random.Random) -> tuple[list[GoldSpan], list[GoldSpan]]:
    """Return gold spans far from each other, and predictions that each touch at most one."""
    gold, found = [], []
    for slot in range(random_.randint(0, 6)):
        base = 100 * slot
        span = GoldSpan(base + 10, base + 10 + random_.randint(2, 9), random_.choice("abc"))
        if random_.random() < 0.8:
            gold.append(span)
        if random_.random() < 0.8:
            start = span.start + random_.choice([0, 0, 0, 1, -2, 40])
            end = max(start + 1, span.end + random_.choice([0, 0, 0, 1, -1]) + start - span.start)
            found.append(GoldSpan(start, end, random_.choice([span.label, span.label, "a"])))
    return gold, found


def test_all_schemas_agree_with_nervaluate() -> None:
    judge = pytest.importorskip("nervaluate", reason="nervaluate is a development dependency")
    random_ = random.Random(3)
    documents = [random_document(random_) for _ in range(60)]
    gold, found = [d[0] for d in documents], [d[1] for d in documents]

    def plain(sets: list[list[GoldSpan]]) -> list[list[dict[str, object]]]:  # inclusive ends there
        return [[{"label": s.label, "start": s.start, "end": s.end - 1} for s in x] for x in sets]

    evaluator = judge.Evaluator(plain(gold), plain(found), tags=["a", "b", "c"], loader="dict")
    verdict = evaluator.evaluate()
    ours = ner.score(gold, found)
    for name, counts in {
        "strict": ours.micro,
        "exact": ours.boundaries,
        "partial": ours.partial,
        "ent_type": ours.typed,
    }.items():
        judged = verdict["overall"][name]
        assert counts.precision == pytest.approx(judged.precision), name
        assert counts.recall == pytest.approx(judged.recall), name
        assert counts.f1 == pytest.approx(judged.f1), name
        assert 0 < counts.f1 < 1, name
    for label, counts in ours.per_label.items():
        assert counts.f1 == pytest.approx(verdict["entities"][label]["strict"].f1), label
