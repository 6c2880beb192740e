"""UTC: a token classifier that marks what the words ahead of the text ask for.

One prompt for each label, one mark for "belongs to what was asked". A word is marked as its first
sub-word is, neighbouring marked words are one span, and the span's score is the mean of its
words' probabilities (the aggregation "first" of UTC's model card), kept where it reaches the
threshold. Marks in the prompt itself are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from spanwise.data.records import TASKS
from spanwise.data.text import split
from spanwise.evaluate.baselines import prompts
from spanwise.evaluate.systems import Reading
from spanwise.types import Entity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from spanwise.evaluate.systems import Question


class Tagger(Protocol):
    """Marks words; `local.TokenTagger` is one."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Model and limits, as plain JSON values."""

    def tag(
        self, prefixes: Sequence[str], texts: Sequence[str], words: Sequence[Sequence[Offsets]]
    ) -> list[Tags]:
        """Return the tags of each text's words, the prefix being read ahead of the text."""


Offsets = tuple[int, int]
Tags = tuple["NDArray[np.bool_]", "NDArray[np.bool_]", "NDArray[np.float64]"]
"""Of each word `[words]`: is it marked, does it begin anew (B-), the mark's probability."""


class UtcSystem:
    """A UTC checkpoint as a system."""

    tasks: Collection[str] = TASKS

    def __init__(self, tagger: Tagger, *, name: str) -> None:
        """Ask a tagger; the name is as it should stand in tables."""
        self._tagger = tagger
        self._name = name

    @property
    def name(self) -> str:
        """Short name, for tables."""
        return self._name

    @property
    def settings(self) -> Mapping[str, Any]:
        """Model and limits."""
        return {"kind": "utc", **self._tagger.settings}

    def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
        """Return the marked spans of each question, all labels taken together."""
        asked = [
            (number, label, prefix)
            for number, question in enumerate(questions)
            for label, prefix in prompts.utc(question)
        ]
        texts = [questions[number].text for number, _, _ in asked]
        words = [
            questions[n].words or split(text) for (n, _, _), text in zip(asked, texts, strict=True)
        ]
        tags = self._tagger.tag([prefix for _, _, prefix in asked], texts, words)
        found: list[list[Entity]] = [[] for _ in questions]
        for (number, label, _), text, offsets, marks in zip(asked, texts, words, tags, strict=True):
            found[number] += spans(text, label, offsets, marks, threshold=threshold)
        return [
            Reading(spans=tuple(sorted(each, key=lambda span: (span.start, span.end))))
            for each in found
        ]


def spans(
    text: str, label: str, words: Sequence[Offsets], tags: Tags, *, threshold: float
) -> list[Entity]:
    """Join neighbouring marked words into spans and keep those that reach the threshold."""
    marked, begins, scores = tags
    groups: list[list[int]] = []
    for index in np.flatnonzero(marked).tolist():
        if groups and groups[-1][-1] == index - 1 and not begins[index]:
            groups[-1].append(index)
        else:
            groups.append([index])
    found = []
    for group in groups:
        score = float(np.mean(scores[group]))
        if score >= threshold:
            start, end = words[group[0]][0], words[group[-1]][1]
            found.append(Entity(text[start:end], label, start, end, score))
    return found
