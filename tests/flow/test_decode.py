"""Decoding against a slow reference that is obviously the paper's rule."""

import itertools
import math

import numpy as np
import pytest

from spanwise.errors import InputError
from spanwise.flow.decode import (
    Candidates,
    check_thresholds,
    greedy,
    logit,
    sigmoid,
    span_candidates,
    token_candidates,
)


def p(x):
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def slow_token_candidates(logits, n_words, n_labels, thresholds, policy):
    """Try every start, end and label (paper, section 2.1)."""
    found = []
    for b in range(len(logits)):
        for i, j, c in itertools.product(range(n_words[b]), range(n_words[b]), range(n_labels[b])):
            t = thresholds[b][c]
            inside = [p(logits[b, k, c, 2]) for k in range(i, j + 1)]
            start, end = p(logits[b, i, c, 0]), p(logits[b, j, c, 1])
            if i <= j and start > t and end > t and all(x >= t for x in inside):
                mean = sum(inside) / len(inside)
                edges = math.sqrt(start * end)
                score = {"mean": mean, "min": min(*inside, start, end), "edges": edges}[policy]
                found.append((b, i, j + 1, c, score))
    return sorted(found)


def slow_span_candidates(logits, n_words, n_labels, thresholds):
    found = []
    for b, i, k, c in itertools.product(*map(range, logits.shape)):
        if i + k < n_words[b] and c < n_labels[b] and p(logits[b, i, k, c]) > thresholds[b][c]:
            found.append((b, i, i + k + 1, c, p(logits[b, i, k, c])))
    return sorted(found)


def slow_greedy(spans, overlap, multi_label):
    """Take spans by falling score; compare each with all that were taken."""
    taken = []
    for start, end, label, score in sorted(spans, key=lambda s: -s[3]):
        for i, j, *_ in taken:
            same, apart = (i, j) == (start, end), end <= i or j <= start
            within = (i <= start and end <= j) or (start <= i and j <= end)
            allowed = multi_label if same else apart or (overlap == "nested" and within)
            if not allowed:
                break
        else:
            taken.append((start, end, label, score))
    return taken


def rows(found):
    arrays = (found.items, found.starts, found.ends, found.labels, found.scores)
    return list(zip(*(a.tolist() for a in arrays), strict=True))


def same(ours, wanted):
    assert [row[:4] for row in ours] == [row[:4] for row in wanted]
    assert [row[4] for row in ours] == pytest.approx([row[4] for row in wanted], abs=1e-12)


def random_batch(seed, last):
    rng = np.random.default_rng(seed)
    batch, words, labels = rng.integers(1, 5), rng.integers(1, 13), rng.integers(1, 6)
    shape = (batch, words, *((labels, 3) if last == 3 else (last, labels)))
    logits = rng.normal(loc=rng.choice([-1, 0.5, 2]), scale=2, size=shape).astype(np.float32)
    n_words = rng.integers(0, words + 1, size=batch)
    n_labels = rng.integers(1, labels + 1, size=batch)
    thresholds = rng.choice([0.1, 0.3, 0.5, 0.9], size=(batch, labels))
    return logits, n_words, n_labels, thresholds


@pytest.mark.parametrize("policy", ["mean", "min", "edges"])
@pytest.mark.parametrize("seed", range(60))
def test_token_candidates_are_those_of_the_reference(seed, policy):
    batch = random_batch(seed, 3)
    found = rows(token_candidates(*batch, policy=policy))
    same(found, slow_token_candidates(*batch, policy))


@pytest.mark.parametrize("seed", range(40))
def test_span_candidates_are_those_of_the_reference(seed):
    batch = random_batch(seed, 4)
    same(sorted(rows(span_candidates(*batch))), slow_span_candidates(*batch))


def test_the_reference_is_not_always_empty():
    counts = [len(slow_token_candidates(*random_batch(seed, 3), "mean")) for seed in range(60)]
    assert sum(count > 10 for count in counts) > 15


def test_one_threshold_is_the_same_one_for_all_labels():
    logits, n_words, n_labels, thresholds = random_batch(5, 3)
    one = token_candidates(logits, n_words, n_labels, np.asarray(0.3))
    same(rows(one), rows(token_candidates(logits, n_words, n_labels, thresholds * 0 + 0.3)))


def test_a_low_inside_score_in_the_middle_breaks_a_span():
    logits = np.full((1, 3, 1, 3), 3.0, dtype=np.float32)
    logits[0, 1, 0, 2] = -3
    found = rows(token_candidates(logits, np.array([3]), np.array([1]), np.asarray(0.5)))
    assert [(start, end) for _, start, end, _, _ in found] == [(0, 1), (2, 3)]


