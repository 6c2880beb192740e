import pytest

from spanwise.data import read
from spanwise.errors import DataError


def test_an_unknown_format_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(DataError, match="did you mean 'conll'"):
        read(tmp_path, format="conl")


def test_a_format_asked_for_is_the_one_read(write_lines):
    row = {"text": "Ada", "spans": [[0, 3, "person"]]}
    path = write_lines("a.jsonl", row)
    assert read(path, format="offsets").records[0].task == "entities"
    with pytest.raises(DataError, match="unknown key 'text'"):
        read(path, format="gliner")


def test_an_empty_or_missing_file_is_named(write_lines, tmp_path):
    with pytest.raises(DataError, match=r"a\.json: holds no records"):
        read(write_lines("a.json", "[]"))
    with pytest.raises(DataError, match=r"absent\.jsonl: cannot be read"):
        read(tmp_path / "absent.jsonl")


@pytest.mark.parametrize("labels", [["person"], [[0, 3, "person"]]])
def test_labels_that_are_spans_are_told_from_labels_that_are_names(write_lines, labels):
    path = write_lines("a.jsonl", {"text": "Ada", "labels": labels})
    (record,), _ = read(path)
    assert (record.labels, len(record.spans)) in [(("person",), 0), (None, 1)]
    assert (len(record.spans) == 1) == isinstance(labels[0], list)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"text": "Ada", "spans": [[0, 3, "x"]]}\n'),
        ("a.json", '[{"tokenized_text": ["Ada"], "ner": [[0, 0, "x"]]}]'),
        ("a.conll", "Ada B-x\n"),
    ],
)
def test_a_mark_of_byte_order_is_no_part_of_the_text(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8-sig")
    (record,), _ = read(tmp_path / name)
    assert record.text == "Ada"
