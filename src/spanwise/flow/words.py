"""Text -> words with character offsets: the first arrow.

A splitter takes a text and returns the half-open character offsets of its words, in order. The
published checkpoints were trained with the regular expression of `RegexSplitter`; scripts
written without spaces are split by the character with `UnicodeSplitter`. Any callable of the
same form can be passed instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from spanwise.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


class WordSplitter(Protocol):
    """Text -> half-open character offsets of its words, ascending and without overlap."""

    def __call__(self, text: str, /) -> Sequence[tuple[int, int]]:
        """Return the words' offsets; whitespace belongs to no word."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """A text and its words: word `i` is `text[starts[i]:ends[i]]`.

    `starts` and `ends` are int64 arrays `[words]`.
    """

    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.starts)

    def surfaces(self) -> list[str]:
        """Return the words themselves."""
        text = self.text
        pairs = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [text[start:end] for start, end in pairs]

    def part(self, first: int, stop: int) -> Words:
        """Return the words from `first` to before `stop`, one or more, with the text they span."""
        base, end = int(self.starts[first]), int(self.ends[stop - 1])
        return Words(
            self.text[base:end], self.starts[first:stop] - base, self.ends[first:stop] - base
        )


class RegexSplitter:
    r"""The published splitter: runs of word characters joined by - or _, or one other character.

    The pattern is ``\w+(?:[-_]\w+)*|\S`` (GLiNER's "whitespace" splitter).
    """

    pattern = re.compile(r"\w+(?:[-_]\w+)*|\S")

    def __call__(self, text: str, /) -> list[tuple[int, int]]:
        """Return the words' offsets."""
        return [match.span() for match in self.pattern.finditer(text)]


class SpaceSplitter:
    """Runs of characters that are no whitespace: for text that came tokenised."""

    pattern = re.compile(r"\S+")

    def __call__(self, text: str, /) -> list[tuple[int, int]]:
        """Return the words' offsets."""
        return [match.span() for match in self.pattern.finditer(text)]


class UnicodeSplitter:
    """For scripts written without spaces: every character of such a script is a word.

    Han, kana, Thai, Lao, Khmer, Myanmar and Tibetan characters, each with the combining marks
    that follow it, so that any boundary a reader might draw is a word boundary. Everything else
    is split as by `RegexSplitter`. Script and mark properties come from the `regex` library.
    """

    def __init__(self) -> None:
        """Compile the pattern; `regex` is imported here, where it is first needed."""
        import regex  # noqa: PLC0415 (costs 20 ms that the default splitter need not pay)

        scripts = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
        unspaced = "".join(rf"\p{{Script_Extensions={script}}}" for script in scripts)
        letter = rf"(?:(?![{unspaced}])\w)"
        self._pattern = regex.compile(rf"(?=\w)[{unspaced}]\p{{M}}*|{letter}+(?:[-_]{letter}+)*|\S")

    def __call__(self, text: str, /) -> list[tuple[int, int]]:
        """Return the words' offsets."""
        return [match.span() for match in self._pattern.finditer(text)]


_SPLITTERS: dict[str, Callable[[], WordSplitter]] = {
    "regex": RegexSplitter,
    "unicode": UnicodeSplitter,
    "spaces": SpaceSplitter,
}
SPLITTERS = tuple(_SPLITTERS)


@cache
def splitter(name: str) -> WordSplitter:
    """Return the splitter of that name.

    Raises:
        InputError: no splitter has that name.
    """
    if name not in _SPLITTERS:
        msg = (
            f"no word splitter is called {name!r}{did_you_mean(name, SPLITTERS)}; "
            f"known: {', '.join(SPLITTERS)}, or pass a function text -> [(start, end), ...]"
        )
        raise InputError(msg)
    return _SPLITTERS[name]()


def split(text: str, by: WordSplitter) -> Words:
    """Split a text into words.

    Raises:
        InputError: the splitter gave offsets outside the text, empty, overlapping or unordered.
    """
    offsets = np.asarray(by(text), dtype=np.int64).reshape(-1, 2)
    return given(text, offsets)


def given(text: str, offsets: NDArray[np.int64]) -> Words:
    """Return the words whose offsets `[words, 2]` came from elsewhere, after checking them."""
    starts, ends = offsets[:, 0], offsets[:, 1]
    bad = (starts < 0) | (ends > len(text)) | (starts >= ends)
    bad[1:] |= starts[1:] < ends[:-1]
    if bad.any():
        where = int(np.argmax(bad))
        msg = (
            f"word {where} has offsets {int(starts[where])}:{int(ends[where])} in a text of "
            f"{len(text)} characters; words must be non-empty, in order, without overlap"
        )
        raise InputError(msg)
    return Words(text, starts, ends)


def joined(words: Sequence[str]) -> Words:
    """Join pre-tokenised words with single spaces; offsets refer to the joined text."""
    lengths = np.fromiter((len(word) for word in words), dtype=np.int64, count=len(words))
    if (lengths == 0).any():
        msg = f"word {int(np.argmin(lengths))} of a pre-tokenised text is empty; leave it out"
        raise InputError(msg)
    ends = np.cumsum(lengths + 1) - 1
    return Words(" ".join(words), ends - lengths, ends)
