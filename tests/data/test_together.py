"""Several questions about one text, asked at once."""

from dataclasses import replace

import numpy as np
import pytest

from spanwise.data import Source
from spanwise.data.records import GoldSpan, Record
from spanwise.data.sampling import Sampler, SamplingConfig

FIRST = "Ada Lovelace wrote seven long notes in London in 1843."
SECOND = "Charles Babbage built a difference engine for the Royal Society in Kent."
TEXT = f"{FIRST} {SECOND}"
OTHER = "Alan Turing broke ciphers at Bletchley during the war."


def question(asked, answer, *, text=TEXT):
    at = text.find(answer) if answer else -1
    spans = (GoldSpan(at, at + len(answer), "answer"),) if answer else ()
    return Record(
        text=text,
        spans=spans,
        labels=("answer",),
        instruction=asked,
        task="answers",
        group="engines",
    )


WROTE = question("Who wrote notes in London?", "Ada Lovelace")
WHEN = question("When were the notes written?", "1843")
BUILT = question("What did Charles Babbage build?", "difference engine")
NEVER = question("Who built a difference engine in London?", None)
BROKE = question("Who broke ciphers?", "Alan Turing", text=OTHER)
ALL = (WROTE, WHEN, BUILT, NEVER, BROKE)


def examples(*records, n=300, **more):
    source = Source(name="qa", task="answers", records=records, inventory=("answer",), closed=True)
    config = SamplingConfig(**({"together": 1.0, "cut_short": 0.0} | more))
    sampler = Sampler([source], [1.0], config=config, seed=3)
    return [sampler(position) for position in range(n)]


def surfaces(example):
    words = example.words
    found = {label: [] for label in example.labels}
    for first, stop, label in example.spans:
        surface = words.text[words.starts[first] : words.ends[stop - 1]]
        found[example.labels[label]].append(surface)
    return found


def test_questions_are_labels_each_with_its_own_answer():
    told = {"Who": ["Ada Lovelace"], "When": ["1843"], "What": ["difference engine"]}
    for example in examples(*ALL[:4]):
        assert (example.instruction, example.task, example.words.text) == ("", "answers", TEXT)
        for asked, answers in surfaces(example).items():
            assert answers == ([] if asked == NEVER.instruction else told[asked.split()[0]])


def test_all_numbers_of_questions_up_to_the_most_occur_in_every_order():
    found = examples(*ALL[:4], most_together=3)
    assert {len(example.labels) for example in found} == {1, 2, 3}
    pairs = {example.labels for example in found if len(example.labels) == 2}
    assert {(a, b) for a, b in pairs if (b, a) not in pairs} == set()


def test_the_same_position_gives_the_same():
    one, two = examples(*ALL, n=40), examples(*ALL, n=40)
    assert [surfaces(e) for e in one] == [surfaces(e) for e in two]
    assert [e.labels for e in one] == [e.labels for e in two]


def test_where_none_were_written_changed_questions_stand_beside_their_originals():
    known = {record.instruction for record in ALL}
    found = [surfaces(example) for example in examples(WROTE, WHEN, BUILT, BROKE)]
    made = [(e, asked) for e in found for asked in e if asked not in known]
    assert len(made) > 30
    assert all(e[asked] == [] for e, asked in made)
    assert any(WROTE.instruction in e for e, asked in made if "notes" in asked)
    written = [surfaces(example) for example in examples(*ALL[:4])]
    assert all(asked in known for e in written for asked in e)


def test_a_question_to_another_text_has_no_answer_here():
    found = [surfaces(e) for e in examples(*ALL) if e.words.text == TEXT]
    elsewhere = [e for e in found if BROKE.instruction in e]
    assert elsewhere
    assert all(e[BROKE.instruction] == [] for e in elsewhere)
    named = replace(BROKE, spans=(), instruction="?")
    told = question("Who broke?", "Ada Lovelace", text=f"{OTHER} Ada Lovelace did not.")
    found = [surfaces(e) for e in examples(WROTE, WHEN, named, told) if e.words.text == TEXT]
    assert not any(told.instruction in e for e in found)  # its answer stands in this text too


def test_of_a_cut_text_nothing_is_asked_as_if_it_were_whole():
    found = examples(*ALL[:4], cut_short=1.0, short_answers=6)
    assert {example.words.text for example in found} == {FIRST, SECOND}
    for example in found:
        for asked, answers in surfaces(example).items():
            if asked == BUILT.instruction:
                assert bool(answers) == (example.words.text == SECOND)
            if asked == NEVER.instruction:
                assert example.words.text == SECOND  # most of its words are there


@pytest.mark.parametrize("twins", [True, False])
def test_the_share_is_kept_and_the_others_are_asked_one_by_one(twins):
    found = examples(*ALL, n=2000, together=0.3, twins=twins)
    share = np.mean([example.instruction == "" for example in found])
    assert abs(share - 0.3) < 0.04
    assert all(e.labels == ("answer",) for e in found if e.instruction)
