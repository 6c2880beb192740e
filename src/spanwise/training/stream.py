"""The endless stream of batches, which can begin anywhere.

    position -> example -> sub-words -> batches of one chunk, cut by length under a token budget

The example at a position depends on the seed only, and batches are cut chunk by chunk, so two
numbers say where a run stands and a resumed run sees what the killed one would have seen. With
workers, chunks are prepared ahead in processes of their own; their order stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from spanwise.flow.encode import batches
from spanwise.training.collate import tokenise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanwise.data.sampling import Example
    from spanwise.flow.encode import Encoder
    from spanwise.flow.words import WordSplitter
    from spanwise.training.collate import Tokenised
    from spanwise.training.config import TrainConfig

CHUNK = 512
"""Examples that are sorted by length together; batches are cut from one chunk at a time."""


class Draws(Protocol):
    """Where examples come from: `Sampler` and `Passes` are two."""

    def __call__(self, position: int, /) -> Example:
        """Return the example at this position of the endless stream."""
        ...

    def __len__(self) -> int:
        """Return the number of records of one pass."""
        ...


class Place(NamedTuple):
    """The next batch: its chunk and its number in it."""

    chunk: int = 0
    batch: int = 0


@dataclass(frozen=True)
class Chunks(Dataset[list[list["Tokenised"]]]):
    """Number of a chunk -> its batches, in the order of training."""

    draw: Draws
    encoder: Encoder
    split: WordSplitter
    config: TrainConfig

    def __getitem__(self, chunk: int) -> list[list[Tokenised]]:
        """Return the batches of a chunk."""
        size = chunk_size(len(self.draw))
        examples = [self.draw(chunk * size + i) for i in range(size)]
        items = tokenise(examples, self.encoder, self.split)
        cut = list(
            batches(
                [len(item) for item in items],
                max_tokens=self.config.batch_tokens,
                max_items=self.config.batch_examples,
            )
        )
        order = np.random.default_rng((self.config.seed, chunk)).permutation(len(cut))
        return [[items[int(i)] for i in cut[place]] for place in order.tolist()]


def chunk_size(n_records: int) -> int:
    """Return the examples of a chunk: one pass over few records, `CHUNK` of many."""
    return max(1, min(CHUNK, n_records))


def stream(chunks: Chunks, start: Place) -> Iterator[tuple[list[Tokenised], Place]]:
    """Yield batches from a place on, each with the place after it."""
    n_workers = chunks.config.workers
    loader = DataLoader(
        chunks,
        batch_size=None,
        sampler=_From(start.chunk),
        num_workers=n_workers,
        collate_fn=_as_it_is,
        multiprocessing_context="fork" if n_workers else None,  # a copy of the data costs nothing
        generator=torch.Generator(),  # the loop's own generator stays untouched
    )
    first = start.batch
    for number, made in enumerate(loader, start=start.chunk):
        for place in range(first, len(made)):
            yield made[place], Place(number, place + 1)
        first = 0


@dataclass(frozen=True, slots=True)
class _From:
    """The numbers from `start` on, without end."""

    start: int

    def __iter__(self) -> Iterator[int]:
        number = self.start
        while True:
            yield number
            number += 1


def _as_it_is(made: list[list[Tokenised]]) -> list[list[Tokenised]]:
    return made
