"""The entity sets of `train/ner`, and the entities of the relation sets, as records.

Comes in: `{"tokenized_text": [token…], "ner": [[start, end_inclusive, label]…]}`, parts of a set
in files `set.part.jsonl.gz`. Goes out: one `Source` a set. Labels are reworded where a set's own
wording is not what a user would type. Most sets mark every mention of every label of theirs; the
exceptions are in `_PARTIAL` and `_CONFUSABLE`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from spanwise.data.records import GoldSpan, Record, Source
from spanwise.data.text import join, own_words, read_rows
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# set -> its label -> our wording; "" drops the label and its spans
_WORDING: dict[str, dict[str, str]] = {
    "bio_bionlp11id": {"regulon operon": "regulon or operon"},
    "bio_bionlp13pc": {"complex": "protein complex"},
    "bio_craft": {"gene ontology process or component": "biological process or cell component"},
    "conll04_entities": {
        "Loc": "location",
        "Org": "organization",
        "Other": "miscellaneous",
        "Peop": "person",
    },
    "cyner": {"system": "software system"},
    "nlu_eval": {
        "change amount": "amount of change",
        "currency name": "currency",
        "definition word": "word to define",
        "house place": "place in the house",
        "personal info": "personal information",
        "timeofday": "time of day",
    },
    "presidio_pii": {
        "credit card": "credit card number",
        "date time": "date or time",
        "gpe": "country, state or city",
        "iban code": "iban",
        "nrp": "nationality, religion or political group",
        "prefix": "form of address",
        "us driver license": "driver's license number",
        "us ssn": "social security number",
    },
    "re3d": {"document reference": "document", "temporal": "time expression"},
    "re_docred_entities": {
        "LOC": "location",
        "MISC": "miscellaneous",
        "NUM": "number",
        "ORG": "organization",
        "PER": "person",
        "TIME": "time",
    },
    "sofc_exp": {"experiment evoking word": ""},  # the very spans of "experiment"
    "stackoverflow_ner": {
        "data set name": "data set",
        "html xml tag": "html or xml tag",
        "keyboard ip": "keyboard input",
        "language": "programming language",
        "licence": "license",
        "user interface element": "user interface element",
    },
    "tasteset": {"part": "part of a food", "process": "food processing", "unit": "unit of measure"},
    "wnut2020_wetlab": {
        "location": "container",  # "tube", "the column"
        "measure type": "measured property",
        "mention": "reference to a reagent",  # "it", "the mixture"
        "numerical": "number",
        "seal": "lid or seal",
    },
}
# some mentions only are marked, and every record words its labels anew
_PARTIAL = frozenset({"nuner_sample"})
# labels whose meanings overlap: one of them on a span says nothing about the others
_CONFUSABLE: dict[str, tuple[frozenset[str], ...]] = {
    "presidio_pii": (
        frozenset({"address", "street address", "location", "country, state or city", "zip code"}),
        frozenset({"title", "form of address"}),
    ),
}
_PLACEHOLDERS = (["CODE_BLOCK", ":"], ["OP_BLOCK", ":"])  # stackoverflow_ner: code left out


def read_entity_sets(folder: Path) -> list[Source]:
    """Return every set of `folder` (`train/ner`), by name; the parts of a set are joined.

    Placeholder lines of stackoverflow_ner ("CODE_BLOCK : Q_30 (code omitted for annotation)")
    are left out: they hold no text of their own.

    Raises:
        DataError: a line breaks the format, or a span lies outside its tokens.
    """
    parts: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.jsonl.gz")):
        parts[path.name.split(".")[0]].append(path)
    return [_read_set(name, paths) for name, paths in parts.items()]


def _read_set(name: str, paths: Sequence[Path]) -> Source:
    rows = []
    for path in paths:
        part = path.name.split(".")[1]
        for number, (where, row) in enumerate(read_rows(path, needs=("tokenized_text", "ner"))):
            if row["tokenized_text"][:2] not in _PLACEHOLDERS:
                rows.append((where, f"{name}/{part}/{number}", row["tokenized_text"], row["ner"]))
    return entity_source(name, rows)


def entity_source(name: str, rows: Iterable[tuple[str, str, list[str], list[Any]]]) -> Source:
    """Return a set of records from (place, id, tokens, [[start, end_inclusive, label]…]) rows.

    Raises:
        DataError: a span lies outside its tokens.
    """
    wording = _WORDING.get(name, {})
    partial = name in _PARTIAL
    built = []
    for where, record_id, tokens, marked in rows:
        text, offsets = join(tokens)
        spans: dict[GoldSpan, None] = {}
        for first, last, label in marked:
            if not 0 <= first <= last < len(tokens):
                msg = f"{where}: span {first}..{last} is outside the {len(tokens)} tokens"
                raise DataError(msg)
            if shown := wording.get(label, label.lower() if partial else label):
                spans[GoldSpan(offsets[first][0], offsets[last][1], shown)] = None
        built.append((record_id, text, offsets, tuple(spans)))
    inventory = tuple(sorted({span.label for row in built for span in row[3]}))
    confusable = _CONFUSABLE.get(name, ())
    records = tuple(
        Record(
            text=text,
            spans=spans,
            labels=None if partial else _marked_throughout(spans, inventory, confusable),
            source=name,
            id=record_id,
            group=record_id,
            words=own_words(text, offsets),
        )
        for record_id, text, offsets, spans in built
    )
    return Source(
        name=name,
        task="entities",
        records=records,
        inventory=inventory,
        closed=not partial and not confusable,
        open_labels=partial,
    )


def _marked_throughout(
    spans: Sequence[GoldSpan], inventory: tuple[str, ...], confusable: Iterable[frozenset[str]]
) -> tuple[str, ...]:
    """Return the inventory less the labels that overlap in meaning with one that has spans."""
    used = {span.label for span in spans}
    doubtful = {label for group in confusable if group & used for label in group} - used
    return tuple(x for x in inventory if x not in doubtful) if doubtful else inventory
