"""A block of (text, query) items -> passes -> candidates -> spans.

A pass is one window of one text with one group of its labels: what the model reads at once. Items
that ask the same of the same text share their passes, however differently they choose among spans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from spanwise.ahead import in_shares
from spanwise.errors import LabelError, TextTooLongError
from spanwise.flow import windows
from spanwise.flow.decode import (
    Candidates,
    greedy,
    sigmoid,
    span_candidates,
    token_candidates,
)
from spanwise.flow.encode import Encoded, Encoder, Pieces, batches
from spanwise.flow.windows import Window
from spanwise.flow.words import Words
from spanwise.options import Unread
from spanwise.types import Entity, Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from spanwise.backend.base import Backend
    from spanwise.config import ModelConfig, Policy
    from spanwise.flow.encode import Batch
    from spanwise.options import Settings

DEFAULT_THRESHOLD = 0.5
_SHARE = 256
"""Most passes of a batch, and those that are made while others are scored."""
_TEXTS = 64
"""Texts that are tokenised together."""


@dataclass(frozen=True, slots=True)
class Item:
    """A split text, what is asked of it and how; `number` is the text's place in the call."""

    number: int
    words: Words
    labels: tuple[Label, ...]
    instruction: tuple[str, ...]
    settings: Settings

    def thresholds(self, config: ModelConfig) -> NDArray[np.float64]:
        """Return `[labels]`, the least probability of each."""
        given = self.settings.threshold
        if given is None:
            given = config.thresholds
        if isinstance(given, Mapping):
            values = [given.get(label.name, DEFAULT_THRESHOLD) for label in self.labels]
            return np.asarray(values, dtype=np.float64)
        return np.full(len(self.labels), float(given))


@dataclass(frozen=True, slots=True)
class Pass:
    """What the model reads at once: a window of a text and `n_labels` labels from `first_label`.

    `readers` are the places of the items that want what is found.
    """

    readers: tuple[int, ...]
    window: Window
    first_label: int
    n_labels: int
    encoded: Encoded


@dataclass(slots=True)
class Found:
    """What the passes of one item gave, in words and labels of the whole item.

    Logits are kept only where class probabilities were asked for.
    """

    parts: list[Candidates] = field(default_factory=list)
    logits: list[tuple[Pass, NDArray[np.float32]]] = field(default_factory=list)


