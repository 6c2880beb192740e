"""BERT -> the rows that are read, in few operators: the form that its ONNX file runs.

    ids, mask [batch, tokens], rows [batch, picked]  ->  [batch, picked, E]

The numbers are those of `transformers`, with less work: the last layer is computed for the picked
rows only, and attention is one operator. Key biases are left out, since softmax cancels what is
the same for every key; value biases are added after attention, whose weights sum to one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertModel

if TYPE_CHECKING:
    import onnx
    from transformers.models.bert.modeling_bert import BertEmbeddings, BertLayer

_DOMAIN = "spanwise"
"""Of the operator that the tracer does not know, until `settle` makes it ONNX's own."""
_OPSET = 23
"""ONNX's version that has `Attention`."""


class BertRows(nn.Module):
    """Every layer of a BERT, the last one for some rows only."""

    def __init__(self, encoder: BertModel) -> None:
        """Take the weights of an encoder with at least one layer."""
        super().__init__()
        embeddings: BertEmbeddings = encoder.embeddings
        self.words, self.norm = embeddings.word_embeddings, embeddings.LayerNorm
        only_type = embeddings.token_type_embeddings.weight[0]
        self.places = nn.Parameter((embeddings.position_embeddings.weight + only_type).detach())
        layers = cast("list[BertLayer]", list(encoder.encoder.layer))
        self.layers = nn.ModuleList(_Layer(layer) for layer in layers)

    @classmethod
    def of(cls, encoder: nn.Module) -> BertRows | None:
        """Return an encoder in this form, None if it is no BERT or has no layers."""
        if isinstance(encoder, BertModel) and len(encoder.encoder.layer) > 0:
            return cls(encoder)
        return None

    def forward(self, ids: Tensor, mask: Tensor, rows: Tensor) -> Tensor:
        """Return the last hidden states at `rows`, `[batch, picked, E]`."""
        hidden = self.norm(self.words(ids) + self.places[: ids.shape[1]])
        blank = torch.where(mask == 0, torch.finfo(hidden.dtype).min, 0.0)[:, None, None]
        every = blank.expand(-1, 1, ids.shape[1], -1)
        *layers, last = self.layers
        for layer in layers:
            hidden = layer(hidden, hidden, every)
        picked = _Picked.apply(hidden, rows)  # type: ignore[no-untyped-call]
        read: Tensor = last(picked, hidden, blank.expand(-1, 1, rows.shape[1], -1))
        return read


class _Layer(nn.Module):
    """One layer: some rows `[batch, rows, E]` read all tokens `[batch, tokens, E]`."""

    def __init__(self, layer: BertLayer) -> None:
        super().__init__()
        attention = layer.attention.self
        self.n_heads = attention.num_attention_heads
        self.query, self.key, self.value = attention.query, attention.key, attention.value
        self.attended = layer.attention.output
        self.intermediate, self.output = layer.intermediate, layer.output
        dense = self.attended.dense
        bias = dense.bias.double() + dense.weight.double() @ self.value.bias.double()
        self.bias = nn.Parameter(bias.detach().to(dense.bias.dtype))

    def forward(self, rows: Tensor, tokens: Tensor, blank: Tensor) -> Tensor:
        key = nn.functional.linear(tokens, self.key.weight)
        value = nn.functional.linear(tokens, self.value.weight)
        read = _Attention.apply(  # type: ignore[no-untyped-call]
            self.query(rows), key, value, blank, self.n_heads
        )
        read = nn.functional.linear(read, self.attended.dense.weight, self.bias)
        rows = self.attended.LayerNorm(read + rows)
        out: Tensor = self.output(self.intermediate(rows), rows)
        return out


class _Attention(torch.autograd.Function):
    """Attention over heads that lie side by side, as the one operator that ONNX has for it."""

    @staticmethod
    def forward(
        ctx: object, query: Tensor, key: Tensor, value: Tensor, blank: Tensor, n_heads: int
    ) -> Tensor:
        del ctx
        query, key, value = (
            each.unflatten(-1, (n_heads, -1)).transpose(1, 2) for each in (query, key, value)
        )
        read = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=blank)
        return read.transpose(1, 2).flatten(2)

    @staticmethod
    def symbolic(g: Any, *inputs: Any) -> Any:  # noqa: ANN401 (the tracer's, without types)
        *tensors, n_heads = inputs
        kind = f"{_DOMAIN}::Attention"
        made = g.op(kind, *tensors, q_num_heads_i=n_heads, kv_num_heads_i=n_heads)
        made.setType(tensors[0].type())
        return made


class _Picked(torch.autograd.Function):
    """Rows of `[batch, tokens, E]`, each copied in one piece."""

    @staticmethod
    def forward(ctx: object, hidden: Tensor, rows: Tensor) -> Tensor:
        del ctx
        return hidden.take_along_dim(rows[:, :, None], 1)

    @staticmethod
    def symbolic(g: Any, hidden: Any, rows: Any) -> Any:  # noqa: ANN401 (as above)
        last = g.op("Constant", value_t=torch.tensor([-1]))
        return g.op("GatherND", hidden, g.op("Unsqueeze", rows, last), batch_dims_i=1)


def settle(model: onnx.ModelProto) -> None:
    """Give the operator that the tracer did not know its place in ONNX, in the graph itself."""
    unknown = [node for node in model.graph.node if node.domain == _DOMAIN]
    for node in unknown:
        node.domain = ""
    if unknown:
        kept = [each for each in model.opset_import if each.domain not in {"", _DOMAIN}]
        del model.opset_import[:]
        model.opset_import.extend(kept)
        model.opset_import.add(domain="", version=_OPSET)
