"""An answered question -> one that its text does not answer.

Few sets hold unanswerable questions; where one does, they are taken. Four ways make others:

    elsewhere   the question is put to another paragraph of the same article, one like its own
    cut out     the sentence that answers is taken out of the paragraph
    text        a word that the question shares with the sentence that answers gives way to another
                one there
    question    a name, a number or another word of the question gives way to another one, or a word
                to its opposite, while the paragraph stays: everything fits but the fact

The last two follow what makes the questions of SQuAD 2.0 unanswerable (Rajpurkar et al. 2018,
arXiv 1806.03822, table 2: entity swaps, antonyms, negation, other conditions). Where the text
changes, the question is one that a person asked, so that nothing in its wording betrays it. What
comes instead of a word stands elsewhere in the article beside the same word ("how many museums",
"how many posters"), which keeps most of the grammar.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from spanwise.data.pieces import sentences
from spanwise.data.text import content_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.random import Generator

    from spanwise.data.records import Record

_SHARES = {"question": 0.5, "text": 0.28, "cut out": 0.12, "elsewhere": 0.1}
_WRITTEN = (
    0.8  # share of the questions without an answer that are not made, where some were written
)
_SHORTEST = 60  # characters of a paragraph that is left when the answer's sentence is gone
_TRIES = 8
_LOST = 0.25  # share of a question's words in its text that a piece of it may lack
_NEIGHBOURS = 4  # questions of the same article that offer names and words
_FITTING = 0.75  # share of changes that may be of any word, of which every question has some
_NEGATE = 0.25  # share of changes that may be a mere "not", so that the word itself says little
_STEM = 4  # letters that two words share at most: "museum" is no other thing than "museums"
_WORD = re.compile(r"[^\W\d_]\w*(?:[-’'](?!s\b)\w+)*")  # without a possessive 's
_ENDINGS = ("ed", "ing", "ly", "s")
_INTRODUCING = frozenset(
    re.findall(
        r"\w+", "a an the of in on at for from with many much what which how was were is are be"
    )
)
_FUNCTION = frozenset(
    re.findall(
        r"\w+",
        """
        about above after again against all along also among and another any are around because been
        before being below between both but can could did does during each ever every for from had
        has have her his how into its just kind like many might more most much name named not now
        off once one only other others our out over own same she should since some such term than
        that the their them then there these they this those through too type under until upon used
        very was were what when where which while who whom whose why will with within without would
        year years
        """,
    )
)
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
        chance: of a question without an answer. Where its group holds some that were written to the
            same text, one of them is mostly taken; where one way is not open, the next is tried.
    """
    if not record.spans or rng.random() >= chance:
        return record
    near = groups.get(record.group) or range(len(others))
    written = _written(record, others, groups.get(record.group, ()))
    if written and rng.random() < _WRITTEN:
        asked = written[int(rng.integers(len(written)))].instruction
        return replace(record, instruction=asked, spans=())
    ways = list(_SHARES)
    first = int(rng.choice(len(ways), p=list(_SHARES.values())))
    neighbours = [others[int(near[i])] for i in rng.integers(len(near), size=_NEIGHBOURS)]
    for way in ways[first:]:
        if way == "question":
            found = changed_question(record, neighbours, rng)
        elif way == "text":
            found = _changed_text(record, neighbours, rng)
        elif way == "cut out":
            found = _cut_out(record)
        else:
            found = _elsewhere(record, others, near, rng)
        if found is not None:
            return found
    return record


def _written(record: Record, others: Sequence[Record], near: Sequence[int]) -> list[Record]:
    """Return the set's own unanswerable questions to the text: those made of this one, or else all.

    The identifier of a question made of another begins with that one's. Of a text that was cut,
    only questions count whose words are still in it: the others are as good as of another text.
    """
    found = [
        others[place]
        for place in near
        if not others[place].spans and record.text in others[place].text
    ]
    of_this = [other for other in found if other.id.startswith(f"{record.id}/")]
    return of_this or [other for other in found if in_sight(other, record.text)]


def in_sight(question: Record, piece: str) -> bool:
    """Return whether most words that a question shares with its text are in a piece of it too."""
    shared = content_words(question.instruction) & content_words(question.text)
    return len(shared - content_words(piece)) <= _LOST * len(shared)


def _elsewhere(
    record: Record, others: Sequence[Record], near: Sequence[int], rng: Generator
) -> Record | None:
    """Put the question to another paragraph: of some without its answer, the one most like it."""
    answers = {record.text[s.start : s.end].lower() for s in record.spans}
    asked = content_words(record.instruction)
    found: list[tuple[int, Record]] = []
    for _ in range(_TRIES):
        other = others[int(near[int(rng.integers(len(near)))])]
        text = other.text.lower()
        if other.text != record.text and not any(answer in text for answer in answers):
            found.append((len(asked & content_words(text)), other))
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


