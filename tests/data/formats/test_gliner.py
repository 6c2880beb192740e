import json

import pytest

from spanwise.data import GoldSpan, Record, formats
from spanwise.errors import DataError

ROW = {"tokenized_text": ["Ada", "Lovelace", "'s", "home"], "ner": [[0, 1, "person"]]}


@pytest.fixture
def read(tmp_path):
    def from_rows(*rows):
        path = tmp_path / "train.json"
        path.write_text(json.dumps(rows))
        return formats.read(path)

    return from_rows


def test_words_become_a_text_and_indices_offsets(read, surfaces):
    (record,), report = read(ROW)
    assert record.text == "Ada Lovelace 's home"
    assert surfaces(record) == [("Ada Lovelace", "person")]
    assert record.words == ((0, 3), (4, 12), (13, 15), (16, 20))
    assert record.labels is None
    assert report.findings == ()


def test_given_labels_and_negatives_are_known_labels(read):
    (record,), _ = read(ROW | {"label": ["person", "city"]})
    assert set(record.labels) == {"person", "city"}
    (record,), _ = read(ROW | {"ner_negatives": ["city"]})
    assert set(record.labels) == {"person", "city"}


def test_what_has_no_place_is_reported(read):
    _, report = read(ROW | {"id": 7, "relations": [[0, 1, "x"]]})
    assert report.counts() == {("dropped", "relations are not read from GLiNER's JSON"): 1}
    assert len(report.of("7")) == 1
    empty = {"tokenized_text": ["a", ""], "ner": [[1, 1, "x"], [0, 1, "y"]]}
    (record,), report = read(empty)
    assert report.counts() == {
        ("dropped", "the span's words are empty"): 1,
        ("moved", "the span's ends are whitespace"): 1,
    }
    assert record.spans == (GoldSpan(0, 1, "y"),)


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (ROW | {"ner": [[0, 4, "x"]]}, "outside the 4 words"),
        (ROW | {"ner": [[2, 1, "x"]]}, "ends before it begins"),
        (ROW | {"ner": [["0", 1, "x"]]}, "expected int"),
        (ROW | {"ner": [[0, 1]]}, "expected [first word, last word, label]"),
        (ROW | {"ner": [[0, 1, 5]]}, "expected str"),
        (ROW | {"tokenized_text": [1]}, "a word is 1"),
        (ROW | {"label": "person"}, "expected list"),
        ({"tokenized_text": []}, "has no 'ner'"),
        (ROW | {"nre": []}, "did you mean 'ner'"),
    ],
)
def test_a_bad_item_is_named(read, bad, complaint):
    with pytest.raises(DataError) as error:
        read(ROW, bad)
    assert "train.json: item 1: " in str(error.value)
    assert complaint in str(error.value)


def test_broken_json_is_named(tmp_path):
    path = tmp_path / "train.json"
    path.write_text('[{"tokenized_text": []},\n nonsense]')
    with pytest.raises(DataError, match=r"train\.json: not JSON .*line 2"):
        formats.read_gliner(path)


def test_written_records_are_read_back(tmp_path, surfaces):
    record = Record(
        text="Ada left London-Town.",
        spans=(GoldSpan(0, 3, "person"), GoldSpan(9, 15, "city")),
        labels=("person", "month"),
        id="r",
    )
    for name in ("out.json", "out.jsonl"):
        report = formats.write_gliner([record], tmp_path / name)
        assert report.counts() == {("moved", "the span begins or ends inside a word"): 1}
        (read,), _ = formats.read(tmp_path / name)
        assert surfaces(read) == [("Ada", "person"), ("London-Town", "city")]
        assert set(read.labels) == {"person", "month", "city"}


def test_an_instruction_is_written_ahead_of_the_words(tmp_path):
    record = Record(
        text="in Rome", spans=(GoldSpan(3, 7, "answer"),), instruction="Where?", task="answers"
    )
    formats.write_gliner([record], tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {
        "tokenized_text": ["Where", "?", "in", "Rome"],
        "ner": [[3, 3, "answer"]],
    }
