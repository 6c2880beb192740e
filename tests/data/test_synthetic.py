import pytest

from spanwise.data.synthetic import read_passages
from spanwise.errors import DataError

PASSAGE = {
    "id": "P1",
    "source": "authored",
    "domain": "cities",
    "text": "Ada left York for New York. York is old; she liked the old mill. Ada wrote.",
    "entities": [
        ["Ada", "novelist", "person"],
        ["York", "cathedral city", "location"],
        ["New York", "metropolis", "location"],
    ],
    "relations": [["Ada", "left", "York"], ["Ada", "moved to", "New York"]],
    "qa": [["Which city is old?", "York"], ["Who painted?", ""]],
    "open": [["Find what she liked", ["the old mill"]], ["Find prices", []]],
    "keyphrases": ["New York"],
    "summary": ["Ada left York for New York."],
    "sentiment": [["liked the old mill", "positive"]],
}


@pytest.fixture
def sources(write_lines):
    return {x.name: x for x in read_passages(write_lines("passages.jsonl.gz", PASSAGE))}


def test_a_passage_becomes_a_record_of_every_task(sources):
    assert {name: (x.task, len(x.records)) for name, x in sources.items()} == {
        "synthetic_entities": ("entities", 1),
        "synthetic_types": ("entities", 1),
        "synthetic_relations": ("relations", 1),
        "synthetic_answers": ("answers", 2),
        "synthetic_open": ("open", 2),
        "synthetic_key_phrases": ("key_phrases", 1),
        "synthetic_summary": ("summary", 1),
        "synthetic_sentiment": ("sentiment", 1),
    }
    assert {record.group for x in sources.values() for record in x.records} == {"P1"}


def test_a_surface_stands_for_all_its_occurrences_outside_longer_ones(sources, surfaces):
    (record,) = sources["synthetic_entities"].records
    assert sorted(surfaces(record)) == [
        ("Ada", "novelist"),
        ("Ada", "novelist"),
        ("New York", "metropolis"),
        ("York", "cathedral city"),
        ("York", "cathedral city"),
    ]
    assert set(record.labels) == {"novelist", "cathedral city", "metropolis"}
    (record,) = sources["synthetic_types"].records
    assert set(record.labels) == {"person", "location"}
    (record,) = sources["synthetic_relations"].records
    assert surfaces(record) == [("York", "Ada <> left")] * 2 + [("New York", "Ada <> moved to")]


def test_wording_that_varies_is_said_to(sources):
    opened = {name for name, source in sources.items() if source.open_labels}
    assert opened == {"synthetic_entities", "synthetic_relations"}
    assert opened == {name for name, source in sources.items() if not source.closed}
    assert sources["synthetic_relations"].inventory == ("left", "moved to")


def test_what_has_no_answer_is_asked_and_marked_nowhere(sources, surfaces):
    answered, unanswerable = sources["synthetic_answers"].records
    assert set(surfaces(answered)) == {("York", "answer")}
    assert (unanswerable.spans, unanswerable.labels) == ((), ("answer",))
    found, nothing = sources["synthetic_open"].records
    assert surfaces(found) == [("the old mill", "match")]
    assert (nothing.instruction, nothing.spans) == ("Find prices", ())


def test_a_summary_is_whole_sentences_and_sentiment_knows_three_labels(sources, surfaces):
    (summary,) = sources["synthetic_summary"].records
    assert surfaces(summary) == [("Ada left York for New York.", "summary")]
    (sentiment,) = sources["synthetic_sentiment"].records
    assert surfaces(sentiment) == [("liked the old mill", "positive")]
    assert sentiment.labels == ("positive", "negative", "neutral")


@pytest.mark.parametrize(
    "change",
    [
        {"entities": [["Bo", "x", "y"]]},
        {"qa": [["Who?", "Bo"]]},
        {"open": [["Find", ["Bo"]]]},
        {"summary": ["Bo"]},
    ],
)
def test_a_surface_that_is_not_in_the_text_is_named(write_lines, change):
    path = write_lines("passages.jsonl.gz", PASSAGE, PASSAGE | change)
    with pytest.raises(DataError, match=r"passages\.jsonl\.gz:2: .*'Bo'"):
        read_passages(path)
