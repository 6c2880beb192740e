"""Question answering, summaries, sentiment and open extraction of `train/` as records.

Comes in: `qa` {"context", "question", "answers", "starts"?, "title"?}, `summaries` {"sentences",
"labels"}, `sentiment` {"tokens" | "text", "triplets"}, `openie` {"text", "extractions"}. Goes
out: the question or prompt as the record's instruction, and one label: `answer`, `summary`,
`match`, or for sentiment the polarity.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from spanwise.data.asked_relations import asked_relations
from spanwise.data.records import SUMMARY_INSTRUCTION, GoldSpan, Record, Source
from spanwise.data.text import content_words, join, occurrences, own_words, read_rows
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spanwise.data.text import Offsets

POLARITIES = ("positive", "negative", "neutral")
ANSWER, SUMMARY, MATCH = "answer", "summary", "match"
_NAME_WORDS = 4  # an answer up to this long that looks like a name or number is one wherever it is
_NEIGHBOURHOOD = 120  # characters on each side that are compared with the question
_NAMELIKE = re.compile(r"[A-Z0-9]")
_QA_SETS = {
    "covidqa": "covidqa_*",
    "policyqa": "policyqa.*",
    "qamr": "qamr.*",
    "squad": "squad_v1.1_*",
    "squad_questions": "squad_questions.*",
    "squad_unanswerable": "squad_unanswerable.*",
    "squadshifts": "squadshifts_*",
}
_NAMING = frozenset({"squad", "squadshifts"})  # ask whole questions about named things


def read_qa_sets(folder: Path) -> list[Source]:
    """Return the question sets of `folder` (`train/qa`).

    The questions of some sets that name what they ask about are there once more, as relations of
    it. A question without answers is one that its text does not answer. `group` is the article's
    title where the set names it, so that a question paired with another text of its group becomes
    an unanswerable one.

    Raises:
        DataError: a line breaks the format, or an answer is not in its context.
    """
    sources = []
    for name, pattern in _QA_SETS.items():
        contexts: dict[str, str] = {}  # one string for all questions of a paragraph
        records = []
        for path in sorted(folder.glob(pattern)):
            part = path.name.removesuffix(".jsonl.gz")
            rows = read_rows(path, needs=("context", "question", "answers"))
            for number, (where, row) in enumerate(rows):
                text = contexts.setdefault(row["context"], row["context"])
                records.append(
                    Record(
                        text=text,
                        spans=_answer_spans(row, where=where),
                        labels=(ANSWER,),
                        instruction=row["question"],
                        task="answers",
                        source=name,
                        id=f"{part}/{row.get('id') or number}",
                        group=row.get("title") or "",
                    )
                )
        if records:
            sources.append(_source(name, records, (ANSWER,)))
    asked = [asked_relations(source) for source in sources if source.name in _NAMING]
    return sources + [source for source in asked if source]


def _source(name: str, records: list[Record], inventory: tuple[str, ...]) -> Source:
    return Source(
        name=name, task=records[0].task, records=tuple(records), inventory=inventory, closed=True
    )


def _answer_spans(row: dict[str, Any], *, where: str) -> tuple[GoldSpan, ...]:
    """Return the first answer that is where `starts` says, else the most frequent, shortest one.

    Nothing where no answer is given: the context does not hold one.
    """
    text, answers = row["context"], row["answers"]
    if not answers:
        return ()
    for answer, given in zip(answers, row.get("starts") or (), strict=False):
        surface = answer.strip()
        start = given + len(answer) - len(answer.lstrip())
        if surface and text.startswith(surface, start):
            return (GoldSpan(start, start + len(surface), ANSWER),)
    surface = max(answers, key=lambda answer: (answers.count(answer), -len(answer))).strip()
    places = answer_places(text, row["question"], surface)
    if not places:
        msg = f"{where}: the answer {surface!r} is not in the context"
        raise DataError(msg)
    return tuple(GoldSpan(start, end, ANSWER) for start, end in places)


def answer_places(text: str, question: str, answer: str) -> list[Offsets]:
    """Return where an answer that came without offsets stands in its text.

    A short one that looks like a name or a number (at most 4 words, with a capital or a digit)
    answers wherever it stands. Of any other, the occurrence counts whose surroundings (120
    characters to each side) share the most words with the question; the first where several do.
    """
    places = occurrences(text, answer)
    namelike = len(answer.split()) <= _NAME_WORDS and _NAMELIKE.search(answer)
    if namelike or len(places) < 2:
        return places
    asked = content_words(question)

    def shared(place: Offsets) -> int:
        around = text[max(0, place[0] - _NEIGHBOURHOOD) : place[1] + _NEIGHBOURHOOD]
        return len(asked & content_words(around))

    return [max(places, key=shared)]


def read_summary_sets(folder: Path) -> list[Source]:
    """Return scitldr: sentences joined by spaces, the extracted ones marked.

    Raises:
        DataError: a line breaks the format, or an index names no sentence.
    """
    records = []
    for path in sorted(folder.glob("scitldr.*")):
        part = path.name.split(".")[1]
        for number, (where, row) in enumerate(read_rows(path, needs=("sentences", "labels"))):
            text, offsets = join([" ".join(sentence.split()) for sentence in row["sentences"]])
            if not all(0 <= index < len(offsets) for index in row["labels"]):
                msg = f"{where}: labels {row['labels']} name none of {len(offsets)} sentences"
                raise DataError(msg)
            places = [offsets[index] for index in sorted(row["labels"])]
            records.append(
                Record(
                    text=text,
                    spans=tuple(GoldSpan(start, end, SUMMARY) for start, end in places),
                    labels=(SUMMARY,),
                    instruction=SUMMARY_INSTRUCTION,
                    task="summary",
                    source="scitldr",
                    id=f"scitldr/{part}/{number}",
                )
            )
    return [_source("scitldr", records, (SUMMARY,))] if records else []


def read_sentiment_sets(folder: Path) -> list[Source]:
    """Return dmaste and mams, each as polarities of a text's pieces and as prompted extraction.

    dmaste marks opinions ("very small parts") and the aspects they are about, mams aspects only.
    `dmaste`: opinions by polarity. `mams`: aspects by polarity, as the instruction says.
    `dmaste_open`, `mams_open`: "Find all positive aspects about the product:" and the like, one
    record a polarity; one that fits no aspect of the text is marked nowhere.

    Raises:
        DataError: a line breaks the format or an offset lies outside the text.
    """
    sources = []
    for name, topic in (("dmaste", "product"), ("mams", "restaurant")):
        opinions: list[Record] = []
        aspects: list[Record] = []
        for path in sorted(folder.glob(f"{name}_*")):
            part = path.name.removesuffix(".jsonl.gz")
            for number, (_, row) in enumerate(read_rows(path, needs=("triplets",))):
                marked = _Marked(row, source=name, record_id=f"{part}/{number}")
                opinions.append(marked.by_polarity())
                aspects.extend(marked.asked(topic))
        if opinions:
            sources.append(_source(name, opinions, POLARITIES))
            sources.append(_source(f"{name}_open", aspects, (MATCH,)))
    return sources


class _Marked:
    """A review's text with the offsets of its opinions and aspects by polarity."""

    def __init__(self, row: dict[str, Any], *, source: str, record_id: str) -> None:
        self.source = source
        self.id = record_id
        self.text: str
        self.words: tuple[Offsets, ...] | None = None
        self.aspects: dict[tuple[int, int, str], None] = {}
        self.opinions: dict[tuple[int, int, str], None] = {}
        if "tokens" not in row:
            self.text = row["text"]
            for triplet in row["triplets"]:
                self.aspects[triplet["from"], triplet["to"], triplet["sentiment"]] = None
            return
        self.text, offsets = join(row["tokens"])
        self.words = own_words(self.text, offsets)
        for triplet in row["triplets"]:
            for kind, found in (("aspect", self.aspects), ("opinion", self.opinions)):
                if tokens := triplet[kind]:
                    ends = offsets[tokens[0]][0], offsets[tokens[1]][1]
                    found[(*ends, triplet["sentiment"])] = None

    def by_polarity(self) -> Record:
        """Return the opinions by polarity, or the aspects where opinions are not marked."""
        return Record(
            text=self.text,
            spans=tuple(GoldSpan(*span) for span in self.opinions or self.aspects),
            labels=POLARITIES,
            instruction="" if self.opinions else "Find the aspects and the opinion about each:",
            task="sentiment",
            source=self.source,
            id=self.id,
            group=self.id,
            words=self.words,
        )

    def asked(self, topic: str) -> Iterator[Record]:
        """Yield a record a polarity: all aspects spoken of in that way."""
        for polarity in POLARITIES:
            spans = [(start, end) for start, end, found in self.aspects if found == polarity]
            yield Record(
                text=self.text,
                spans=tuple(GoldSpan(start, end, MATCH) for start, end in spans),
                labels=(MATCH,),
                instruction=f"Find all {polarity} aspects about the {topic}:",
                task="open",
                source=f"{self.source}_open",
                id=f"{self.id}/{polarity}",
                group=self.id,
                words=self.words,
            )


