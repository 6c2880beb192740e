"""Passes that are made while others are scored."""

import threading

import pytest

from spanwise.ahead import in_shares
from spanwise.errors import LabelError

TEXTS = [f"Ada met Bob in {place} and wept." for place in ("Rome", "Oslo", "Bern")] * 300
WORDS = {"person": {"Ada": 0.9, "Bob": 0.8}, "city": {"Rome": 0.7, "Bern": 0.9}}


@pytest.fixture
def made(scripted):
    def build(*, pads):
        extractor = scripted(WORDS)
        extractor.backend.pads = pads
        return extractor

    return build


def test_shares_come_in_order_and_one_is_madein_shares():
    made, threads = [], set()

    def numbers():
        for number in range(10):
            made.append(number)
            threads.add(threading.get_ident())
            yield number

    shares = in_shares(numbers(), 3)
    assert next(shares) == [0, 1, 2]
    assert next(shares) == [3, 4, 5]
    assert [*shares] == [[6, 7, 8], [9]]
    assert made == list(range(10))
    assert len(threads) == 2


def test_few_need_no_helper():
    before = threading.active_count()
    shares = in_shares(iter([1, 2]), 3)
    assert next(shares) == [1, 2]
    assert threading.active_count() == before
    assert list(shares) == []
    assert list(in_shares(iter([]), 3)) == [[]]


def test_an_error_ahead_comes_after_what_was_made_before_it():
    def numbers():
        yield from (1, 2, 3)
        raise LabelError("the fourth")

    shares = in_shares(numbers(), 2)
    assert next(shares) == [1, 2]
    with pytest.raises(LabelError, match="the fourth"):
        next(shares)


def test_leaving_early_ends_the_helper():
    before = threading.active_count()
    shares = in_shares(iter(range(10)), 2)
    next(shares)
    shares.close()
    assert threading.active_count() == before


def test_making_passes_ahead_changes_nothing(made):
    labels = ["person", "city"]
    plain, ahead = made(pads=True), made(pads=False)
    assert ahead.entities(TEXTS, labels) == plain.entities(TEXTS, labels)
    assert sorted(ahead.backend.passes) == sorted(plain.backend.passes)
    long = " ".join(TEXTS)
    assert ahead.entities(long, labels) == plain.entities(long, labels)
    assert len(plain.entities(long, labels)) == 3 * len(TEXTS) - 300  # Oslo is not known


def test_a_label_too_long_is_refused_wherever_its_text_stands(made):
    queries = [["person"]] * 600 + [["city " * 4000]]
    with pytest.raises(LabelError, match="shorten it"):
        list(made(pads=False).entities(TEXTS[:601], queries))
