"""The frozen data of the domain.

What a user asks (`Label`, `RelationLabel`, `Query`) and what a user gets (`Span`, `Entity`,
`Relation`, `Answer`, `Summary`, `Sentiment`). Offsets are characters of the user's own text,
0-based and half-open, everywhere: `text[x.start:x.end] == x.text` for every result `x`. Scores are
probabilities in 0..1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from spanwise.errors import InputError, LabelError, did_you_mean

Direction = Literal["any", "forward", "backward"]


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
class RelationLabel:
    """A relation as the user names it, and between what it may hold.

    Attributes:
        name: as it is reported.
        prompt: what the model reads instead of the name, if anything.
        pairs: allowed (head, tail) labels of entities; None allows all, untyped ones too.
        max_distance: most characters between head and tail; None for no bound.
        direction: "forward" where the head must stand before its tail, "backward" where after.
        reflexive: whether something may have this relation with itself.
    """

    name: str
    prompt: str = ""
    pairs: tuple[tuple[str, str], ...] | None = None
    max_distance: int | None = None
    direction: Direction = "any"
    reflexive: bool = False

    def __post_init__(self) -> None:
        """Raise LabelError for an empty name, InputError for a bound that is none."""
        if not str(self.name).strip():
            msg = f"a relation is named {self.name!r}; its name is a non-empty string"
            raise LabelError(msg)
        if self.pairs is not None:
            pairs = tuple(tuple(pair) for pair in self.pairs)
            bad = next(
                (p for p in pairs if len(p) != 2 or not all(isinstance(x, str) for x in p)), None
            )
            if bad is not None or not pairs:
                msg = (
                    f"relation {self.name!r}: pairs holds {bad!r}; give (head label, tail label) "
                    "pairs such as ('person', 'city'), or None for any"
                )
                raise InputError(msg)
            object.__setattr__(self, "pairs", pairs)
        if self.max_distance is not None and self.max_distance < 0:
            msg = f"relation {self.name!r}: max_distance is {self.max_distance}; give 0 or more"
            raise InputError(msg)
        known = ("any", "forward", "backward")
        if self.direction not in known:
            msg = (
                f"relation {self.name!r}: direction {self.direction!r} is not one of "
                f"{', '.join(known)}{did_you_mean(str(self.direction), known)}"
            )
            raise InputError(msg)

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
    the labels that passed the threshold here and lost; both only where they were asked for, as is
    a `near_miss`, which fell short of its threshold.
    """

    text: str
    label: str
    start: int
    end: int
    score: float
    probabilities: dict[str, float] | None = field(default=None, compare=False)
    runners_up: tuple[tuple[str, float], ...] = field(default=(), compare=False)
    near_miss: bool = False

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
        if self.near_miss:
            plain["near_miss"] = True
        return plain


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed relation between two spans of one text, `head --relation--> tail`.

    The ends carry the labels of the entities found there; `score` is the tail's.
    """

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
    having no answer (one minus that of the span that came nearest). `alternatives` are the other
    spans that passed and, where they were asked for, near misses, by falling score.
    """

    question: str
    answer: Span | None
    score: float
    alternatives: tuple[Span, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary, spans as dictionaries of their own."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Summary:
    """The most important pieces of a text, in its order."""

    sentences: tuple[Span, ...]

    @property
    def text(self) -> str:
        """The pieces, joined by spaces."""
        return " ".join(span.text for span in self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary: the text and its sentences."""
        return {"text": self.text, "sentences": [span.to_dict() for span in self.sentences]}


@dataclass(frozen=True, slots=True)
class Sentiment:
    """A piece of the text that signals a polarity, and the aspect it is about where asked for."""

    text: str
    polarity: str
    start: int
    end: int
    score: float
    aspect: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dictionary."""
        return asdict(self)
