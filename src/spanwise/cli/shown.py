"""Entities as a person reads them: marked in the text, or one line each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanwise.types import Entity

# Readable on dark and on light grounds; labels take them in turn.
_COLOURS = (36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94, 91)
_RESET = "\x1b[0m"


def has_colour(stream: TextIO, environment: Mapping[str, str] | None = None) -> bool:
    """Return whether colours are wanted there: a terminal, and neither NO_COLOR nor TERM=dumb."""
    env = os.environ if environment is None else environment
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


def marked(text: str, entities: Sequence[Entity], labels: Sequence[str], *, colour: bool) -> str:
    """Return the text with its entities marked, `[Ada Lovelace](person)` where without colour.

    Labels on the very same span stand together; a span in another is marked inside it.
    """
    named: dict[tuple[int, int], list[str]] = {}
    for entity in entities:
        named.setdefault((entity.start, entity.end), []).append(entity.label)
    paint = {label: _COLOURS[i % len(_COLOURS)] for i, label in enumerate(labels)}
    out: list[str] = []
    still_open: list[tuple[int, list[str]]] = []
    at = 0

    def close() -> None:
        nonlocal at
        end, names = still_open.pop()
        out.append(clean(text[at:end]) + _after(names, paint, colour=colour))
        if colour and still_open:
            out.append(_before(still_open[-1][1], paint))
        at = end

    for (start, end), names in sorted(named.items(), key=lambda each: (each[0][0], -each[0][1])):
        while still_open and still_open[-1][0] <= start:
            close()
        out.append(clean(text[at:start]) + (_before(names, paint) if colour else "["))
        still_open.append((end, names))
        at = start
    while still_open:
        close()
    return "".join(out) + clean(text[at:])


def listed(entities: Iterable[Entity], *, number: int | None = None) -> str:
    """Return a line per entity: start, end, score, label and text, with tabs between.

    Where there are many texts, each line begins with the text's `number`.
    """
    head = "" if number is None else f"{number}\t"
    return "\n".join(
        f"{head}{e.start}\t{e.end}\t{e.score:.4f}\t{e.label}\t{' '.join(e.text.split())}"
        for e in entities
    )


def _before(names: Sequence[str], paint: Mapping[str, int]) -> str:
    return f"\x1b[1;{paint[names[0]]}m"


def _after(names: Sequence[str], paint: Mapping[str, int], *, colour: bool) -> str:
    shown = ", ".join(names)
    return f"{_RESET}\x1b[2;{paint[names[0]]}m {shown}{_RESET}" if colour else f"]({shown})"


def clean(text: str) -> str:
    """Return the text without control characters: a document must not drive the terminal."""
    return "".join(c for c in text if c in "\n\t" or c.isprintable() or not c.isascii())
