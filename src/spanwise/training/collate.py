"""Examples -> batch and targets, in tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from spanwise.flow.encode import Batch, Encoded, Encoder, Pieces
from spanwise.model.network import TensorBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from spanwise.data.sampling import Example
    from spanwise.flow.words import WordSplitter

_RANKED = frozenset({"answers", "relations"})


@dataclass(frozen=True, slots=True)
class Tokenised:
    """An example as sub-words; `spans` `[spans, 3]` are first word, last word, label.

    `ranked` says that each label wants one span, the best.
    """

    encoded: Encoded
    spans: NDArray[np.int64]
    ranked: bool = False

    def __len__(self) -> int:
        """Return the number of sub-words."""
        return len(self.encoded.ids)


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """What the loss needs.

    `targets` and `mask` are float32 `[batch, words, labels, 3]` and `[batch, words, labels, 1]`;
    the mask leaves out padding and the instruction's words. `ranked`, bool `[batch]`, are the
    examples whose labels want one span each.
    """

    inputs: TensorBatch
    targets: Tensor
    mask: Tensor
    ranked: Tensor

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.inputs.ids)


def tokenise(
    examples: Sequence[Example], encoder: Encoder, splitter: WordSplitter
) -> list[Tokenised]:
    """Return the examples as sub-words, cut at the end where the encoder's positions end."""
    pieces = encoder.words([example.words.surfaces() for example in examples])
    made = []
    for example, words in zip(examples, pieces, strict=True):
        asked = example.instruction
        instruction = encoder.instruction(tuple(asked[s:e] for s, e in splitter(asked)))
        cost = sum(encoder.label_cost(label) for label in example.labels)
        room = (encoder.max_tokens or 1 << 30) - encoder.frame_cost - cost - len(instruction.ids)
        real = words.lengths > 0
        place: NDArray[np.int64] = (
            np.cumsum(real) - real
        )  # position among the words that have sub-words
        kept = Pieces(words.ids, words.lengths[real])
        n_kept = min(
            int(np.searchsorted(np.cumsum(kept.lengths), room, side="right")), len(kept.lengths)
        )
        encoded = encoder.encode(example.labels, instruction, kept.between(0, n_kept))
        spans = [
            (int(place[first]), int(place[stop - 1] + real[stop - 1]) - 1, label)
            for first, stop, label in example.spans
        ]
        array = np.asarray(spans, dtype=np.int64).reshape(-1, 3)
        array = array[(array[:, 1] < n_kept) & (array[:, 0] <= array[:, 1])]
        array[:, :2] += encoded.n_instruction
        made.append(Tokenised(encoded, array, example.task in _RANKED))
    return made


def collate(
    items: Sequence[Tokenised], encoder: Encoder, device: torch.device | str = "cpu"
) -> TrainingBatch:
    """Return the items as one padded batch with targets start, end and inside."""
    batch: Batch = encoder.collate([item.encoded for item in items])
    size, words = batch.word_positions.shape
    labels = batch.label_positions.shape[1]
    targets = np.zeros((size, words, labels, 3), dtype=np.float32)
    n_instruction = np.asarray([item.encoded.n_instruction for item in items])
    for row, item in zip(targets, items, strict=True):
        for first, last, label in item.spans.tolist():
            row[first, label, 0] = 1
            row[last, label, 1] = 1
            row[first : last + 1, label, 2] = 1
    word = np.arange(words)[None, :, None, None]
    label_place = np.arange(labels)[None, None, :, None]
    mask = (
        (word < batch.n_words[:, None, None, None])
        & (word >= n_instruction[:, None, None, None])
        & (label_place < batch.n_labels[:, None, None, None])
    )
    return TrainingBatch(
        TensorBatch.of(batch, device),
        torch.from_numpy(targets).to(device),
        torch.from_numpy(mask.astype(np.float32)).to(device),
        torch.tensor([item.ranked for item in items], device=device),
    )
