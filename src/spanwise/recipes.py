"""TOML (or any mapping) -> a pipeline, and what of it is written.

    [[step]]
    name = "people"
    task = "entities"
    labels = ["person", "company"]
    threshold = 0.5

    [[step]]
    name = "founders"
    task = "relations"
    from = "people"
    relations = [{ name = "founded by", pairs = [["company", "person"]], max_distance = 200 }]

    [export]
    form = "rows"

A step's keys are the fields of its task and of `Settings`; `from` names the step it takes its
source from. What cannot run is refused when it is read, with the step and the key.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spanwise import config, options
from spanwise.errors import ConfigError, InputError, did_you_mean
from spanwise.pipeline import Pipeline, Step
from spanwise.tasks import (
    Answers,
    Entities,
    Filter,
    Find,
    KeyPhrases,
    OpenEntities,
    Relations,
    Sentiments,
    Summaries,
)
from spanwise.types import RelationLabel

if TYPE_CHECKING:
    from os import PathLike

TASKS: dict[str, type[Any]] = {
    "entities": Entities,
    "open_entities": OpenEntities,
    "relations": Relations,
    "answers": Answers,
    "summaries": Summaries,
    "find": Find,
    "key_phrases": KeyPhrases,
    "sentiment": Sentiments,
    "filter": Filter,
}
_SETTINGS = tuple(field.name for field in dataclasses.fields(options.Settings))
# Every key with more than one meaning has one type here, whichever task it is given to.
_TYPES: dict[str, Any] = {
    "labels": list[str] | dict[str, str],
    "entities": list[str] | dict[str, str],
    "heads": list[str],
    "tails": list[str],
    "relations": list[Any] | dict[str, str],
    "instruction": str,
    "question": str,
    "near": float,
    "n_sentences": int,
    "share": float,
    "whole_sentences": bool,
    "most": int,
    "aspects": bool | list[str],
    "mentions": bool,
    "entity_threshold": float | dict[str, float],
    "threshold": float | dict[str, float],
    "min_score": float,
    "max_distance": int,
    "overlap": str,
    "multi_label": bool,
    "apart": bool,
    "policy": str,
    "long_text": str,
    "reread": bool,
    "max_labels": int,
    "batch_tokens": int,
    "probabilities": bool,
    "runners_up": bool,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is written of a document.

    Attributes:
        form: "results" adds the steps' results to the record; "rows" gives a flat row for every
            span and relation; "jsonld" a graph of the document.
        steps: names of the steps that are written; all if empty.
    """

    form: Literal["results", "rows", "jsonld"] = "results"
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """A pipeline, and what of its results is written."""

    pipeline: Pipeline
    export: Export


def read(path: str | PathLike[str]) -> Recipe:
    """Return the recipe of a TOML file.

    Raises:
        ConfigError: the file is not there, is no TOML, or describes no pipeline that can run.
    """
    try:
        mapping = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no TOML: {error}"
        raise ConfigError(msg) from error
    return build(mapping, where=str(path))


def build(mapping: Mapping[str, Any], *, where: str = "recipe") -> Recipe:
    """Return the recipe that a mapping describes: `step`, a list of mappings, and `export`.

    Raises:
        ConfigError: see `read`; the message names the step and the key.
    """
    _refuse(mapping, ("step", "export"), where)
    steps = mapping.get("step", ())
    if not isinstance(steps, Sequence) or not all(isinstance(step, Mapping) for step in steps):
        msg = f"{where}: step must be a list of tables; write [[step]] above each"
        raise ConfigError(msg)
    try:
        pipeline = Pipeline([_step(step, f"{where}: step {n}") for n, step in enumerate(steps, 1)])
    except ConfigError as error:
        message = str(error)
        msg = message if message.startswith(where) else f"{where}: {message}"
        raise ConfigError(msg) from None
    export = config.read(Export, mapping.get("export", {}), where=f"{where}: export")
    for name in export.steps:
        if name not in pipeline.steps_by_name:
            names = list(pipeline.steps_by_name)
            msg = (
                f"{where}: export.steps names {name!r}, which is no step"
                f"{did_you_mean(name, names)}; steps: {', '.join(names)}"
            )
            raise ConfigError(msg)
    return Recipe(pipeline, export)


def _step(given: Mapping[str, Any], where: str) -> Step:
    """Return one step from its table."""
    task_name = given.get("task")
    if task_name not in TASKS:
        hint = did_you_mean(str(task_name), TASKS)
        msg = f"{where}: task {task_name!r} is not known{hint}; tasks: {', '.join(TASKS)}"
        raise ConfigError(msg)
    task = TASKS[task_name]
    name = given.get("name", task_name)
    source = given.get("from")
    for key, value in (("name", name), ("from", source)):
        if value is not None and not isinstance(value, str):
            msg = f"{where}: {key} is {value!r}; it must be a string"
            raise ConfigError(msg)
    where = f"{where} ({name})"
    own = [field.name for field in dataclasses.fields(task) if field.name != "settings"]
    settings = () if task is Filter else _SETTINGS
    _refuse(given, ("name", "task", "from", *own, *settings), where)
    values = {
        key: _typed(value, _TYPES[key], f"{where}: {key}")
        for key, value in given.items()
        if key in _TYPES
    }
    if isinstance(values.get("relations"), list):
        values["relations"] = [_relation(each, where) for each in values["relations"]]
    if task is Relations and source is not None:
        values.setdefault("heads", ())
    how = {key: values.pop(key) for key in settings if key in values}
    missing = [
        field.name
        for field in dataclasses.fields(task)
        if field.name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        msg = f"{where}: missing {', '.join(missing)}"
        raise ConfigError(msg)
    try:
        if task is not Filter:
            values["settings"] = options.Settings.of(how)
        return Step(name, task(**values), source=source)
    except InputError as error:
        msg = f"{where}: {error}"
        raise ConfigError(msg) from None


def _relation(given: object, where: str) -> str | RelationLabel:
    """Return a relation from its name or its table."""
    if isinstance(given, str):
        return given
    if not isinstance(given, Mapping):
        msg = f"{where}: relations holds {given!r}; give names or tables such as {{name = 'made'}}"
        raise ConfigError(msg)
    return config.read(RelationLabel, given, where=f"{where}: relations")


def _typed(value: Any, hint: Any, where: str) -> Any:  # noqa: ANN401 (whatever TOML holds)
    """Return the value if it has the type that its key needs."""
    union = isinstance(hint, types.UnionType)
    choices = typing.get_args(hint) if union else (hint,)
    for choice in choices:
        if _is(value, choice):
            return float(value) if choice is float else value
    names = " or ".join(getattr(c, "__name__", str(c)) if c in _PLAIN else str(c) for c in choices)
    msg = f"{where} must be {names}, got {value!r}"
    raise ConfigError(msg)


_PLAIN = (str, int, float, bool)


def _is(value: object, hint: Any) -> bool:  # noqa: ANN401 (a type)
    arguments = typing.get_args(hint)
    if hint is Any:
        return True
    if typing.get_origin(hint) is list:
        return isinstance(value, list) and all(_is(each, arguments[0]) for each in value)
    if typing.get_origin(hint) is dict:
        return isinstance(value, dict) and all(_is(each, arguments[1]) for each in value.values())
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


def _refuse(given: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Raise ConfigError for a key that is not known."""
    for key in given:
        if key not in known:
            msg = f"{where}: unknown key {key!r}{did_you_mean(key, known)}; known: "
            raise ConfigError(msg + ", ".join(known))
