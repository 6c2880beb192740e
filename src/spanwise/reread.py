"""The sentence of the best span, read once more by itself: for labels that want one span.

In a paragraph nearly every question finds something that looks like its answer. Read alone, the
sentence that holds it says better whether it is one: there is less that could be meant. So a text
is read as a whole to find the sentence, and then the sentence to judge (as readers with a verifier
do: Hu et al. 2019, arXiv 1808.05759). The second reading costs what one sentence costs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from spanwise.flow.windows import sentence_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from spanwise.config import ModelConfig
    from spanwise.flow.words import Words
    from spanwise.passes import Item
    from spanwise.types import Entity

GLANCE = 0.01
"""Where no span of the whole text is at least as probable, there is nothing to read again."""


def spans(
    items: Sequence[Item],
    config: ModelConfig,
    read: Callable[[Sequence[Item]], Iterator[list[Entity]]],
) -> Iterator[list[Entity]]:
    """Yield the spans of each item, in order, those that want it from a second reading.

    Args:
        items: what is asked.
        config: says which labels are read again.
        read: gives the spans of items from one reading.
    """
    sentences = _Sentences()
    again = [
        place
        for place, item in enumerate(items)
        if _wanted(item, config) and len(sentences.stops(item.words)) > 1
    ]
    if not again:
        yield from read(items)
        return
    glances = list(items)
    for place in again:
        settings = replace(
            items[place].settings,
            threshold=GLANCE,
            policy=None,
            probabilities=False,
            runners_up=False,
        )
        glances[place] = replace(items[place], settings=settings)
    found = list(read(glances))
    again = [place for place in again if found[place]]
    parts = [sentences.part(items[place].words, _best(found[place])) for place in again]
    closer = [
        replace(
            items[place], words=part, settings=replace(items[place].settings, long_text="windows")
        )
        for place, (part, _) in zip(again, parts, strict=True)
    ]
    for place, (_, base), judged in zip(again, parts, read(closer), strict=True):
        found[place] = [
            replace(span, start=span.start + base, end=span.end + base) for span in judged
        ]
    yield from found


@dataclass(slots=True)
class _Sentences:
    """The sentences of texts, found once; the same sentence is the same object for all who ask."""

    known: dict[int, tuple[Words, NDArray[np.int64]]] = field(default_factory=dict)
    cut: dict[tuple[int, int, int], Words] = field(default_factory=dict)

    def stops(self, words: Words) -> NDArray[np.int64]:
        """Return the last word of each sentence."""
        if id(words) not in self.known:
            self.known[id(words)] = words, np.flatnonzero(sentence_ends(words))
        return self.known[id(words)][1]

    def part(self, words: Words, span: Entity) -> tuple[Words, int]:
        """Return the sentences that hold the span, one as a rule, and where they begin."""
        stops = self.stops(words)
        first = int(np.searchsorted(words.ends, span.start, side="right"))
        last = int(np.searchsorted(words.starts, span.end, side="left")) - 1
        low, high = np.searchsorted(stops, (first, last)).tolist()
        begin = int(stops[low - 1]) + 1 if low else 0
        key = (id(words), low, high)
        if key not in self.cut:
            self.cut[key] = words.part(begin, int(stops[high]) + 1)
        return self.cut[key], int(words.starts[begin])


def _wanted(item: Item, config: ModelConfig) -> bool:
    """Return whether the caller wants a second reading, or leaves it to the model, which does."""
    wanted = item.settings.reread
    if wanted is None:
        return all(label.name in config.reread for label in item.labels)
    return wanted


def _best(found: Sequence[Entity]) -> Entity:
    return max(found, key=lambda span: span.score)