def test_runs_do_not_reach_into_the_next_label_or_text():
    logits = np.full((2, 2, 2, 3), 3.0, dtype=np.float32)
    found = rows(token_candidates(logits, np.array([2, 2]), np.array([2, 2]), np.asarray(0.5)))
    assert len(found) == 2 * 2 * 3
    assert all(end <= 2 for _, _, end, _, _ in found)


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_the_ends_of_the_threshold_range_mean_all_and_nothing(threshold):
    logits = np.zeros((1, 4, 2, 3), dtype=np.float32)
    found = token_candidates(logits, np.array([4]), np.array([2]), np.asarray(threshold))
    assert len(found) == (0 if threshold else 2 * 10)


@pytest.mark.parametrize("threshold", [0.0, 0.1])
def test_rows_that_are_shut_hold_no_span_and_no_nan(threshold):
    """The rows of an instruction are minus infinity; so are scores that overflowed."""
    logits = np.full((1, 5, 1, 3), 2.0, dtype=np.float32)
    logits[0, :2] = -np.inf
    logits[0, 3] = -3e4
    for policy in ("mean", "min", "edges"):
        n = np.array([5]), np.array([1])
        found = token_candidates(logits, *n, np.asarray(threshold), policy=policy)
        assert np.isfinite(found.scores).all()
        assert found.starts.min() >= 2
    spans = span_candidates(logits[..., 0][..., None], *n, np.asarray(threshold))
    assert np.isfinite(spans.scores).all()
    assert spans.starts.min() >= 2


def test_a_score_depends_on_its_own_span_only():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(1, 400, 1, 3)).astype(np.float32) + 2
    arguments = np.array([400]), np.array([1]), np.asarray(0.5)
    alone = token_candidates(logits[:, 200:210], np.array([10]), *arguments[1:])
    whole = token_candidates(logits, *arguments)
    pick = (whole.starts >= 200) & (whole.ends <= 210)
    assert whole.scores[pick].tolist() == alone.scores.tolist()


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("overlap", ["flat", "nested"])
@pytest.mark.parametrize("seed", range(30))
def test_greedy_is_the_reference(seed, overlap, multi_label):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 60))
    starts = rng.integers(0, 25, size=n)
    spans = {
        (int(s), int(s + width), int(label))
        for s, width, label in zip(
            starts, rng.integers(1, 9, size=n), rng.integers(0, 3, size=n), strict=True
        )
    }
    scored = [
        (*span, float(score)) for span, score in zip(sorted(spans), rng.random(n), strict=False)
    ]
    if seed % 3 == 0:  # ties are broken by the order given
        scored = [(s, e, c, round(score, 1)) for s, e, c, score in scored]
    columns = list(zip(*scored, strict=True)) or [(), (), (), ()]
    found = Candidates(
        np.zeros(len(scored), dtype=np.int64),
        *(np.asarray(column, dtype=np.int64) for column in columns[:3]),
        np.asarray(columns[3], dtype=np.float64),
    )
    kept = greedy(found, overlap=overlap, multi_label=multi_label)
    ours = [scored[place] for place in kept]
    wanted = slow_greedy(scored, overlap, multi_label)
    assert sorted(ours) == sorted(wanted)
    assert [s[:2] for s in ours] == sorted(s[:2] for s in ours)


def test_probabilities_and_logits_are_inverse_and_never_warn():
    values = np.array([1e-9, 0.1, 0.5, 0.999])
    assert sigmoid(logit(values)) == pytest.approx(values)
    assert sigmoid(np.array([-1e4, 1e4], dtype=np.float32)).tolist() == [0.0, 1.0]
    assert logit(0.0) == -np.inf
    assert logit(1.0) == np.inf


@pytest.mark.parametrize("bad", [-0.1, 1.5, math.nan, math.inf, [0.5, 2]])
def test_thresholds_outside_the_range_are_refused(bad):
    with pytest.raises(InputError, match=r"is not a probability; give a number in 0\.\.1"):
        check_thresholds(bad)


@pytest.mark.slow
def test_a_large_batch_decodes_in_milliseconds():
    """32 texts of 300 words with 30 labels and 1% of hits: the least of several runs."""
    import time

    rng = np.random.default_rng(0)
    logits = np.where(rng.random((32, 300, 30, 3)) < 0.01, 2, -4).astype(np.float32)
    arguments = np.full(32, 300), np.full(32, 30), np.asarray(0.5)
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        token_candidates(logits, *arguments)
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.05  # 5 ms on an idle core; a shared machine gets room
