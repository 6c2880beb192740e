"""An answered question -> one that its text does not answer.

The training sets hold no unanswerable questions. Three ways make them, of rising difficulty:

    elsewhere   the question is put to another paragraph of the same article, one like its own
    cut out     the sentence that answers is taken out of the paragraph
    changed     a name, a number or a common word in the question gives way to another one, or a
                word to its opposite, while the paragraph stays: everything fits but the fact

The last kind follows the rules by which SQuAD 2.0 makes baseline negatives (Rajpurkar et al. 2018,
arXiv 1806.03822, table 3: entity swaps, antonyms, negation).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from spanwise.data.pieces import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.random import Generator

    from spanwise.data.records import Record

_SHARES = {"changed": 0.45, "cut out": 0.2, "elsewhere": 0.35}
_SHORTEST = 60  # characters of a paragraph that is left when the answer's sentence is gone
_TRIES = 8
_NEIGHBOURS = 4  # questions of the same article that offer names and words
_REPHRASE = 0.5  # share of changes that may be of a common word, of which every question has some
_CONTENT = re.compile(r"\w{4,}")
_COMMON = re.compile(r"(?<=[a-z,;] )[a-z]{5,}\b")  # a word of five letters or more, not the first
_ENDINGS = ("tion", "ment", "ness", "ity", "ing", "ed", "ers", "er", "ies", "al", "s")
_FUNCTION = frozenset(
    re.findall(
        r"\w+",
        """
        about above after against along among around because before being below between could during
        every might other others should since their there these those through under until where
        which while whose within without would
        """,
    )
)
_NEGATE = 0.25  # share of changes that may be a mere "not", so that the word itself says little
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w'’-]+(?: (?:(?:of|the|de|van|von) )?[A-Z][\w'’-]+)*")
_NEGATED = {
    "did": "did not",
    "does": "does not",
    "do": "do not",
    "was": "was not",
    "were": "were not",
    "is": "is not",
    "are": "are not",
    "can": "cannot",
    "has": "has not",
    "had": "had not",
}
_OPPOSITES = (
    ("first", "last"),
    ("largest", "smallest"),
    ("biggest", "smallest"),
    ("highest", "lowest"),
    ("most", "least"),
    ("more", "less"),
    ("longest", "shortest"),
    ("oldest", "youngest"),
    ("earliest", "latest"),
    ("best", "worst"),
    ("before", "after"),
    ("begin", "end"),
    ("began", "ended"),
    ("start", "stop"),
    ("started", "stopped"),
    ("increase", "decrease"),
    ("increased", "decreased"),
    ("won", "lost"),
    ("win", "lose"),
    ("north", "south"),
    ("northern", "southern"),
    ("east", "west"),
    ("eastern", "western"),
    ("early", "late"),
    ("old", "new"),
    ("high", "low"),
    ("large", "small"),
    ("major", "minor"),
    ("maximum", "minimum"),
    ("male", "female"),
    ("men", "women"),
    ("father", "mother"),
    ("brother", "sister"),
    ("son", "daughter"),
    ("king", "queen"),
    ("born", "buried"),
    ("founded", "abolished"),
    ("created", "destroyed"),
    ("built", "demolished"),
    ("arrived", "departed"),
    ("allowed", "forbidden"),
    ("legal", "illegal"),
    ("public", "private"),
    ("positive", "negative"),
    ("common", "rare"),
    ("similar", "different"),
    ("accepted", "rejected"),
    ("support", "oppose"),
    ("supported", "opposed"),
)
_OPPOSITE = {word: pair[1 - n] for pair in _OPPOSITES for n, word in enumerate(pair)}
_OPPOSED = re.compile(rf"\b(?:{'|'.join(_OPPOSITE)})\b")
_TO_NEGATE = re.compile(rf"\b(?:{'|'.join(_NEGATED)})\b")


def maybe_unanswerable(
    record: Record,
    others: Sequence[Record],
    groups: Mapping[str, Sequence[int]],
    rng: Generator,
    chance: float,
) -> Record:
    """Return the question, sometimes one that its text does not answer.

    Args:
        record: a question with its text; one without an answer is returned as it is.
        others: the records that other paragraphs and questions are taken from.
        groups: positions in `others` by group; those of the record's own are preferred, since a
            paragraph of the same article is the hardest.
        rng: decides.
        chance: of a question without an answer. Where one way is not open, the next is tried.
    """
    if not record.spans or rng.random() >= chance:
        return record
    near = groups.get(record.group) or range(len(others))
    drawn = rng.random()
    ways = ["changed", "cut out", "elsewhere"]
    if drawn > _SHARES["changed"]:
        ways = ways[1:]
    if drawn > _SHARES["changed"] + _SHARES["cut out"]:
        ways = ways[1:]
    for way in ways:
        if way == "changed":
            drawn_near = [others[int(near[i])] for i in rng.integers(len(near), size=_NEIGHBOURS)]
            found = _changed(record, " ".join(x.instruction for x in drawn_near), rng)
        elif way == "cut out":
            found = _cut_out(record)
        else:
            found = _elsewhere(record, others, near, rng)
        if found is not None:
            return found
    return record


def _elsewhere(
    record: Record, others: Sequence[Record], near: Sequence[int], rng: Generator
) -> Record | None:
    """Put the question to another paragraph: of some without its answer, the one most like it."""
    answers = {record.text[s.start : s.end].lower() for s in record.spans}
    asked = set(_CONTENT.findall(record.instruction.lower()))
    found: list[tuple[int, Record]] = []
    for _ in range(_TRIES):
        other = others[int(near[int(rng.integers(len(near)))])]
        text = other.text.lower()
        if other.text != record.text and not any(answer in text for answer in answers):
            found.append((len(asked & set(_CONTENT.findall(text))), other))
    if not found:
        return None
    best = max(found, key=lambda each: each[0])[1]
    return replace(best, instruction=record.instruction, labels=record.labels, spans=())


def _cut_out(record: Record) -> Record | None:
    """Take the sentences that hold the answer out of the text."""
    answers = {record.text[s.start : s.end].lower() for s in record.spans}
    kept = []
    for start, end in sentences(record.text):
        sentence = record.text[start:end]
        marked = any(s.start < end and s.end > start for s in record.spans)
        if not marked and not any(answer in sentence.lower() for answer in answers):
            kept.append(sentence)
    text = " ".join(kept)
    if len(text) < _SHORTEST:
        return None
    return replace(record, text=text, spans=(), words=None)


def _changed(record: Record, neighbours: str, rng: Generator) -> Record | None:
    """Ask for another name or number, or for the opposite; the text stays as it is."""
    question = record.instruction
    changes = [
        *_swaps(question, record.text, neighbours, rng),
        *((m.span(), _OPPOSITE[m.group()]) for m in _OPPOSED.finditer(question)),
    ]
    if rng.random() < _REPHRASE:
        changes += _rephrasings(record, neighbours, rng)
    negations = [(m.span(), _NEGATED[m.group()]) for m in _TO_NEGATE.finditer(question)]
    if rng.random() < _NEGATE:
        changes += negations[:1]
    if not changes:
        return None
    (start, end), new = changes[int(rng.integers(len(changes)))]
    changed = f"{question[:start]}{new}{question[end:]}"
    return replace(record, instruction=changed, spans=())


def _swaps(
    question: str, text: str, neighbours: str, rng: Generator
) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield, for each name and number in the question, where it is and one of its text instead.

    A name is preferred that elsewhere follows the same word: "in Namibia" becomes "in Angola".
    """
    for pattern in (_NUMBER, _NAME):
        offered: dict[str, set[str]] = {}
        for source in (text, neighbours):
            for match in pattern.finditer(source):
                offered.setdefault(match.group(), set()).add(_word_before(source, match.start()))
        absent = sorted(new for new in offered if new.lower() not in question.lower())
        for match in pattern.finditer(question):
            old = match.group()
            if pattern is _NAME:
                before = _word_before(question, match.start())
                fitting = [new for new in absent if old.lower() not in new.lower()]
                fitting = [new for new in fitting if before in offered[new]] or fitting
            else:
                fitting = [new for new in absent if len(new) == len(old)]
                fitting = fitting or _other_number(old, text, rng)
            if fitting:
                yield match.span(), fitting[int(rng.integers(len(fitting)))]