def changed_question(record: Record, neighbours: Sequence[Record], rng: Generator) -> Record | None:
    """Ask for another name, number or thing, or for the opposite; the text stays as it is."""
    question = record.instruction
    asked = " ".join(other.instruction for other in neighbours)
    changes = [
        *_swaps(question, record.text, asked, rng),
        *((m.span(), _OPPOSITE[m.group()]) for m in _OPPOSED.finditer(question)),
    ]
    if rng.random() < _FITTING:
        offered = f"{record.text} {asked} {neighbours[0].text}"
        told = [record.text[start:end] for start, end in _answering(record)]
        changes += _others(question, offered, but=" ".join((*told, question)), rng=rng)
    if rng.random() < _NEGATE:
        changes += [(m.span(), _NEGATED[m.group()]) for m in _TO_NEGATE.finditer(question)][:1]
    if not changes:
        return None
    (start, end), new = changes[int(rng.integers(len(changes)))]
    return replace(record, instruction=f"{question[:start]}{new}{question[end:]}", spans=())


def _changed_text(record: Record, neighbours: Sequence[Record], rng: Generator) -> Record | None:
    """Let the sentence that answers, or all of the text, speak of something else."""
    held = content_words(record.instruction)
    offered = " ".join(f"{other.instruction} {other.text}" for other in neighbours[:3])
    marked = _answering(record)
    changes = []
    for start, end in marked:
        sentence = record.text[start:end]
        spans = [(s.start - start, s.end - start) for s in record.spans]
        changes += [
            (sentence[low:high], new)
            for (low, high), new in _others(sentence, offered, but=record.instruction, rng=rng)
            if sentence[low:high].lower() in held
            and not any(low < right and left < high for left, right in spans)
        ]
    if not changes:
        return None
    old, new = changes[int(rng.integers(len(changes)))]
    word = re.compile(rf"\b{re.escape(old)}\b")
    text = record.text
    if rng.random() < 0.5:
        text = word.sub(lambda _: new, text)
    else:
        for start, end in reversed(marked):
            text = text[:start] + word.sub(lambda _: new, text[start:end]) + text[end:]
    return replace(record, text=text, spans=(), words=None)


def _answering(record: Record) -> list[tuple[int, int]]:
    """Return where the sentences that hold the answer start and end."""
    return [
        (start, end)
        for start, end in sentences(record.text)
        if any(s.start < end and s.end > start for s in record.spans)
    ]


def _others(
    text: str, offered: str, *, but: str, rng: Generator
) -> list[tuple[tuple[int, int], str]]:
    """Return, for each word of a text that has one, its place and another word that fits there.

    It fits if it has the same form and stands beside the same word in `offered`, and if neither it
    nor one like it is in `but`.
    """
    stems = {word[:_STEM].lower() for word in _WORD.findall(but)}
    offers: dict[tuple[str, str, str], list[str]] = {}
    for word, previous, following in _with_neighbours(_WORD.findall(offered)):
        if _is_thing(word) and word[:_STEM].lower() not in stems:
            for side in _sides(previous, following):
                offers.setdefault((*side, _form(word)), []).append(word)
    found = list(_WORD.finditer(text))
    changes = []
    for match, (word, previous, following) in zip(
        found, _with_neighbours([m.group() for m in found]), strict=True
    ):
        if not previous or not _is_thing(word):
            continue
        fitting = [
            new
            for side in _sides(previous, following)
            for new in offers.get((*side, _form(word)), ())
            if new[:_STEM].lower() != word[:_STEM].lower()
        ]
        if fitting:
            changes.append((match.span(), fitting[int(rng.integers(len(fitting)))]))
    return changes


def _with_neighbours(words: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each word with the one before and the one after it, in lower case."""
    lower = ["", *(word.lower() for word in words), ""]
    return zip(words, lower[:-2], lower[2:], strict=True)


def _sides(previous: str, following: str) -> Iterator[tuple[str, str]]:
    """Yield the neighbours that say what kind of word stands between them."""
    if previous in _INTRODUCING:
        yield "before", previous
    if _is_thing(following):
        yield "after", following


def _form(word: str) -> str:
    """Return what two words of one form have alike: the capital, or the ending."""
    if word[0].isupper():
        return "name"
    return next((ending for ending in _ENDINGS if word.endswith(ending)), "")


def _is_thing(word: str) -> bool:
    return len(word) >= _STEM and word.lower() not in _FUNCTION


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
