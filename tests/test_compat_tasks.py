"""Upstream's task classes and UTCA's relation step, without what was wrong with them."""

import pytest

from spanwise.compat import GLiNER
from spanwise.compat_tasks import (
    GLiNEROpenExtractor,
    GLiNERQuestionAnswerer,
    GLiNERRelationExtraction,
    GLiNERRelationExtractor,
    GLiNERSummarizer,
)
from spanwise.errors import InputError

TEXT = "Ada wrote Notes . Babbage built Engine ."
TABLE = {
    "answer": {"Ada": 0.8, "Babbage": 0.9},
    "summary": {"Ada wrote": 0.3, "built Engine .": 0.9},
    "match": {"Notes": 0.9},
    "person": {"Ada": 0.9, "Babbage": 0.9},
    "Ada <> made": {"Notes": 0.9},
    "Babbage <> made": {"Engine": 0.8, "Notes": 0.6},
    "A <> B <> made": {"Notes": 0.9},
}


@pytest.fixture
def model(scripted):
    return GLiNER(scripted(TABLE))


def asked(model):
    return sorted(" ".join(words) for _, words in model.extractor.backend.passes)


def test_every_text_gets_its_own_question_and_answers_are_ranked(model):
    answerer = GLiNERQuestionAnswerer(model=model)
    found = answerer([TEXT, "Ada slept ."], ["Who built?", "Who slept?"])
    assert [[each["answer"] for each in of_text] for of_text in found] == [
        ["Babbage", "Ada"],
        ["Ada"],
    ]
    assert found[0][0]["score"] == pytest.approx(0.9)
    assert asked(model) == [
        f"Answer the following question : Who built ? {TEXT}",
        "Answer the following question : Who slept ? Ada slept .",
    ]
    with pytest.raises(InputError, match="3 questions for 2 texts"):
        answerer([TEXT, TEXT], ["a", "b", "c"])
    with pytest.raises(InputError, match="the question is ' '"):
        answerer(TEXT, " ")


def test_summaries_are_joined_in_text_order(model):
    assert GLiNERSummarizer(model=model)(TEXT) == ["Ada wrote built Engine ."]
    assert GLiNERSummarizer(model=model)(TEXT, threshold=0.5) == ["built Engine ."]


@pytest.mark.parametrize("prompt", ["", "Find all Notes about Notes:"])
def test_offsets_are_those_of_the_text_whatever_the_prompt(model, prompt):
    ((found,),) = GLiNEROpenExtractor(model=model, prompt=prompt)(TEXT)
    assert list(found) == ["start", "end", "text", "label", "score"]
    assert TEXT[found["start"] : found["end"]] == found["text"] == "Notes"


def test_relations_have_upstreams_form(model):
    extractor = GLiNERRelationExtractor(model=model, return_index=True)
    (found,) = extractor(TEXT, ["made"], entities=["person"])
    assert [(each["source"], each["relation"], each["target"]) for each in found] == [
        ("Ada", "made", "Notes"),
        ("Babbage", "made", "Notes"),
        ("Babbage", "made", "Engine"),
    ]
    assert all(TEXT[each["start"] : each["end"]] == each["target"] for each in found)
    (few,) = extractor(TEXT, ["made"], entities=["person"], rel_threshold=0.7)
    assert len(few) == 2
    with pytest.raises(InputError, match="no relations given"):
        extractor(TEXT)


def test_relation_labels_may_hold_the_separator_in_their_source(model):
    extractor = GLiNERRelationExtractor(model=model)
    labels = [["A <> B <> made", "Ada <> made"], []]
    first, second = extractor([TEXT, TEXT], relation_labels=labels)
    assert {(each["source"], each["target"]) for each in first} == {
        ("A <> B", "Notes"),
        ("Ada", "Notes"),
    }
    assert second == []
    with pytest.raises(InputError, match="has no '<>'"):
        extractor(TEXT, relation_labels=[["made"]])
    with pytest.raises(InputError, match="1 lists for 2 texts"):
        extractor([TEXT, TEXT], relation_labels=[["a <> b"]])


def utca(**relation):
    entities = [
        {"start": 0, "end": 3, "span": "Ada", "score": 0.9, "entity": "person"},
        {"start": 10, "end": 15, "span": "Notes", "score": 0.9, "entity": "work"},
        {"start": 18, "end": 25, "span": "Babbage", "score": 0.9, "entity": "person"},
    ]
    return {"text": TEXT, "relations": [{"relation": "made", **relation}], "entities": entities}


@pytest.mark.parametrize(
    ("relation", "sources"),
    [
        ({}, ["Ada", "Babbage"]),
        ({"pairs_filter": [("person", "work")]}, ["Ada", "Babbage"]),
        ({"pairs_filter": [("work", "person")]}, []),
        ({"distance_threshold": -1}, ["Ada", "Babbage"]),
        ({"distance_threshold": 3}, ["Babbage"]),
    ],
)
def test_utcas_step_filters_by_pairs_and_distance(model, relation, sources):
    given = utca(**relation)
    output = GLiNERRelationExtraction(model).run(given)["output"]
    assert [each["source"]["span"] for each in output] == sources
    assert all(each["target"] in given["entities"] for each in output)


def test_bad_arguments_are_refused(model):
    with pytest.raises(InputError, match="pass model_id or model"):
        GLiNERSummarizer()
    with pytest.raises(InputError, match="batch_size"):
        GLiNERSummarizer(model=model)(TEXT, batch_size=0)
    with pytest.raises(InputError, match="did you mean 'pairs_filter'"):
        GLiNERRelationExtraction(model).run(utca(pairs_filtr=[]))
    with pytest.raises(InputError, match="'entities' is missing"):
        GLiNERRelationExtraction(model).run({"text": TEXT})
