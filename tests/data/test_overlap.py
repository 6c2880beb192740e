import re

import pytest

from spanwise.data import Record, Source, find_overlap, leave_out, refuse_overlap
from spanwise.errors import DataError

WORDS = re.findall(
    r"\w+", "one two three four five six seven eight nine ten eleven twelve thirteen last"
)


def record(text, **fields):
    return Record(text=text, spans=(), **fields)


def test_thirteen_words_in_common_are_found_whatever_stands_between_them():
    seen = record(
        "Before: One, two -- three (four) five-six; seven/eight nine ten ELEVEN twelve, thirteen.",
        id="mine",
        source="train",
    )
    held = record("well " + " ".join(WORDS), id="theirs", source="dev")
    (overlap,) = find_overlap([record("else"), seen], [record("short"), held])
    assert (overlap.record, overlap.evaluation) == (seen, held)
    assert overlap.words == " ".join(WORDS[:13])


def test_twelve_words_in_common_or_another_order_are_not():
    held = [record(" ".join(WORDS))]
    assert not find_overlap([record(" ".join(WORDS[:12]))], held)
    assert not find_overlap([record(" ".join(reversed(WORDS)))], held)
    assert not find_overlap([record(" ".join([*WORDS[:6], "and", *WORDS[6:]]))], held)
    assert len(find_overlap([record(" ".join(WORDS[:12]))], held, n_words=12)) == 1


def test_every_record_of_a_text_is_found():
    twice = [record(" ".join(WORDS), id=str(n)) for n in range(2)]
    assert [x.record.id for x in find_overlap(twice, [record(" ".join(WORDS))])] == ["0", "1"]


def test_nothing_overlaps_with_nothing():
    assert find_overlap([record(" ".join(WORDS))], []) == []
    assert find_overlap([], [record(" ".join(WORDS))]) == []


def test_training_on_an_evaluation_text_is_refused_with_examples():
    held = [record(" ".join(WORDS), id="d1", source="dev")]
    mine = [record(" ".join(WORDS), id=f"t{n}", source="train") for n in range(7)]
    with pytest.raises(DataError) as error:
        refuse_overlap(mine, held)
    message = str(error.value)
    assert "7 training records" in message
    assert "train 't0' and dev 'd1': 'one two" in message
    assert "… and 2 more" in message
    refuse_overlap(mine, [record("something else")])


def test_what_overlaps_can_be_left_out():
    bad, good = record(" ".join(WORDS)), record("fine")
    sources = [
        Source(name=name, task="entities", records=records, inventory=(), closed=True)
        for name, records in (("a", (bad, good)), ("b", (bad,)))
    ]
    left = leave_out(sources, find_overlap([bad, good], [bad]))
    assert [(source.name, source.records) for source in left] == [("a", (good,))]


def test_a_window_of_no_words_is_refused():
    with pytest.raises(DataError, match="n_words=0"):
        find_overlap([], [], n_words=0)


@pytest.mark.slow
def test_what_remains_of_the_public_sets_shares_nothing_with_the_development_sets(training, dev):
    sources = [training[name] for name in ("fewrel", "re_docred", "squad", "synthetic_open")]
    everything = [record for source in sources for record in source.records]
    found = find_overlap(everything, dev.texts())
    assert 0 < len(found) < 100  # few: the sets were cleaned before, by tokens
    left = leave_out(sources, found)
    refuse_overlap((record for source in left for record in source.records), dev.texts())
