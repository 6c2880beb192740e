"""Who computes the scores: the one thing a backend must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from spanwise.config import ModelConfig
    from spanwise.flow.encode import Batch


class Backend(Protocol):
    """Batch -> logits.

    Attributes:
        name: "onnx", "pytorch" …
        config: the model's configuration.
        tokenizer: the tokenizer that belongs to the model.
        batch_tokens: padded sub-words of a batch that suit this backend.
        pads: whether the items of a batch are padded to one length, so that like ones are best
            batched together.
    """

    name: str
    config: ModelConfig
    tokenizer: Tokenizer
    batch_tokens: int
    pads: bool

    def score(self, batch: Batch) -> NDArray[np.float32]:
        """Return logits: `[batch, words, labels, 3]`, or `[batch, words, width, labels]`.

        Which of the two says `config.architecture` ("token" or "span"). Values at padded words
        and labels mean nothing.
        """
        ...
