"""BRAT standoff: a folder of `name.txt` with `name.ann` beside it.

Comes in: `T1<tab>Label 0 5<tab>surface` and `R1<tab>Relation Arg1:T1 Arg2:T2`. Goes out: a record
of entities a text, and one of relations where there are any. Underscores in labels are read as
blanks, which a label cannot hold there, and written back. Discontinuous spans (`0 5;9 12`),
events, attributes and notes have no place in a record: reported as dropped.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from spanwise.data.formats.files import build, read_lines, read_text, written
from spanwise.data.formats.report import (
    AlignmentReport,
    Finding,
    Loaded,
    Misaligned,
    load,
    summarise,
)
from spanwise.data.records import RELATION_INSTRUCTION, RELATION_SEPARATOR, GoldSpan, Record
from spanwise.data.text import occurrences
from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

_ENTITY = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t(.*))?")
_RELATION = re.compile(r"(R\S+)\t(\S+) \w+:(T\S+) \w+:(T\S+)\s*")
_UNREAD = {"E": "events", "A": "attributes", "M": "attributes", "N": "normalisations"}
_UNREAD |= {"#": "notes", "*": "equivalences"}


def read_brat(folder: str | PathLike[str], *, misaligned: Misaligned = "keep") -> Loaded:
    """Return the records of a folder of `.txt` and `.ann` pairs, by name.

    A surface that is not where its offsets say is looked for nearby and moved.

    Raises:
        DataError: a text without annotation or the reverse, a line of no known form, a span
            outside the text, a surface that the text does not hold, or an empty folder; it names
            the file and the line.
    """
    folder = Path(folder)
    findings: list[Finding] = []
    built = []
    texts = {path.with_suffix("") for path in folder.rglob("*.txt")}
    notes = {path.with_suffix("") for path in folder.rglob("*.ann")}
    for lone in sorted(texts ^ notes):
        msg = f"{lone}: has only one of .txt and .ann; expected both"
        raise DataError(msg)
    for stem in sorted(texts):
        name = stem.relative_to(folder).as_posix()
        built.extend(_document(stem, name, findings))
    return load(folder, built, findings, misaligned=misaligned)


def _document(stem: Path, name: str, findings: list[Finding]) -> list[tuple[str, Record]]:
    text = read_text(Path(f"{stem}.txt"))
    path = Path(f"{stem}.ann")
    entities: dict[str, GoldSpan] = {}
    tails: dict[GoldSpan, None] = {}
    lines = [
        (f"{path}:{number}", line)
        for number, line in enumerate(read_lines(path), start=1)
        if line.strip()
    ]
    for where, line in lines:
        if line.startswith("T"):
            key, span = _entity(text, line, name, where, findings)
            if span:
                entities[key] = span
    for where, line in lines:
        if line.startswith("R"):
            if tail := _tail(text, line, entities, name, where, findings):
                tails[tail] = None
        elif not line.startswith("T"):
            if line[0] not in _UNREAD:
                msg = f"{where}: {line!r} is no line of a standoff file"
                raise DataError(msg)
            reason = f"{_UNREAD[line[0]]} are not read from standoff"
            findings.append(Finding(name, where, "dropped", reason, line))
    spans = tuple(dict.fromkeys(entities.values()))
    built = [(str(path), build(str(path), text=text, spans=spans, id=name, group=name))]
    if tails:
        relations = build(
            str(path),
            text=text,
            spans=tuple(tails),
            labels=tuple(dict.fromkeys(span.label for span in tails)),
            instruction=RELATION_INSTRUCTION,
            task="relations",
            id=f"{name}/relations",
            group=name,
        )
        built.append((str(path), relations))
    return built


def _entity(
    text: str, line: str, name: str, where: str, findings: list[Finding]
) -> tuple[str, GoldSpan | None]:
    match = _ENTITY.fullmatch(line)
    if not match:
        msg = f"{where}: {line!r}; expected 'T1<tab>Label start end<tab>surface'"
        raise DataError(msg)
    key, label, extent, surface = match.groups()
    if ";" in extent:
        findings.append(Finding(name, where, "dropped", "the span is discontinuous", line))
        return key, None
    start, end = map(int, extent.split())
    if not 0 <= start < end <= len(text):
        msg = f"{where}: span {start}:{end} is empty or outside the text of {len(text)} characters"
        raise DataError(msg)
    label = label.replace("_", " ")
    if surface is None or surface == re.sub(r"[\r\n]", " ", text[start:end]):
        return key, GoldSpan(start, end, label)
    places = occurrences(text, surface)
    if not places:
        msg = f"{where}: the text has {text[start:end]!r} at {start}:{end}, and nowhere {surface!r}"
        raise DataError(msg)
    nearest = min(places, key=lambda place: abs(place[0] - start))
    reason = "the surface is not where the offsets say: the nearest occurrence is marked"
    findings.append(Finding(name, where, "moved", reason, line))
    return key, GoldSpan(*nearest, label)


def _tail(
    text: str,
    line: str,
    entities: dict[str, GoldSpan],
    name: str,
    where: str,
    findings: list[Finding],
) -> GoldSpan | None:
    match = _RELATION.fullmatch(line)
    if not match:
        msg = f"{where}: {line!r}; expected 'R1<tab>Relation Arg1:T1 Arg2:T2'"
        raise DataError(msg)
    _, relation, *ends = match.groups()
    if not all(end in entities for end in ends):
        reason = "the relation's head or tail is missing or was dropped"
        findings.append(Finding(name, where, "dropped", reason, line))
        return None
    head, tail = (entities[end] for end in ends)
    label = RELATION_SEPARATOR.join((text[head.start : head.end], relation.replace("_", " ")))
    return GoldSpan(tail.start, tail.end, label)


def write_brat(records: Iterable[Record], folder: str | PathLike[str]) -> AlignmentReport:
    """Write a `.txt` and an `.ann` file a record, named by its id.

    A relation's head, whose place a record does not tell, is marked where its surface stands
    nearest to the tail. A head that the text does not hold is dropped with its relation, and
    instructions are; the report says which.

    Raises:
        DataError: a file cannot be written.
    """
    records = list(records)
    findings: list[Finding] = []
    used: set[str] = set()
    for number, record in enumerate(records):
        name = re.sub(r"[^\w.-]+", "_", record.id).strip("._") or f"record_{number}"
        name = name if name not in used else f"{name}_{number}"
        used.add(name)
        lines = _relation_lines(record, findings) if record.task == "relations" else None
        if lines is None:
            lines = [_line(record, span, key) for key, span in enumerate(record.spans, start=1)]
            if record.instruction:
                reason = "standoff has no place for an instruction"
                findings.append(Finding(record.id, "", "dropped", reason, record.instruction))
        for suffix, content in ((".txt", record.text), (".ann", "".join(lines))):
            with written(Path(folder) / f"{name}{suffix}") as file:
                file.write(content.encode())
    return summarise(records, findings)


def _line(record: Record, span: GoldSpan, key: int) -> str:
    surface = re.sub(r"[\r\n]", " ", record.text[span.start : span.end])
    label = re.sub(r"\s", "_", span.label)
    return f"T{key}\t{label} {span.start} {span.end}\t{surface}\n"


def _relation_lines(record: Record, findings: list[Finding]) -> list[str]:
    lines: list[str] = []
    keys: dict[GoldSpan, int] = {}
    for number, span in enumerate(record.spans, start=1):
        head, _, relation = span.label.rpartition(RELATION_SEPARATOR)
        heads = occurrences(record.text, head)
        if not heads:
            reason = "the relation's head is not in the text"
            findings.append(Finding(record.id, "", "dropped", reason, span.label))
            continue
        place = min(heads, key=lambda found: abs(found[0] - span.start))
        ends = []
        for end in (GoldSpan(*place, "head"), GoldSpan(span.start, span.end, "tail")):
            if end not in keys:
                keys[end] = len(keys) + 1
                lines.append(_line(record, end, keys[end]))
            ends.append(keys[end])
        named = re.sub(r"\s", "_", relation)
        lines.append(f"R{number}\t{named} Arg1:T{ends[0]} Arg2:T{ends[1]}\n")
    return lines
