"""What can be evaluated: a system reads questions and gives readings, whatever it is inside.

`Question` is all that a system sees of a benchmark's item, `Reading` all that it says about it:
spans with exact offsets where it marks the text, words where it writes freely, and the reason
where its output could not be used. `ExtractorSystem` puts this package's extractor (token-level
and span-level GLiNER alike) behind that protocol; the others live in `evaluate.baselines`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from spanwise.flow.words import Words
from spanwise.options import Settings
from spanwise.types import Label, Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from spanwise.data.records import Task
    from spanwise.types import Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One text and what is asked of it.

    For the task "answers" the instruction is the question; for "relations" each label is
    `head <> relation` and its spans are tails; `head` is then where the head stands, if known.
    `words` are the source's own words, where it came tokenised and they are to be kept; None: the
    system splits the text as it likes.
    """

    text: str
    labels: tuple[str, ...]
    instruction: str = ""
    task: Task = "entities"
    words: tuple[tuple[int, int], ...] | None = None
    head: tuple[int, int] | None = None


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

    One that cannot be asked every task has an attribute `tasks` with those it can, one whose
    answers or summaries want a threshold of their own `answer_threshold` or `summary_threshold`.
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
        self, items: Iterable[tuple[str | Words, Query]], settings: Settings | None = None
    ) -> Iterator[list[Entity]]:
        """Yield the spans of each (text, query), in order."""


class ExtractorSystem:
    """An extractor as a system, with the instruction kept apart from the text."""

    def __init__(
        self,
        extractor: Extracts,
        *,
        name: str,
        choice: Settings | None = None,
        answer_threshold: float | None = None,
        summary_threshold: float | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Wrap the extractor.

        Args:
            extractor: what `spanwise.load` returns, or anything with its `extract`.
            name: as it should stand in tables.
            choice: how spans are chosen (policy, overlap …); its threshold gives way to the
                evaluation's own.
            answer_threshold: the model's own, None for that of all tasks.
            summary_threshold: the model's own, None for the paper's.
            settings: what the run file should say about the model (path, hash, backend).
        """
        self._extractor = extractor
        self._name = name
        self._choice = choice or Settings()
        self.answer_threshold = answer_threshold
        self.summary_threshold = summary_threshold
        self._settings = {
            "kind": "extractor",
            "choice": {**asdict(self._choice), "threshold": None},
            **(settings or {}),
        }

    @property
    def name(self) -> str:
        """Short name, for tables."""
        return self._name

    @property
    def settings(self) -> Mapping[str, Any]:
        """How spans are chosen; model, its hash and the backend, as given."""
        return self._settings

    def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
        """Return the extractor's spans for each question.

        No tail lies on its own head, as in `Extractor.relations`.
        """
        items = ((_text(question), _query(question)) for question in questions)
        found = self._extractor.extract(items, replace(self._choice, threshold=threshold))
        return [
            Reading(spans=tuple(span for span in spans if not _on(span, question.head)))
            for question, spans in zip(questions, found, strict=True)
        ]


def _on(span: Entity, head: tuple[int, int] | None) -> bool:
    return head is not None and span.start < head[1] and head[0] < span.end


def _text(question: Question) -> str | Words:
    """Return the text, with the source's words where they are to be kept."""
    if question.words is None:
        return question.text
    offsets = np.array(question.words, dtype=np.int64).reshape(-1, 2)
    return Words(question.text, offsets[:, 0].copy(), offsets[:, 1].copy())


def _query(question: Question) -> Query:
    labels = tuple(Label(label) for label in question.labels)
    return Query(labels=labels, instruction=question.instruction)
