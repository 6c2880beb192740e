import pytest

from spanwise.data.prompted_sets import (
    answer_places,
    read_openie_sets,
    read_qa_sets,
    read_sentiment_sets,
    read_summary_sets,
)
from spanwise.data.records import SUMMARY_INSTRUCTION
from spanwise.errors import DataError


def question(context, asked, *answers, **more):
    return {"id": None, "context": context, "question": asked, "answers": list(answers), **more}


def test_an_answer_is_marked_where_the_set_says(write_lines):
    row = question("in 2008 or 2008", "When?", "2008", starts=[11], title="Years")
    path = write_lines("squad_v1.1_train.jsonl.gz", row)
    (source,) = read_qa_sets(path.parent)
    (record,) = source.records
    assert [(span.start, span.end, span.label) for span in record.spans] == [(11, 15, "answer")]
    assert (record.instruction, record.group, record.task) == ("When?", "Years", "answers")


def test_blanks_around_an_answer_are_no_part_of_it(write_lines, surfaces):
    rows = [
        question("in 2008 or so", "When?", " 2008 ", starts=[2]),
        question("in 2008 or so", "When?", "2008 "),
    ]
    path = write_lines("squad_v1.1_train.jsonl.gz", *rows)
    (source,) = read_qa_sets(path.parent)
    assert [surfaces(record) for record in source.records] == [[("2008", "answer")]] * 2


def test_a_start_that_is_wrong_gives_way_to_the_surface(write_lines):
    row = question("it was in 2008", "When?", "2008", starts=[3])
    path = write_lines("squad_v1.1_train.jsonl.gz", row)
    (source,) = read_qa_sets(path.parent)
    assert [span.start for span in source.records[0].spans] == [10]


def test_of_several_answers_the_most_frequent_then_the_shortest_counts(write_lines, surfaces):
    rows = [
        question("not too big", "Size?", "not too big", "too big"),
        question("not too big", "Size?", "not too big", "too big", "not too big"),
    ]
    path = write_lines("squadshifts_reddit.jsonl.gz", *rows)
    (source,) = read_qa_sets(path.parent)
    assert [surfaces(record) for record in source.records] == [
        [("too big", "answer")],
        [("not too big", "answer")],
    ]


def test_a_question_without_answers_has_none_and_ids_are_kept(write_lines):
    rows = question("Al is old.", "Who is old?", "Al"), question("Al is old.", "Who is young?")
    path = write_lines(
        "squad_unanswerable.jsonl.gz", rows[0] | {"id": "7"}, rows[1] | {"id": "7/unanswerable"}
    )
    (source,) = read_qa_sets(path.parent)
    assert [len(record.spans) for record in source.records] == [1, 0]
    ids = [record.id for record in source.records]
    assert ids == ["squad_unanswerable/7", "squad_unanswerable/7/unanswerable"]


def test_an_answer_that_is_not_in_the_context_is_named(write_lines):
    path = write_lines("qamr.dev.jsonl.gz", question("a b", "What?", "c"))
    with pytest.raises(DataError, match=r"qamr\.dev\.jsonl\.gz:1: the answer 'c'"):
        read_qa_sets(path.parent)


def test_a_name_answers_wherever_it_stands():
    assert answer_places("Bo met Al. Bo left.", "Who left?", "Bo") == [(0, 2), (11, 13)]


def test_other_answers_are_marked_where_the_text_is_most_like_the_question():
    away = " and so on" * 20
    text = f"the red door opened.{away} Visitors painted the red door.{away}"
    question = "What did visitors paint, when painted?"
    second = text.rindex("the red door")
    assert answer_places(text, question, "the red door") == [(second, second + 12)]
    assert answer_places(text, "Which one?", "the red door") == [(0, 12)]  # no word shared


def test_summaries_are_sentences_of_the_joined_text(write_lines, surfaces):
    row = {"sentences": ["We  try.", "It works.", "So what."], "labels": [1], "summary": ["x"]}
    path = write_lines("scitldr.dev.jsonl.gz", row)
    (source,) = read_summary_sets(path.parent)
    (record,) = source.records
    assert record.text == "We try. It works. So what."
    assert surfaces(record) == [("It works.", "summary")]
    assert record.instruction == SUMMARY_INSTRUCTION


def test_a_summary_of_no_sentence_is_named(write_lines):
    path = write_lines("scitldr.dev.jsonl.gz", {"sentences": ["a"], "labels": [1]})
    with pytest.raises(DataError, match=r"scitldr\.dev\.jsonl\.gz:1: labels \[1\]"):
        read_summary_sets(path.parent)


def test_opinions_are_marked_by_polarity_and_aspects_asked_for(write_lines, surfaces):
    triplets = [
        {"aspect": [1, 1], "opinion": [0, 0], "sentiment": "positive"},
        {"aspect": [4, 5], "opinion": [3, 3], "sentiment": "negative"},
        {"aspect": None, "opinion": [3, 3], "sentiment": "negative"},
    ]
    row = {"tokens": ["Nice", "lid", ",", "weak", "left", "hinge"], "triplets": triplets}
    path = write_lines("dmaste_home.jsonl.gz", row)
    opinions, asked = read_sentiment_sets(path.parent)
    assert surfaces(opinions.records[0]) == [("Nice", "positive"), ("weak", "negative")]
    assert opinions.records[0].labels == ("positive", "negative", "neutral")
    assert {record.instruction: surfaces(record) for record in asked.records} == {
        "Find all positive aspects about the product:": [("lid", "match")],
        "Find all negative aspects about the product:": [("left hinge", "match")],
        "Find all neutral aspects about the product:": [],
    }


def test_aspects_without_opinions_are_asked_for_as_such(write_lines, surfaces):
    triplet = {"aspect_text": "decor", "from": 4, "to": 9, "sentiment": "negative"}
    row = {"text": "The decor is dull", "triplets": [triplet]}
    path = write_lines("mams_val.jsonl.gz", row)
    aspects, _ = read_sentiment_sets(path.parent)
    assert surfaces(aspects.records[0]) == [("decor", "negative")]
    assert aspects.records[0].instruction


def test_extractions_become_questions_for_their_missing_part(write_lines, surfaces):
    text = "Al filed suit and Al filed papers"
    extractions = [
        {"relation": "filed", "args": ["Al", "suit"]},
        {"relation": "filed", "args": ["Al", "papers"]},
        {"relation": "did file", "args": ["Bo", "suit"]},  # not in the text
    ]
    path = write_lines("oie2016.dev.jsonl.gz", {"text": text, "extractions": extractions})
    (source,) = read_openie_sets(path.parent)
    assert {record.instruction: surfaces(record) for record in source.records} == {
        "Find what completes the statement: Al filed …": [("suit", "match"), ("papers", "match")],
        "Find who or what: filed suit": [("Al", "match")],
        "Find who or what: filed papers": [("Al", "match")],
    }
    assert len({record.id for record in source.records}) == 3
