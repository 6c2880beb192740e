"""Key phrases, summaries, calibration, curves and the bootstrap, each against known values."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
import pytest

from spanwise.data.records import GoldSpan
from spanwise.errors import InputError, MissingExtraError
from spanwise.evaluate.metrics import bootstrap, calibration, curves, phrases, summaries
from spanwise.types import Entity


class TestPhrases:
    def test_only_the_first_k_distinct_phrases_count(self) -> None:
        gold = [["neural nets", "graphs", "parsing"]]
        found = [["Neural  Nets", "neural nets", "trees", "graphs", "parsing"]]
        at_two = phrases.f1_at_k(gold, found, k=2)
        assert (at_two.precision, at_two.recall) == (0.5, pytest.approx(1 / 3))
        assert at_two.f1 == pytest.approx(0.4)
        assert phrases.f1_at_k(gold, found, k=None).f1 == pytest.approx(6 / 7)

    def test_documents_are_averaged_and_those_without_gold_left_out(self) -> None:
        scores = phrases.f1_at_k([["a"], ["b"], []], [["a"], [], ["c"]])
        assert (scores.f1, scores.n) == (0.5, 2)

    def test_a_stemmer_can_be_handed_in(self) -> None:
        assert phrases.f1_at_k([["graphs"]], [["graph"]]).f1 == 0.0
        assert phrases.f1_at_k([["graphs"]], [["graph"]], fold=lambda x: x.rstrip("s")).f1 == 1.0

    def test_k_below_one_is_refused(self) -> None:
        with pytest.raises(InputError, match="k is 0"):
            phrases.f1_at_k([["a"]], [["a"]], k=0)


class TestSummaries:
    def test_scores_are_those_worked_out_by_hand(self) -> None:
        pytest.importorskip("rouge_score")
        reference = "police killed the gunman"
        # Lin 2004, section 3: ROUGE-L of "police kill the gunman" is 3/4, of the other 2/4.
        scores = summaries.per_document(
            [reference, reference], ["police kill the gunman", "the gunman kill police"]
        )
        np.testing.assert_allclose(scores[:, 2], [0.75, 0.5])
        np.testing.assert_allclose(scores[:, 0], [0.75, 0.75])
        np.testing.assert_allclose(scores[:, 1], [1 / 3, 1 / 3])

    def test_the_two_rouge_l_differ_where_sentences_change_places(self) -> None:
        pytest.importorskip("rouge_score")
        scores = summaries.per_document(["a b c d\ne f g h"], ["e f g h\na b c d"])
        np.testing.assert_allclose(scores[0, 2:], [0.5, 1.0])

    def test_means_and_deviations_are_over_documents_and_case_does_not_matter(self) -> None:
        pytest.importorskip("rouge_score")
        scores = summaries.rouge(["A b c d", "a b c d"], ["a B c d", ""])
        assert scores.rouge1 == summaries.MeanStd(mean=0.5, std=0.5)
        assert scores.rouge_l.mean == 0.5
        assert scores.n_empty == 1

    def test_without_the_package_the_error_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = builtins.__import__

        def absent(name: str, *args: Any, **kwargs: Any) -> Any:
            if name.startswith("rouge_score"):
                raise ModuleNotFoundError(name)
            return real(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", absent)
        with pytest.raises(MissingExtraError, match=r"pip install 'spanwise\[eval\]'"):
            summaries.rouge(["a"], ["a"])


class TestCalibration:
    def test_ece_is_the_weighted_gap_between_score_and_accuracy(self) -> None:
        result = calibration.calibration([0.95, 0.95, 0.95, 0.55], [True, True, False, False])
        assert [part.n for part in result.bins] == [1, 3]
        assert result.worst == pytest.approx(0.55)
        assert result.ece == pytest.approx((3 * (0.95 - 2 / 3) + 0.55) / 4)
        assert result.brier == pytest.approx((2 * 0.05**2 + 0.95**2 + 0.55**2) / 4)

    def test_outcomes_that_follow_the_scores_are_calibrated(self) -> None:
        random = np.random.default_rng(0)
        scores = random.random(20_000)
        correct = random.random(20_000) < scores
        assert calibration.calibration(scores.tolist(), correct.tolist()).ece < 0.02
        assert calibration.calibration(scores.tolist(), (~correct).tolist()).ece > 0.4

    def test_bins_hold_their_upper_edge(self) -> None:
        result = calibration.calibration([0.0, 0.1, 1.0], [False, False, True])
        assert [(part.low, part.n) for part in result.bins] == [(0.0, 2), (0.9, 1)]

    def test_a_score_that_is_no_probability_is_refused(self) -> None:
        with pytest.raises(InputError, match="not a probability"):
            calibration.calibration([1.5], [True])
        with pytest.raises(InputError, match="not a probability"):
            calibration.calibration([math.nan], [True])


class TestCurves:
    def test_each_point_is_the_strict_score_of_the_spans_above_it(self) -> None:
        gold = [[GoldSpan(0, 1, "a"), GoldSpan(2, 3, "a")]]
        found = [
            [Entity("x", "a", 0, 1, 0.9), Entity("x", "b", 2, 3, 0.7), Entity("x", "a", 2, 3, 0.3)]
        ]
        curve = curves.over_thresholds(gold, found, thresholds=[0.95, 0.2, 0.5, 0.8])
        assert curve.thresholds == (0.2, 0.5, 0.8, 0.95)
        assert curve.precision == pytest.approx((2 / 3, 0.5, 1.0, 1.0))
        assert curve.recall == pytest.approx((1.0, 0.5, 0.5, 0.0))
        assert curve.best == (0.2, pytest.approx(0.8))


class TestBootstrap:
    def test_the_interval_holds_the_value_and_follows_the_normal_law(self) -> None:
        values = np.random.default_rng(1).normal(10.0, 2.0, size=(400, 1))
        result = bootstrap.interval(values, bootstrap.mean, n_resamples=2000)
        assert result.value == pytest.approx(values.mean())
        spread = 1.96 * values.std() / math.sqrt(400)
        assert result.high - result.value == pytest.approx(spread, rel=0.15)
        assert result.value - result.low == pytest.approx(spread, rel=0.15)

    def test_f1_is_the_micro_f1_of_the_sums(self) -> None:
        units = np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 2.0]])
        assert bootstrap.interval(units, bootstrap.f1).value == pytest.approx(0.4)

    def test_the_same_seed_gives_the_same_interval_and_another_does_not(self) -> None:
        units = np.random.default_rng(2).random((50, 1))
        one, same, other = (
            bootstrap.interval(units, bootstrap.mean, n_resamples=100, seed=seed)
            for seed in (4, 4, 5)
        )
        assert one == same
        assert one != other

    def test_a_clear_difference_is_significant_and_none_is_not(self) -> None:
        random = np.random.default_rng(3)
        gold = np.full((200, 1), 3.0)
        weak = np.concatenate([random.binomial(3, 0.5, (200, 1)), gold, gold], axis=1)
        strong = np.concatenate([random.binomial(3, 0.7, (200, 1)), gold, gold], axis=1)
        test = bootstrap.paired(strong, weak, bootstrap.f1)
        assert test.difference > 0.1
        assert test.low > 0.0
        assert test.p_value < 0.01
        back = bootstrap.paired(weak, strong, bootstrap.f1)
        assert back.difference == pytest.approx(-test.difference)
        again = bootstrap.paired(weak, weak, bootstrap.f1)
        assert (again.difference, again.p_value) == (0.0, 1.0)

    def test_p_values_of_equal_systems_are_uniform(self) -> None:
        random = np.random.default_rng(4)
        p_values = [
            bootstrap.paired(
                random.random((40, 1)), random.random((40, 1)), bootstrap.mean, n_resamples=99
            ).p_value
            for _ in range(200)
        ]
        assert 0.02 <= np.mean(np.array(p_values) <= 0.1) <= 0.18

    def test_units_that_do_not_match_are_refused(self) -> None:
        with pytest.raises(InputError, match="same units"):
            bootstrap.paired(np.ones((3, 1)), np.ones((2, 1)), bootstrap.mean)
        with pytest.raises(InputError, match="at least one unit"):
            bootstrap.interval(np.ones((0, 1)), bootstrap.mean)