def read_openie_sets(folder: Path) -> list[Source]:
    """Return oie2016 as prompted extraction of the missing part of a statement.

    Of "the company filed suit against American Brands" one record asks what the statement goes
    on with after "the company filed", another who or what "filed suit". Extractions of one text
    that ask the same are one record; parts that are no verbatim piece of the text are left out.

    Raises:
        DataError: a line breaks the format.
    """
    records: list[Record] = []
    for path in sorted(folder.glob("oie2016.*")):
        part = path.name.split(".")[1]
        for number, (_, row) in enumerate(read_rows(path, needs=("text", "extractions"))):
            group = f"oie2016/{part}/{number}"
            records.extend(_statements(row["text"], row["extractions"], group=group))
    return [_source("oie2016", records, (MATCH,))] if records else []


def _statements(
    text: str, extractions: Sequence[dict[str, Any]], *, group: str
) -> Iterator[Record]:
    asked: dict[str, dict[Offsets, None]] = defaultdict(dict)
    for extraction in extractions:
        relation, args = extraction["relation"], extraction["args"]
        if not args or any(arg not in text or not arg for arg in args[:2]):
            continue
        subject, rest = args[0], args[1:2]
        if rest:
            place = occurrences(text, rest[0])[0]
            asked[f"Find what completes the statement: {subject} {relation} …"][place] = None
        place = occurrences(text, subject)[0]
        asked[f"Find who or what: {' '.join((relation, *rest))}"][place] = None
    for number, (instruction, places) in enumerate(asked.items()):
        yield Record(
            text=text,
            spans=tuple(GoldSpan(start, end, MATCH) for start, end in places),
            labels=(MATCH,),
            instruction=instruction,
            task="open",
            source="oie2016",
            id=f"{group}/{number}",
            group=group,
        )
