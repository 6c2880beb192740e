"""Questions read as relations of what they name."""

import pytest

from spanwise.data.asked_relations import asked_relations
from spanwise.data.records import RELATION_INSTRUCTION, GoldSpan, Record, Source

TEXT = "Ada Lovelace was born in London in 1815. Her father, Lord Byron, left in 1816."


def question(asked, answer, text=TEXT):
    start = text.index(answer)
    spans = (GoldSpan(start, start + len(answer), "answer"),)
    return Record(
        text=text, spans=spans, labels=("answer",), instruction=asked, task="answers", group="Ada"
    )


def source(*records):
    return Source(name="squad", task="answers", records=records, inventory=("answer",), closed=True)


def labels(*records):
    made = asked_relations(source(*records))
    return [] if made is None else [x for record in made.records for x in record.labels]


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        ("When was Ada Lovelace born?", "Ada Lovelace <> when was born"),
        ("Which year did Lord Byron leave?", "Lord Byron <> year leave"),
        ("Who was Ada Lovelace's father?", "Ada Lovelace <> who was father"),
        ("In what city was the Lovelace family born?", "Lovelace <> in what city was family born"),
    ],
)
def test_the_rest_of_the_question_names_the_relation(asked, label):
    assert labels(question(asked, "1815")) == [label]


@pytest.mark.parametrize(
    "asked",
    [
        "When was she born?",  # names nothing
        "When was Babbage born?",  # names what the text does not
        "Where did Ada Lovelace go when her father, Lord Byron, left her for good?",  # too long
    ],
)
def test_other_questions_are_left_out(asked):
    assert labels(question(asked, "1815")) == []


def test_an_answer_is_no_head_of_itself():
    assert labels(question("Who is called Lord Byron here?", "Lord Byron")) == []


def test_the_questions_of_a_paragraph_are_one_record(surfaces):
    asked = [
        question("When was Ada Lovelace born?", "1815"),
        question("When did Lord Byron leave?", "1816"),
        question("What did he buy?", "London"),
        question("Where is London Bridge?", "London", text="London Bridge is in London."),
    ]
    made = asked_relations(source(*asked))
    assert [record.text for record in made.records] == [TEXT, "London Bridge is in London."]
    first = made.records[0]
    assert surfaces(first) == [
        ("1815", "Ada Lovelace <> when was born"),
        ("1816", "Lord Byron <> when leave"),
    ]
    assert (first.task, first.instruction, first.group) == (
        "relations",
        RELATION_INSTRUCTION,
        "Ada",
    )
    assert (made.name, made.open_labels, made.closed) == ("squad_relations", True, False)
    assert "when leave" in made.inventory


def test_a_set_without_such_questions_has_no_relations():
    assert asked_relations(source(question("When was she born?", "1815"))) is None
