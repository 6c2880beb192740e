"""The development benchmarks in the form that evaluation asks of: never for training.

Comes in: a data folder with `dev/` (crossner, squad, fewrel, cnndm) in the forms they are published
in. Goes out: entity sets as sources, questions with all gold answers, pairs of head and relation
with the gold tail, and articles with highlights.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.data.entity_sets import entity_source
from spanwise.data.formats.conll import sentences, spans_of
from spanwise.data.formats.files import read_text
from spanwise.data.records import Record, Source
from spanwise.data.text import join, own_words, read_rows
from spanwise.errors import DataError
from spanwise.types import Span

if TYPE_CHECKING:
    from os import PathLike

    from spanwise.data.text import Offsets

DOMAINS = ("ai", "literature", "music", "politics", "science")
_CROSSNER = {  # as the evaluations of GLiNER and others word them
    "academicjournal": "academic journal",
    "astronomicalobject": "astronomical object",
    "chemicalcompound": "chemical compound",
    "chemicalelement": "chemical element",
    "literarygenre": "literary genre",
    "misc": "miscellaneous",
    "musicalartist": "musical artist",
    "musicalinstrument": "musical instrument",
    "musicgenre": "music genre",
    "politicalparty": "political party",
    "programlang": "programming language",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QaItem:
    """A question on a text with all its gold answers; none where the text does not answer it.

    `starts` are the characters at which the answers stand, in the same order.
    """

    id: str
    title: str
    context: str
    question: str
    answers: tuple[str, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationItem:
    """A text, a head in it and a relation; `tails` are the places of the one gold tail."""

    id: str
    text: str
    head: Span
    relation: str
    tails: tuple[Span, ...]
    words: tuple[Offsets, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A text and the abstract that its summary is compared with."""

    id: str
    text: str
    highlights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmarks:
    """The development benchmarks; one that the folder lacks is empty."""

    crossner: dict[str, Source]
    squad: tuple[QaItem, ...]
    fewrel: tuple[RelationItem, ...]
    cnndm: tuple[Article, ...]

    def texts(self) -> list[Record]:
        """Return every distinct text as a bare record: what training data must not overlap."""
        named = [
            (record.source, record.text) for x in self.crossner.values() for record in x.records
        ]
        named += [("squad", item.context) for item in self.squad]
        named += [("fewrel", item.text) for item in self.fewrel]
        named += [("cnndm", item.text) for item in self.cnndm]
        return [
            Record(text=text, spans=(), source=name, id=f"{name}/{number}")
            for number, (name, text) in enumerate(dict.fromkeys(named))
        ]


def read_dev(folder: str | PathLike[str]) -> Benchmarks:
    """Return the benchmarks under `dev/` of a data folder.

    Raises:
        DataError: there is no `dev/`, or a file breaks its format.
    """
    dev = Path(folder) / "dev"
    if not dev.is_dir():
        msg = f"{dev}: no such folder; pass the folder above dev/"
        raise DataError(msg)
    crossner = {name: dev / "crossner" / name / "dev.txt" for name in DOMAINS}
    squad, fewrel = dev / "squad" / "dev-v2.0.json", dev / "fewrel"
    cnndm = dev / "cnndm" / "validation.jsonl.gz"
    return Benchmarks(
        crossner={x: read_crossner(path, x) for x, path in crossner.items() if path.exists()},
        squad=read_squad(squad) if squad.exists() else (),
        fewrel=read_fewrel(fewrel) if fewrel.exists() else (),
        cnndm=read_articles(cnndm) if cnndm.exists() else (),
    )


def read_crossner(path: Path, domain: str) -> Source:
    """Return a domain of CrossNER, all labels in words ("political party", "miscellaneous").

    Raises:
        DataError: a line has no tag.
    """
    rows = []
    for number, sentence in enumerate(sentences(path)):
        spans = [[first, last, _CROSSNER.get(x, x)] for first, last, x in spans_of(sentence, [])]
        rows.append((sentence.where, f"{domain}/{number}", sentence.tokens, spans))
    return entity_source(f"crossner_{domain}", rows)


def read_squad(path: Path) -> tuple[QaItem, ...]:
    """Return the questions of a SQuAD 2.0 file, unanswerable ones included.

    Raises:
        DataError: the file is not in SQuAD's form, or an answer is not where it says.
    """
    items = []
    for article in _json(path, key="data"):
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            for asked in paragraph["qas"]:
                for answer in asked["answers"]:
                    if not context.startswith(answer["text"], answer["answer_start"]):
                        msg = f"{path}: question {asked['id']}: {answer} is not in its context"
                        raise DataError(msg)
                items.append(
                    QaItem(
                        id=asked["id"],
                        title=article["title"],
                        context=context,
                        question=asked["question"],
                        answers=tuple(answer["text"] for answer in asked["answers"]),
                        starts=tuple(answer["answer_start"] for answer in asked["answers"]),
                    )
                )
    return tuple(items)


def read_fewrel(folder: Path) -> tuple[RelationItem, ...]:
    """Return the pairs of `val_wiki.json`, relations by their names in `pid2name.json`.

    Raises:
        DataError: a file is not in FewRel's form.
    """
    names = _json(folder / "pid2name.json")
    items = []
    for pid, instances in _json(folder / "val_wiki.json").items():
        for number, instance in enumerate(instances):
            text, offsets = join(instance["tokens"])
            ends = {
                end: tuple(_span(text, offsets, indices) for indices in instance[end][2])
                for end in ("h", "t")
            }
            items.append(
                RelationItem(
                    id=f"{pid}/{number}",
                    text=text,
                    head=ends["h"][0],
                    relation=names[pid][0],
                    tails=ends["t"],
                    words=own_words(text, offsets),
                )
            )
    return tuple(items)


def _span(text: str, offsets: list[Offsets], indices: list[int]) -> Span:
    start, end = offsets[indices[0]][0], offsets[indices[-1]][1]
    return Span(text[start:end], start, end)


def read_articles(path: Path) -> tuple[Article, ...]:
    """Return the articles of CNN/DailyMail, highlights a line each.

    Raises:
        DataError: a line breaks the format.
    """
    return tuple(
        Article(id=row["id"], text=row["article"], highlights=row["highlights"])
        for _, row in read_rows(path, needs=("id", "article", "highlights"))
    )


def _json(path: Path, *, key: str = "") -> Any:  # noqa: ANN401 (a published file's JSON)
    """Return a JSON file's object, or the value of one key of it."""
    try:
        value = json.loads(read_text(path))
        return value[key] if key else value
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: not in its published form ({error!r})"
        raise DataError(msg) from error
