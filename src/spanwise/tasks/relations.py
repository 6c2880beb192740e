"""Relations: heads, then their tails, as the labels `head <> relation`.

Heads are the entities found in a first pass, or given. Every head is asked for every relation it
can have, all in one query, so a text takes `1 + ceil(heads x relations / labels per pass)` passes.
The labels are numbered, never parsed: a head may hold `<>` itself. A tail that lies on an entity
takes its offsets and label. The model reads a head's words and not its place, so of several
mentions of a head the nearest one that the relation allows is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from spanwise.errors import InputError, LabelError, did_you_mean
from spanwise.flow import prompt
from spanwise.options import Settings
from spanwise.passes import DEFAULT_THRESHOLD
from spanwise.tasks.steps import asked
from spanwise.tasks.wording import RELATION_INSTRUCTION, RELATION_SEPARATOR
from spanwise.types import Entity, Label, Query, Relation, RelationLabel, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spanwise.config import ModelConfig
    from spanwise.flow.words import Words
    from spanwise.options import Thresholds
    from spanwise.tasks.entities import Labels
    from spanwise.tasks.steps import Steps

RelationLabels: TypeAlias = Sequence[str | RelationLabel] | Mapping[str, str]
"""Names, `RelationLabel`s, or a mapping from a name to the description that the model reads."""
Head: TypeAlias = str | Span | Entity
_SAME = 0.5  # of two spans that share at least this much of both together, one is the other


@dataclass(frozen=True, slots=True)
class Relations:
    """Find the tails of every head and relation.

    Attributes:
        relations: what to look for, see `RelationLabel`.
        entities: labels of the entities that are heads, and that type the tails.
        heads: heads that are known: words of the text, spans or entities. With `entities` as
            well, those only type the ends.
        entity_threshold: for finding the entities; None as in `Settings`.
        mentions: report a relation for every mention of its tail, not for the best one.
        instruction: what the model is told; the paper's by default.

    Raises:
        LabelError: no relations, an empty or repeated one.
        InputError: neither entities nor heads, or pairs of labels that no entity can have.
    """

    relations: RelationLabels
    entities: Labels | None = field(default=None, kw_only=True)
    heads: Sequence[Head] | None = field(default=None, kw_only=True)
    entity_threshold: Thresholds | None = field(default=None, kw_only=True)
    mentions: bool = field(default=False, kw_only=True)
    instruction: str = field(default=RELATION_INSTRUCTION, kw_only=True)
    settings: Settings = field(default_factory=Settings, kw_only=True)

    def __post_init__(self) -> None:
        """Read labels and heads, whatever form they came in, and see that they fit."""
        object.__setattr__(self, "relations", labels(self.relations))
        replace(self.settings, threshold=self.entity_threshold)
        if self.instruction:
            asked(self.instruction, "instruction")
        if self.entities is not None:
            object.__setattr__(self, "entities", prompt.labels(self.entities))
        elif self.heads is None:
            msg = (
                "relations need heads: pass entities=[labels of entities to find], or "
                "heads=[words, spans or entities of the text]"
            )
            raise InputError(msg)
        if isinstance(self.heads, str):
            msg = f"heads must be a list, got the string {self.heads!r}; write [{self.heads!r}]"
            raise InputError(msg)
        untyped = bool(self.heads) and all(isinstance(head, str) for head in self.heads or ())
        if self.entities is None and untyped:
            self.check_pairs(())
        if self.entities is not None:
            self.check_pairs(label.name for label in prompt.labels(self.entities))

    def check_pairs(self, known: Iterable[str]) -> None:
        """Raise InputError where a relation's pairs name a label that no entity will have."""
        names = list(known)
        for relation in labels(self.relations):
            for name in (name for pair in relation.pairs or () for name in pair):
                if name not in names:
                    msg = (
                        f"relation {relation.name!r}: pairs name {name!r}, which is no label of "
                        f"the entities{did_you_mean(name, names)}; known: "
                        f"{', '.join(names) or 'none, so pass entities=[labels] as well'}"
                    )
                    raise InputError(msg)

    def steps(self, text: Words, config: ModelConfig) -> Steps[list[Relation]]:
        """Find entities unless the heads are given, then the tails of all heads together."""
        entities: list[Span] = [_typed(head) for head in self.heads or () if _has_label(head)]
        if self.entities is not None:
            query = Query(tuple(prompt.labels(self.entities)))
            settings = replace(self.settings, threshold=self.entity_threshold)
            (found,) = yield [(query, settings)]
            entities += [_typed(entity) for entity in found]
        heads = _located(self.heads, entities, text) if self.heads is not None else entities
        by_words: dict[str, list[Span]] = {}
        for head in sorted(heads, key=lambda span: (span.start, span.end)):
            by_words.setdefault(_words(head.text), []).append(head)
        pairs = [
            (head, relation)
            for head, spans in by_words.items()
            for relation in labels(self.relations)
            if relation.pairs is None
            or {label for label, _ in relation.pairs} & {span.label for span in spans}
        ]
        if not pairs:
            return []
        (tails,) = yield [(self._query(pairs, config), self._settings(pairs, config))]
        made = [
            relation
            for tail in tails
            for relation in _related(tail, *pairs[int(tail.label)], by_words, entities)
        ]
        return _distinct(made, mentions=self.mentions)

    def _query(self, pairs: Sequence[tuple[str, RelationLabel]], config: ModelConfig) -> Query:
        shown = (
            RELATION_SEPARATOR.join((_harmless(head, config), relation.shown))
            for head, relation in pairs
        )
        numbered = (Label(str(number), words) for number, words in enumerate(shown))
        return Query(tuple(numbered), self.instruction)

    def _settings(
        self, pairs: Sequence[tuple[str, RelationLabel]], config: ModelConfig
    ) -> Settings:
        """Return settings in which each numbered label has its relation's threshold."""
        given = self.settings.threshold
        if given is None:
            given = config.thresholds
        if isinstance(given, Mapping):
            given = {
                str(number): given.get(relation.name, DEFAULT_THRESHOLD)
                for number, (_, relation) in enumerate(pairs)
            }
        # Two heads may well share a tail: each label is a question of its own.
        return replace(self.settings, threshold=given, apart=True)


