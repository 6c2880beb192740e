"""Settings are read strictly, and every complaint names its place."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from spanwise.config import ModelConfig, plain, read
from spanwise.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outer:
    name: str
    kind: Literal["a", "b"] = "a"
    limit: int | None = None
    on: bool = False
    inner: Inner = field(default_factory=Inner)
    weights: dict[str, float] = field(default_factory=dict)
    free: Any = None


def test_nested_settings_come_back_from_plain_ones():
    stored = {
        "name": "x",
        "kind": "b",
        "limit": 3,
        "on": True,
        "inner": {"rate": 1, "steps": [1, 2]},
        "weights": {"p": 1},
        "free": [object],
    }
    made = read(Outer, stored)
    assert made.inner == Inner(rate=1.0, steps=(1, 2))
    assert isinstance(made.inner.rate, float)
    assert read(Outer, plain(made)) == made
    assert read(Outer, {"name": "x", "limit": None}).limit is None


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({}, "Outer: missing name"),
        ({"name": 1}, r"Outer\.name must be of type str, got 1 \(int\)"),
        ({"nane": "x"}, "unknown key 'nane' .did you mean 'name'"),
        ({"name": "x", "kind": "c"}, r"Outer\.kind must be one of 'a', 'b', got 'c'"),
        ({"name": "x", "limit": True}, r"Outer\.limit must be of type int, got True"),
        ({"name": "x", "limit": "3"}, r"Outer\.limit must be of type int"),
        ({"name": "x", "on": 1}, r"Outer\.on must be of type bool"),
        ({"name": "x", "inner": {"rate": True}}, r"Outer\.inner\.rate must be of type float"),
        ({"name": "x", "inner": {"steps": [1, "2"]}}, r"Outer\.inner\.steps\[1\] must be"),
        ({"name": "x", "inner": 3}, r"Outer\.inner must be of type Inner"),
        ({"name": "x", "weights": {"p": "q"}}, r"Outer\.weights\.p must be of type float"),
        ({"name": "x", "weights": []}, r"Outer\.weights must be of type dict"),
    ],
)
def test_what_does_not_fit_names_its_place(stored, message):
    with pytest.raises(ConfigError, match=message):
        read(Outer, stored)


def test_the_file_is_named_where_it_is_known():
    with pytest.raises(ConfigError, match=r"^x\.json: hidden_size must be at least 1, got 0"):
        read(ModelConfig, {"encoder": {}, "hidden_size": 0}, where="x.json")


def test_only_dataclasses_can_be_read():
    with pytest.raises(TypeError, match="is no dataclass"):
        read(int, {})
