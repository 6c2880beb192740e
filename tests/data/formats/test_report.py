import pytest

from spanwise.data import GoldSpan, Record, formats
from spanwise.errors import DataError

TEXT = "The IL-2-like gene of Rome "


@pytest.fixture
def path(tmp_path):
    spans = (
        GoldSpan(4, 8, "protein"),  # IL-2, inside a word
        GoldSpan(13, 18, "gene"),  # with a blank before it
        GoldSpan(26, 27, "nothing"),  # a blank
        GoldSpan(22, 26, "city"),
    )
    path = tmp_path / "records.jsonl"
    formats.write_jsonl([Record(text=TEXT, spans=spans, id="r")], path)
    return path


@pytest.mark.parametrize(
    ("misaligned", "action", "protein"),
    [("keep", "kept", ["IL-2"]), ("widen", "moved", ["IL-2-like"]), ("drop", "dropped", [])],
)
def test_spans_inside_words_are_treated_as_asked_and_reported(path, misaligned, action, protein):
    (record,), report = formats.read(path, misaligned=misaligned)
    assert [TEXT[span.start : span.end] for span in record.spans] == [*protein, "gene", "Rome"]
    assert report.counts() == {
        (action, "the span begins or ends inside a word"): 1,
        ("moved", "the span's ends are whitespace"): 1,
        ("dropped", "the span is whitespace"): 1,
    }
    assert report.n_spans == len(record.spans)


def test_the_report_prints_what_happened_where(path):
    report = formats.read(path).report
    shown = str(report)
    assert shown.startswith("1 records, 3 spans, 3 findings")
    assert "kept 1: the span begins or ends inside a word" in shown
    assert f"{path}:1: 'IL-2' 4:8 'protein'; whole words 'IL-2-like'" in shown
    assert report.of("r") == report.findings
    assert report.of("other") == ()


def test_many_findings_of_a_kind_are_counted_and_a_few_shown(tmp_path):
    path = tmp_path / "records.jsonl"
    formats.write_jsonl([Record(text="a-b", spans=(GoldSpan(0, 1, "x"),))] * 9, path)
    shown = str(formats.read(path).report)
    assert "kept 9" in shown
    assert "… and 4 more" in shown
    assert shown.count("whole words") == 5


def test_a_record_s_own_words_decide(tmp_path):
    path = tmp_path / "records.jsonl"
    record = Record(text="a-b", spans=(GoldSpan(0, 1, "x"),), words=((0, 1), (1, 2), (2, 3)))
    formats.write_jsonl([record], path)
    assert formats.read(path).report.findings == ()


def test_an_unknown_policy_is_refused(path):
    with pytest.raises(DataError, match="misaligned='fix'"):
        formats.read(path, misaligned="fix")