def labels(given: RelationLabels) -> tuple[RelationLabel, ...]:
    """Return the relations as `RelationLabel`s, order kept.

    Raises:
        LabelError: no relation, an empty one, or one named twice.
    """
    if isinstance(given, str):
        msg = f"relations must be a list, got the string {given!r}; write [{given!r}]"
        raise LabelError(msg)
    if isinstance(given, Mapping):
        made = [RelationLabel(name, shown) for name, shown in given.items()]
    else:
        made = [each if isinstance(each, RelationLabel) else RelationLabel(each) for each in given]
    if not made:
        msg = "no relations given: pass at least one, e.g. ['founded by']"
        raise LabelError(msg)
    names = [relation.name for relation in made]
    for name in names:
        if names.count(name) > 1:
            msg = f"relation {name!r} is given twice; leave one"
            raise LabelError(msg)
    return tuple(made)


def _has_label(head: Head) -> bool:
    return not isinstance(head, str) and head.label is not None


def _typed(head: Head) -> Span:
    assert not isinstance(head, str), head
    return Span(head.text, head.start, head.end, head.score, head.label)


def _words(text: str) -> str:
    """Return the words of a head or tail as they are compared: white space is one space."""
    return " ".join(text.split())


def _harmless(head: str, config: ModelConfig) -> str:
    """Return a head in which the prompt's own tokens are spelt out."""
    for token in (config.label_token, config.separator_token):
        head = head.replace(token, " ".join(token))
    return head


