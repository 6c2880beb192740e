"""`spanwise extract` reads texts, files, pipes and JSON lines, and writes what it found."""

import io
import json
import sys

import pytest

from spanwise.cli import main
from spanwise.errors import MissingFileError

LABELS = ["--labels", "person,city"]
NAMES = ["person", "city"]


@pytest.fixture
def extract(model_folder, capsys):
    """Run `spanwise extract` on the tiny model and return status, stdout and stderr."""

    def run(*arguments):
        model = ["--model", str(model_folder), "--backend", "pytorch"]
        status = main(["extract", *map(str, arguments), *model])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


@pytest.fixture
def piped(monkeypatch):
    """Return a function that puts bytes on standard input."""

    def put(content):
        stdin = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", stdin)

    return put


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that makes standard output a terminal."""

    def make(*, colour):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "" if colour else "1")

    return make


def expected(extractor, text, **options):
    return [
        (e.start, e.end, f"{e.score:.4f}", e.label)
        for e in extractor.entities(text, NAMES, **options)
    ]


def rows(out):
    cells = [line.split("\t") for line in out.splitlines()]
    return [(int(c[0]), int(c[1]), c[2], c[3]) for c in cells]


def objects(out):
    return [json.loads(line) for line in out.splitlines()]


def test_a_text_gives_a_line_per_entity(extract, extractor, text):
    status, out, err = extract(text, *LABELS)
    assert status == 0
    assert err == ""
    assert rows(out) == expected(extractor, text)
    assert all(
        line.split("\t")[4] == text[slice(*map(int, line.split("\t")[:2]))]
        for line in out.splitlines()
    )


def test_a_file_keeps_its_offsets_whatever_its_line_ends(extract, extractor, tmp_path):
    content = "Ada Lovelace\r\nmet Charles\rBabbage in London.\n" * 8
    path = tmp_path / "crlf.txt"
    path.write_bytes(content.encode())
    status, out, _ = extract(path, *LABELS, "--json")
    (found,) = objects(out)
    assert status == 0
    assert found["file"] == str(path)
    assert found["entities"]
    assert all(content[e["start"] : e["end"]] == e["text"] for e in found["entities"])


def test_a_byte_order_mark_is_no_text(extract, tmp_path, text):
    path = tmp_path / "bom.txt"
    path.write_text(text, encoding="utf-8-sig")
    assert extract(path, *LABELS)[1] == extract(text, *LABELS)[1]


def test_standard_input_is_read_with_a_dash_or_without_inputs(extract, piped, text):
    by_argument = extract(text, *LABELS)
    piped(text.encode())
    assert extract("-", *LABELS) == by_argument
    piped(text.encode())
    assert extract(*LABELS) == by_argument


def test_lines_are_texts_of_their_own(extract, piped, text):
    piped(f"{text}\r\n\n{text}".encode())
    status, out, _ = extract("-", "--lines", "--json", *LABELS)
    found = objects(out)
    assert status == 0
    assert [each["text"] for each in found] == [text, "", text]
    assert found[0] == found[2]
    assert found[1]["entities"] == []


def test_many_texts_are_numbered(extract, text):
    out = extract(text, "Ada", text, *LABELS)[1]
    assert {line.split("\t")[0] for line in out.splitlines()} >= {"0", "2"}


def test_json_lines_keep_their_fields(extract, tmp_path, text):
    path = tmp_path / "in.jsonl"
    records = [{"id": 7, "body": text, "x": {"y": 1}}, {"id": "é", "body": "Ada met Charles"}]
    path.write_text("".join(json.dumps(r) + "\n" for r in records) + "\n", encoding="utf-8")
    status, out, _ = extract(path, "--text-field", "body", "--json", *LABELS)
    found = objects(out)
    assert status == 0
    assert [{k: v for k, v in each.items() if k != "entities"} for each in found] == records
    assert found[0]["entities"]


def test_pre_tokenised_records_are_joined_by_spaces(extract, tmp_path):
    words = ["Ada", "Lovelace", "met", "Charles", "in", "London", "."]
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"text": words}) + "\n", encoding="utf-8")
    (found,) = objects(extract(path, "--json", *LABELS)[1])
    joined = " ".join(words)
    assert found["entities"]
    assert all(joined[e["start"] : e["end"]] == e["text"] for e in found["entities"])


def test_labels_come_with_commas_one_by_one_or_described(extract, text):
    listed = objects(extract(text, "--labels", "person, city", "--json")[1])
    single = objects(extract(text, "-l", "person", "-l", "city", "--json")[1])
    described = objects(extract(text, "-l", "who=person", "-l", "where=city", "--json")[1])
    assert listed == single == objects(extract(text, "-l", "person,city", "--json")[1])
    assert [e["start"] for e in described[0]["entities"]] == [
        e["start"] for e in listed[0]["entities"]
    ]
    assert {e["label"] for e in described[0]["entities"]} <= {"who", "where"}


def test_thresholds_are_common_or_per_label(extract, extractor, text):
    assert rows(extract(text, *LABELS, "-t", "0.7")[1]) == expected(extractor, text, threshold=0.7)
    both = {"person": 0.9, "city": 0.2}
    out = extract(text, *LABELS, "-t", "0.2", "-t", "person=0.9")[1]
    assert rows(out) == expected(extractor, text, threshold=both)


def test_options_reach_the_decoder(extract, extractor, text):
    out = extract(text, *LABELS, "--overlap", "nested", "--multi-label", "--policy", "min")[1]
    wanted = expected(extractor, text, overlap="nested", multi_label=True, policy="min")
    assert rows(out) == wanted
    (found,) = objects(extract(text, *LABELS, "--json", "--probabilities")[1])
    assert set(found["entities"][0]["probabilities"]) == set(NAMES)


def test_in_a_terminal_the_text_is_shown_with_its_entities_marked(extract, terminal, text):
    terminal(colour=True)
    out = extract(text, *LABELS)[1]
    assert "\x1b[1;36m" in out
    terminal(colour=False)
    out = extract(text, *LABELS)[1]
    assert "\x1b" not in out
    plain = out.replace("[", "").rstrip("\n")
    for name in ("](person)", "](city)"):
        plain = plain.replace(name, "")
    assert plain == text


def test_an_output_file_is_whole_and_complete(extract, tmp_path, text):
    path = tmp_path / "deep" / "out.jsonl"
    status, out, _ = extract(text, "Ada", *LABELS, "-o", path)
    assert (status, out) == (0, "")
    assert [each["text"] for each in objects(path.read_text("utf-8"))] == [text, "Ada"]
    assert [p.name for p in path.parent.iterdir()] == ["out.jsonl"]


def test_an_interrupted_run_goes_on_where_it_stopped(extract, tmp_path, text, monkeypatch):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    texts = [text[: 10 + n] for n in range(40)]
    source.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts), encoding="utf-8")
    whole = tmp_path / "whole.jsonl"
    assert extract(source, *LABELS, "-o", whole)[0] == 0

    from spanwise.cli import output

    write = output.Lines.write
    n_written = 0

    def until_the_25th(self, line):
        nonlocal n_written
        n_written += 1
        if n_written > 25:
            self._file.write(b'{"cut sho')
            raise KeyboardInterrupt
        write(self, line)

    monkeypatch.setattr(output.Lines, "write", until_the_25th)
    assert extract(source, *LABELS, "-o", target)[0] == 130
    assert not target.exists()
    assert len(list(tmp_path.glob(".out.jsonl.*.partial"))) == 1

    n_written = 0

    def counted(self, line):
        nonlocal n_written
        n_written += 1
        write(self, line)

    monkeypatch.setattr(output.Lines, "write", counted)
    assert extract(source, *LABELS, "-t", "0.99", "-o", target)[0] == 0
    assert n_written == 40  # another recipe begins anew
    n_written = 0
    assert extract(source, *LABELS, "-o", target)[0] == 0
    assert n_written == 15
    ours, wanted = objects(target.read_text("utf-8")), objects(whole.read_text("utf-8"))
    assert [each["text"] for each in ours] == texts
    assert [[e["start"] for e in each["entities"]] for each in ours] == [
        [e["start"] for e in each["entities"]] for each in wanted
    ]
    assert list(tmp_path.glob(".out.jsonl.*")) == []


def test_memory_does_not_grow_with_the_input(tmp_path, extractor):
    """The stream is read block by block: never further ahead than the extractor's block."""
    from spanwise.cli import documents, work

    n_read = 0

    def stream():
        nonlocal n_read
        for _ in range(3000):
            n_read += 1
            yield documents.Document("Ada met Charles", {})

    pairs = work.pairs(extractor, stream(), lambda x, texts: x.entities(texts, NAMES))
    next(pairs)
    assert n_read < 1500


