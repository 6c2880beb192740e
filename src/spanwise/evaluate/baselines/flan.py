"""Flan-T5: a prompt in, an answer in its own words out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from spanwise.evaluate.baselines import prompts, written

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanwise.evaluate.systems import Question, Reading


class Generator(Protocol):
    """Goes on from prompts; `local.Seq2Seq` is one."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Model and limits, as plain JSON values."""

    def generate(self, prompts: Sequence[str]) -> list[str]:
        """Return what is written for each prompt."""


class FlanSystem:
    """A Flan-T5 checkpoint as a system; the paper puts three tasks to it."""

    tasks: Collection[str] = ("answers", "summary", "relations")

    def __init__(self, generator: Generator, *, name: str) -> None:
        """Ask a generator; the name is as it should stand in tables."""
        self._generator = generator
        self._name = name

    @property
    def name(self) -> str:
        """Short name, for tables."""
        return self._name

    @property
    def settings(self) -> Mapping[str, Any]:
        """Model and limits."""
        return {"kind": "flan", **self._generator.settings}

    def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
        """Return what was written for each question; a generator has no scores to cut by."""
        del threshold
        outputs = self._generator.generate([prompts.flan(question) for question in questions])
        return [
            written.read(question, output)
            for question, output in zip(questions, outputs, strict=True)
        ]
