"""Labels come in three forms and are refused with their place."""

import pytest

from spanwise.errors import LabelError
from spanwise.flow import prompt
from spanwise.types import Label


def test_names_descriptions_and_labels_are_alike():
    wanted = (Label("org", "company"), Label("person"))
    assert prompt.labels([Label("org", "company"), "person"]) == wanted
    assert prompt.labels({"org": "company", "person": ""}) == wanted
    assert prompt.labels(iter(["b", "a"])) == (Label("b"), Label("a"))
    assert [label.shown for label in wanted] == ["company", "person"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no labels given"),
        ({}, "no labels given"),
        (["a", " "], "label 1 is ' '"),
        (["a", "b", "a"], "label 'a' is given twice .again at position 2"),
        ("person", r"write \['person'\]"),
        ([None], "label 0 is None"),
        ([1], "label 0 is 1"),
        (None, "labels must be a list"),
        (7, "labels must be a list"),
    ],
)
def test_what_cannot_be_labels_is_refused(given, message):
    with pytest.raises(LabelError, match=message):
        prompt.labels(given)
