"""The frozen data of the domain.

What a user asks (`Label`, `Query`) and what a user gets (`Span`, `Entity`, `Relation`, `Answer`,
…). Offsets are characters of the user's own text, 0-based and half-open, everywhere, so
`text[x.start:x.end] == x.text` for every result `x`. Scores are probabilities in 0..1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Label:
    """A label as the user names it, and the text that stands for it in the prompt.

    `Label("org")` is read by the model as "org"; `Label("org", "company or public body")` is
    read as the description and reported as "org".
    """

    name: str
    prompt: str = ""

    @property
    def shown(self) -> str:
        """The text that the model reads."""
        return self.prompt or self.name


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a text: labels, and an instruction that is never part of the text.

    The instruction (a question, a prompt) is read ahead of the text; no span lies in it and no
    offset counts it.
    """

    labels: tuple[Label, ...]
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: `text[start:end]`, with the model's score and, if typed, its label."""

    text: str
    start: int
    end: int
    score: float = 1.0
    label: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dictionary."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Entity:
    """A span with a label.

    `probabilities` maps every label asked to its score for this very span and `runners_up` are
    the labels that passed the threshold here and lost; both only where they were asked for.
    """

    text: str
    label: str
    start: int
    end: int
    score: float
    probabilities: dict[str, float] | None = field(default=None, compare=False)
    runners_up: tuple[tuple[str, float], ...] = field(default=(), compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary; optional fields only where they hold something."""
        plain: dict[str, Any] = {
            "text": self.text,
            "label": self.label,
            "start": self.start,
            "end": self.end,
            "score": self.score,
        }
        if self.probabilities is not None:
            plain["probabilities"] = dict(self.probabilities)
        if self.runners_up:
            plain["runners_up"] = [list(pair) for pair in self.runners_up]
        return plain


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed relation between two spans of one text, `head --relation--> tail`."""

    head: Span
    relation: str
    tail: Span
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary, the ends as dictionaries of their own."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """The best answer to a question, or the decision that the text holds none.

    `answer` is None where no span passed the threshold; `score` is then the probability of
    having no answer (one minus the best span's score). `alternatives` are the other candidates
    by falling score.
    """

    question: str
    answer: Span | None
    score: float
    alternatives: tuple[Span, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary, spans as dictionaries of their own."""
        return asdict(self)
