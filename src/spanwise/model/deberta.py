"""DeBERTa's encoder in the form that its ONNX file runs: same numbers, far less work per text.

    ids, mask [batch, tokens]  ->  hidden states [batch, tokens, E]

Attention adds to `q_i k_j` two products with vectors of the distance i - j: one of the query (c2p)
and one of the key (p2c). Those vectors come from a table that no text changes, so here they are
constants, scale included. Only the 2T distances that T tokens can have are multiplied, in order,
which makes the score of i and j lie at a fixed stride: two plain copies bring it into its place,
where transformers multiplies all buckets and then looks up every pair.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.deberta_v2.modeling_deberta_v2 import (
    DebertaV2Model,
    make_log_bucket_position,
)

if TYPE_CHECKING:
    from transformers.models.deberta_v2.modeling_deberta_v2 import (
        DebertaV2Encoder,
        DebertaV2Layer,
        DisentangledSelfAttention,
    )


def traceable(encoder: nn.Module) -> nn.Module:
    """Return an encoder as it is best traced: DeBERTa rewritten, any other one itself."""
    if not isinstance(encoder, DebertaV2Model) or not encoder.encoder.relative_attention:
        return encoder
    return _Encoder(encoder)


class _Encoder(nn.Module):
    """A DeBERTa with what all layers share computed once."""

    buckets: Tensor

    def __init__(self, model: DebertaV2Model) -> None:
        super().__init__()
        self.embeddings = model.embeddings
        self.conv = model.encoder.conv
        table = cast("Tensor", model.encoder.get_rel_embedding()).detach()
        layers = cast("list[DebertaV2Layer]", list(model.encoder.layer))
        self.layers = nn.ModuleList(_Layer(layer, table) for layer in layers)
        self.register_buffer("buckets", _buckets(model.encoder), persistent=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> BaseModelOutput:
        hidden = self.embeddings(input_ids=input_ids, mask=attention_mask)
        n_batch, n_tokens = input_ids.shape
        falling = torch.arange(n_tokens - 1, -n_tokens - 1, -1)  # one more than there are
        furthest = len(self.buckets) // 2
        falling, rising = (
            self.buckets[every.clamp(-furthest, furthest) + furthest]
            for every in (falling, -falling)
        )
        blank = torch.finfo(hidden.dtype).min * (1 - attention_mask.to(hidden.dtype))
        shared = _Shared(n_batch, n_tokens, falling, rising, blank[:, None, None])
        first = hidden
        for place, layer in enumerate(self.layers):
            hidden = layer(hidden, shared)
            if place == 0 and self.conv is not None:
                hidden = self.conv(first, hidden, attention_mask)
        return BaseModelOutput(last_hidden_state=hidden)


class _Shared(NamedTuple):
    """What all layers read.

    Attributes:
        falling: `[2T]`, the buckets of the distances T - 1, T - 2, ..., -T.
        rising: `[2T]`, those of -T + 1, -T + 2, ..., T.
        blank: `[batch, 1, 1, T]`, what keeps padding from being attended to.
    """

    n_batch: int
    n_tokens: int
    falling: Tensor
    rising: Tensor
    blank: Tensor


class _Layer(nn.Module):
    def __init__(self, layer: DebertaV2Layer, table: Tensor) -> None:
        super().__init__()
        self.attention = _Attention(layer.attention.self, table)
        self.mixed = layer.attention.output
        self.intermediate = layer.intermediate
        self.output = layer.output

    def forward(self, hidden: Tensor, shared: _Shared) -> Tensor:
        hidden = self.mixed(self.attention(hidden, shared), hidden)
        out: Tensor = self.output(self.intermediate(hidden), hidden)
        return out


class _Attention(nn.Module):
    """Disentangled attention; its tables are `[1, heads, buckets, d]`, None where not in use."""

    keys: Tensor | None
    queries: Tensor | None

    def __init__(self, attention: DisentangledSelfAttention, table: Tensor) -> None:
        super().__init__()
        self.n_heads = attention.num_attention_heads
        self.query = copy.deepcopy(attention.query_proj)
        self.key, self.value = attention.key_proj, attention.value_proj
        kinds = {"c2p", "p2c"} & set(attention.pos_att_type)
        scale = (attention.attention_head_size * (1 + len(kinds))) ** -0.5
        own = "{}_proj" if attention.share_att_key else "pos_{}_proj"
        keys = queries = None
        with torch.no_grad():
            self.query.weight.mul_(scale)
            self.query.bias.mul_(scale)
            if "c2p" in kinds:
                keys = self._split(getattr(attention, own.format("key")), table[None])
            if "p2c" in kinds:
                queries = self._split(getattr(attention, own.format("query")), table[None]) * scale
        self.register_buffer("keys", keys, persistent=False)
        self.register_buffer("queries", queries, persistent=False)

    def forward(self, hidden: Tensor, shared: _Shared) -> Tensor:
        query, key, value = (
            self._split(projection, hidden) for projection in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(-1, -2)
        if self.keys is not None:
            near = self.keys.index_select(2, shared.falling)
            scores = scores + self._by_pair(query, near, shared)
        if self.queries is not None:
            near = self.queries.index_select(2, shared.rising)
            scores = scores + self._by_pair(key, near, shared).transpose(-1, -2)
        mixed = torch.softmax(scores + shared.blank, dim=-1) @ value
        together: Tensor = mixed.transpose(1, 2).reshape(shared.n_batch, shared.n_tokens, -1)
        return together

    def _split(self, projection: nn.Linear, vectors: Tensor) -> Tensor:
        """Project `[batch, n, E]` to `[batch, heads, n, d]`.

        The bias comes after the heads are apart: between two transpositions, which the tracer would
        else make one, so that ONNX Runtime takes the second into the product that follows.
        """
        shape = (vectors.shape[0], vectors.shape[1], self.n_heads, -1)
        split = nn.functional.linear(vectors, projection.weight).view(shape).transpose(1, 2)
        return split + projection.bias.view(self.n_heads, 1, -1)

    def _by_pair(self, vectors: Tensor, near: Tensor, shared: _Shared) -> Tensor:
        """Multiply `[batch, heads, T, d]` with all distances, `[1, heads, 2T, d]`; `[.., T, T]`.

        The product of token t and distance `t - u`, or `u - t` if they rise, is in column
        `T - 1 - t + u`: after T - 1 places, rows of one place less than they have begin with it.
        """
        n_batch, n, *_ = shared
        every = (vectors @ near.transpose(-1, -2)).view(n_batch, self.n_heads, -1)
        rows: Tensor = every[:, :, n - 1 : -1].reshape(n_batch, self.n_heads, n, -1)
        return rows[..., :n]


def _buckets(encoder: DebertaV2Encoder) -> Tensor:
    """Return the table's row of every distance, from the furthest back to the furthest ahead.

    What is further away has the bucket of the furthest.
    """
    limit, n_buckets = encoder.max_relative_positions, encoder.position_buckets
    half = n_buckets if n_buckets > 0 else limit
    furthest = max(limit, half)
    every = torch.arange(-furthest, furthest + 1)
    if n_buckets > 0:
        every = make_log_bucket_position(every, n_buckets, limit).long()
    return (every + half).clamp(0, 2 * half - 1)
