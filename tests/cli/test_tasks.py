"""The commands of single tasks: what they take, print and refuse."""

import json

import pytest

from spanwise.cli import main, shared

TEXT = "Ada wrote Notes . Babbage built Engine . It was good ."
TABLE = {
    "person": {"Ada": 0.9, "Babbage": 0.8},
    "work": {"Notes": 0.9, "Engine": 0.9},
    "Ada <> made": {"Notes": 0.9},
    "Babbage <> made": {"Engine": 0.7, "Ada": 0.8},
    "answer": {"Ada": 0.8, "Notes": 0.3},
    "summary": {"It was good .": 0.8},
    "key phrase": {"Notes": 0.9, "Engine": 0.8},
    "positive": {"good": 0.9},
    "match": {"Engine": 0.9},
}


@pytest.fixture
def run(scripted, monkeypatch, capsys):
    """Run a command on a model that marks what the table says; return status, output, errors."""
    monkeypatch.setattr(shared, "load_model", lambda arguments: scripted(TABLE))

    def call(*arguments):
        status = main(list(arguments))
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


RELATIONS = ("relations", TEXT, "--labels", "person,work", "-r", "made")


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (("entities", TEXT, "--labels", "person"),
         ["0\t3\t0.9000\tperson\tAda", "18\t25\t0.8000\tperson\tBabbage"]),
        (("entities", TEXT, "--labels", "person", "--reread"), ["0\t3\t0.9000\tperson\tAda"]),
        (("answer", TEXT, "-q", "Who?", "-q", "Why?", "-t", "0.7"),
         ["0\t3\t0.8000\tWho?\tAda", "0\t3\t0.8000\tWhy?\tAda"]),
        (("answer", TEXT, "-q", "Who?", "-t", "0.9"), ["\t\t0.2000\tWho?\t"]),
        (("summarize", TEXT), ["41\t54\t0.8000\tIt was good ."]),
        (("summarize", TEXT, "-n", "1"), ["41\t54\t0.8000\tIt was good ."]),
        (("keyphrases", TEXT, "--most", "1"), ["10\t15\t0.9000\tNotes"]),
        (("sentiment", TEXT), ["48\t52\t0.9000\tpositive\tgood"]),
        (("sentiment", TEXT, "--aspect", "work"), ["48\t52\t0.9000\tpositive\tgood\twork"]),
        (("find", TEXT, "-i", "Find engines:"), ["32\t38\t0.9000\tEngine"]),
        (RELATIONS, ["0\t3\t10\t15\t0.9000\tAda\tmade\tNotes",
                     "18\t25\t0\t3\t0.8000\tBabbage\tmade\tAda",
                     "18\t25\t32\t38\t0.7000\tBabbage\tmade\tEngine"]),
        ((*RELATIONS, "--pair", "person>work", "--max-distance", "7"),
         ["0\t3\t10\t15\t0.9000\tAda\tmade\tNotes",
          "18\t25\t32\t38\t0.7000\tBabbage\tmade\tEngine"]),
        ((*RELATIONS, "--pair", "made=person>work", "-t", "made=0.8"),
         ["0\t3\t10\t15\t0.9000\tAda\tmade\tNotes"]),
        (("relations", TEXT, "--relations", "made", "--head", "Ada"),
         ["0\t3\t10\t15\t0.9000\tAda\tmade\tNotes"]),
    ],
)  # fmt: skip
def test_results_are_lines_with_tabs(run, arguments, lines):
    status, out, _ = run(*arguments)
    assert status == 0
    assert out.rstrip("\n").split("\n") == lines


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (("relations", "--labels", "person", "-r", "made"), "relations"),
        (("answer", "-q", "Who?"), "answers"),
        (("summarize",), "summary"),
        (("keyphrases",), "key_phrases"),
        (("sentiment",), "sentiment"),
        (("find", "-i", "Find engines:"), "matches"),
    ],
)
def test_json_is_the_record_with_the_result(run, tmp_path, arguments, key):
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"id": 7, "text": TEXT}) + "\n", encoding="utf-8")
    status, out, _ = run(*arguments, str(path), "--json")
    assert status == 0
    record = json.loads(out)
    assert list(record) == ["id", "text", key]
    assert record[key]


@pytest.mark.parametrize("colour", ["", "1"])
def test_a_terminal_shows_text_and_no_tabs(run, monkeypatch, colour):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", colour)
    _, out, _ = run(*RELATIONS)
    assert "Ada  --made-->  Notes  0.90" in out
    _, out, _ = run("answer", TEXT, "-q", "Why?", "-t", "0.9")
    assert out == "Why?  ->  no answer  0.20\n"
    _, out, _ = run("find", TEXT, "-i", "Find engines:")
    assert out.startswith("Ada wrote Notes . Babbage built ")
    assert run("summarize", TEXT)[1] == "It was good .\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("relations", TEXT, "-r", "made"), "relations need heads"),
        (("relations", TEXT, "--labels", "person"), "no relations given"),
        ((*RELATIONS, "--pair", "person-work"), "write 'founded by=company>person'"),
        ((*RELATIONS, "--pair", "mad=person>work"), "write 'founded by=company>person'"),
        ((*RELATIONS, "--pair", "persn>work"), "did you mean 'person'"),
        ((*RELATIONS, "--threshold", "mad=0.3"), "not among the labels made"),
        (("answer", TEXT, "-q", " "), "the question is ' '"),
        (("answer", TEXT), "-q/--question"),
        (("summarize", TEXT, "-n", "0"), "n_sentences must be at least 1"),
        (("summarize", TEXT, "-t", "2"), "is not a probability"),
        (("sentiment", TEXT, "--aspects", "--aspect", "a"), "exclude each other"),
        (("keyphrases", TEXT, "--most", "0"), "most must be at least 1"),
        (("find", TEXT, "-i", ""), "the instruction is ''"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence_before_a_model_loads(
    run, monkeypatch, arguments, message
):
    monkeypatch.setattr(shared, "load_model", lambda arguments: pytest.fail("loaded"))
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_entities_give_near_misses_and_take_an_instruction(run):
    labels = ("entities", TEXT, "--labels", "person", "-t", "0.85")
    status, out, _ = run(*labels, "--near", "0.5", "--json")
    assert status == 0
    found = [(e["text"], e.get("near_miss", False)) for e in json.loads(out)["entities"]]
    assert found == [("Ada", False), ("Babbage", True)]
    assert run(*labels, "--instruction", "Extract writers:")[1] == "0\t3\t0.9000\tperson\tAda\n"
    assert "JSON only" in run(*labels, "--near", "0.5")[2]
    both = (*labels, "--near", "0.5", "--json", "--instruction", "Extract writers:")
    assert "exclude each other" in run(*both)[2]


def test_output_is_resumable(run, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"text": TEXT}) + "\n" for _ in range(3)))
    status, out, _ = run("keyphrases", str(source), "-o", str(target))
    assert (status, out) == (0, "")
    assert len(target.read_text().splitlines()) == 3
