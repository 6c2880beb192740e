r"""Keeps evaluation texts out of training: records that share 13 consecutive words with one.

Comes in: training records and evaluation records. Goes out: the training records found, each with
the words shared, or an error that lists some; or the sources without them. Words are runs of
``\w``, lower-cased, so that punctuation and tokenisation hide nothing. 13 as in the paper on GPT-3
(arXiv 2005.14165, appendix C). Windows are looked up by a 64-bit hash, and a hit is confirmed by
the words themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spanwise.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from spanwise.data.records import Record, Source

N_WORDS = 13
_WORD = re.compile(r"\w+")
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A training record, the evaluation record whose words it holds, and the first such words."""

    record: Record
    evaluation: Record
    words: str

    def __str__(self) -> str:
        """Return one line naming both records and the words."""
        mine, theirs = (
            f"{record.source or 'unnamed source'} {record.id!r}"
            for record in (self.record, self.evaluation)
        )
        return f"{mine} and {theirs}: {self.words!r}"


def find_overlap(
    training: Iterable[Record], evaluation: Iterable[Record], *, n_words: int = N_WORDS
) -> list[Overlap]:
    """Return the training records that share `n_words` consecutive words with an evaluation text.

    In the order of training, one finding a record. Texts shorter than `n_words` share nothing.

    Raises:
        DataError: `n_words` is less than 1.
    """
    if n_words < 1:
        msg = f"n_words={n_words}: expected 1 or more"
        raise DataError(msg)
    index = _Windows(evaluation, n_words)
    seen: dict[str, tuple[Record, str] | None] = {}  # many records share one text
    found = []
    for record in training:
        if record.text not in seen:
            seen[record.text] = index.first_shared(record.text)
        if shared := seen[record.text]:
            found.append(Overlap(record=record, evaluation=shared[0], words=shared[1]))
    return found


def refuse_overlap(
    training: Iterable[Record], evaluation: Iterable[Record], *, n_words: int = N_WORDS
) -> None:
    """Do nothing if training shares no `n_words` consecutive words with evaluation.

    Raises:
        DataError: it does; the message counts the records and lists some.
    """
    found = find_overlap(training, evaluation, n_words=n_words)
    if found:
        listed = "".join(f"\n  {overlap}" for overlap in found[:_SHOWN])
        more = f"\n  … and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        msg = (
            f"{len(found)} training records share {n_words} consecutive words with evaluation "
            f"texts; leave them out (find_overlap lists them):{listed}{more}"
        )
        raise DataError(msg)


def leave_out(sources: Iterable[Source], found: Iterable[Overlap]) -> list[Source]:
    """Return the sources without the records found; one that loses all of them is left out too."""
    texts = {overlap.record.text for overlap in found}
    left = [
        replace(source, records=tuple(x for x in source.records if x.text not in texts))
        for source in sources
    ]
    return [source for source in left if source.records]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


class _Windows:
    """All windows of `n_words` words of some texts, found by hash.

    A word's number is its place in the texts' vocabulary, from 1; a window's hash is the sum of
    its numbers, each times a constant of its position, modulo 2**64.
    """

    def __init__(self, records: Iterable[Record], n_words: int) -> None:
        self.n_words = n_words
        self.vocabulary: dict[str, int] = {}
        rng = np.random.default_rng(0)  # the constants, the same in every process
        self.factors = rng.integers(1, 2**63, n_words, dtype=np.uint64) * np.uint64(2) + np.uint64(
            1
        )
        self.records = list(records)
        hashes, owners, places = [], [], []
        for number, record in enumerate(self.records):
            numbers = [
                self.vocabulary.setdefault(word, len(self.vocabulary) + 1)
                for word in _words(record.text)
            ]
            found = self._hash(numbers)
            hashes.append(found)
            owners.append(np.full(len(found), number))
            places.append(np.arange(len(found)))
        joined = np.concatenate(hashes) if hashes else np.empty(0, dtype=np.uint64)
        self.hashes, first = np.unique(joined, return_index=True)
        self.owners = np.concatenate(owners)[first] if owners else first
        self.places = np.concatenate(places)[first] if places else first

    def _hash(self, numbers: Sequence[int]) -> NDArray[np.uint64]:
        """Return the hashes of all windows of numbered words, `[windows]`."""
        if len(numbers) < self.n_words:
            return np.empty(0, dtype=np.uint64)
        windows = sliding_window_view(np.array(numbers, dtype=np.uint64), self.n_words)
        hashes: NDArray[np.uint64] = windows @ self.factors
        return hashes

    def first_shared(self, text: str) -> tuple[Record, str] | None:
        """Return the first window that a text shares, with the record it is from, or None."""
        if not len(self.hashes):
            return None
        words = _words(text)
        hashes = self._hash([self.vocabulary.get(word, 0) for word in words])
        slots = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        for place in np.flatnonzero(self.hashes[slots] == hashes).tolist():
            slot = slots[place]
            record = self.records[int(self.owners[slot])]
            start = int(self.places[slot])
            mine = words[place : place + self.n_words]
            if mine == _words(record.text)[start : start + self.n_words]:
                return record, " ".join(mine)
        return None
