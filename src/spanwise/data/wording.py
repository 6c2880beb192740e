"""Other ways to say the same: synonyms of labels and variants of instructions, for training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanwise.data import relation_wording
from spanwise.data.records import RELATION_SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

_SYNONYMS = (
    ("person", "people", "individual", "name of a person", "human"),
    ("organization", "organisation", "org", "institution or company"),
    ("location", "place", "geographical location", "loc"),
    ("company", "business", "corporation", "firm"),
    ("date", "point in time", "calendar date"),
    ("product", "commercial product", "goods"),
    ("event", "named event", "happening"),
    ("disease", "illness", "medical condition", "disorder"),
    ("chemical", "chemical substance", "chemical compound"),
    ("gene or protein", "gene", "protein"),
    ("species", "organism", "living species"),
    ("facility", "building or structure"),
    ("work of art", "creative work", "artwork"),
    ("book", "book title", "written work"),
    ("country", "nation", "state"),
    ("city", "town", "municipality"),
    ("job title", "occupation", "profession"),
    ("quantity", "measurement", "amount"),
    ("money", "monetary value", "amount of money"),
    ("technology", "technical term"),
    ("field of study", "academic discipline", "discipline", "research field"),
    ("key phrase", "keyword", "keyphrase", "key term", "key phrase or concept"),
    ("positive", "positive sentiment", "positive opinion"),
    ("negative", "negative sentiment", "negative opinion"),
    ("neutral", "neutral sentiment"),
)
_BY_LABEL = {label: group for group in _SYNONYMS for label in group}

_INSTRUCTIONS = {
    "summary": (
        "Summarize the given text, highlighting the most important information:",
        "Summarize the text.",
        "Give the most important sentences of the text:",
        "Extract a summary:",
    ),
    "relations": (
        "",
        "Identify the relation in the given text, highlighting the relevant entity:",
        "Extract relationships between entities from the text:",
    ),
}


def vary(labels: Sequence[str], task: str, rng: Generator, chance: float) -> list[str]:
    """Return the labels, each with some chance in other words; none becomes another's synonym."""
    if task == "relations":
        return _vary_relations(labels, rng, chance)
    if task not in {"entities", "key_phrases", "sentiment"}:
        return list(labels)
    shown = list(labels)
    groups = [_BY_LABEL.get(label.lower()) for label in labels]
    for place, group in enumerate(groups):
        if group is None or groups.count(group) > 1 or rng.random() >= chance:
            continue
        shown[place] = group[int(rng.integers(len(group)))]
    return shown


def _vary_relations(labels: Sequence[str], rng: Generator, chance: float) -> list[str]:
    """Name each relation alike behind all of its heads, and never as another one that is asked."""
    pairs = [label.rpartition(RELATION_SEPARATOR) for label in labels]
    shown = {relation: relation for _, _, relation in pairs}
    for relation in list(shown):
        ways = relation_wording.names(relation)
        if len(ways) > 1 and rng.random() < chance:
            new = ways[int(rng.integers(len(ways)))]
            if new not in shown.values():
                shown[relation] = new
    return [f"{head}{separator}{shown[relation]}" for head, separator, relation in pairs]


def vary_instruction(instruction: str, task: str, rng: Generator, chance: float = 1.0) -> str:
    """Return the instruction, or a variant of it for tasks whose instruction is fixed."""
    variants = _INSTRUCTIONS.get(task)
    if variants is None or (chance < 1 and rng.random() >= chance):
        return instruction
    return variants[int(rng.integers(len(variants)))]


def synonyms(label: str) -> tuple[str, ...]:
    """Return the ways to say a label, itself included; only it where none is known."""
    return _BY_LABEL.get(label.lower(), (label.lower(),))
