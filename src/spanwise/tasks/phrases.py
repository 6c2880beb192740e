"""Key phrases and sentiment: fixed labels, pieces of the text that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanwise.errors import InputError
from spanwise.options import Settings
from spanwise.tasks.steps import asked
from spanwise.tasks.wording import ASPECTS_INSTRUCTION, KEY_PHRASE, POLARITIES, about
from spanwise.types import Label, Query, Sentiment, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanwise.config import ModelConfig
    from spanwise.flow.words import Words
    from spanwise.tasks.steps import Steps
    from spanwise.types import Entity


@dataclass(frozen=True, slots=True)
class KeyPhrases:
    """Mark the phrases that say what the text is about.

    Attributes:
        most: give at most so many, the best ones.

    Raises:
        InputError: `most` is below 1.
    """

    most: int | None = field(default=None, kw_only=True)
    settings: Settings = field(default_factory=Settings, kw_only=True)

    def __post_init__(self) -> None:
        """Check the bound."""
        if self.most is not None and self.most < 1:
            msg = f"most must be at least 1, got {self.most}"
            raise InputError(msg)

    def steps(self, text: Words, config: ModelConfig) -> Steps[list[Span]]:  # noqa: ARG002
        """Ask once; the result is in text order."""
        (found,) = yield [(Query((Label(KEY_PHRASE),)), self.settings)]
        ranked = sorted(found, key=lambda span: (-span.score, span.start))
        kept = sorted(ranked[: self.most], key=lambda span: span.start)
        return [Span(span.text, span.start, span.end, span.score) for span in kept]


@dataclass(frozen=True, slots=True)
class Sentiments:
    """Mark the pieces that signal a positive, negative or neutral opinion.

    Attributes:
        aspects: False marks opinions ("very small parts"). True marks what they are about
            ("parts"). Names ask for the opinions about each of these, in one pass a name.

    Raises:
        InputError: no names, or an empty one.
    """

    aspects: bool | Sequence[str] = field(default=False, kw_only=True)
    settings: Settings = field(default_factory=Settings, kw_only=True)

    def __post_init__(self) -> None:
        """Check the names."""
        if isinstance(self.aspects, bool):
            return
        if isinstance(self.aspects, str) or not self.aspects:
            msg = f"aspects is {self.aspects!r}; give True, or a list of names such as ['price']"
            raise InputError(msg)
        for aspect in self.aspects:
            asked(aspect, "aspect")

    def steps(self, text: Words, config: ModelConfig) -> Steps[list[Sentiment]]:  # noqa: ARG002
        """Ask once, or once for each aspect; the result is in text order, aspect by aspect."""
        labels = tuple(Label(polarity) for polarity in POLARITIES)
        if isinstance(self.aspects, bool):
            instruction = ASPECTS_INSTRUCTION if self.aspects else ""
            (found,) = yield [(Query(labels, instruction), self.settings)]
            return [_sentiment(span, span.text if self.aspects else None) for span in found]
        names = list(dict.fromkeys(self.aspects))
        of_names = yield [(Query(labels, about(name)), self.settings) for name in names]
        return [
            _sentiment(span, name)
            for name, found in zip(names, of_names, strict=True)
            for span in found
        ]


def _sentiment(span: Entity, aspect: str | None) -> Sentiment:
    return Sentiment(span.text, span.label, span.start, span.end, span.score, aspect)
