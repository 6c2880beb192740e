"""What can be evaluated: a system reads questions and gives readings, whatever it is inside.

`Question` is all that a system sees of a benchmark's item, `Reading` all that it says about it:
spans with exact offsets where it marks the text, words where it writes freely, and the reason
where its output could not be used. `ExtractorSystem` puts this package's extractor (token-level
and span-level GLiNER alike) behind that protocol; the others live in `evaluate.baselines`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from spanwise.types import Label, Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanwise.data.records import Task
    from spanwise.types import Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One text and what is asked of it.

    For the task "answers" the instruction is the question; for "relations" each label is
    `head <> relation` and its spans are tails.
    """

    text: str
    labels: tuple[str, ...]
    instruction: str = ""
    task: Task = "entities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a system made of one question.

    `written` is the answer in the words of a system that writes instead of marking; `spans` are
    then those of its words that stand in the text. `failure` names why output, or part of
    it, could not be used ("" where all could): the item stays in the score with what was left,
    and is counted.
    """

    spans: tuple[Entity, ...] = ()
    written: str | None = None
    failure: str = ""


class System(Protocol):
    """Anything that the benchmarks can be put to.

    One that cannot be asked every task has an attribute `tasks` with those it can.
    """

    @property
    def name(self) -> str:
        """Short name, for tables."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Everything that a run must record to be repeated, as plain JSON values."""

    def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
        """Return one reading for each question, in order."""


class Extracts(Protocol):
    """The one method of `spanwise.Extractor` that is needed here."""

    def extract(
        self, texts: Sequence[str], queries: Sequence[Query], *, threshold: float
    ) -> list[list[Entity]]:
        """Return the spans of each text for its own query, above the threshold."""


class ExtractorSystem:
    """An extractor as a system, with the instruction kept apart from the text."""

    def __init__(
        self, extractor: Extracts, *, name: str, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Wrap the extractor.

        Args:
            extractor: what `spanwise.load` returns, or anything with its `extract`.
            name: as it should stand in tables.
            settings: what the run file should say about it (model, hash, backend).
        """
        self._extractor = extractor
        self._name = name
        self._settings = {"kind": "extractor", **(settings or {})}

    @property
    def name(self) -> str:
        """Short name, for tables."""
        return self._name

    @property
    def settings(self) -> Mapping[str, Any]:
        """Model, its hash and the backend, as given."""
        return self._settings

    def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
        """Return the extractor's spans for each question."""
        texts = [question.text for question in questions]
        queries = [
            Query(
                labels=tuple(Label(label) for label in question.labels),
                instruction=question.instruction,
            )
            for question in questions
        ]
        found = self._extractor.extract(texts, queries, threshold=threshold)
        return [Reading(spans=tuple(spans)) for spans in found]
