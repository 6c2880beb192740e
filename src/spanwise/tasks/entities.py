"""Entities and open entities: labels, and perhaps an instruction, to typed spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from spanwise.flow import prompt
from spanwise.flow.decode import check_thresholds
from spanwise.options import Settings
from spanwise.tasks.steps import asked
from spanwise.types import Entity, Label, Query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanwise.config import ModelConfig
    from spanwise.flow.words import Words
    from spanwise.tasks.steps import Steps

Labels: TypeAlias = Sequence[str | Label] | Mapping[str, str]
"""Names, `Label`s, or a mapping from a name to the description that the model reads."""


@dataclass(frozen=True, slots=True)
class Entities:
    """Find what carries one of the labels.

    Attributes:
        labels: what to find.
        near: also give near misses down to this probability, marked as such.

    Raises:
        LabelError: no labels, an empty or repeated one.
        InputError: `near` is no probability.
    """

    labels: Labels
    near: float | None = field(default=None, kw_only=True)
    settings: Settings = field(default_factory=Settings, kw_only=True)

    def __post_init__(self) -> None:
        """Read the labels, whatever form they came in."""
        object.__setattr__(self, "labels", prompt.labels(self.labels))
        if self.near is not None:
            check_thresholds(self.near)

    def steps(self, text: Words, config: ModelConfig) -> Steps[list[Entity]]:  # noqa: ARG002
        """Ask once; the result is in text order."""
        query = Query(tuple(prompt.labels(self.labels)))
        if self.near is None:
            (found,) = yield [(query, self.settings)]
            return found
        low = replace(self.settings, threshold=self.near, policy="min")
        passed, low_ones = yield [(query, self.settings), (query, low)]
        missed = [replace(each, near_miss=True) for each in beside(passed, low_ones)]
        return sorted([*passed, *missed], key=lambda each: (each.start, each.end))


def beside(passed: Sequence[Entity], found: Iterable[Entity]) -> list[Entity]:
    """Return what was found where nothing passed: the near misses, for a lower threshold.

    A span passes if all its probabilities do; scored by the policy "min", what did not pass lies
    below the threshold.
    """
    taken = [(each.start, each.end) for each in passed]
    return [
        each
        for each in found
        if all(each.end <= start or end <= each.start for start, end in taken)
    ]


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
