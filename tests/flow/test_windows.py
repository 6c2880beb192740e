"""Windows cover a text, each word owned once, cut at sentence ends where one is near."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.flow import words
from spanwise.flow.windows import Window, cut, sentence_ends


def plain(n_words, *, max_words, every=0):
    ends = np.zeros(n_words, dtype=bool)
    if every:
        ends[every - 1 :: every] = True
    return cut(np.ones(n_words, dtype=np.int64), max_cost=10**9, max_words=max_words, ends=ends)


@pytest.mark.parametrize("n_words", [0, 1, 9, 10])
def test_what_fits_is_one_window(n_words):
    assert plain(n_words, max_words=10) == [Window(0, n_words, 0, n_words)]


@given(
    costs=st.lists(st.integers(0, 9), min_size=1, max_size=120),
    ends=st.data(),
    max_cost=st.integers(9, 60),
    max_words=st.integers(1, 40),
)
def test_every_word_has_one_owner_that_reads_it(costs, ends, max_cost, max_words):
    marks = ends.draw(st.lists(st.booleans(), min_size=len(costs), max_size=len(costs)))
    made = cut(np.asarray(costs), max_cost=max_cost, max_words=max_words, ends=np.asarray(marks))
    owned = [word for w in made for word in range(w.own_start, w.own_stop)]
    assert owned == list(range(len(costs)))
    for window in made:
        assert window.start <= window.own_start < window.own_stop <= window.stop
        assert window.stop - window.start <= max_words
        assert sum(costs[window.start : window.stop]) <= max_cost


def test_neighbours_overlap_by_about_a_quarter():
    made = plain(1000, max_words=100)
    for left, right in itertools.pairwise(made):
        assert 10 <= left.stop - right.start <= 34
        assert left.own_stop < left.stop


def test_an_owned_span_has_room_to_its_right():
    """A span that starts where a window ends owning is whole in it if not very long."""
    assert all(w.stop - w.own_stop >= 5 for w in plain(1000, max_words=100)[:-1])


def test_cuts_fall_on_sentence_ends():
    made = plain(1000, max_words=100, every=7)
    assert len(made) > 5
    for window in made[:-1]:
        assert window.stop % 7 == 0
        assert window.own_stop % 7 == 0


def test_a_word_beyond_the_budget_gets_a_window_of_its_own():
    made = cut(np.asarray([1, 50, 1]), max_cost=10, max_words=9, ends=np.zeros(3, dtype=bool))
    assert any(w.start <= 1 < w.stop for w in made)


@pytest.mark.parametrize(
    ("text", "last_words"),
    [
        ("She left. He stayed.", [".", "."]),
        ("“Go!” she said. So he went", ["”", ".", "went"][1:]),
        ("He paid 3.50 to Dr. smith today", ["today"]),
        ("Title\nBody text", ["Title", "text"]),
        ("日本。東京。", ["。", "。"]),
        ("Really?! (Yes.) No", ["!", ")", "No"]),
        ("Dr. J. R. Ward of the U.S. Army came. He left.", [".", "."]),
        ("He won v. Sweden (cf. Ward). No. Then", [".", ".", "Then"]),
        ("", []),
    ],
)
def test_sentences_end_by_rule(text, last_words):
    found = words.split(text, words.splitter("unicode"))
    ends = sentence_ends(found)
    assert [s for s, end in zip(found.surfaces(), ends, strict=True) if end] == last_words
