"""Entities and open entities: labels, and perhaps an instruction, to typed spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from spanwise.flow import prompt
from spanwise.options import Settings
from spanwise.tasks.steps import asked
from spanwise.types import Entity, Label, Query

if TYPE_CHECKING:
    from spanwise.config import ModelConfig
    from spanwise.flow.words import Words
    from spanwise.tasks.steps import Steps

Labels: TypeAlias = Sequence[str | Label] | Mapping[str, str]
"""Names, `Label`s, or a mapping from a name to the description that the model reads."""


@dataclass(frozen=True, slots=True)
class Entities:
    """Find what carries one of the labels.

    Raises:
        LabelError: no labels, an empty or repeated one.
    """

    labels: Labels
    settings: Settings = field(default_factory=Settings, kw_only=True)

    def __post_init__(self) -> None:
        """Read the labels, whatever form they came in."""
        object.__setattr__(self, "labels", prompt.labels(self.labels))

    def steps(self, text: Words, config: ModelConfig) -> Steps[list[Entity]]:  # noqa: ARG002
        """Ask once; the result is in text order."""
        found = yield [(Query(tuple(prompt.labels(self.labels))), self.settings)]
        return found[0]


@dataclass(frozen=True, slots=True)
class OpenEntities:
    """Find what the instruction asks for, typed by the labels.

    Raises:
        LabelError: no labels, an empty or repeated one.
        InputError: an empty instruction.
    """

    labels: Labels
    instruction: str
    settings: Settings = field(default_factory=Settings, kw_only=True)

    def __post_init__(self) -> None:
        """Read the labels, whatever form they came in, and check the instruction."""
        object.__setattr__(self, "labels", prompt.labels(self.labels))
        asked(self.instruction, "instruction")

    def steps(self, text: Words, config: ModelConfig) -> Steps[list[Entity]]:  # noqa: ARG002
        """Ask once; the result is in text order."""
        query = Query(tuple(prompt.labels(self.labels)), self.instruction)
        found = yield [(query, self.settings)]
        return found[0]
