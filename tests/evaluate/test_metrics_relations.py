"""Tails are judged by words and by place apart; triples need all three parts right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spanwise.errors import InputError
from spanwise.evaluate.metrics import relations
from spanwise.evaluate.metrics.counts import Counts
from spanwise.types import Relation, Span

TEXT = "Ada was born in London and died in London."
FIRST, SECOND = Span("London", 16, 22), Span("London", 35, 41)
BORN = Relation(Span("Ada", 0, 3), "place of birth", FIRST, 1.0)
DIED = Relation(Span("Ada", 0, 3), "place of death", SECOND, 1.0)


def test_the_right_word_at_the_wrong_place_is_right_by_words_only() -> None:
    scores = relations.tails([[FIRST]], [SECOND])
    assert (scores.exact, scores.f1, scores.exact_offsets) == (1.0, 1.0, 0.0)


def test_any_mention_of_the_gold_tail_will_do() -> None:
    assert relations.tails([[FIRST, SECOND]], [SECOND]).exact_offsets == 1.0


def test_a_tail_without_a_place_is_judged_by_its_words() -> None:
    class Written:
        text, start, end = "london", None, None

    scores = relations.tails([[FIRST]], [Written()])
    assert (scores.exact, scores.exact_offsets) == (1.0, 0.0)


def test_words_are_compared_without_case_articles_and_punctuation() -> None:
    gold, found = Span("the Royal Society", 0, 17), Span("royal society,", 4, 18)
    assert relations.tails([[gold]], [found]).exact == 1.0


def test_a_longer_tail_gets_partial_credit_in_f1_only() -> None:
    scores = relations.tails([[FIRST]], [Span("born in London", 8, 22)])
    assert (scores.exact, scores.exact_offsets) == (0.0, 0.0)
    assert scores.f1 == pytest.approx(0.5)


def test_a_tail_that_begins_right_and_ends_wrong_has_the_wrong_place() -> None:
    assert relations.tails([[FIRST]], [Span("London and", 16, 26)]).exact_offsets == 0.0


def test_silence_counts_as_a_miss_and_is_reported() -> None:
    scores = relations.tails([[FIRST], [FIRST]], [None, FIRST])
    assert (scores.exact, scores.silent, scores.n) == (0.5, 0.5, 2)


def test_a_pair_without_gold_or_prediction_is_refused() -> None:
    with pytest.raises(InputError, match="no gold tail"):
        relations.tails([[]], [FIRST])
    with pytest.raises(InputError, match="1 pairs but 0"):
        relations.tails([[FIRST]], [])


@pytest.mark.parametrize(
    "wrong",
    [
        replace(BORN, relation="place of death"),
        replace(BORN, head=BORN.tail, tail=BORN.head),
        replace(BORN, tail=Span("London", 17, 23)),
        replace(BORN, head=Span("Ad", 0, 2)),
    ],
)
def test_a_triple_with_one_wrong_part_is_wrong(wrong: Relation) -> None:
    assert relations.triples([[BORN]], [[wrong]]) == Counts(n_correct=0, n_predicted=1, n_gold=1)


def test_triples_count_precision_and_recall() -> None:
    counts = relations.triples([[BORN, DIED], []], [[BORN, BORN], [DIED]])
    assert (counts.precision, counts.recall) == (pytest.approx(1 / 3), 0.5)


def test_by_text_a_triple_counts_once_wherever_it_is_said() -> None:
    elsewhere = replace(BORN, tail=SECOND)
    counts = relations.triples([[BORN]], [[elsewhere, BORN]], by="text")
    assert counts == Counts(n_correct=1, n_predicted=1, n_gold=1)
    assert relations.triples([[BORN]], [[elsewhere]]).n_correct == 0


def test_false_alarms_are_the_share_of_absent_relations_that_got_an_answer() -> None:
    assert relations.false_alarms([[], [FIRST], [], [FIRST, SECOND]]) == 0.5
    assert relations.false_alarms([]) == 0.0
