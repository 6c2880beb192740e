"""docs/tasks.md runs as it is written, and what it shows exists."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from spanwise import cli, recipes
from spanwise.extractor import Extractor

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
EMBEDDED = ROOT / "models" / "small" / "spanwise.json"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run():
    namespace = {"__name__": "tasks"}
    for block in blocks("python"):
        exec(compile(block, "docs/tasks.md", "exec"), namespace)
    return namespace


@pytest.mark.skipif(not EMBEDDED.exists(), reason="models/ holds no embedded model yet")
def test_the_examples_run_with_the_embedded_model_and_give_sensible_output():
    found = run()
    entities = {(e.text, e.label) for e in found["found"]["entities"]}
    assert ("Microsoft", "company") in entities
    assert {("Bill Gates", "person"), ("Paul Allen", "person")} <= entities
    assert found["answer"].answer.text in {"Bill Gates and Paul Allen", "Bill Gates", "Paul Allen"}
    tails = {each.tail.text for each in found["given"] if each.head.text == "Microsoft"}
    assert tails & {"Bill Gates", "Paul Allen"}
    assert found["phrases"]
    assert found["opinions"]


def test_the_examples_run_with_any_model(make_extractor, monkeypatch, capsys):
    import spanwise

    made = make_extractor("deberta-v2", max_words=400, max_labels=30)
    monkeypatch.setattr(spanwise, "load", lambda: made, raising=False)
    run()


def test_the_recipe_is_one():
    (block,) = re.findall(r"<!-- recipe -->\n```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    recipe = recipes.build(tomllib.loads(block))
    assert list(recipe.pipeline.steps_by_name) == ["entities", "work", "sure"]


def test_the_commands_are_commands():
    import importlib

    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) > 7
    for line in lines:
        _, name, *arguments = shlex.split(line)
        module = importlib.import_module(f"spanwise.cli.{cli.COMMANDS[name][0]}")
        parser = cli.Parser(prog=name)
        parser.set_defaults(command=name)
        module.configure(parser)
        parser.parse_args(arguments)


def test_every_method_and_key_is_on_the_page():
    methods = {name for name in vars(Extractor) if not name.startswith("_")}
    assert not {
        name for name in methods - {"backend", "config", "extract"} if f"`{name}" not in PAGE
    }
    assert not {name for name in recipes.TASKS if f"| `{name}` |" not in PAGE}
