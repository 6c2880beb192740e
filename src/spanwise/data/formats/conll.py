"""CoNLL: a word a line with its tag in the last column, an empty line between sentences.

Tags are BIO (also called IOB2), IOB1, or BIOES (also BILOU). Comes in: columns split by tabs or
blanks; `-DOCSTART-` lines and comments (`# id = …`) are no words. Goes out: records whose text is
the words joined by single spaces, all labels of the file being marked throughout. Tags that
break their scheme are read as evaluation scripts read them and reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from spanwise.data.formats.files import build, read_lines, written
from spanwise.data.formats.report import (
    AlignmentReport,
    Finding,
    Loaded,
    Misaligned,
    fit,
    load,
    summarise,
    words_of,
)
from spanwise.data.records import GoldSpan, Record
from spanwise.data.text import join, own_words
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike

Scheme = Literal["bio", "iob1", "bioes"]
_TAG = re.compile(r"O|[BIESLU]-\S.*")
_COMMENT_ID = re.compile(r"#\s*(?:sent_)?id\s*[=:]\s*(.+)")
_NOT_A_START = "a tag goes on with an entity that did not begin: read as its beginning"


@dataclass(slots=True)
class Sentence:
    """The words and tags of one sentence, where it begins ("file:line") and its id."""

    where: str
    id: str
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def read_conll(path: str | PathLike[str], *, misaligned: Misaligned = "keep") -> Loaded:
    """Return the sentences of a CoNLL file as records; the scheme is seen from the tags.

    Raises:
        DataError: a line has no tag in its last column, or there is no sentence; it names the
            file and the line.
    """
    path = Path(path)
    findings: list[Finding] = []
    found = [(sentence, spans_of(sentence, findings)) for sentence in sentences(path)]
    labels = tuple(sorted({label for _, spans in found for _, _, label in spans}))
    built = []
    for sentence, spans in found:
        text, offsets = join(sentence.tokens)
        record = build(
            sentence.where,
            text=text,
            spans=tuple(
                GoldSpan(offsets[first][0], offsets[last][1], label) for first, last, label in spans
            ),
            labels=labels,
            id=sentence.id,
            words=own_words(text, offsets),
        )
        built.append((sentence.where, record))
    return load(path, built, findings, misaligned=misaligned)


def sentences(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a CoNLL file.

    Raises:
        DataError: a line has no tag in its last column; it names the line.
    """
    current: Sentence | None = None
    named = ""
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            if current:
                yield current
            current = None
            continue
        columns = line.split("\t") if "\t" in line else line.split()
        if len(columns) < 2 or not _TAG.fullmatch(columns[-1].strip()):
            if line.startswith("#"):
                match = _COMMENT_ID.match(line)
                named = match.group(1).strip() if match else named
                continue
            msg = (
                f"{path}:{number}: {line.strip()!r} has no tag in its last column; "
                "expected 'word tag' with a tag O, B-label, I-label (or E-, S-, L-, U-label)"
            )
            raise DataError(msg)
        if current is None:
            place = f"{path}:{number}"
            current, named = Sentence(place, named or place), ""
        current.tokens.append(columns[0].strip())
        current.tags.append(columns[-1].strip())
    if current:
        yield current


def spans_of(sentence: Sentence, findings: list[Finding]) -> list[tuple[int, int, str]]:
    """Return the (first, last, label) spans of a sentence's tags, in any of the schemes.

    In IOB1 I- begins an entity and B- only one that follows another of its label; in BIO B-
    begins every one. What both read alike needs no telling apart; an I- that begins an entity is
    reported where the sentence is BIO, that is where a B- follows something else.
    """
    spans: list[tuple[int, int, str]] = []
    begun: int | None = None
    label = ""
    bio = _is_bio(sentence.tags)
    for place, tag in enumerate([*sentence.tags, "O"]):
        mark, _, here = tag.partition("-")
        goes_on = mark in "IEL" and begun is not None and here == label
        if begun is not None and not goes_on:
            spans.append((begun, place - 1, label))
            begun = None
        if mark != "O" and not goes_on:
            begun, label = place, here
            if mark in "EL" or (mark == "I" and bio):
                word = f"{sentence.tokens[place]!r} {tag}"
                findings.append(
                    Finding(sentence.id, sentence.where, "kept", _NOT_A_START, f"{word}")
                )
        if mark in "ESLU" and begun is not None:
            spans.append((begun, place, label))
            begun = None
    return spans


def _is_bio(tags: Sequence[str]) -> bool:
    """Tell whether some B- is not the second of two entities of one label in a row."""
    before = "O"
    for tag in tags:
        if tag.startswith("B-") and before[2:] != tag[2:]:
            return True
        before = tag
    return False


def write_conll(
    records: Iterable[Record], path: str | PathLike[str], *, scheme: Scheme = "bio"
) -> AlignmentReport:
    """Write records as CoNLL with tabs, each after a comment with its id.

    A word has one tag: of spans that overlap the longest is written, the first of equals; the
    others are dropped, and so are instructions. The report says which.

    Raises:
        DataError: the scheme is none of the three, or the file cannot be written.
    """
    if scheme not in {"bio", "iob1", "bioes"}:
        msg = f"scheme={scheme!r}: expected 'bio', 'iob1' or 'bioes'"
        raise DataError(msg)
    findings: list[Finding] = []
    flat = [_flat(fit(each, "", findings, misaligned="widen"), findings) for each in records]
    with written(Path(path)) as file:
        for record in flat:
            if record.instruction:
                reason = "CoNLL has no place for an instruction"
                findings.append(Finding(record.id, "", "dropped", reason, record.instruction))
            file.write(f"# id = {' '.join(record.id.split())}\n".encode() if record.id else b"")
            for (start, end), tag in zip(words_of(record), _tags(record, scheme), strict=True):
                file.write(f"{record.text[start:end]}\t{tag}\n".encode())
            file.write(b"\n")
    return summarise(flat, findings)


def _flat(record: Record, findings: list[Finding]) -> Record:
    """Return the record without the spans that overlap a longer one."""
    kept: list[GoldSpan] = []
    for span in sorted(record.spans, key=lambda span: (span.start - span.end, span.start)):
        if any(span.start < other.end and other.start < span.end for other in kept):
            what = f"{record.text[span.start : span.end]!r} {span.label!r}"
            reason = "the span overlaps a longer one, and a word has one tag"
            findings.append(Finding(record.id, "", "dropped", reason, what))
        else:
            kept.append(span)
    return replace(record, spans=tuple(sorted(kept, key=lambda span: span.start)))


def _tags(record: Record, scheme: Scheme) -> list[str]:
    """Return a tag a word; the record's spans are whole words and do not overlap."""
    words = words_of(record)
    tags = ["O"] * len(words)
    before = GoldSpan(-1, -1, "")
    for span in record.spans:
        inside = [
            i for i, (start, end) in enumerate(words) if span.start <= start < end <= span.end
        ]
        first, last = inside[0], inside[-1]
        tags[first : last + 1] = [f"I-{span.label}"] * len(inside)
        adjoins = before.label == span.label and first > 0 and words[first - 1][1] == before.end
        if scheme == "bioes":
            tags[last] = f"E-{span.label}"
            tags[first] = f"{'S' if first == last else 'B'}-{span.label}"
        elif scheme == "bio" or adjoins:
            tags[first] = f"B-{span.label}"
        before = span
    return tags
