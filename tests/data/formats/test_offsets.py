import json

import pytest

from spanwise.data import GoldSpan, Record, formats
from spanwise.errors import DataError

TEXT = "Ada left Rome"
SPANS = [[0, 3, "person"], [9, 13, "city"]]
FORMS = {
    "doccano 1": {"id": 3, "text": TEXT, "label": SPANS, "Comments": []},
    "doccano 1.8": {"id": 3, "data": TEXT, "labels": SPANS},
    "doccano with relations": {
        "id": 3,
        "text": TEXT,
        "entities": [
            {"id": 1, "label": label, "start_offset": start, "end_offset": end}
            for start, end, label in SPANS
        ],
        "relations": [],
        "comments": [],
    },
    "prodigy": {
        "text": TEXT,
        "spans": [
            {"start": start, "end": end, "label": label, "token_start": 0}
            for start, end, label in SPANS
        ],
        "tokens": [{"text": "Ada"}],
        "answer": "accept",
        "_input_hash": 1,
    },
    "spacy": [TEXT, {"entities": SPANS}],
    "plain": {"text": TEXT, "entities": SPANS},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_tool_s_form_is_seen_and_read(write_lines, surfaces, form):
    path = write_lines("export.json", [FORMS[form]])
    (record,), report = formats.read(path)
    assert record.text == TEXT
    assert surfaces(record) == [("Ada", "person"), ("Rome", "city")]
    assert record.labels is None
    assert report.findings == ()


def test_lines_are_read_as_well(write_lines):
    path = write_lines("export.jsonl", FORMS["plain"], FORMS["plain"] | {"id": "b"})
    assert [record.id for record in formats.read(path).records] == [f"{path}:1", "b"]


def test_what_was_rejected_or_has_no_place_is_reported(write_lines):
    rejected = FORMS["prodigy"] | {"answer": "reject"}
    related = FORMS["doccano with relations"] | {"relations": [{"id": 1}]}
    path = write_lines("export.jsonl", rejected, related)
    (record,), report = formats.read(path)
    assert record.id == "3"
    assert report.counts() == {
        ("dropped", "the annotation was not accepted in the tool"): 1,
        ("dropped", "relations are not read from char-offset JSON"): 1,
    }
    with pytest.raises(DataError, match="holds no records; the annotation was not accepted"):
        formats.read(write_lines("rejected.jsonl", rejected))


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"text": TEXT, "entities": [[0, 99, "x"]]}, "0:99"),
        ({"text": TEXT, "entities": [{"start": 0, "label": "x"}]}, "lacks start and end"),
        ({"text": TEXT, "entities": {}}, "expected list"),
        ({"text": TEXT, "entities": SPANS, "label": SPANS}, "expected 'text' and one of"),
        ({"entities": SPANS}, "expected 'text' and one of"),
        ({"text": TEXT, "entitis": SPANS}, "did you mean 'entities'"),
        ({"text": 4, "entities": []}, "text is 4"),
        ("Ada", "expected an object"),
    ],
)
def test_a_bad_item_is_named(tmp_path, bad, complaint):
    path = tmp_path / "export.json"
    path.write_text(json.dumps([FORMS["plain"], bad]))
    with pytest.raises(DataError) as error:
        formats.read(path)
    assert "export.json: item 1: " in str(error.value)
    assert complaint in str(error.value)


def test_written_spans_are_read_back(tmp_path):
    spans = (GoldSpan(0, 3, "person"), GoldSpan(0, 8, "clause"))
    records = [
        Record(text=TEXT, spans=spans, id="a"),
        Record(text=TEXT, spans=(), id="b", instruction="Who?"),
    ]
    report = formats.write_offsets(records, tmp_path / "out.jsonl")
    assert report.counts() == {("dropped", "char-offset JSON has no place for an instruction"): 1}
    read, _ = formats.read(tmp_path / "out.jsonl")
    assert [(x.text, x.spans, x.id) for x in read] == [(x.text, x.spans, x.id) for x in records]
