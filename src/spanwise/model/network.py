"""Batch -> logits: the network of the paper, and the span-level one of older checkpoints.

    ids -> encoder -> projection E -> H -> label vectors   [batch, labels, H]
                                        -> word vectors -> LSTM [batch, words, H]
    both -> scorer -> [batch, words, labels, 3]          (token level)
                   -> [batch, words, width, labels]      (span level)

One class for both: only the scorer differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from spanwise.errors import ConfigError, UnsupportedError

if TYPE_CHECKING:
    from spanwise.config import ModelConfig
    from spanwise.flow.encode import Batch

_SCORER_BYTES = 24 * 2**20
"""Bytes that the scorer's widest activation may take at inference; labels are cut to fit."""


@dataclass(frozen=True, slots=True)
class TensorBatch:
    """A `flow.encode.Batch` as tensors; same fields, same shapes, int64."""

    ids: Tensor
    mask: Tensor
    word_positions: Tensor
    n_words: Tensor
    label_positions: Tensor
    n_labels: Tensor

    @classmethod
    def of(cls, batch: Batch, device: torch.device | str = "cpu") -> TensorBatch:
        """Return the batch's arrays as tensors on a device."""

        def moved(name: str) -> Tensor:
            return torch.from_numpy(getattr(batch, name)).to(device, non_blocking=True)

        return cls(*(moved(name) for name in cls.__slots__))


