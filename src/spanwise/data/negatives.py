"""What is asked of a text: the labels it has, and those it is asked in vain.

The authors of the paper name hard negatives as the next step (section 4). Here labels asked in
vain come from the same set's inventory and, for sets that word their labels anew, from the pool of
all such labels; and relations are asked of wrong heads and wrong relations. None of them is a label
that the record is known to have. Questions without an answer are made in `unanswerable`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanwise.data import wording
from spanwise.data.records import RELATION_SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator

    from spanwise.data.records import GoldSpan, Record, Source
    from spanwise.data.sampling import SamplingConfig

PROMPTED = {"answers": "answer", "open": "match", "summary": "summary"}
"""Tasks that ask for one thing, and its label where the record names none."""

_SYMMETRIC = frozenset(
    {
        "spouse",
        "sibling",
        "partner",
        "relative",
        "twinned administrative body",
        "shares border with",
        "adjacent to",
        "different from",
        "said to be the same as",
        "spouse of",
        "sibling of",
        "married to",
        "colleague",
        "friend",
        "business partner",
        "partner of",
    }
)
"""Relations that hold both ways: their tail is no wrong head."""


@dataclass(frozen=True, slots=True)
class Pool(Sequence[str]):
    """Labels that open-label sets are asked in vain, and which of them are of one kind.

    `kin` maps a label to labels of its kind: for "politician", other kinds of person. They are the
    hard ones: right about what is an entity, wrong about its type.
    """

    labels: tuple[str, ...]
    kin: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.labels)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        """Return a label, or a slice of them."""
        return self.labels[place]


def pool(sources: Iterable[Source]) -> Pool:
    """Return the labels of open-label sets, with kin by the general types of the same spans.

    A set `synthetic_types` that marks the spans of `synthetic_entities` with general types says
    which specific ones are of a kind (see data/synthetic's guide).
    """
    by_name = {source.name: source for source in sources}
    labels = sorted(
        {
            label
            for source in by_name.values()
            if source.open_labels and source.task == "entities"
            for label in source.inventory
        }
    )
    kinds: dict[tuple[str, int, int], str] = {}
    if "synthetic_types" in by_name:
        for record in by_name["synthetic_types"].records:
            kinds.update({(record.group, s.start, s.end): s.label for s in record.spans})
    members: dict[str, set[str]] = defaultdict(set)
    if "synthetic_entities" in by_name:
        for record in by_name["synthetic_entities"].records:
            for span in record.spans:
                kind = kinds.get((record.group, span.start, span.end))
                if kind:
                    members[kind].add(span.label)
    shared = {kind: tuple(sorted(names)) for kind, names in members.items()}
    return Pool(tuple(labels), {name: shared[kind] for kind in shared for name in shared[kind]})


def prompted_labels(record: Record, spans: Sequence[GoldSpan]) -> list[str]:
    """Return the labels of a record whose instruction says what is wanted."""
    known = list(record.labels or sorted({span.label for span in spans}))
    return known or [PROMPTED[record.task]]


def entity_labels(
    record: Record,
    spans: Sequence[GoldSpan],
    source: Source,
    rng: Generator,
    config: SamplingConfig,
    pool: Sequence[str] = (),
) -> list[str]:
    """Return some of the labels in the piece, and labels asked in vain."""
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
    if config.all_labels and rng.random() < config.all_labels:
        wanted = room
    if source.open_labels and pool:
        from_pool = round(wanted * config.pool_negatives) if absent else wanted
        asked = asked + _from_pool(pool, everything, from_pool, rng)
        wanted -= from_pool
    if absent and wanted:
        picked = rng.choice(len(absent), min(wanted, len(absent)), replace=False)
        asked = asked + [absent[i] for i in picked]
    if not asked:
        asked = absent[:1] or list(record.labels or source.inventory)[:1] or list(pool[:1])
    return list(dict.fromkeys(asked))


def _from_pool(pool: Sequence[str], present: set[str], wanted: int, rng: Generator) -> list[str]:
    """Labels from the pool that share no word with one that is present, nor mean the same.

    Where the pool knows kin, half of them are of the kind of a label that is present.
    """
    used = {word for label in present for word in label.lower().split()}
    meant = {other for label in present for other in wording.synonyms(label)}
    kin = pool.kin if isinstance(pool, Pool) else {}
    kinds = [kin[label] for label in sorted(present) if label in kin]
    picked = []
    for i in rng.integers(len(pool), size=wanted):
        if kinds and rng.random() < 0.5:
            kind = kinds[int(rng.integers(len(kinds)))]
            picked.append(kind[int(i) % len(kind)])
        else:
            picked.append(pool[int(i)])
    return [x for x in picked if not used & set(x.lower().split()) and x.lower() not in meant]


def relation_labels(
    record: Record,
    spans: Sequence[GoldSpan],
    source: Source,
    rng: Generator,
    config: SamplingConfig,
) -> list[str]:
    """Return `head <> relation` labels in the piece, wrong relations of heads, and wrong heads."""
    known = sorted({span.label for span in record.spans})
    present = sorted({span.label for span in spans})
    if len(present) > 8:
        present = [present[i] for i in rng.choice(len(present), 8, replace=False)]
    named = present or known or sorted(record.labels or ())
    pairs = [label.rsplit(RELATION_SEPARATOR, 1) for label in named if RELATION_SEPARATOR in label]
    relations = sorted({relation for _, relation in pairs})
    heads = sorted({head for head, _ in pairs})
    tails = sorted({record.text[s.start : s.end] for s in record.spans})
    asked = list(present)
    for head, relation in pairs:
        if rng.random() < 0.4:
            others = source.inventory if rng.random() < 0.6 or len(relations) < 2 else relations
            if others:
                asked.append(f"{head}{RELATION_SEPARATOR}{others[int(rng.integers(len(others)))]}")
        if rng.random() < 0.4:
            wrong = heads if relation in _SYMMETRIC else heads + tails
            asked.append(f"{wrong[int(rng.integers(len(wrong)))]}{RELATION_SEPARATOR}{relation}")
    held = set(known) - set(present)
    asked = [label for label in dict.fromkeys(asked) if label not in held]
    absent = [label for label in record.labels or () if label not in known]
    return asked[: config.max_labels] or known[:1] or absent[:1]
