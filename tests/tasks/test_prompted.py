"""Answers, summaries, open extraction, key phrases and sentiment."""

import pytest

from spanwise import Answer, Span, Summary
from spanwise.errors import InputError
from spanwise.tasks import Answers, Find, KeyPhrases, OpenEntities, Sentiments, Summaries

TEXT = "Ada wrote Notes . Babbage built Engine ."
STORY = "Rain fell . Ada slept well . Then she woke . All was good ."


def test_the_best_span_answers_and_the_others_are_alternatives(scripted):
    extractor = scripted({"answer": {"Ada": 0.8, "Babbage": 0.9, "Notes": 0.3}})
    found = extractor.answers(TEXT, "Who wrote?")
    assert isinstance(found, Answer)
    assert (found.answer.text, found.question) == ("Babbage", "Who wrote?")
    assert found.score == pytest.approx(0.9)
    assert [span.text for span in found.alternatives] == ["Ada"]
    near = extractor.answers(TEXT, "Who wrote?", near=0.2)
    assert [span.text for span in near.alternatives] == ["Ada", "Notes"]


def test_no_answer_is_a_decision_with_a_score(scripted):
    extractor = scripted({"answer": {"Ada": 0.3}})
    found = extractor.answers(TEXT, "Who slept?")
    assert found.answer is None
    assert found.score == pytest.approx(0.7)
    assert extractor.answers(TEXT, "Who slept?", threshold=0.2).answer.text == "Ada"
    assert scripted({}).answers(TEXT, "Who slept?").score == 1.0


def test_questions_and_texts_pair_in_every_way(scripted):
    extractor = scripted({"answer": {"Ada": 0.8}})
    assert isinstance(extractor.answers([TEXT, "x"], "Who?"), list)
    one, two = extractor.answers(TEXT, ["Who?", "What?"])
    assert (one.question, two.question) == ("Who?", "What?")
    pairs = extractor.answers([TEXT, "x"], ["Who?", "What?"])
    assert [(each.question, each.answer is None) for each in pairs] == [
        ("Who?", False),
        ("What?", True),
    ]
    stream = extractor.answers(iter([TEXT, "x"]), iter(["Who?", "What?"]))
    assert [each.question for each in stream] == ["Who?", "What?"]
    with pytest.raises(InputError, match="given for 1 texts and there are more"):
        extractor.answers([TEXT, "x"], ["Who?"])
    with pytest.raises(InputError, match="more is given than the 1 texts"):
        extractor.answers([TEXT], ["Who?", "What?"])


def test_each_question_reaches_the_model_ahead_of_its_own_text(scripted):
    extractor = scripted({})
    extractor.answers([TEXT, TEXT], ["Who wrote?", "What broke?"])
    words = [words[:3] for _, words in extractor.backend.passes]
    assert sorted(words) == [["What", "broke", "?"], ["Who", "wrote", "?"]]


@pytest.mark.parametrize("method", ["answers", "find", "summaries", "key_phrases", "sentiment"])
def test_one_pass_for_each_text(scripted, method):
    extractor = scripted({})
    more = ("Find what?",) if method in {"answers", "find"} else ()
    getattr(extractor, method)([TEXT, STORY], *more)
    assert len(extractor.backend.passes) == 2


def test_a_summary_is_in_text_order_and_above_the_papers_threshold(scripted):
    table = {"summary": {"Ada slept well .": 0.2, "All was good .": 0.9, "Rain fell .": 0.05}}
    found = scripted(table).summaries(STORY)
    assert isinstance(found, Summary)
    assert found.text == "Ada slept well . All was good ."
    assert scripted(table, thresholds={"summary": 0.5}).summaries(STORY).text == "All was good ."
    assert scripted(table).summaries(STORY, threshold=0.95).sentences == ()


def test_a_temperature_does_not_move_the_papers_threshold(scripted):
    table = {"summary": {"Ada slept well .": 0.2, "Rain fell .": 0.05}}
    for temperature in (1.0, 4.0):
        extractor = scripted(table, temperature=temperature)
        assert extractor.summaries(STORY).text == "Ada slept well ."


def test_a_summary_may_have_a_wanted_length(scripted):
    table = {"summary": {"Rain fell .": 0.07, "slept well": 0.2, "good": 0.1}}
    extractor = scripted(table)
    assert extractor.summaries(STORY, n_sentences=1).text == "Ada slept well ."
    assert extractor.summaries(STORY, share=0.5).text == "Ada slept well . All was good ."
    assert (
        extractor.summaries(STORY, n_sentences=9).text
        == "Rain fell . Ada slept well . All was good ."
    )


def test_pieces_are_widened_to_sentences_on_request(scripted):
    extractor = scripted({"summary": {"slept well": 0.6}})
    assert extractor.summaries(STORY).text == "slept well"
    (sentence,) = extractor.summaries(STORY, whole_sentences=True).sentences
    assert sentence.text == "Ada slept well ." == STORY[sentence.start : sentence.end]


def test_open_extraction_gives_spans_and_open_entities_their_labels(scripted):
    extractor = scripted({"match": {"Notes": 0.9}, "work": {"Engine": 0.9}})
    (match,) = extractor.find(TEXT, "Find all works:")
    assert match == Span("Notes", 10, 15, match.score)
    (entity,) = extractor.open_entities(TEXT, ["work"], "Extract what Babbage built:")
    assert (entity.text, entity.label) == ("Engine", "work")
    assert extractor.backend.passes[-1][1][:2] == ["Extract", "what"]


def test_key_phrases_may_be_few(scripted):
    extractor = scripted({"key phrase": {"Ada": 0.6, "Notes": 0.9, "Engine": 0.8}})
    assert [span.text for span in extractor.key_phrases(TEXT)] == ["Ada", "Notes", "Engine"]
    assert [span.text for span in extractor.key_phrases(TEXT, most=2)] == ["Notes", "Engine"]


def test_sentiment_by_opinion_by_aspect_and_of_named_aspects(scripted):
    text = "great keys , poor screen"
    extractor = scripted({"positive": {"great": 0.9}, "negative": {"screen": 0.8}})
    first, second = extractor.sentiment(text)
    assert (first.text, first.polarity, first.aspect) == ("great", "positive", None)
    assert extractor.sentiment(text, aspects=True)[1].aspect == "screen"
    assert extractor.backend.passes[-1][1][:3] == ["Find", "the", "aspects"]
    named = extractor.sentiment(text, aspects=["keys", "screen", "keys"])
    assert [each.aspect for each in named] == ["keys", "keys", "screen", "screen"]
    assert second.polarity == "negative"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Answers(""), "the question is ''"),
        (lambda: Answers(None), "the question is None"),
        (lambda: Answers("Who?", near=3), "3.0 is not a probability"),
        (lambda: Find("  "), "the instruction is"),
        (lambda: OpenEntities(["a"], ""), "the instruction is"),
        (lambda: Summaries(n_sentences=0), "n_sentences must be at least 1"),
        (lambda: Summaries(share=1.5), "share must be"),
        (lambda: Summaries(share=0.5, n_sentences=2), "not both"),
        (lambda: KeyPhrases(most=0), "most must be at least 1"),
        (lambda: Sentiments(aspects="price"), "a list of names"),
        (lambda: Sentiments(aspects=[]), "a list of names"),
        (lambda: Sentiments(aspects=[""]), "the aspect is"),
    ],
)
def test_what_cannot_be_asked_is_refused_when_it_is_made(make, message):
    with pytest.raises(InputError, match=message):
        make()
