"""The sentence of the best span, read once more by itself."""

import pytest

from spanwise.errors import InputError
from spanwise.options import Settings
from spanwise.types import Entity, Label, Query

TEXT = "Rain fell. Ada wrote Notes. Babbage built an Engine."


@pytest.fixture
def judged(scripted):
    """Return a function: what is marked in whole texts, what in sentences -> extractor."""

    def make(whole, alone, **config):
        extractor = scripted(whole, **({"reread": ("answer",)} | config))
        backend = extractor.backend
        score = backend.score

        def scored(batch):
            backend.table = alone if backend.n_batches else whole
            return score(batch)

        backend.score = scored
        return extractor

    return make


def test_the_second_reading_decides_and_offsets_are_those_of_the_text(judged):
    extractor = judged({"answer": {"Babbage": 0.8, "Ada": 0.7}}, {"answer": {"Engine": 0.9}})
    found = extractor.answers(TEXT, "What was built?")
    assert found.answer.text == TEXT[found.answer.start : found.answer.end] == "Engine"
    assert found.score == pytest.approx(0.9)
    read = [words for _, words in extractor.backend.passes]
    assert [" ".join(words[4:]) for words in read] == [
        "Rain fell . Ada wrote Notes . Babbage built an Engine .",
        "Babbage built an Engine .",
    ]


def test_what_was_below_the_threshold_is_read_again_and_may_pass(judged):
    extractor = judged({"answer": {"Ada": 0.05}}, {"answer": {"Ada": 0.6}})
    assert extractor.answers(TEXT, "Who wrote?").answer.text == "Ada"


def test_what_passed_may_fall_and_says_by_how_much(judged):
    extractor = judged({"answer": {"Ada": 0.9}}, {"answer": {"Ada": 0.2}})
    found = extractor.answers(TEXT, "Who slept?")
    assert found.answer is None
    assert found.score == pytest.approx(0.8)


def test_one_sentence_or_nothing_in_sight_is_read_once(judged):
    extractor = judged({"answer": {"Ada": 0.7}}, {})
    assert extractor.answers("Ada wrote Notes.", "Who wrote?").answer.text == "Ada"
    assert len(extractor.backend.passes) == 1
    nothing = judged({"answer": {"Ada": 0.001}}, {"answer": {"Ada": 0.9}})
    assert nothing.answers(TEXT, "Who wrote?").answer is None
    assert len(nothing.backend.passes) == 1


def test_a_span_over_a_border_keeps_both_its_sentences(judged):
    whole = {"answer": {"Notes . Babbage": 0.9}}
    found = judged(whole, whole).answers(TEXT, "What?")
    assert found.answer.text == "Notes. Babbage"


def test_many_questions_to_many_texts_share_what_they_can(judged):
    extractor = judged({"answer": {"Ada": 0.9, "Rain": 0.8}}, {"answer": {"Ada": 0.9, "Rain": 0.7}})
    texts = [TEXT, "Rain fell.", "Rain fell. Then it stopped.", "No."]
    found = extractor.answers(texts, "What?")
    answers = [each.answer and (each.answer.text, each.answer.start) for each in found]
    assert answers == [("Ada", 11), ("Rain", 0), ("Rain", 0), None]
    assert len(extractor.backend.passes) == 4 + 2  # with the threshold and below it: one pass


def test_the_model_says_for_which_labels_and_the_caller_may_say_otherwise(judged):
    table = {"answer": {"Ada": 0.9}, "person": {"Ada": 0.9, "Babbage": 0.8}}
    extractor = judged(table, {})
    assert [each.text for each in extractor.entities(TEXT, ["person"])] == ["Ada", "Babbage"]
    assert extractor.entities(TEXT, ["person"], reread=True) == []
    assert judged(table, {}).answers(TEXT, "Who?", reread=False).answer.text == "Ada"
    other = judged(table, {}, reread=())
    assert other.answers(TEXT, "Who?").answer.text == "Ada"
    query = Query((Label("answer"),), "Who?")
    assert list(judged(table, {}).extract([(TEXT, query)])) == [[]]


def test_no_such_choice_is_refused():
    with pytest.raises(InputError, match="reread must be one of True, False, got 'yes'"):
        Settings(reread="yes")


def test_a_part_of_a_long_text_is_never_called_too_long(judged):
    whole = {"answer": {"Ada": 0.9}}
    extractor = judged(whole, whole, max_words=20)
    text = "Rain fell. " * 20 + TEXT
    found = extractor.answers(text, "Who?")
    assert found.answer.start == text.index("Ada")
    text = TEXT + " Rain fell." * 20
    extractor.answers(text, "Who?", long_text="truncate")
    assert [each.end for each in extractor.unread] == [len(text)]


def test_entities_of_a_second_reading_are_entities(judged):
    whole = {"person": {"Ada": 0.9}}
    (found,) = judged(whole, whole).entities(TEXT, ["person"], reread=True)
    assert found == Entity("Ada", "person", 11, 14, found.score)
