"""The drawing in the docstring of `spanwise.errors` is the tree."""

import inspect
import re

import pytest

from spanwise import errors

BRANCH = re.compile(r"^(?P<indent>[\s│]*)[├└]── (?P<name>\w+)\s{2,}\S")


def drawn() -> dict[str, str]:
    """Return child -> parent, read off the drawing."""
    lines = inspect.getdoc(errors).splitlines()
    root = next(line.strip() for line in lines if line.strip() == "SpanwiseError")
    parents: dict[str, str] = {}
    path = [root]
    for match in filter(None, map(BRANCH.match, lines)):
        depth = len(match["indent"]) // 4
        path[depth:] = [match["name"]]
        parents[match["name"]] = path[depth - 1] if depth else root
    return parents


def real() -> dict[str, str]:
    """Return child -> parent, read off the classes."""
    return {
        name: next(
            base.__name__ for base in cls.__bases__ if issubclass(base, errors.SpanwiseError)
        )
        for name, cls in vars(errors).items()
        if inspect.isclass(cls)
        and issubclass(cls, errors.SpanwiseError)
        and cls is not errors.SpanwiseError
    }


def test_the_drawing_is_the_tree():
    assert drawn() == real()


@pytest.mark.parametrize("name", sorted(real()))
def test_every_error_can_be_caught_at_the_root_and_shows_its_message(name):
    cls = getattr(errors, name)
    error = cls("Training", "train") if cls is errors.MissingExtraError else cls("what, where")
    assert isinstance(error, errors.SpanwiseError)
    assert "what, where" in str(error) or "pip install 'spanwise[train]'" in str(error)


def test_a_missing_extra_says_the_command_that_installs_it():
    assert str(errors.MissingExtraError("Training", "train")) == (
        "Training needs more packages: pip install 'spanwise[train]'"
    )


def test_a_misspelt_word_gets_its_neighbour_and_a_strange_one_gets_nothing():
    assert errors.did_you_mean("treshold", ["threshold", "labels"]) == (
        " (did you mean 'threshold'?)"
    )
    assert errors.did_you_mean("xyz", ["threshold", "labels"]) == ""
