r"""Lines of files and surfaces in texts: what every reader of a data set needs.

Comes in: a file of JSON lines, plain or gzip'd; tokens; surfaces given without offsets. Goes
out: checked objects with their place in the file; a text with its words' offsets; the offsets of
a surface. A surface is looked for between word boundaries first ("art" is not in "party"), and
anywhere only where that finds nothing.
"""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any

from spanwise.errors import DataError
from spanwise.flow.words import RegexSplitter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

Offsets = tuple[int, int]
_split = RegexSplitter()
_WORD = re.compile(r"\w")
_CONTENT = re.compile(r"\w{4,}")


def read_rows(path: Path, *, needs: Sequence[str] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ("file:line", object) for every line of a file of JSON objects, gzip'd or plain.

    Raises:
        DataError: the file is missing or unreadable, a line is no JSON object, or it lacks one
            of the keys in `needs`.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    where = f"{path}:{number}"
                    yield where, _object(line, where=where, needs=needs)
    except (OSError, EOFError) as error:
        msg = f"{path}: cannot be read ({error}); expected JSON lines, plain or gzip'd"
        raise DataError(msg) from error


def _object(line: bytes, *, where: str, needs: Sequence[str]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        msg = f"{where}: not JSON ({error}); expected one JSON object a line"
        raise DataError(msg) from error
    if not isinstance(row, dict):
        msg = f"{where}: holds a {type(row).__name__}; expected one JSON object a line"
        raise DataError(msg)
    for key in needs:
        if key not in row:
            msg = f"{where}: has no {key!r}; it has {', '.join(map(repr, row)) or 'nothing'}"
            raise DataError(msg)
    return row


def split(text: str) -> list[Offsets]:
    """Return the default splitter's words as offsets."""
    return _split(text)


def join(tokens: Sequence[str]) -> tuple[str, list[Offsets]]:
    """Join tokens with single spaces; return the text and each token's offsets.

    `text[start:end]` is the token, exactly, for every token and its offsets.
    """
    offsets = []
    at = 0
    for token in tokens:
        offsets.append((at, at + len(token)))
        at += len(token) + 1
    return " ".join(tokens), offsets


def own_words(text: str, offsets: list[Offsets]) -> tuple[Offsets, ...] | None:
    """Return the tokens' offsets, or None where the default splitter finds the same words.

    Tokens that are empty or whitespace are no words.
    """
    found = _split(text)
    if found == offsets:
        return None
    words = [(start, end) for start, end in offsets if text[start:end].strip()]
    return None if found == words else tuple(words)


def occurrences(text: str, surface: str) -> list[Offsets]:
    """Return the offsets of a surface in a text, in order and without overlap.

    Those between word boundaries; if there are none, all.
    """
    anywhere = []
    at = text.find(surface) if surface else -1
    while at >= 0:
        anywhere.append((at, at + len(surface)))
        at = text.find(surface, at + len(surface))
    if len(anywhere) == 1:
        return anywhere
    return [offsets for offsets in anywhere if _bounded(text, *offsets)] or anywhere


def _bounded(text: str, start: int, end: int) -> bool:
    """Tell whether both ends of a piece of text are word boundaries, hyphens being no boundary."""
    return not (_joins(text, start - 1, start) or _joins(text, end, end - 1))


def _joins(text: str, outside: int, inside: int) -> bool:
    """Tell whether the character outside a piece continues the word inside it."""
    if not 0 <= outside < len(text) or not _WORD.match(text[inside]):
        return False
    if text[outside] in "-_":
        beyond = outside + (outside - inside)
        return 0 <= beyond < len(text) and _WORD.match(text[beyond]) is not None
    return _WORD.match(text[outside]) is not None


def without_nested(found: Iterable[tuple[str, list[Offsets]]]) -> Iterator[tuple[str, Offsets]]:
    """Yield (surface, offsets) for all occurrences but those that belong to a longer surface.

    "York" is not marked within "New York" where both were listed, unless it occurs nowhere else.
    """
    listed = list(found)
    everything = sorted({offsets for _, places in listed for offsets in places})
    for surface, places in listed:
        free = [place for place in places if not _inside_another(place, everything)]
        for place in free or places:
            yield surface, place


def _inside_another(place: Offsets, everything: Iterable[Offsets]) -> bool:
    start, end = place
    return any(s <= start and end <= e and (s, e) != place for s, e in everything)


def content_words(text: str) -> frozenset[str]:
    """Return a text's words of four letters or more, in lower case: what it is about."""
    return frozenset(_CONTENT.findall(text.lower()))
