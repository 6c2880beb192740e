import pytest

from spanwise.data import GoldSpan, Record, formats
from spanwise.data.records import RELATION_INSTRUCTION
from spanwise.errors import DataError

TEXT = "Ada Lovelace\r\nleft Rome and Ada wept."
ANN = (
    "T1\tPerson 0 12\tAda Lovelace\nT2\tCapital_city 19 23\tRome\nR1\tmoved_from Arg1:T1 Arg2:T2\n"
)


@pytest.fixture
def read(tmp_path):
    def from_text(ann, text=TEXT):
        (tmp_path / "part").mkdir(exist_ok=True)
        (tmp_path / "part" / "doc.txt").write_bytes(text.encode())
        (tmp_path / "part" / "doc.ann").write_bytes(ann.encode())
        return formats.read(tmp_path)

    return from_text


def test_entities_and_relations_become_a_record_each(read, surfaces):
    (entities, relations), report = read(ANN)
    assert entities.text == TEXT
    assert surfaces(entities) == [("Ada Lovelace", "Person"), ("Rome", "Capital city")]
    assert (entities.id, entities.group) == ("part/doc", "part/doc")
    assert surfaces(relations) == [("Rome", "Ada Lovelace <> moved from")]
    assert relations.instruction == RELATION_INSTRUCTION
    assert relations.labels == ("Ada Lovelace <> moved from",)
    assert report.findings == ()


def test_what_has_no_place_in_a_record_is_reported(read):
    extra = (
        "T3\tPerson 0 3;28 31\tAda Ada\n"
        "R2\tsame Arg1:T3 Arg2:T2\n"
        "E1\tMove:T2\nA1\tSure T1\n#1\tAnnotatorNotes T1\tyes\n*\tEquiv T1 T2\n"
    )
    records, report = read(ANN + extra)
    assert len(records[0].spans) == 2
    assert report.counts() == {
        ("dropped", "the span is discontinuous"): 1,
        ("dropped", "the relation's head or tail is missing or was dropped"): 1,
        ("dropped", "events are not read from standoff"): 1,
        ("dropped", "attributes are not read from standoff"): 1,
        ("dropped", "notes are not read from standoff"): 1,
        ("dropped", "equivalences are not read from standoff"): 1,
    }
    assert all("doc.ann:" in finding.where for finding in report.findings)


def test_a_surface_that_is_elsewhere_is_moved_there(read):
    (record,), report = read("T1\tPerson 27 30\tAda\n")
    assert record.spans == (GoldSpan(28, 31, "Person"),)
    assert [finding.action for finding in report.findings] == ["moved"]


def test_a_surface_across_lines_is_written_with_a_blank(read, surfaces):
    (record,), report = read("T1\tClause 4 18\tLovelace  left\n")
    assert surfaces(record) == [("Lovelace\r\nleft", "Clause")]
    assert report.findings == ()


@pytest.mark.parametrize(
    ("ann", "complaint"),
    [
        ("T1\tPerson 0 99\tAda\n", "0:99"),
        ("T1\tPerson 0 3\tBob\n", "nowhere 'Bob'"),
        ("T1 Person 0 3 Ada\n", "expected 'T1<tab>Label"),
        ("R1\tx T1 T2\n", "expected 'R1<tab>"),
        ("Z\n", "no line of a standoff file"),
    ],
)
def test_a_bad_line_is_named(read, ann, complaint):
    with pytest.raises(DataError, match=r"doc\.ann:2: ") as error:
        read(f"T9\tPerson 0 3\tAda\n{ann}")
    assert complaint in str(error.value)


def test_a_text_without_annotation_is_named(tmp_path):
    (tmp_path / "lone.txt").write_text("a")
    with pytest.raises(DataError, match="lone: has only one of"):
        formats.read(tmp_path)


def test_an_empty_folder_is_no_set(tmp_path):
    with pytest.raises(DataError, match="holds no records"):
        formats.read(tmp_path)


def test_written_records_are_read_back(tmp_path, surfaces):
    spans = (GoldSpan(0, 12, "famous person"), GoldSpan(0, 3, "name"), GoldSpan(4, 18, "clause"))
    records = [
        Record(text=TEXT, spans=spans, id="a/1"),
        Record(text=TEXT, spans=(), id="a 1", instruction="Who?"),
        Record(text=TEXT, spans=(), id="?"),
    ]
    report = formats.write_brat(records, tmp_path / "out")
    assert report.counts() == {("dropped", "standoff has no place for an instruction"): 1}
    read, _ = formats.read(tmp_path / "out")
    assert {record.id for record in read} == {"a_1", "a_1_1", "record_2"}
    assert read[0].text == TEXT
    assert set(read[0].spans) == set(spans)


def test_written_relations_have_their_head_nearest_to_the_tail(tmp_path, surfaces):
    text = "Ada slept. Later Ada left Rome."
    spans = (GoldSpan(26, 30, "Ada <> moved from"), GoldSpan(26, 30, "Bo <> born in"))
    record = Record(text=text, spans=spans, task="relations", id="r")
    report = formats.write_brat([record], tmp_path / "out")
    assert report.counts() == {("dropped", "the relation's head is not in the text"): 1}
    assert "T1\thead 17 20\tAda\n" in (tmp_path / "out" / "r.ann").read_text()
    (_, relations), _ = formats.read(tmp_path / "out")
    assert surfaces(relations) == [("Rome", "Ada <> moved from")]
