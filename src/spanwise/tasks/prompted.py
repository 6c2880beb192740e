"""Answers, summaries and open extraction: an instruction and one fixed label, one pass per text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spanwise.errors import InputError
from spanwise.flow.decode import check_thresholds, logit, sigmoid
from spanwise.flow.windows import sentences
from spanwise.options import Settings
from spanwise.tasks.entities import beside
from spanwise.tasks.steps import asked
from spanwise.tasks.wording import ANSWER, MATCH, SUMMARY, SUMMARY_INSTRUCTION
from spanwise.types import Answer, Label, Query, Span, Summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanwise.config import ModelConfig
    from spanwise.flow.words import Words
    from spanwise.tasks.steps import Steps
    from spanwise.types import Entity

FLOOR = 0.05
"""Spans below this probability are never looked at, not even as near misses."""
SUMMARY_THRESHOLD = 0.1  # paper, section 3: what its summaries were made with


@dataclass(frozen=True, slots=True)
class Answers:
    """Answer a question with a piece of the text, or decide that it holds no answer.

    Attributes:
        question: as a person would ask it.
        near: also give near misses down to this probability among the alternatives.

    Raises:
        InputError: an empty question, or `near` is no probability.
    """

    question: str
    near: float | None = field(default=None, kw_only=True)
    settings: Settings = field(default_factory=Settings, kw_only=True)

    def __post_init__(self) -> None:
        """Check the question and the bound of near misses."""
        asked(self.question, "question")
        if self.near is not None:
            check_thresholds(self.near)

    def steps(self, text: Words, config: ModelConfig) -> Steps[Answer]:  # noqa: ARG002
        """Ask once, and choose twice: with the threshold, and for what comes near it.

        A span passes if all its probabilities do, so what comes nearest is told by the policy
        "min" and the two agree on whether there is an answer.
        """
        query = Query((Label(ANSWER),), self.question)
        low = replace(self.settings, threshold=_raw(FLOOR, config), policy="min", overlap="flat")
        passed, near = yield [(query, self.settings), (query, low)]
        ranked = sorted(passed, key=lambda span: -span.score)
        others = [_span(span) for span in ranked[1:]]
        if self.near is not None:
            missed = sorted(beside(passed, near), key=lambda span: -span.score)
            others += [_span(span) for span in missed if span.score >= self.near]
        if ranked:
            return Answer(self.question, _span(ranked[0]), ranked[0].score, tuple(others))
        best = max((span.score for span in near), default=0.0)
        return Answer(self.question, None, 1.0 - best, tuple(others))


@dataclass(frozen=True, slots=True)
class Summaries:
    """Mark what is most important, in text order.

    Attributes:
        n_sentences: give the best so many sentences, whatever their scores.
        share: give this share of the sentences, at least one.
        whole_sentences: widen what the model marks to whole sentences.

    Raises:
        InputError: both a number and a share, or one out of range.
    """

    n_sentences: int | None = field(default=None, kw_only=True)
    share: float | None = field(default=None, kw_only=True)
    whole_sentences: bool = field(default=False, kw_only=True)
    settings: Settings = field(default_factory=Settings, kw_only=True)

    def __post_init__(self) -> None:
        """Check the wanted length."""
        if self.n_sentences is not None and self.share is not None:
            msg = "a summary has n_sentences or a share of the sentences, not both; leave one out"
            raise InputError(msg)
        if self.n_sentences is not None and self.n_sentences < 1:
            msg = f"n_sentences must be at least 1, got {self.n_sentences}"
            raise InputError(msg)
        if self.share is not None and not 0 < self.share <= 1:
            msg = f"share must be above 0 and at most 1, got {self.share}"
            raise InputError(msg)

    def steps(self, text: Words, config: ModelConfig) -> Steps[Summary]:
        """Ask once; a wanted length takes the best sentences, however low their scores."""
        query = Query((Label(SUMMARY),), SUMMARY_INSTRUCTION)
        wanted = self.n_sentences is not None or self.share is not None
        threshold = self.settings.threshold
        if threshold is None:
            threshold = config.thresholds.get(SUMMARY, _raw(SUMMARY_THRESHOLD, config))
        if wanted:
            threshold = _raw(FLOOR, config)
        (pieces,) = yield [(query, replace(self.settings, threshold=threshold))]
        if not (wanted or self.whole_sentences):
            return Summary(tuple(_span(piece) for piece in pieces))
        scored = _by_sentence(pieces, text)
        if wanted:
            n_all = len(sentences(text))
            n = self.n_sentences or max(1, math.floor((self.share or 0.0) * n_all + 0.5))
            ranked = sorted(scored, key=lambda sentence: (-sentence.score, sentence.start))
            scored = sorted(ranked[:n], key=lambda sentence: sentence.start)
        return Summary(tuple(scored))


@dataclass(frozen=True, slots=True)
class Find:
    """Mark everything that an instruction of the user's own asks for.

    Raises:
        InputError: an empty instruction.
    """

    instruction: str
    settings: Settings = field(default_factory=Settings, kw_only=True)

    def __post_init__(self) -> None:
        """Check the instruction."""
        asked(self.instruction, "instruction")

    def steps(self, text: Words, config: ModelConfig) -> Steps[list[Span]]:  # noqa: ARG002
        """Ask once; the result is in text order."""
        (found,) = yield [(Query((Label(MATCH),), self.instruction), self.settings)]
        return [_span(span) for span in found]


def _raw(probability: float, config: ModelConfig) -> float:
    """Return what a probability of the model as trained is under its temperature."""
    return float(sigmoid(logit(probability) / config.temperature))


def _span(entity: Entity) -> Span:
    """Return what was found without its label, which the task says already."""
    return Span(entity.text, entity.start, entity.end, entity.score)


def _by_sentence(pieces: Sequence[Entity], words: Words) -> list[Span]:
    """Return the sentences that hold a piece, each with the score of its best one."""
    best: dict[tuple[int, int], float] = {}
    for start, end in sentences(words):
        scores = [p.score for p in pieces if p.start < end and start < p.end]
        if scores:
            best[start, end] = max(scores)
    return spans(best, words.text)


def spans(scored: Mapping[tuple[int, int], float], text: str) -> list[Span]:
    """Return the spans of a text at these offsets."""
    return [Span(text[start:end], start, end, score) for (start, end), score in scored.items()]
