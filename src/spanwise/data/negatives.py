"""What is asked of a text: the labels it has, and those it is asked in vain.

The authors of the paper name hard negatives as the next step (section 4). Here labels asked in
vain come from the same set's inventory and, for sets that word their labels anew, from the pool of
all such labels; relations are asked of wrong heads and wrong relations; and questions are put to
paragraphs that do not answer them. None of them is a label that the record is known to have.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanwise.data import wording
from spanwise.data.records import RELATION_SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    """Labels from the pool that share no word with one that is present, nor mean the same."""
    used = {word for label in present for word in label.lower().split()}
    meant = {other for label in present for other in wording.synonyms(label)}
    picked = [pool[int(i)] for i in rng.integers(len(pool), size=wanted)]
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


def maybe_unanswerable(
    record: Record,
    others: Sequence[Record],
    groups: Mapping[str, Sequence[int]],
    rng: Generator,
    chance: float,
) -> Record:
    """Return the question, sometimes put to another paragraph that does not hold its answer.

    Args:
        record: a question with its text; one without an answer is returned as it is.
        others: the records that other paragraphs are taken from.
        groups: positions in `others` by group; those of the record's own are preferred, since a
            paragraph of the same article is the hardest.
        rng: decides.
        chance: of another paragraph.
    """
    if not record.spans or rng.random() >= chance:
        return record
    near = groups.get(record.group) or range(len(others))
    answers = {record.text[s.start : s.end].lower() for s in record.spans}
    for _ in range(8):
        other = others[int(near[int(rng.integers(len(near)))])]
        if other.text != record.text and not any(a in other.text.lower() for a in answers):
            return replace(other, instruction=record.instruction, labels=record.labels, spans=())
    return record


def by_group(records: Sequence[Record]) -> dict[str, list[int]]:
    """Return the positions of the records of each group of two or more."""
    groups: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        if record.group:
            groups.setdefault(record.group, []).append(place)
    return {name: places for name, places in groups.items() if len(places) > 1}