def _located(heads: Sequence[Head], entities: Sequence[Span], words: Words) -> list[Span]:
    """Return given heads as spans; words stand for all their occurrences, typed where known.

    Raises:
        InputError: words that are not in the text, or a span that is not of this text.
    """
    found: dict[tuple[int, int], Span] = {}
    for head in heads:
        if isinstance(head, str):
            asked(head, "head")
            places = list(_occurrences(head, words))
            if not places:
                msg = f"head {head!r} is not in the text {words.text[:60]!r}; give words of it"
                raise InputError(msg)
        else:
            places = [(head.start, head.end)]
            if words.text[head.start : head.end] != head.text:
                msg = (
                    f"head {head.text!r} is not at {head.start}:{head.end} of the text "
                    f"{words.text[:60]!r}; offsets are characters of the text it is asked of"
                )
                raise InputError(msg)
        for start, end in places:
            score = 1.0 if isinstance(head, str) else head.score
            label = None if isinstance(head, str) else head.label
            span = Span(words.text[start:end], start, end, score, label)
            if label is None:
                span = replace(span, label=_on(span, entities).label)
            found.setdefault((start, end), span)
    return list(found.values())


def _occurrences(head: str, words: Words) -> Iterator[tuple[int, int]]:
    """Yield the places of a head that begin and end with words; else all its places."""
    places = []
    start = words.text.find(head)
    while start >= 0:
        places.append((start, start + len(head)))
        start = words.text.find(head, start + 1)
    starts, ends = set(words.starts.tolist()), set(words.ends.tolist())
    yield from [p for p in places if p[0] in starts and p[1] in ends] or places


def _on(span: Span, entities: Sequence[Span]) -> Span:
    """Return the entity that a span lies in, or shares most of itself with; else the span."""
    around = [each for each in entities if each.start <= span.start and span.end <= each.end]
    if around:
        return min(around, key=lambda each: (each.end - each.start, -each.score))
    best, share = span, 0.0
    for entity in entities:
        common = min(span.end, entity.end) - max(span.start, entity.start)
        both = max(span.end, entity.end) - min(span.start, entity.start)
        if common > 0 and common / both > max(share, _SAME - 1e-9):
            best, share = entity, common / both
    return best


def _related(
    found: Entity,
    head: str,
    relation: RelationLabel,
    mentions: Mapping[str, Sequence[Span]],
    entities: Sequence[Span],
) -> Iterator[Relation]:
    """Yield the relation of a tail with the nearest mention of its head that is allowed, if any."""
    on = _on(Span(found.text, found.start, found.end, found.score), entities)
    tail = Span(on.text, on.start, on.end, found.score, on.label)
    allowed = [
        (distance(mention, tail), mention.start, mention)
        for mention in mentions[head]
        if _allowed(mention, relation, tail) and (relation.reflexive or not _same(mention, tail))
    ]
    if allowed:
        yield Relation(min(allowed, key=lambda each: each[:2])[2], relation.name, tail, found.score)


def _same(head: Span, tail: Span) -> bool:
    """Whether head and tail name the same thing: equal words, or a short form of the same type.

    "Babbage" is "Charles Babbage" if both are persons; the state of California is not the
    "University of California".
    """
    one, other = (_words(span.text).casefold() for span in (head, tail))
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return head.label is not None and head.label == tail.label and f" {short} " in f" {long} "


def _allowed(head: Span, relation: RelationLabel, tail: Span) -> bool:
    if relation.pairs is not None and (head.label, tail.label) not in relation.pairs:
        return False
    if not relation.reflexive and head.start < tail.end and tail.start < head.end:
        return False
    if relation.max_distance is not None and distance(head, tail) > relation.max_distance:
        return False
    if relation.direction == "forward":
        return head.end <= tail.start
    return relation.direction == "any" or tail.end <= head.start


def distance(a: Span, b: Span) -> int:
    """Return the characters between two spans, 0 where they touch or overlap."""
    return max(0, a.start - b.end, b.start - a.end)


def _distinct(made: Sequence[Relation], *, mentions: bool) -> list[Relation]:
    """Return each relation once, with its best score, in text order of head and tail."""
    best: dict[object, Relation] = {}
    for relation in made:
        head, tail = relation.head, relation.tail
        key: object = (_words(head.text), relation.relation, _words(tail.text))
        if mentions:
            key = (key, head.start, tail.start, tail.end)
        if key not in best or relation.score > best[key].score:
            best[key] = relation
    return sorted(best.values(), key=lambda each: (each.head.start, each.tail.start, -each.score))