class Network(nn.Module):
    """Encoder, projection, LSTM and scorer; shapes as in the module's docstring."""

    def __init__(self, config: ModelConfig, *, attention: str = "sdpa") -> None:
        """Build the network with random weights.

        Args:
            config: the model's configuration.
            attention: the encoder's attention implementation ("sdpa", "eager"); encoders without
                a choice (DeBERTa) ignore it.

        Raises:
            UnsupportedError: transformers does not know the encoder's `model_type`.
            ConfigError: `hidden_size` is odd while an LSTM is asked for.
        """
        super().__init__()
        self.config = config
        self.encoder = _encoder(config, attention)
        width = encoder_width(self.encoder)
        size = config.hidden_size
        self.projection = nn.Linear(width, size) if width != size else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        if config.lstm_layers and size % 2:
            msg = f"hidden_size must be even for a bidirectional LSTM, got {size}"
            raise ConfigError(msg)
        self.lstm = (
            nn.LSTM(size, size // 2, config.lstm_layers, batch_first=True, bidirectional=True)
            if config.lstm_layers
            else None
        )
        self.scorer: TokenScorer | SpanScorer = (
            TokenScorer(size)
            if config.architecture == "token"
            else SpanScorer(size, config.max_width)
        )

    def forward(self, batch: TensorBatch) -> Tensor:
        """Return the logits; positions of padded words and labels hold anything."""
        hidden = self.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        labels = self.dropout(self.projection(pick(hidden, batch.label_positions)))
        words = self.dropout(self.projection(pick(hidden, batch.word_positions)))
        if self.lstm is not None:
            words = self._recur(words, batch.n_words)
        if torch.is_grad_enabled() and isinstance(self.scorer, TokenScorer):
            return self.scorer.ragged(words, labels, batch.n_words, batch.n_labels)
        scores: Tensor = self.scorer(words, labels)
        return scores

    def _recur(self, words: Tensor, n_words: Tensor) -> Tensor:
        """Run the LSTM over the true lengths; rows past the last word hold anything.

        Each direction runs over the padded batch, the backward one over rows turned round within
        their length, so padding never reaches a real word. That is what packed sequences give,
        without their step-by-step path: three to ten times faster on a CPU.
        """
        assert self.lstm is not None
        steps = torch.arange(words.shape[1], device=words.device)
        turned = (n_words[:, None] - 1 - steps).clamp(min=0)
        for layer in range(self.lstm.num_layers):
            forward = self._direction(words, f"l{layer}")
            backward = self._direction(pick(words, turned), f"l{layer}_reverse")
            words = torch.cat((forward, pick(backward, turned)), dim=-1)
        return words

    def _direction(self, words: Tensor, suffix: str) -> Tensor:
        """Run one direction of one layer from a zero state."""
        assert self.lstm is not None
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        weights = [getattr(self.lstm, f"{name}_{suffix}") for name in names]
        if torch.is_autocast_enabled(words.device.type):
            dtype = torch.get_autocast_dtype(words.device.type)
            words, weights = words.to(dtype), [weight.to(dtype) for weight in weights]
        state = words.new_zeros(1, words.shape[0], self.lstm.hidden_size)
        biases, both_ways, batch_first = True, False, True
        out, _, _ = torch.lstm(
            words, (state, state), weights, biases, 1, 0.0, self.training, both_ways, batch_first
        )
        return out


class TokenScorer(nn.Module):
    """The paper's scorer, its first linear map applied in factors.

    `S = W2 relu(W1 cat(T0, L0, T1 * L1) + b1) + b2` with `W1 = [A | B | K]` is computed as
    `A T0 + B L0 + K (T1 * L1)`; the `[batch, words, labels, 3H]` tensor never exists.
    """

    def __init__(self, size: int) -> None:
        """Build the scorer for vectors of width `size` (H)."""
        super().__init__()
        self.size = size
        self.word_projection = nn.Linear(size, 2 * size)
        self.label_projection = nn.Linear(size, 2 * size)
        self.hidden = nn.Linear(3 * size, 4 * size)
        self.out = nn.Linear(4 * size, 3)

    def forward(self, words: Tensor, labels: Tensor) -> Tensor:
        """Map words `[batch, words, H]` and labels `[batch, labels, H]` to logits."""
        t1, word_part, l1, label_part = self.factors(words, labels)
        k = self.mixing
        batch, n_words, n_labels = words.shape[0], words.shape[1], labels.shape[1]
        per_label = batch * n_words * 4 * self.size * words.element_size()
        step = max(1, _SCORER_BYTES // max(1, per_label))
        parts = []
        for low in range(0, n_labels, step):
            high = low + step
            mixed = nn.functional.linear(t1[:, :, None] * l1[:, None, low:high], k)
            mixed = mixed.add_(word_part[:, :, None]).add_(label_part[:, None, low:high]).relu_()
            parts.append(self.out(mixed))
        return torch.cat(parts, dim=2) if parts else words.new_zeros(batch, n_words, 0, 3)

    def ragged(self, words: Tensor, labels: Tensor, n_words: Tensor, n_labels: Tensor) -> Tensor:
        """Return the same logits, zero at padding, without computing the padding.

        For training, where a batch mixes questions of one label with texts of thirty: item by
        item is then three to six times less work than the padded whole.
        """
        t1, word_part, l1, label_part = self.factors(words, labels)
        k = self.mixing
        blocks = []
        for b, (w, c) in enumerate(zip(n_words.tolist(), n_labels.tolist(), strict=True)):
            mixed = nn.functional.linear(t1[b, :w, None] * l1[b, None, :c], k)
            mixed = torch.relu(mixed + word_part[b, :w, None] + label_part[b, None, :c])
            block = self.out(mixed)
            margins = (0, 0, 0, labels.shape[1] - c, 0, words.shape[1] - w)
            blocks.append(nn.functional.pad(block, margins))
        return torch.stack(blocks)

    def factors(self, words: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return T1 `[b, l, H]`, A T0 + b1 `[b, l, 4H]`, L1 `[b, c, H]` and B L0 `[b, c, 4H]`."""
        t0, t1 = self.word_projection(words).chunk(2, dim=-1)
        l0, l1 = self.label_projection(labels).chunk(2, dim=-1)
        a, b, _ = self.hidden.weight.split(self.size, dim=1)
        word_part = nn.functional.linear(t0, a, self.hidden.bias)
        return t1, word_part, l1, nn.functional.linear(l0, b)

    @property
    def mixing(self) -> Tensor:
        """K, the part of W1 that reads T1 * L1."""
        return self.hidden.weight[:, 2 * self.size :]


class SpanScorer(nn.Module):
    """The `markerV0` scorer of older checkpoints: a vector per span, a dot product per label."""

    def __init__(self, size: int, max_width: int) -> None:
        """Build the scorer for vectors of width `size` (H) and spans up to `max_width` words."""
        super().__init__()
        self.max_width = max_width
        self.start = _two_layers(size, size)
        self.end = _two_layers(size, size)
        self.out = _two_layers(2 * size, size)
        self.label = _two_layers(size, size)

    def forward(self, words: Tensor, labels: Tensor) -> Tensor:
        """Map words `[batch, words, H]` and labels to logits `[batch, words, width, labels]`."""
        n_words = words.shape[1]
        begin = torch.arange(n_words, device=words.device)[:, None]
        last = begin + torch.arange(self.max_width, device=words.device)[None]
        last = last.clamp(max=max(0, n_words - 1))  # spans past the end are never candidates
        ends = self.end(words)[:, last]
        starts = self.start(words)[:, :, None].expand_as(ends)
        spans = self.out(torch.relu(torch.cat((starts, ends), dim=-1)))
        scores: Tensor = torch.einsum("bwkh,bch->bwkc", spans, self.label(labels))
        return scores


def _two_layers(size_in: int, size_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(size_in, 4 * size_out),
        nn.ReLU(),
        nn.Dropout(0.0),
        nn.Linear(4 * size_out, size_out),
    )


def encoder_width(encoder: nn.Module) -> int:
    """Return E, the width of the encoder's hidden states."""
    return int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]


def pick(hidden: Tensor, positions: Tensor) -> Tensor:
    """Pick `[batch, n, E]` at `positions` `[batch, n]` from `[batch, tokens, E]`."""
    index = positions[:, :, None].expand(-1, -1, hidden.shape[-1])
    return hidden.gather(1, index)


def _encoder(config: ModelConfig, attention: str) -> nn.Module:
    settings = dict(config.encoder)
    kind = settings.pop("model_type", None)
    try:
        made = AutoConfig.for_model(kind, **settings)
    except ValueError as error:
        msg = f"encoder model_type {kind!r} is not known to the installed transformers: {error}"
        raise UnsupportedError(msg) from error
    extra = {"add_pooling_layer": False} if kind in {"bert", "roberta", "xlm-roberta"} else {}
    try:
        encoder: nn.Module = AutoModel.from_config(made, attn_implementation=attention, **extra)
    except ValueError:  # encoders with one attention only, such as DeBERTa
        encoder = AutoModel.from_config(made, attn_implementation="eager", **extra)
    return encoder