def _word_before(text: str, start: int) -> str:
    return text[:start].rstrip().rpartition(" ")[2]


def _rephrasings(
    record: Record, neighbours: str, rng: Generator
) -> list[tuple[tuple[int, int], str]]:
    """Return one common word of the question and a word of its form from others.

    "What percentage of students graduated" becomes "... of students enrolled": a word of the same
    ending, which is not in the question and not in the sentences that answer it.
    """
    question = record.instruction
    spans = record.spans
    near = [
        record.text[start:end].lower()
        for start, end in sentences(record.text)
        if any(s.start < end and s.end > start for s in spans)
    ]
    held = set(_CONTENT.findall(f"{' '.join(near)} {question.lower()}"))
    offered = [m.group() for m in _COMMON.finditer(neighbours) if m.group() not in _FUNCTION | held]
    changes = [
        (m.span(), new)
        for m in _COMMON.finditer(question)
        if m.group() not in _FUNCTION
        for new in offered
        if _ending(m.group()) and _ending(m.group()) == _ending(new)
    ]
    return [changes[int(rng.integers(len(changes)))]] if changes else []


def _ending(word: str) -> str:
    return next((ending for ending in _ENDINGS if word.endswith(ending)), "")


def _other_number(number: str, text: str, rng: Generator) -> list[str]:
    """Return the number with its last one or two digits changed, unless the text holds that."""
    n_changed = min(2, len(number))
    head, tail = number[:-n_changed], number[-n_changed:]
    new = head + "".join(str(rng.integers(10)) if c.isdigit() else c for c in tail)
    return [] if new == number or new in text else [new]


def by_group(records: Sequence[Record]) -> dict[str, list[int]]:
    """Return the positions of the records of each group of two or more."""
    groups: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        if record.group:
            groups.setdefault(record.group, []).append(place)
    return {name: places for name, places in groups.items() if len(places) > 1}
