"""The relation sets of `train/relations` as records, and the entities that some of them mark.

Comes in: `{"text", "triples": [{"head", "relation", "tail", "head_span"?, "tail_span"?}]}`, spans
being inclusive indices of space-separated tokens. Goes out: per text one record with the labels
`head <> relation` and the tails as spans, and for conll04 and re_docred a set of entities too,
joined to the relations by `Record.group`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanwise.data.entity_sets import entity_source
from spanwise.data.records import (
    RELATION_INSTRUCTION,
    RELATION_SEPARATOR,
    GoldSpan,
    Record,
    Source,
)
from spanwise.data.relation_wording import INVERSES
from spanwise.data.text import join, occurrences, own_words, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spanwise.data.text import Offsets

_WORDING = {
    "kill": "kills",
    "live in": "lives in",
    "orgbased in": "organization based in",
    "work for": "works for",
    "is normal tissue origin of disease": "is normal tissue of origin of disease",
}
_EXHAUSTIVE = frozenset({"conll04", "re_docred"})  # every pair of the text was looked at
_REVERSED = frozenset({"fewrel2"})  # UMLS order: its "tail" is the relation's subject
_TOKENISED = frozenset({"conll04", "fewrel", "fewrel2", "re_docred"})
_CLUSTER = 3  # re_docred's mentions are [first, last, type, cluster]
_FILES = {
    "conll04": "conll04.*",
    "fewrel": "fewrel.*",
    "fewrel2": "fewrel2_*",
    "knowledgenet": "knowledgenet.*",
    "re_docred": "re_docred.*",
    "wiki_relations": "wiki_relations.*",
}
_OPEN = frozenset({"wiki_relations"})  # each sentence names its relations anew


def read_relation_sets(folder: Path) -> list[Source]:
    """Return the relation sets of `folder` (`train/relations`), entities, and inverse relations.

    The entities are those that some of the sets mark; the inverse relations are the same triples
    once more from tail to head, where that has a name. A set's inventory are the bare relations;
    `Record.labels` are the `head <> relation` pairs that hold somewhere in the text. Where a set
    says which occurrence of the tail is meant, that one is marked; re_docred's are all mentions of
    the tail; else all occurrences of its surface.

    Raises:
        DataError: a line breaks the format or an offset lies outside the text.
    """
    sources: list[Source] = []
    entities: list[Source] = []
    inverse: list[Source] = []
    for name, pattern in _FILES.items():
        rows = [
            (where, f"{path.name.removesuffix('.jsonl.gz')}/{number}", row)
            for path in sorted(folder.glob(pattern))
            for number, (where, row) in enumerate(read_rows(path, needs=("text", "triples")))
        ]
        if rows:
            sources.append(_relations(name, rows))
            turned = [(where, i, {**row, "triples": _turned(row)}) for where, i, row in rows]
            turned = [each for each in turned if each[2]["triples"]]
            if turned:
                inverse.append(_renamed(_relations(name, turned), f"{name}_inverse"))
        if rows and "entities" in rows[0][2]:
            entities.append(_entities(f"{name}_entities", rows))
    return sources + entities + inverse


def _renamed(source: Source, name: str) -> Source:
    records = tuple(replace(record, source=name) for record in source.records)
    return replace(source, name=name, records=records)


def _turned(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the triples of a row from tail to head, where that has a name (`INVERSES`)."""
    return [
        {
            "head": triple["tail"],
            "relation": INVERSES[relation],
            "tail": triple["head"],
            "head_span": triple.get("tail_span"),
            "tail_span": triple.get("head_span"),
        }
        for triple in row["triples"]
        if (relation := _WORDING.get(triple["relation"], triple["relation"])) in INVERSES
    ]


def _relations(name: str, rows: Sequence[tuple[str, str, dict[str, Any]]]) -> Source:
    records = []
    inventory = set()
    for _, record_id, row in rows:
        text = row["text"]
        offsets = join(text.split(" "))[1] if name in _TOKENISED else None
        spans: dict[GoldSpan, None] = {}
        for triple in row["triples"]:
            relation = _WORDING.get(triple["relation"], triple["relation"])
            inventory.add(relation)
            ends = ("tail", "head") if name in _REVERSED else ("head", "tail")
            label = RELATION_SEPARATOR.join((triple[ends[0]], relation))
            for start, end in _places(row, triple, ends[1], offsets):
                spans[GoldSpan(start, end, label)] = None
        records.append(
            Record(
                text=text,
                spans=tuple(spans),
                labels=tuple(dict.fromkeys(span.label for span in spans)),
                instruction=RELATION_INSTRUCTION,
                task="relations",
                source=name,
                id=record_id,
                group=record_id,
                words=own_words(text, offsets) if offsets else None,
            )
        )
    return Source(
        name=name,
        task="relations",
        records=tuple(records),
        inventory=tuple(sorted(inventory)),
        closed=name in _EXHAUSTIVE,
        open_labels=name in _OPEN,
    )


def _places(
    row: dict[str, Any], triple: dict[str, Any], end: str, tokens: list[Offsets] | None
) -> list[Offsets]:
    """Return where the head or tail of a triple stands in the text."""
    text, surface = row["text"], triple[end]
    if tokens and (span := triple.get(f"{end}_span")):
        place = tokens[span[0]][0], tokens[span[1]][1]
        if text[slice(*place)] == surface:
            return [place]
    if tokens:
        clustered = [mention for mention in row.get("entities", ()) if len(mention) > _CLUSTER]
        mentions = [((tokens[m[0]][0], tokens[m[1]][1]), m[_CLUSTER]) for m in clustered]
        ids = {cluster for place, cluster in mentions if text[slice(*place)] == surface}
        if ids:
            return sorted({place for place, cluster in mentions if cluster in ids})
    return occurrences(text, surface)


def _entities(name: str, rows: Sequence[tuple[str, str, dict[str, Any]]]) -> Source:
    """Return the entities of a relation set; groups are those of the relations."""
    return entity_source(
        name,
        [
            (where, record_id, row["text"].split(" "), [mention[:3] for mention in row["entities"]])
            for where, record_id, row in rows
        ],
    )
