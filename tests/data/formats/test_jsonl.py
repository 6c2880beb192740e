import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.data import GoldSpan, Record, formats
from spanwise.data.text import split
from spanwise.errors import DataError, MissingExtraError

LABELS = st.text("ab <>é", min_size=1).filter(str.strip)


@st.composite
def records(draw):
    """Any record whose spans are whole words."""
    text = draw(st.text("ab1-_ .\n\té中\u2028", max_size=30))
    words = split(text)
    spans = ()
    if words:
        places = st.integers(0, len(words) - 1)
        pairs = draw(st.lists(st.tuples(places, places, LABELS), max_size=4))
        spans = tuple(
            GoldSpan(words[min(a, b)][0], words[max(a, b)][1], label) for a, b, label in pairs
        )
    return Record(
        text=text,
        spans=spans,
        labels=draw(st.none() | st.lists(LABELS, max_size=3).map(tuple)),
        instruction=draw(st.text(max_size=5)),
        task=draw(st.sampled_from(["entities", "answers", "relations"])),
        source=draw(st.text(max_size=3)),
        id=draw(st.text(min_size=1, max_size=3)),
        group=draw(st.text(max_size=3)),
        words=draw(st.sampled_from([None, tuple(words)])),
    )


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "parquet"])
@given(written=st.lists(records(), min_size=1, max_size=4))
def test_what_is_written_is_read_back(tmp_path_factory, kind, written):
    path = tmp_path_factory.mktemp("written") / f"records.{kind}"
    write = formats.write_parquet if kind == "parquet" else formats.write_jsonl
    write(written, path)
    read, report = formats.read(path)
    assert list(read) == written
    assert report.findings == ()


def line(**fields):
    return {"text": "Ada left", "spans": [[0, 3, "person"]], **fields}


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ('{"text": ', "not JSON"),
        ("3", "holds a int"),
        (line(spna=[]), "unknown key 'spna' (did you mean 'spans'?)"),
        ({"spans": []}, "has no 'text'"),
        (line(text=3), "text is 3; expected str"),
        (line(spans=[[0, 9, "x"]]), "0:9"),
        (line(spans=[[0, 3]]), "expected [start, end, label]"),
        (line(spans=[[0, "3", "x"]]), "expected int"),
        (line(spans=[[0, True, "x"]]), "expected int"),
        (line(spans={}), "spans"),
        (line(labels=["a", 1]), "a label is 1"),
        (line(task="ner"), "task 'ner' is not one of"),
        (line(words=[[0, 3], [2, 8]]), "out of order"),
        (line(words=[[0]]), "expected [start, end]"),
    ],
)
def test_a_bad_line_is_named(write_lines, bad, complaint):
    path = write_lines("records.jsonl", line(), bad)
    with pytest.raises(DataError) as error:
        formats.read_jsonl(path)
    message = str(error.value)
    assert message.startswith(f"{path}:2: ")
    assert complaint in message


def test_an_empty_file_is_no_set(write_lines):
    path = write_lines("records.jsonl", "")
    with pytest.raises(DataError, match="holds no records"):
        formats.read_jsonl(path)


def test_a_record_without_id_has_its_place(write_lines):
    path = write_lines("records.jsonl", line(), line(id="mine"))
    assert [record.id for record in formats.read_jsonl(path).records] == [f"{path}:1", "mine"]


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text("as it was")

    def some():
        yield Record(text="a", spans=())
        raise RuntimeError

    with pytest.raises(RuntimeError):
        formats.write_jsonl(some(), path)
    assert path.read_text() == "as it was"
    assert [file.name for file in tmp_path.iterdir()] == ["records.jsonl"]


def test_a_disk_that_takes_no_more_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        formats.write_jsonl([Record(text="a", spans=())], tmp_path / "file" / "records.jsonl")


def test_a_written_file_is_plain_json_lines(tmp_path):
    path = tmp_path / "records.jsonl"
    formats.write_jsonl([Record(text="é", spans=(GoldSpan(0, 1, "x"),))], path)
    assert (
        path.read_text(encoding="utf-8")
        == '{"text": "é", "spans": [[0, 1, "x"]], "task": "entities"}\n'
    )


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"Parquet .*spanwise\[train\]"):
        formats.read_parquet(tmp_path / "a.parquet")
    with pytest.raises(MissingExtraError):
        formats.write_parquet([], tmp_path / "a.parquet")


def test_parquet_of_another_kind_is_named(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(DataError, match=r"a\.parquet: cannot be read"):
        formats.read_parquet(path)
    parquet.write_table(pyarrow.table({"text": ["a"], "ner": [[1]]}), path)
    with pytest.raises(DataError, match=r"a\.parquet: row 0: unknown key 'ner'"):
        formats.read_parquet(path)
    spans = [[{"end": 1, "start": 0, "label": "x"}]]  # fields in another order
    parquet.write_table(pyarrow.table({"text": ["a"], "spans": spans}), path)
    assert formats.read_parquet(path).records[0].spans == (GoldSpan(0, 1, "x"),)


def test_a_json_array_is_read_like_lines(tmp_path):
    path = tmp_path / "records.json"
    path.write_text(json.dumps([line(), line(id="b")], indent=1))
    assert len(formats.read(path).records) == 2
    formats.write_jsonl(formats.read(path).records, path)
    assert json.loads(path.read_text())[1]["id"] == "b"
    formats.write_jsonl([], path)
    assert json.loads(path.read_text()) == []
