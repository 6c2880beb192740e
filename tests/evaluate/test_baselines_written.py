"""Prompts are the paper's, and what a generative system writes is read without guessing."""

from __future__ import annotations

import pytest

from spanwise.errors import InputError
from spanwise.evaluate.baselines import prompts, written
from spanwise.evaluate.systems import Question

QA = Question(text="Rollo came.", labels=("answer",), instruction="Who came?", task="answers")
NER = Question(text="Ann met Bob. Ann left.", labels=("person", "music genre"))
TAIL = Question(text="Ann is Bob's aunt.", labels=("a <> b <> aunt of",), task="relations")
SUMMARY = Question(text="It rained. It stopped.", labels=("summary",), task="summary")


def test_token_classifiers_get_the_papers_prompts() -> None:
    assert prompts.utc(QA) == [("answer", "Who came?\n")]
    assert prompts.utc(SUMMARY)[0][1] == (
        "Summarize the given text, highlighting the most important information:\n"
    )
    assert prompts.utc(TAIL) == [
        (
            "a <> b <> aunt of",
            (
                "Identify target entity given the following relation: 'aunt of' and the following "
                "source entity: 'a <> b' \nText: "
            ),
        )
    ]
    assert [label for label, _ in prompts.utc(NER)] == ["person", "music genre"]


def test_flan_gets_the_papers_prompts() -> None:
    assert prompts.flan(QA).startswith("Question: Who came?\nRules: As an answer, use only text")
    assert prompts.flan(QA).endswith("\nContext: Rollo came.")
    assert prompts.flan(SUMMARY) == (
        "Prompt: Summarize the given text, highlighting the most important. \n"
        "Text: It rained. It stopped."
    )
    assert prompts.flan(TAIL) == (
        "Subject and relation:a <> b <> aunt of \n Context: Ann is Bob's aunt."
    )
    with pytest.raises(InputError, match="no prompt for the task 'entities'"):
        prompts.flan(NER)


def test_chat_models_are_asked_for_all_labels_in_json() -> None:
    assert "person, music genre" in prompts.chat(NER)
    assert prompts.chat(NER).endswith("Text: Ann met Bob. Ann left.")


def test_a_relation_without_separator_is_refused() -> None:
    with pytest.raises(InputError, match="one label 'head <> relation'"):
        prompts.head_and_relation(NER)


@pytest.mark.parametrize("output", ["no answer", "No answer.", '"Unanswerable"', "N/A"])
def test_the_ways_to_say_no_answer_are_silence(output: str) -> None:
    reading = written.read(QA, output)
    assert (reading.written, reading.failure) == ("", "")


def test_answers_are_taken_as_written_but_for_quotes() -> None:
    assert written.read(QA, ' "Rollo" \n').written == "Rollo"
    assert written.read(TAIL, "Bob").written == "Bob"
    assert written.read(QA, "").failure == written.EMPTY


def test_entities_take_their_places_in_the_order_of_the_text() -> None:
    pieces = '[{"text": "Ann", "label": "Person"}, {"text": "Ann", "label": "person"}]'
    output = f"Here:\n```json\n{pieces}\n```"
    reading = written.read(NER, output)
    assert [(s.start, s.end, s.label) for s in reading.spans] == [
        (0, 3, "person"),
        (13, 16, "person"),
    ]
    assert reading.failure == ""


@pytest.mark.parametrize(
    ("output", "n_spans", "failure"),
    [
        ("I found Ann and Bob.", 0, written.NOT_JSON),
        ("", 0, written.EMPTY),
        ('[{"text": "Ann"}, {"text": "Bob", "label": "person"}]', 1, written.NOT_A_PIECE),
        ('["Ann"]', 0, written.NOT_A_PIECE),
        ('[{"text": "Ann", "label": "city"}]', 0, written.NOT_ASKED),
        ('[{"text": "Anna", "label": "person"}]', 0, written.NOT_IN_TEXT),
        (
            '[{"text": "Bob", "label": "person"}, {"text": "Bob", "label": "person"}]',
            1,
            written.NOT_IN_TEXT,
        ),
        ('[{"text": "Ann", "label"', 0, written.NOT_JSON),
        ('[1] as follows: [{"text": "Bob", "label": "person"}]', 0, written.NOT_A_PIECE),
        ("[]", 0, ""),
    ],
)
def test_what_cannot_be_used_is_named(output: str, n_spans: int, failure: str) -> None:
    reading = written.read(NER, output)
    assert len(reading.spans) == n_spans
    assert reading.failure == failure
    assert all(NER.text[s.start : s.end] == s.text for s in reading.spans)