def test_truncation_is_reported(extract, text):
    status, _, err = extract(text * 20, *LABELS, "--long-text", "truncate")
    assert status == 0
    assert "1 texts were not read to their end" in err


def test_a_long_text_can_be_refused(extract, text):
    status, _, err = extract(text * 20, *LABELS, "--long-text", "error")
    assert status == 2
    assert "long_text='windows'" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["text"], "no labels given"),
        (["text", "--labels", "a,a"], "given twice"),
        (["text", "--labels", "a,,b"], "non-empty"),
        (["missing.txt", "--labels", "a"], "missing.txt does not exist"),
        (["text", "--labels", "a", "-t", "2"], "2.0 is not a probability"),
        (["text", "--labels", "a", "-t", "x"], "'x' is no number"),
        (["text", "--labels", "a", "-t", "b=0.1"], "'b' is not among the labels a"),
        (["text", "--labels", "a", "--jsonl"], "is no file"),
        (["text", "--labels", "a", "--jsonl", "--lines"], "exclude each other"),
        (["text", "--labels", "a", "--runners-up"], "--runners-up is shown in JSON only"),
        (["text", "--labels", "a", "--max-labels", "0"], "max_labels must be at least 1"),
    ],
)
def test_wrong_calls_say_what_is_wrong(extract, arguments, message):
    status, out, err = extract(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"text": 1}\n', ":1: field 'text' must be a string"),
        (b'\n{"body": "x"}\n', ":2 has no field 'text' (it has body)"),
        (b"[1]\n", ":1 has no field 'text' (it is no object)"),
        (b'{"text": \n', ":1 is no JSON"),
        (b'{"text": "\xff"}\n', "is no UTF-8"),
    ],
)
def test_bad_records_are_named_by_file_and_line(extract, tmp_path, content, message):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    status, _, err = extract(path, *LABELS)
    assert status == 2
    assert f"bad.jsonl{message}" in err or (f"bad.jsonl {message}" in err)


def test_a_folder_and_a_place_that_cannot_be_written_are_refused(extract, tmp_path):
    assert "is a folder" in extract(tmp_path, *LABELS)[2]
    assert "is a folder" in extract("text", *LABELS, "-o", tmp_path)[2]
    (tmp_path / "file").write_text("x")
    assert "cannot be written" in extract("text", *LABELS, "-o", tmp_path / "file" / "out")[2]


def test_a_copy_without_a_model_says_so(monkeypatch, capsys):
    from spanwise import loading

    def missing():
        raise MissingFileError("holds no embedded model")

    monkeypatch.setattr(loading, "embedded", missing)
    assert main(["extract", "Ada met Charles Babbage in London.", *LABELS]) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert "holds no embedded model" in shown.err
