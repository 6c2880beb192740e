"""A stand-in for the embedded model, so that the command line can be tried before it exists.

To be removed with the release that brings the model. It has learnt nothing: it marks runs of
capitalised words and picks their label by a hash.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

from spanwise.config import ModelConfig
from spanwise.extractor import Extractor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanwise.flow.encode import Batch

WARNING = (
    "spanwise: a STAND-IN runs instead: it marks capitalised words and picks labels by a hash; "
    "what it prints shows the program, not a model"
)


def extractor(splitter: str | None = None) -> Extractor:
    """Return an extractor that runs on the stand-in."""
    return Extractor(StandIn(), splitter=splitter)


class StandIn:
    """A backend that reads letters instead of meaning; see `backend.base.Backend`."""

    name = "stand-in"
    batch_tokens = 4096

    def __init__(self) -> None:
        """Build a tokenizer of single bytes; nothing else is needed."""
        letters = sorted(pre_tokenizers.ByteLevel.alphabet())
        self.config = ModelConfig(encoder={"model_type": "none"}, hidden_size=1, max_words=256)
        self.tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(letters)}, []))
        self.tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(
            add_prefix_space=False, use_regex=False
        )
        self.tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
        self.tokenizer.add_special_tokens(
            [AddedToken(t, special=True, normalized=False) for t in ("<<ENT>>", "<<SEP>>")]
        )
        self._capital = np.zeros(self.tokenizer.get_vocab_size(), dtype=bool)
        self._capital[[i for i, c in enumerate(letters) if "A" <= c <= "Z"]] = True

    def score(self, batch: Batch) -> NDArray[np.float32]:
        """Return `[batch, words, labels, 3]`: a capitalised word is all three for one label."""
        first = np.take_along_axis(batch.ids, batch.word_positions, axis=1)
        n_labels = np.maximum(batch.n_labels, 1)
        pick = np.array([zlib.crc32(bytes([i % 256])) for i in range(len(self._capital))])
        chosen = (pick[first] % n_labels[:, None])[:, :, None] == np.arange(n_labels.max())
        marked = chosen & self._capital[first][:, :, None]
        return np.repeat(np.where(marked, 1.0, -4.0)[..., None], 3, axis=-1).astype(np.float32)
