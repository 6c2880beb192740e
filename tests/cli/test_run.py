"""`spanwise run`: a recipe over records, resumable, with an error for each record that fails."""

import json

import pytest

from spanwise.cli import main, shared

RECIPE = """
[[step]]
name = "people"
task = "entities"
labels = ["person"]

[[step]]
name = "made"
task = "relations"
from = "people"
relations = ["made"]
"""
TABLE = {"person": {"Ada": 0.9}, "Ada <> made": {"Notes": 0.9}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def run(scripted, monkeypatch, capsys, folder):
    extractor = scripted(TABLE, max_words=20)
    monkeypatch.setattr(shared, "load_model", lambda arguments: extractor)

    def call(*more, recipe=RECIPE):
        (folder / "recipe.toml").write_text(recipe)
        paths = [folder / name for name in ("recipe.toml", "in.jsonl", "out.jsonl")]
        status = main(["run", *map(str, paths), "--quiet", *more])
        return status, capsys.readouterr().err

    call.backend = extractor.backend
    return call


def put(folder, *lines):
    (folder / "in.jsonl").write_text("".join(f"{line}\n" for line in lines))


def got(folder):
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def record(number, text="Ada made Notes"):
    return json.dumps({"id": f"r{number}", "text": text})


def test_records_go_out_with_their_results(run, folder):
    put(folder, record(1), record(2, "nothing"), '{"id": 3, "text": ["Ada", "slept"]}')
    assert run() == (0, "")
    first, second, third = got(folder)
    assert first["id"] == "r1"
    assert first["results"]["made"][0]["tail"]["text"] == "Notes"
    assert second["results"] == {"people": [], "made": []}
    assert third["results"]["people"][0]["end"] == 3


@pytest.mark.parametrize(("form", "key"), [("rows", "rows"), ("jsonld", "graph")])
def test_exports_have_other_forms(run, folder, form, key):
    put(folder, record(1))
    assert run(recipe=f'{RECIPE}\n[export]\nform = "{form}"\nsteps = ["made"]')[0] == 0
    (line,) = got(folder)
    assert list(line) == ["id", "text", key]
    assert "Notes" in json.dumps(line[key])


def test_a_failed_record_is_an_error_with_its_id_and_the_rest_goes_on(run, folder):
    long = "Ada " * 30
    put(folder, record(1), "{broken", record(3, long), '{"id": "b"}', "", record(5))
    recipe = RECIPE.replace('labels = ["person"]', 'labels = ["person"]\nlong_text = "error"')
    status, err = run(recipe=recipe)
    assert status == 1
    assert "3 records failed" in err
    lines = got(folder)
    assert [line.get("error", {}).get("id") for line in lines] == [None, 2, "r3", "b", None]
    assert lines[3]["id"] == "b"
    assert lines[2]["error"]["type"] == "TextTooLongError"
    assert lines[4]["results"]["people"]


def test_an_interrupted_run_goes_on_where_it_stopped(run, folder, monkeypatch):
    from spanwise.cli import run as module

    monkeypatch.setattr(module, "_AT_ONCE", 2)
    put(folder, "{broken", *(record(i, f"Ada made Notes {i}") for i in range(6)))
    score, n_calls = run.backend.score, 0

    def stop(batch):
        nonlocal n_calls
        n_calls += 1
        if n_calls > 3:
            raise KeyboardInterrupt
        return score(batch)

    monkeypatch.setattr(run.backend, "score", stop)
    assert run()[0] == 130
    assert not (folder / "out.jsonl").exists()
    monkeypatch.setattr(run.backend, "score", score)
    run.backend.passes.clear()
    assert run()[0] == 1
    assert len(got(folder)) == 7
    words = {word for _, words in run.backend.passes for word in words}
    assert "0" not in words
    assert "5" in words


def test_a_recipe_that_cannot_run_is_known_before_a_model_loads(run, folder, monkeypatch):
    monkeypatch.setattr(shared, "load_model", lambda arguments: pytest.fail("loaded"))
    put(folder, record(1))
    status, err = run(recipe=RECIPE.replace('"people"\nrelations', '"peple"\nrelations'))
    assert status == 2
    assert "did you mean 'people'" in err
    (folder / "in.jsonl").unlink()
    assert "does not exist" in run()[1]
