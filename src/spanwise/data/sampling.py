"""Records -> training examples: which labels are asked, with which negatives, of which text.

`sample(record, source, rng, ...)` is pure: the same record and generator give the same example.
The authors of the paper name hard negatives as the next step (section 4); here the labels that
are asked in vain come from the same set's inventory, relations are asked of wrong heads and
wrong relations, and questions are put to paragraphs that do not answer them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanwise.data import wording
from spanwise.data.records import RELATION_SEPARATOR, GoldSpan
from spanwise.flow.windows import sentence_ends
from spanwise.flow.words import RegexSplitter, Words, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from spanwise.data.records import Record
    from spanwise.data.sources import Source

_SPLITTER = RegexSplitter()


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingConfig:
    """How examples are drawn.

    Attributes:
        max_labels: labels asked in one example (paper: 30).
        max_words: words of an example's text; longer ones are cut at sentence ends.
        short_words: words of a text that is cut short.
        cut_short: share of the longer texts that is cut to about `short_words`.
        drop_labels: share of examples in which some of the present labels are not asked.
        no_answer: share of questions put to a text that does not answer them.
        pool_negatives: share of negatives of open-label sets drawn from the pool of all labels.
        synonyms: chance that a label is worded differently, where a synonym is known.
    """

    max_labels: int = 30
    max_words: int = 200
    short_words: int = 60
    cut_short: float = 0.6
    drop_labels: float = 0.3
    no_answer: float = 0.3
    pool_negatives: float = 0.5
    synonyms: float = 0.15


@dataclass(frozen=True, slots=True)
class Example:
    """What the model is trained on once.

    `spans` are `(first word, last word + 1, position in labels)`.
    """

    words: Words
    instruction: str
    labels: tuple[str, ...]
    spans: tuple[tuple[int, int, int], ...]
    task: str
    source: str


class Sampler:
    """Draws examples from weighted sources; the example at a position depends on the seed only."""

    def __init__(
        self,
        sources: Sequence[Source],
        weights: Sequence[float],
        *,
        pool: Sequence[str] = (),
        config: SamplingConfig | None = None,
        seed: int = 0,
    ) -> None:
        """Prepare to draw.

        Args:
            sources: the sets; empty ones may not be among them.
            weights: relative weight per source.
            pool: label names from which open-label sets draw negatives.
            config: how examples are drawn.
            seed: decides everything.
        """
        self.sources = tuple(sources)
        self.shares = np.cumsum(np.asarray(weights, dtype=np.float64) / sum(weights))
        self.pool = tuple(pool)
        self.config = config or SamplingConfig()
        self.seed = seed
        self._groups = [_groups(source) for source in self.sources]

    def __call__(self, position: int) -> Example:
        """Return the example at this position of the endless stream."""
        rng = np.random.default_rng((self.seed, position))
        which = min(int(np.searchsorted(self.shares, rng.random())), len(self.sources) - 1)
        source = self.sources[which]
        record = source.records[int(rng.integers(len(source.records)))]
        if record.task == "answers":
            record = self._maybe_unanswerable(record, source, self._groups[which], rng)
        return sample(record, source, rng, pool=self.pool, config=self.config)

    def _maybe_unanswerable(
        self, record: Record, source: Source, groups: dict[str, list[int]], rng: Generator
    ) -> Record:
        """Sometimes put the question to another paragraph of the same title."""
        if not record.spans or rng.random() >= self.config.no_answer:
            return record
        others = groups.get(record.group) or range(len(source.records))
        answers = {record.text[s.start : s.end].lower() for s in record.spans}
        for _ in range(8):
            other = source.records[int(others[int(rng.integers(len(others)))])]
            if other.text != record.text and not any(a in other.text.lower() for a in answers):
                return replace(other, instruction=record.instruction, spans=())
        return record


def sample(
    record: Record,
    source: Source,
    rng: Generator,
    *,
    pool: Sequence[str] = (),
    config: SamplingConfig | None = None,
) -> Example:
    """Return one example of a record.

    Args:
        record: text, query and spans.
        source: the set it belongs to (its inventory gives the hard negatives).
        rng: decides every choice.
        pool: further labels for open-label sets.
        config: how examples are drawn.
    """
    config = config or SamplingConfig()
    words, spans = _cut(record, rng, config)
    instruction = record.instruction
    if record.task == "relations":
        asked = _relation_labels(record, spans, source, rng, config)
    elif record.task in {"answers", "open", "summary"}:
        asked = list(record.labels or sorted({span.label for span in spans}))
    else:
        asked = _entity_labels(record, spans, source, rng, pool, config)
    rng.shuffle(asked)
    asked = asked[: config.max_labels]
    shown = wording.vary(asked, record.task, rng, config.synonyms)
    instruction = wording.vary_instruction(instruction, record.task, rng)
    places = {label: place for place, label in enumerate(asked)}
    return Example(
        words=words,
        instruction=instruction,
        labels=tuple(shown),
        spans=tuple(sorted(set(_word_spans(words, spans, places)))),
        task=record.task,
        source=source.name,
    )


def _entity_labels(
    record: Record,
    spans: Sequence[GoldSpan],
    source: Source,
    rng: Generator,
    pool: Sequence[str],
    config: SamplingConfig,
) -> list[str]:
    present = sorted({span.label for span in spans})
    keep = min(len(present), config.max_labels)
    if keep > 1 and rng.random() < config.drop_labels:
        keep = int(rng.integers(1, keep))
    asked = [present[i] for i in rng.choice(len(present), keep, replace=False)]
    everything = set(present) | {span.label for span in record.spans}
    absent = [label for label in record.labels or () if label not in everything]
    if source.closed:
        absent += [x for x in source.inventory if x not in everything and x not in set(absent)]
    room = config.max_labels - len(asked)
    wanted = min(room, int(rng.integers(0, 2 * len(asked) + 8)))
    if source.open_labels and pool:
        from_pool = round(wanted * config.pool_negatives) if absent else wanted
        asked = asked + _from_pool(pool, everything, from_pool, rng)
        wanted -= from_pool
    if absent and wanted:
        picked = rng.choice(len(absent), min(wanted, len(absent)), replace=False)
        asked = asked + [absent[i] for i in picked]
    if not asked:
        asked = list(record.labels or source.inventory)[:1] or [pool[0]]
    return list(dict.fromkeys(asked))


def _from_pool(pool: Sequence[str], present: set[str], wanted: int, rng: Generator) -> list[str]:
    """Labels from the pool that share no word with one that is present."""
    used = {word for label in present for word in label.lower().split()}
    picked = [pool[int(i)] for i in rng.integers(len(pool), size=wanted)]
    return [label for label in picked if not used & set(label.lower().split())]


def _relation_labels(
    record: Record,
    spans: Sequence[GoldSpan],
    source: Source,
    rng: Generator,
    config: SamplingConfig,
) -> list[str]:
    """Present `head <> relation` labels, wrong relations of their heads, and wrong heads."""
    known = sorted({span.label for span in record.spans})
    present = sorted({span.label for span in spans})
    if len(present) > 8:
        present = [present[i] for i in rng.choice(len(present), 8, replace=False)]
    pairs = [label.rsplit(RELATION_SEPARATOR, 1) for label in present or known]
    relations = sorted({relation for _, relation in pairs})
    heads = sorted({head for head, _ in pairs})
    tails = sorted({record.text[s.start : s.end] for s in record.spans})
    asked = list(present)
    for head, relation in pairs:
        if rng.random() < 0.4:
            others = source.inventory if rng.random() < 0.6 or len(relations) < 2 else relations
            asked.append(f"{head}{RELATION_SEPARATOR}{others[int(rng.integers(len(others)))]}")
        if rng.random() < 0.4:
            wrong = heads + tails
            asked.append(f"{wrong[int(rng.integers(len(wrong)))]}{RELATION_SEPARATOR}{relation}")
    held = set(known) - set(present)
    asked = [label for label in dict.fromkeys(asked) if label not in held]
    return asked[: config.max_labels] or known[:1]


def _cut(record: Record, rng: Generator, config: SamplingConfig) -> tuple[Words, list[GoldSpan]]:
    """Cut a long text at sentence ends to a piece that holds one of its spans."""
    words = split(record.text, _SPLITTER)
    size = config.max_words
    if len(words) > config.short_words and rng.random() < config.cut_short:
        size = int(config.short_words * (0.5 + rng.random()))
    if len(words) <= size or (record.task == "summary" and len(words) <= config.max_words):
        return words, list(record.spans)
    edges = np.concatenate(([0], np.flatnonzero(sentence_ends(words)) + 1))
    anchor = int(rng.integers(len(words)))
    if record.spans:
        span = record.spans[int(rng.integers(len(record.spans)))]
        anchor = int(np.searchsorted(words.starts, span.start, side="right")) - 1
    low = int(np.searchsorted(edges, anchor, side="right")) - 1
    high = low + 1
    while True:
        before = low > 0 and edges[high] - edges[low - 1] <= size
        after = high < len(edges) - 1 and edges[high + 1] - edges[low] <= size
        if not before and not after:
            break
        if before and (not after or rng.random() < 0.5):
            low -= 1
        else:
            high += 1
    first, stop = int(edges[low]), int(edges[high])
    if stop - first > config.max_words:  # one endless sentence
        first = max(first, min(anchor - 20, stop - config.max_words))
        stop = min(stop, first + config.max_words)
    return _piece(words, record.spans, first, stop)


def _piece(
    words: Words, spans: Sequence[GoldSpan], first: int, stop: int
) -> tuple[Words, list[GoldSpan]]:
    base, end = int(words.starts[first]), int(words.ends[stop - 1])
    cut = Words(
        words.text[base:end], words.starts[first:stop] - base, words.ends[first:stop] - base
    )
    inside = [
        GoldSpan(s.start - base, s.end - base, s.label)
        for s in spans
        if s.start >= base and s.end <= end
    ]
    return cut, inside


def _word_spans(
    words: Words, spans: Sequence[GoldSpan], places: dict[str, int]
) -> list[tuple[int, int, int]]:
    """Return spans in words; one that begins or ends inside a word covers it whole."""
    found = []
    for span in spans:
        place = places.get(span.label)
        if place is None:
            continue
        first = int(np.searchsorted(words.ends, span.start, side="right"))
        stop = int(np.searchsorted(words.starts, span.end, side="left"))
        if first < stop:
            found.append((first, stop, place))
    return found


def _groups(source: Source) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for place, record in enumerate(source.records):
        if record.group:
            groups.setdefault(record.group, []).append(place)
    return {name: places for name, places in groups.items() if len(places) > 1}
