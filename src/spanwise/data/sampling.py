"""Records -> training examples: which labels are asked, with which negatives, of which text.

`sample(record, source, rng, ...)` is pure: the same record and generator give the same example.
`Sampler` draws from many weighted sets, `Passes` goes through one's own records again and again;
both are functions of (seed, position), so a number says where a run stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from spanwise.data import negatives, pieces, together, unanswerable, wording
from spanwise.errors import ConfigError, DataError
from spanwise.flow.words import RegexSplitter, Words, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from spanwise.data.records import GoldSpan, Record, Source
    from spanwise.flow.words import WordSplitter

_SPLITTER = RegexSplitter()


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingConfig:
    """How examples are drawn.

    Attributes:
        max_labels: labels asked in one example (paper: 30).
        max_words: words of an example's text; longer ones are cut at sentence ends.
        short_words: words of a text that is cut short.
        short_answers: the same for texts of questions, whose sentence may be read by itself.
        cut_short: share of the longer texts that is cut short.
        drop_labels: share of examples in which some of the present labels are not asked.
        all_labels: share of examples that are asked every label of their set (up to
            `max_labels`); the others are asked a random number in vain.
        no_answer: share of questions made such that their text does not answer them.
        twins: questions come in twos, next to each other: as it was asked, and the same one without
            an answer, so that what a batch teaches is the difference.
        together: share of questions that are asked as labels, several of one text at once.
        most_together: so many at most.
        pool_negatives: share of negatives of open-label sets drawn from the pool of all labels.
        synonyms: chance that a label is worded differently, where a synonym is known.
        instructions: chance that a fixed instruction (summary, relations) is worded differently.
        recase: share of examples whose text or labels are written in another case.
    """

    max_labels: int = 30
    max_words: int = 200
    short_words: int = 60
    short_answers: int = 60
    cut_short: float = 0.6
    drop_labels: float = 0.3
    all_labels: float = 0.0
    no_answer: float = 0.3
    twins: bool = False
    together: float = 0.0
    most_together: int = 6
    pool_negatives: float = 0.5
    synonyms: float = 0.15
    instructions: float = 1.0
    recase: float = 0.0

    def __post_init__(self) -> None:
        """Raise ConfigError for a value out of range."""
        for each in fields(self):
            value = getattr(self, each.name)
            counts = each.type == "int"
            if not (value >= 1 if counts else 0 <= value <= 1):
                expected = "at least 1" if counts else "a share from 0 to 1"
                msg = f"sampling.{each.name} must be {expected}, got {value}"
                raise ConfigError(msg)


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


@dataclass(frozen=True, slots=True)
class Around:
    """What lies around a record and may be asked in vain.

    Attributes:
        pool: labels for open-label sets.
        groups: places of the records of its set, by group.
        no_answer: share of questions left without an answer.
    """

    pool: Sequence[str] = ()
    groups: Mapping[str, Sequence[int]] = field(default_factory=dict)
    no_answer: float = 0.0


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
            sources: the sets.
            weights: relative weight per source.
            pool: label names from which open-label sets draw negatives.
            config: how examples are drawn.
            seed: decides everything.

        Raises:
            DataError: no sources, or an empty one.
            ConfigError: not one weight for each source, one below 0, or all 0.
        """
        if not sources or not all(source.records for source in sources):
            empty = next((source.name for source in sources if not source.records), "")
            msg = f"set {empty!r} holds no records" if sources else "there are no sets to draw from"
            raise DataError(msg)
        fine = len(weights) == len(sources) and all(w >= 0 and math.isfinite(w) for w in weights)
        if not fine or not sum(weights) > 0:
            msg = (
                f"weights {list(weights)} for {len(sources)} sets: give each a number of at least "
                "0, and one of them more"
            )
            raise ConfigError(msg)
        self.sources = tuple(sources)
        self.shares = np.cumsum(np.asarray(weights, dtype=np.float64) / sum(weights))
        self.pool = pool
        self.config = config or SamplingConfig()
        self.seed = seed
        self._groups = [unanswerable.by_group(source.records) for source in self.sources]
        self._drawn = [self._places(source) for source in self.sources]
        self._written = [_unanswerable(source) for source in self.sources]

    def __len__(self) -> int:
        """Return the number of records of one pass."""
        return sum(len(source.records) for source in self.sources)

    def __call__(self, position: int) -> Example:
        """Return the example at this position of the endless stream."""
        rng = np.random.default_rng((self.seed, position))
        config = self.config
        first = np.random.default_rng((self.seed, position // 2, 1)) if config.twins else rng
        which = self._set(first)
        source = self.sources[which]
        if source.task == "answers" and config.together and first.random() < config.together:
            return self._together(which, rng)
        if source.task == "answers" and config.twins:
            return self._twin(which, first, rng, unanswered=position % 2 == 1)
        around = Around(self.pool, self._groups[which], config.no_answer)
        return sample(self._record(which, rng), source, rng, around=around, config=config)

    def _twin(self, which: int, both: Generator, rng: Generator, *, unanswered: bool) -> Example:
        """Return a question with an answer, or mostly one to the same text without."""
        source, groups = self.sources[which], self._groups[which]
        record = self._record(which, both)
        chance = min(1.0, 2 * self.config.no_answer) if unanswered else 0.0
        near = groups.get(record.group, ()) if self._written[which] else ()
        written = [place for place in near if place in self._written[which]]
        if written and rng.random() < chance:
            other = source.records[written[int(rng.integers(len(written)))]]
            return sample(other, source, rng, config=self.config)
        around = Around(self.pool, groups, chance)
        return sample(record, source, both, around=around, config=self.config)

    def _together(self, which: int, rng: Generator) -> Example:
        """Ask several questions of one text, as its labels."""
        source, record = self.sources[which], self._record(which, rng)
        words, spans = _piece(record, split(record.text, _SPLITTER), rng, self.config)
        piece = replace(record, text=words.text, spans=tuple(spans), words=None)
        near = self._groups[which].get(record.group, ())
        most = self.config.most_together
        asked = together.questions(record, piece, source.records, near, most, rng)
        shown = list(asked)
        rng.shuffle(shown)
        places = {question: place for place, question in enumerate(shown)}
        answers = [replace(each, label=key) for key, spans in asked.items() for each in spans]
        found = pieces.word_spans(words, answers, places)
        return Example(words, "", tuple(shown), found, source.task, source.name)

    def _record(self, which: int, rng: Generator) -> Record:
        places = self._drawn[which]
        return self.sources[which].records[int(places[int(rng.integers(len(places)))])]

    def _places(self, source: Source) -> Sequence[int]:
        """Return the records that are drawn: of questions that get twins, those with an answer."""
        everything = range(len(source.records))
        if source.task != "answers" or not self.config.twins:
            return everything
        return [place for place in everything if source.records[place].spans] or everything

    def _set(self, rng: Generator) -> int:
        return min(int(np.searchsorted(self.shares, rng.random())), len(self.sources) - 1)


class Passes:
    """Goes through all records of some sources, again and again, each pass in another order."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        config: SamplingConfig | None = None,
        seed: int = 0,
        splitter: WordSplitter = _SPLITTER,
    ) -> None:
        """Prepare to draw.

        Args:
            sources: one's own records, by task.
            config: how examples are drawn.
            seed: decides everything.
            splitter: the model's own.

        Raises:
            DataError: there are no records.
        """
        self.places = [(s, r) for s, each in enumerate(sources) for r in range(len(each.records))]
        if not self.places:
            msg = "there are no records to train on"
            raise DataError(msg)
        self.sources = tuple(sources)
        self.config = config or SamplingConfig()
        self.seed = seed
        self.splitter = splitter
        self._groups = [unanswerable.by_group(source.records) for source in sources]
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        """Return the number of records of one pass."""
        return len(self.places)

    def __call__(self, position: int) -> Example:
        """Return the example at this position of the endless stream."""
        number, place = divmod(position, len(self.places))
        if self._order[0] != number:
            order = np.random.default_rng((self.seed, number, 1)).permutation(len(self.places))
            self._order = (number, order)
        which, row = self.places[int(self._order[1][place])]
        source = self.sources[which]
        record = source.records[row]
        rng = np.random.default_rng((self.seed, position))
        around = Around((), self._groups[which], self.config.no_answer)
        return sample(
            record, source, rng, around=around, config=self.config, splitter=self.splitter
        )


def _unanswerable(source: Source) -> frozenset[int]:
    """Return the places of questions without an answer that were not made of another question."""
    if source.task != "answers":
        return frozenset()
    answered = {record.id for record in source.records if record.spans}
    return frozenset(
        place
        for place, record in enumerate(source.records)
        if not record.spans and record.id.rpartition("/")[0] not in answered
    )


def sample(
    record: Record,
    source: Source,
    rng: Generator,
    *,
    around: Around | None = None,
    config: SamplingConfig | None = None,
    splitter: WordSplitter = _SPLITTER,
) -> Example:
    """Return one example of a record.

    Args:
        record: text, query and spans.
        source: the set it belongs to (its inventory gives the hard negatives).
        rng: decides every choice.
        around: what else may be asked; None for nothing.
        config: how examples are drawn.
        splitter: finds the words; the model's own.

    Raises:
        DataError: nothing can be asked of the record: it has no label, nor has its set.
    """
    config = config or SamplingConfig()
    around = around or Around()
    words, spans = _piece(record, split(record.text, splitter), rng, config)
    if record.task == "answers" and around.no_answer:
        # of the piece, so that what answered the question is in sight where it no longer does
        piece = replace(record, text=words.text, spans=tuple(spans), words=None)
        made = unanswerable.maybe_unanswerable(
            piece, source.records, around.groups, rng, around.no_answer
        )
        if made is not piece:
            record, spans = made, []
            if made.text != piece.text:
                words, _ = _piece(made, split(made.text, splitter), rng, config)
    if record.task == "relations":
        asked = negatives.relation_labels(record, spans, source, rng, config)
    elif record.task in negatives.PROMPTED:
        asked = negatives.prompted_labels(record, spans)
    else:
        asked = negatives.entity_labels(record, spans, source, rng, config, around.pool)
    if not asked:
        msg = (
            f"record {record.id!r} of {source.name or 'an unnamed set'} has no label and its set "
            "none to ask for: give it labels, or leave it out"
        )
        raise DataError(msg)
    rng.shuffle(asked)
    asked = asked[: config.max_labels]
    shown = wording.vary(asked, record.task, rng, config.synonyms)
    instruction = wording.vary_instruction(
        record.instruction, record.task, rng, config.instructions
    )
    example = Example(
        words=words,
        instruction=instruction,
        labels=tuple(shown),
        spans=pieces.word_spans(words, spans, {label: n for n, label in enumerate(asked)}),
        task=record.task,
        source=source.name,
    )
    if config.recase and rng.random() < config.recase:
        return _recased(example, rng)
    return example


def _piece(
    record: Record, words: Words, rng: Generator, config: SamplingConfig
) -> tuple[Words, list[GoldSpan]]:
    size = config.max_words
    short = config.short_answers if record.task == "answers" else config.short_words
    if len(words) > short and rng.random() < config.cut_short:
        size = int(short * (0.5 + rng.random()))
    if record.task == "summary":  # a summary is of the whole text
        size = config.max_words
    return pieces.cut(record, words, size, config.max_words, rng)


def _recased(example: Example, rng: Generator) -> Example:
    """Return the example with its text in lower or upper case, or its labels in another."""
    kind = ("lower text", "upper text", "title labels", "upper labels")[int(rng.integers(4))]
    change = {"lower": str.lower, "upper": str.upper, "title": str.title}[kind.split()[0]]
    labels = tuple(change(label) for label in example.labels)
    if len(set(labels)) < len(labels):
        labels = example.labels
    if kind.endswith("labels"):
        # a relation's label holds a piece of the text, which stays as it stands there
        return example if example.task == "relations" else replace(example, labels=labels)
    text = change(example.words.text)
    if len(text) != len(example.words.text):  # "ß".upper() is two characters: offsets would move
        return example
    words = Words(text, example.words.starts, example.words.ends)
    instruction = change(example.instruction)
    if example.task == "relations":
        return replace(example, words=words, instruction=instruction, labels=labels)
    return replace(example, words=words, instruction=instruction)
