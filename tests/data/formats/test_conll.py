import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.data import GoldSpan, Record, formats
from spanwise.errors import DataError

BIO = "Ada B-PER\nLovelace I-PER\nand O\nBo B-PER\nCy B-PER\n"
IOB1 = "Ada I-PER\nLovelace I-PER\nand O\nBo I-PER\nCy B-PER\n"
BIOES = "Ada B-PER\nLovelace E-PER\nand O\nBo S-PER\nCy S-PER\n"
BILOU = BIOES.replace("E-", "L-").replace("S-", "U-")
PEOPLE = [("Ada Lovelace", "PER"), ("Bo", "PER"), ("Cy", "PER")]


@pytest.fixture
def read(tmp_path):
    def from_text(text):
        path = tmp_path / "dev.conll"
        path.write_bytes(text.encode())
        return formats.read(path)

    return from_text


@pytest.mark.parametrize("text", [BIO, IOB1, BIOES, BILOU])
def test_every_scheme_is_read(read, surfaces, text):
    (record,), report = read(text)
    assert record.text == "Ada Lovelace and Bo Cy"
    assert surfaces(record) == PEOPLE
    assert report.findings == ()


def test_only_the_first_and_last_columns_count_and_sentences_end_at_empty_lines(read, surfaces):
    text = (
        "-DOCSTART- -X- O O\r\n\r\n# id = s1\r\nIn IN O\r\nRome NN B-LOC\r\n\r\n\r\n"
        "#\tNN\tO\r\nnew york\tNN\tB-city of dreams\r\n"
    )
    (first, second), _ = read(text)
    assert (first.id, surfaces(first)) == ("s1", [("Rome", "LOC")])
    assert second.text == "# new york"
    assert surfaces(second) == [("new york", "city of dreams")]
    assert first.labels == second.labels == ("LOC", "city of dreams")
    assert second.id.endswith("dev.conll:8")


def test_a_tag_that_goes_on_with_nothing_is_read_as_a_beginning_and_reported(read, surfaces):
    (record,), report = read("Ada B-PER\nleft O\nNew I-LOC\nYork I-LOC\n")
    assert surfaces(record) == [("Ada", "PER"), ("New York", "LOC")]
    assert [finding.what for finding in report.findings] == ["'New' I-LOC"]
    (record,), report = read("Ada B-PER\nYork I-LOC\n")
    assert surfaces(record) == [("Ada", "PER"), ("York", "LOC")]
    assert len(report.findings) == 1


@pytest.mark.parametrize("line", ["Rome", "Rome X-LOC", "Rome B-", "Rome o"])
def test_a_line_without_a_tag_is_named(read, line):
    with pytest.raises(DataError, match=r"dev\.conll:2: '.*' has no tag"):
        read(f"In O\n{line}\n")


@pytest.mark.parametrize("text", ["", "\n\n", "# id = 1\n"])
def test_a_file_of_no_sentence_is_no_set(read, text):
    with pytest.raises(DataError, match="holds no records"):
        read(text)


def test_text_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "a.conll").write_bytes(b"caf\xe9 O\n")
    with pytest.raises(DataError, match=r"a\.conll: not UTF-8 at byte 3"):
        formats.read_conll(tmp_path / "a.conll")


@pytest.mark.parametrize(("scheme", "text"), [("bio", BIO), ("iob1", IOB1), ("bioes", BIOES)])
def test_every_scheme_is_written(tmp_path, read, scheme, text):
    record = Record(text=read(text).records[0].text, spans=read(text).records[0].spans)
    formats.write_conll([record], tmp_path / "out.conll", scheme=scheme)
    assert (tmp_path / "out.conll").read_text() == text.replace(" ", "\t") + "\n"


@st.composite
def flat_records(draw):
    """Records of one-letter words with labelled runs of them, some adjoining."""
    marks = draw(st.lists(st.tuples(st.sampled_from("OXY"), st.integers(1, 3)), min_size=1))
    spans, at = [], 0
    for label, size in marks:
        if label != "O":
            spans.append(GoldSpan(at * 2, (at + size) * 2 - 1, label))
        at += size
    return Record(text=" ".join("a" * at), spans=tuple(spans), id="r")


@pytest.mark.parametrize("scheme", ["bio", "iob1", "bioes"])
@given(written=flat_records())
def test_flat_spans_survive_every_scheme(tmp_path_factory, scheme, written):
    path = tmp_path_factory.mktemp("conll") / "out.conll"
    report = formats.write_conll([written], path, scheme=scheme)
    (read,), read_report = formats.read(path)
    assert (read.text, read.spans, read.id) == (written.text, written.spans, written.id)
    assert report.findings == ()
    assert scheme == "iob1" or read_report.findings == ()


def test_what_a_column_cannot_hold_is_reported(tmp_path):
    record = Record(
        text="New York City",
        spans=(GoldSpan(0, 8, "state"), GoldSpan(0, 13, "city"), GoldSpan(9, 13, "kind")),
        instruction="Where?",
        id="r",
    )
    report = formats.write_conll([record], tmp_path / "out.conll")
    assert report.counts() == {
        ("dropped", "the span overlaps a longer one, and a word has one tag"): 2,
        ("dropped", "CoNLL has no place for an instruction"): 1,
    }
    assert report.n_spans == 1
    assert "B-city" in (tmp_path / "out.conll").read_text()


def test_an_unknown_scheme_is_refused(tmp_path):
    with pytest.raises(DataError, match="scheme='bilou'"):
        formats.write_conll([], tmp_path / "out.conll", scheme="bilou")