class Block:
    """Items that are batched together."""

    def __init__(self, encoder: Encoder, backend: Backend, unread: list[Unread]) -> None:
        """Take what all passes share; `unread` receives what truncation left out."""
        self.encoder = encoder
        self.backend = backend
        self.config = backend.config
        self.unread = unread

    def spans(self, items: Sequence[Item]) -> Iterator[list[Entity]]:
        """Yield the spans of each item, in order.

        Raises:
            LabelError: a label leaves no room for the text.
            TextTooLongError: a long text with `long_text="error"`.
        """
        items = list(items)
        passes = self._made(items)
        found = [Found() for _ in items]
        budgets = (item.settings.batch_tokens for item in items)
        budget = min((b for b in budgets if b), default=self.backend.batch_tokens)
        for share in [list(passes)] if self.backend.pads else in_shares(passes, _SHARE):
            lengths = [len(each.encoded.ids) for each in share]
            for chosen in batches(lengths, max_tokens=budget, max_items=_SHARE):
                self._run([share[int(i)] for i in chosen], items, found)
        for item, result in zip(items, found, strict=True):
            yield self._choose(item, result)

    def _made(self, items: list[Item]) -> Iterator[Pass]:
        """Yield all passes; words that yield no sub-word leave their item, with their offsets."""
        known: dict[int, tuple[Words, Words, Pieces]] = {}  # the first keeps its identity alive
        groups = _readers(items)
        for low in range(0, len(groups), _TEXTS):
            some = groups[low : low + _TEXTS]
            firsts = [items[readers[0]].words for readers in some]
            unseen = {id(words): words for words in firsts if id(words) not in known}
            surfaces = [words.surfaces() for words in unseen.values()]
            tokenised = self.encoder.words(surfaces)
            for (key, words), pieces in zip(unseen.items(), tokenised, strict=True):
                real = pieces.lengths > 0
                known[key] = (
                    words,
                    Words(words.text, words.starts[real], words.ends[real]),
                    Pieces(pieces.ids, pieces.lengths[real]),
                )
            for readers, first in zip(some, firsts, strict=True):
                _, words, pieces = known[id(first)]
                for reader in readers:
                    items[reader] = replace(items[reader], words=words)
                yield from self._passes(readers, items, pieces)

    def _passes(
        self, readers: tuple[int, ...], items: Sequence[Item], pieces: Pieces
    ) -> Iterator[Pass]:
        """Cut what the readers all ask into passes; none for a text without words."""
        item = items[readers[0]]
        numbers = dict.fromkeys(items[reader].number for reader in readers)
        if not len(item.words):
            return
        instruction = self.encoder.instruction(item.instruction)
        shown = [label.shown for label in item.labels]
        costs = [self.encoder.label_cost(label) for label in shown]
        room = self._room(item, instruction)
        for first, stop in self._groups(item, costs, room, int(pieces.lengths.sum())):
            left = room - sum(costs[first:stop])
            read = pieces.clipped(left)
            for window in self._windows(item, read.lengths, instruction, left, numbers):
                words = read.between(window.start, window.stop)
                encoded = self.encoder.encode(shown[first:stop], instruction, words)
                yield Pass(readers, window, first, stop - first, encoded)

    def _room(self, item: Item, instruction: Pieces) -> int:
        """Return the sub-words left for labels and text."""
        limit = self.encoder.max_tokens
        n_words = len(instruction.lengths)
        room = limit - self.encoder.frame_cost - len(instruction.ids)
        if n_words >= self.config.max_words or room < limit // 4:
            msg = (
                f"text {item.number}: the instruction of {n_words} words leaves no room for the "
                f"text in a window of {self.config.max_words} words, {limit} sub-words; shorten it"
            )
            raise TextTooLongError(msg)
        return room

    def _groups(
        self, item: Item, costs: Sequence[int], room: int, text: int
    ) -> Iterator[tuple[int, int]]:
        """Cut the labels into groups that fit one pass.

        Labels take at most half of the window, unless the whole text leaves them more.
        """
        most = item.settings.max_labels or self.config.max_labels
        limit = max(room // 2, room - text)
        first = used = 0
        for place, cost in enumerate(costs):
            if cost > limit:
                shown = item.labels[place].shown[:80]
                msg = (
                    f"label {shown!r} takes {cost} sub-words of a window that has {limit} for "
                    "labels; shorten it"
                )
                raise LabelError(msg)
            if place > first and (place - first >= most or used + cost > limit):
                yield first, place
                first, used = place, 0
            used += cost
        yield first, len(costs)

    def _windows(
        self,
        item: Item,
        costs: NDArray[np.int64],
        instruction: Pieces,
        left: int,
        numbers: Iterable[int],
    ) -> list[Window]:
        """Cut the text into windows of at most `left` sub-words; `costs` are those of its words."""
        max_words = self.config.max_words - len(instruction.lengths)
        n_words = len(item.words)
        if n_words <= max_words and int(costs.sum()) <= left:
            return [Window(0, n_words, 0, n_words)]
        ends = windows.sentence_ends(item.words)
        made = windows.cut(costs, max_cost=left, max_words=max_words, ends=ends)
        if len(made) == 1 or item.settings.long_text == "windows":
            return made
        words, read = item.words, made[0].stop
        if item.settings.long_text == "error":
            msg = (
                f"text {item.number} has {n_words} words; one pass reads {read} of them with "
                "these labels: use long_text='windows' (all of it) or 'truncate'"
            )
            raise TextTooLongError(msg)
        for number in numbers:
            rest = Unread(number, int(words.starts[read]), int(words.ends[-1]))
            if rest not in self.unread:
                self.unread.append(rest)
        return [Window(0, read, 0, read)]

    def _run(self, chosen: Sequence[Pass], items: Sequence[Item], found: Sequence[Found]) -> None:
        """Score one batch and hand its candidates to the items."""
        batch = self.encoder.collate([each.encoded for each in chosen])
        logits = self.backend.score(batch)
        if self.config.temperature != 1:
            logits = logits / np.float32(self.config.temperature)
        # The instruction's words can neither begin nor hold a span: their rows are shut.
        for place, each in enumerate(chosen):
            logits[place, : each.encoded.n_instruction] = -np.inf
        wanted: dict[tuple[int, Policy], list[int]] = {}
        for row, each in enumerate(chosen):
            for turn, reader in enumerate(each.readers):
                policy = items[reader].settings.policy or self.config.policy
                wanted.setdefault((turn, policy), []).append(row)
        for (turn, policy), rows in wanted.items():
            readers = [chosen[row].readers[turn] for row in rows]
            thresholds = np.ones((len(rows), batch.label_positions.shape[1]))
            for line, row, reader in zip(thresholds, rows, readers, strict=True):
                first, n = chosen[row].first_label, chosen[row].n_labels
                line[:n] = items[reader].thresholds(self.config)[first : first + n]
            made = self._candidates(logits, batch, np.asarray(rows), thresholds, policy)
            bounds = np.searchsorted(made.items, np.arange(len(rows) + 1))
            for place, (row, reader) in enumerate(zip(rows, readers, strict=True)):
                keep = np.arange(bounds[place], bounds[place + 1])
                found[reader].parts.append(_whole(made.take(keep), chosen[row]))
                if items[reader].settings.probabilities:
                    kept = logits[row, : batch.n_words[row]]
                    found[reader].logits.append((chosen[row], kept.copy()))

    def _candidates(
        self,
        logits: NDArray[np.float32],
        batch: Batch,
        rows: NDArray[np.int64],
        thresholds: NDArray[np.float64],
        policy: Policy,
    ) -> Candidates:
        """Return the candidates of some rows of a batch, numbered by their place among them."""
        if len(rows) < len(logits):
            logits = logits[rows]
        n_words, n_labels = batch.n_words[rows], batch.n_labels[rows]
        if self.config.architecture == "token":
            return token_candidates(logits, n_words, n_labels, thresholds, policy=policy)
        return span_candidates(logits, n_words, n_labels, thresholds)

    def _choose(self, item: Item, found: Found) -> list[Entity]:
        """Merge an item's passes, choose greedily and give the spans their text."""
        if not found.parts:
            return []
        merged = _merged(found.parts)
        kept = _chosen(merged, item.settings)
        text, starts, ends = item.words.text, item.words.starts, item.words.ends
        entities = []
        for place in kept.tolist():
            i, j = int(merged.starts[place]), int(merged.ends[place])
            start, end = int(starts[i]), int(ends[j - 1])
            label = int(merged.labels[place])
            entities.append(
                Entity(
                    text[start:end],
                    item.labels[label].name,
                    start,
                    end,
                    float(merged.scores[place]),
                    self._probabilities(item, found, i, j) if found.logits else None,
                    self._runners_up(item, merged, place) if item.settings.runners_up else (),
                )
            )
        return entities

    def _probabilities(self, item: Item, found: Found, i: int, j: int) -> dict[str, float]:
        """Score the span of words `i` to `j` for every label of its item."""
        policy = item.settings.policy or self.config.policy
        scores: dict[str, float] = {}
        for each, logits in found.logits:
            window = each.window
            if not window.own_start <= i < window.own_stop:
                continue
            first = i - window.start + each.encoded.n_instruction
            last = first + j - i
            if self.config.architecture == "span":
                of_labels = sigmoid(logits[first, j - i - 1])
            else:
                inside = sigmoid(logits[first:last, :, 2])
                edges = sigmoid(np.stack((logits[first, :, 0], logits[last - 1, :, 1])))
                if policy == "mean":
                    of_labels = inside.mean(axis=0)
                elif policy == "min":
                    of_labels = np.minimum(inside.min(axis=0), edges.min(axis=0))
                else:
                    of_labels = np.sqrt(edges.prod(axis=0))
            for offset in range(each.n_labels):
                name = item.labels[each.first_label + offset].name
                scores[name] = float(of_labels[offset])
        return {label.name: scores[label.name] for label in item.labels if label.name in scores}

    def _runners_up(
        self, item: Item, merged: Candidates, place: int
    ) -> tuple[tuple[str, float], ...]:
        same = (merged.starts == merged.starts[place]) & (merged.ends == merged.ends[place])
        same[place] = False
        others = np.flatnonzero(same)
        ranked = others[np.argsort(-merged.scores[others], kind="stable")]
        return tuple(
            (item.labels[int(merged.labels[k])].name, float(merged.scores[k])) for k in ranked
        )


def _readers(items: Sequence[Item]) -> list[tuple[int, ...]]:
    """Group the places of items that need the very same passes, first comers first."""
    groups: dict[object, list[int]] = {}
    for place, item in enumerate(items):
        shown = tuple(label.shown for label in item.labels)
        how = (item.settings.max_labels, item.settings.long_text)
        key = (id(item.words), shown, item.instruction, how)
        groups.setdefault(key, []).append(place)
    return [tuple(group) for group in groups.values()]


def _chosen(merged: Candidates, settings: Settings) -> NDArray[np.int64]:
    """Choose among an item's candidates: all labels together, or each label on its own."""
    overlap, multi_label = settings.overlap, settings.multi_label
    if not settings.apart:
        return greedy(merged, overlap=overlap, multi_label=multi_label)
    kept = []
    for label in np.unique(merged.labels):
        own = np.flatnonzero(merged.labels == label)
        kept.append(own[greedy(merged.take(own), overlap=overlap)])
    places = np.concatenate([np.zeros(0, dtype=np.int64), *kept])
    keys = (merged.labels[places], -merged.scores[places], merged.ends[places])
    return np.asarray(places[np.lexsort((*keys, merged.starts[places]))])


def _whole(part: Candidates, each: Pass) -> Candidates:
    """Return a pass's candidates in words and labels of the item, its own ones only."""
    shift = each.window.start - each.encoded.n_instruction
    moved = Candidates(
        part.items,
        part.starts + shift,
        part.ends + shift,
        part.labels + each.first_label,
        part.scores,
    )
    own = (moved.starts >= each.window.own_start) & (moved.starts < each.window.own_stop)
    return moved.take(own)


def _merged(parts: Sequence[Candidates]) -> Candidates:
    """Return the parts as one, ordered by start, end, label."""
    if len(parts) == 1:
        return parts[0]
    joined = Candidates(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("items", "starts", "ends", "labels", "scores")
        )
    )
    return joined.take(np.lexsort((joined.labels, joined.ends, joined.starts)))
