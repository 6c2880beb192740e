"""Network -> one self-describing ONNX file, checked against torch before it is kept.

    ids, mask [batch, tokens], word_positions [batch, words], n_words [batch],
    label_positions [batch, labels]  ->  logits, as `Network` gives them

Encoder and head are traced; two things are put right afterwards. The LSTM gets the true lengths
(`sequence_lens`), so padding reaches no real word. The scorer is written without a loop: its
product runs over all labels at once, still in factors. What a reader needs (configuration,
tokenizer, variant, versions) lies in the file's metadata under the names below.
"""

from __future__ import annotations

import copy
import json
import platform
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from spanwise import __version__
from spanwise import config as settings
from spanwise.errors import CheckpointError, InputError, UnsupportedError
from spanwise.files import whole_file
from spanwise.flow.encode import Encoder
from spanwise.flow.words import RegexSplitter
from spanwise.model import bert, deberta, quantize
from spanwise.model.bert import BertRows
from spanwise.model.network import Network, SpanScorer, TensorBatch, TokenScorer, pick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanwise.flow.encode import Batch
    from spanwise.model.checkpoint import Model

Variant = Literal["fp32", "fp16", "int8"]
VARIANTS: tuple[Variant, ...] = ("fp32", "fp16", "int8")

FORMAT = 1
PREFIX = "spanwise."
"""Every metadata key begins with it: format, config, tokenizer, variant, layout, versions."""

INPUTS = ("ids", "mask", "word_positions", "n_words", "label_positions")
TOLERANCE: dict[Variant, float] = {"fp32": 1e-4, "fp16": 0.1, "int8": 2.0}
"""Largest difference of a logit from torch's with which a file is kept.

That of int8 only catches a broken file; what int8 costs is measured on labelled text.
"""
_OPSET = 20
_LIMIT_BYTES = 2**31 - 2**20
"""What protobuf holds in one file."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A written file, and how far its logits are from torch's on the probes."""

    path: Path
    variant: Variant
    n_bytes: int
    largest_difference: float
    mean_difference: float


def export(model: Model, path: str | Path, *, variant: Variant = "fp32") -> Exported:
    """Write a model as one ONNX file, whole or not at all.

    Args:
        model: network and tokenizer.
        path: the file, `.onnx`; replaced where it exists.
        variant: "fp32"; "fp16" for GPUs; "int8" (weights per channel, activations as they come).

    Raises:
        InputError: no such variant.
        UnsupportedError: the encoder cannot be traced, or the file would pass 2 GB.
        CheckpointError: the file's logits differ from torch's; nothing is written.
    """
    if variant not in VARIANTS:
        msg = f"variant {variant!r} is not one of {', '.join(VARIANTS)}"
        raise InputError(msg)
    network = model.network.float().cpu().eval()
    with tempfile.TemporaryDirectory() as scratch, _plain_attention(network.encoder):
        scores = _Scores(network, variant=variant).eval()
        graph = _traced(
            scores.in_half() if variant == "fp16" else scores,
            _probe(model),
            Path(scratch) / "traced.onnx",
        )
    if variant == "int8":
        graph = quantize.to_int8(graph)
    _describe(graph, model, variant)
    if graph.ByteSize() > _LIMIT_BYTES:
        msg = (
            f"the {variant} file would take {graph.ByteSize() / 1e9:.1f} GB and ONNX holds 2 GB in "
            "one file; export a smaller variant (int8, fp16)"
        )
        raise UnsupportedError(msg)
    with whole_file(path) as partial:
        onnx.save(graph, partial)
        largest, mean = _differences(model, partial)
        if not largest <= TOLERANCE[variant]:
            msg = (
                f"{path}: logits of the {variant} file differ from torch's by {largest:.2g}, "
                f"allowed are {TOLERANCE[variant]:g}; nothing was written"
            )
            raise CheckpointError(msg)
    return Exported(Path(path), variant, Path(path).stat().st_size, largest, mean)


@contextmanager
def _plain_attention(encoder: nn.Module) -> Iterator[None]:
    """Have attention written out as products, whose graph is half as long as that of `sdpa`."""
    was = encoder.config._attn_implementation  # type: ignore[union-attr]  # noqa: SLF001 (no public name)
    encoder.set_attn_implementation("eager")  # type: ignore[operator]
    try:
        yield
    finally:
        encoder.set_attn_implementation(was)  # type: ignore[operator]


class _Scores(nn.Module):
    """The network's forward pass in a form that can be traced at any size."""

    def __init__(self, network: Network, *, variant: Variant) -> None:
        super().__init__()
        self.network = network
        # kernels for `Attention` are newer on GPUs, where fp16 belongs
        rows = None if variant == "fp16" else BertRows.of(network.encoder)
        self.encoder = rows or deberta.traceable(network.encoder)
        self.scorer = (
            _TokenScores(network.scorer)
            if isinstance(network.scorer, TokenScorer)
            else _SpanScores(network.scorer)
        )

    def forward(
        self,
        ids: Tensor,
        mask: Tensor,
        word_positions: Tensor,
        n_words: Tensor,  # noqa: ARG002 (of the LSTM, which gets it afterwards)
        labels_at: Tensor,
    ) -> Tensor:
        network = self.network
        rows = torch.cat((labels_at, word_positions), dim=1)
        if isinstance(self.encoder, BertRows):
            picked = self.encoder(ids, mask, rows)
        else:
            hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            picked = pick(hidden, rows)
        picked = network.projection(picked)
        n_labels = labels_at.shape[1]
        labels, words = picked[:, :n_labels], picked[:, n_labels:]
        if network.lstm is not None:
            recurrent = network.lstm  # `n_words` is put in afterwards
            words = recurrent(words.to(recurrent.weight_ih_l0.dtype))[0].to(labels.dtype)
        scores: Tensor = self.scorer(words, labels)
        return scores.float()

    def in_half(self) -> _Scores:
        """Return a copy with weights and products in fp16, the recurrence in fp32."""
        made = copy.deepcopy(self).half()
        if made.network.lstm is not None:
            made.network.lstm.float()
        return made


class _TokenScores(nn.Module):
    """The scorer with the maps that follow one another multiplied out, and no loop.

    `A T0 = A (P0 w + p0)` is one map of the word, so a word's T1 and its part of the sum come
    from a single product, and a label's likewise.
    """

    def __init__(self, scorer: TokenScorer) -> None:
        super().__init__()
        size = scorer.size
        a, b, k = scorer.hidden.weight.detach().split(size, dim=1)
        self.size = size
        self.words = _merged(scorer.word_projection, a, scorer.hidden.bias)
        self.labels = _merged(scorer.label_projection, b, torch.zeros(len(b)))
        self.mix = nn.Linear(size, len(k), bias=False)
        self.mix.weight = nn.Parameter(k.contiguous())
        self.out = scorer.out

    def forward(self, words: Tensor, labels: Tensor) -> Tensor:
        t1, word_part = self.words(words).split((self.size, 4 * self.size), dim=-1)
        l1, label_part = self.labels(labels).split((self.size, 4 * self.size), dim=-1)
        mixed = self.mix(t1[:, :, None] * l1[:, None])
        mixed = torch.relu(mixed + word_part[:, :, None] + label_part[:, None])
        scores: Tensor = self.out(mixed)
        return scores


def _merged(projection: nn.Linear, factor: Tensor, bias: Tensor) -> nn.Linear:
    """Return `x -> [T1, factor T0 + bias]` as one map, for `projection: x -> [T0, T1]`."""
    t0, t1 = projection.weight.detach().double().chunk(2)
    b0, b1 = projection.bias.detach().double().chunk(2)
    factor = factor.double()
    made = nn.Linear(t0.shape[1], len(t1) + len(factor))
    made.weight = nn.Parameter(torch.cat((t1, factor @ t0)).float())
    made.bias = nn.Parameter(torch.cat((b1, factor @ b0 + bias.detach().double())).float())
    return made


class _SpanScores(nn.Module):
    """The span-level scorer without Python's numbers in it."""

    def __init__(self, scorer: SpanScorer) -> None:
        super().__init__()
        self.scorer = scorer

    def forward(self, words: Tensor, labels: Tensor) -> Tensor:
        scorer = self.scorer
        begin = torch.arange(words.shape[1])[:, None]
        last = begin + torch.arange(scorer.max_width)[None]
        last = torch.minimum(last, begin[-1:])  # spans past the end are never candidates
        ends = scorer.end(words)[:, last]
        starts = scorer.start(words)[:, :, None].expand_as(ends)
        spans = scorer.out(torch.relu(torch.cat((starts, ends), dim=-1)))
        every_label = scorer.label(labels)[:, None].transpose(-1, -2)
        return torch.matmul(spans, every_label)


def _traced(scores: _Scores, probe: Batch, path: Path) -> onnx.ModelProto:
    """Trace the network into a file and return it with the LSTM's lengths put in."""
    example = TensorBatch.of(probe)
    inputs = tuple(getattr(example, name) for name in INPUTS)
    sizes = {"ids": "tokens", "mask": "tokens", "word_positions": "words"}
    sizes["label_positions"] = "labels"
    axes = {name: {0: "batch"} for name in INPUTS}
    for name, size in sizes.items():
        axes[name][1] = size
    config = scores.network.config
    token = config.architecture == "token"
    axes["logits"] = {0: "batch", 1: "words", (2 if token else 3): "labels"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the tracer's age, and of every shape it looks at
        try:
            torch.onnx.export(
                scores,
                inputs,
                str(path),
                input_names=list(INPUTS),
                output_names=["logits"],
                dynamic_axes=axes,
                opset_version=_OPSET,
                dynamo=False,  # takes 2 s instead of 20, and its graph is the one that fuses
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, TypeError) as error:
            kind = config.encoder.get("model_type")
            msg = f"encoder {kind!r} cannot be exported: {str(error).strip().splitlines()[0]}"
            raise UnsupportedError(msg) from error
    graph = onnx.load(path)
    bert.settle(graph)
    _give_lengths(graph)
    return graph


def _give_lengths(graph: onnx.ModelProto) -> None:
    """Have every LSTM run over the true lengths; the input is there for models without one too."""
    if "n_words" not in {each.name for each in graph.graph.input}:
        graph.graph.input.append(
            onnx.helper.make_tensor_value_info("n_words", onnx.TensorProto.INT64, ["batch"])
        )
    recurrent = [node for node in graph.graph.node if node.op_type == "LSTM"]
    if not recurrent:
        return
    lengths = onnx.helper.make_node(
        "Cast", ["n_words"], ["n_words_int32"], to=onnx.TensorProto.INT32
    )
    graph.graph.node.insert(0, lengths)
    for node in recurrent:
        node.input[4] = "n_words_int32"
        del node.input[5:]  # zero states, with which it begins anyway


def _describe(graph: onnx.ModelProto, model: Model, variant: Variant) -> None:
    """Put everything that a reader needs into the file's metadata."""
    layout = "batch, words, labels, start end inside"
    if model.config.architecture == "span":
        layout = "batch, words, width, labels"
    versions = {
        "spanwise": __version__,
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
        "python": platform.python_version(),
    }
    described = {
        "format": str(FORMAT),
        "config": json.dumps(settings.plain(model.config)),
        "tokenizer": model.tokenizer.to_str(),
        "variant": variant,
        "layout": layout,
        "source": model.config.source,
        "versions": json.dumps(versions),
    }
    graph.producer_name = "spanwise"
    graph.producer_version = __version__
    onnx.helper.set_model_props(graph, {PREFIX + key: value for key, value in described.items()})


_LONG_PROBE = (
    "The Analytical Engine, designed by Babbage and never finished, had a store of a thousand "
    "numbers of forty digits; Menabrea described it in Geneva, and Lovelace's notes on it are "
    "three times as long as the article that they explain, which is why we still read them."
)
_PROBES = (
    ("Ada Lovelace wrote to Charles Babbage from London in 1843.", ("person", "city", "date")),
    ("No.", ("answer",)),
    (_LONG_PROBE, ("machine", "author of a scientific article", "organization", "number", "city")),
)


def _probe(model: Model) -> Batch:
    """Return texts of different lengths with different numbers of labels as one batch."""
    encoder = Encoder(model.tokenizer, model.config)
    limit = (model.config.max_positions or 512) - encoder.frame_cost
    items = []
    for text, every_label in _PROBES:
        spent = np.cumsum([encoder.label_cost(label) for label in every_label])
        labels = every_label[: max(1, int((spent <= limit // 2).sum()))]
        words = [text[i:j] for i, j in RegexSplitter()(text)][: model.config.max_words]
        (pieces,) = encoder.words([words])
        room = limit - int(spent[len(labels) - 1])
        fitting = int((np.cumsum(pieces.lengths) <= room).sum())
        items.append(encoder.encode(labels, encoder.instruction(()), pieces.between(0, fitting)))
    return encoder.collate(items)


def _differences(model: Model, path: Path) -> tuple[float, float]:
    """Return the largest and mean difference from torch at real words, padded and alone."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found = []
    for batch in _alone_and_together(_probe(model)):
        with torch.inference_mode():
            wanted = model.network(TensorBatch.of(batch)).numpy()
        given = session.run(None, {name: getattr(batch, name) for name in INPUTS})[0]
        found.append(np.abs(wanted - given)[_real(batch, model)].ravel())
    every = np.concatenate(found)
    return float(every.max()), float(every.mean())


def _alone_and_together(batch: Batch) -> Iterator[Batch]:
    yield batch
    for row in range(len(batch)):
        yield batch.row(row)


def _real(batch: Batch, model: Model) -> NDArray[np.bool_]:
    """Return `[batch, words, labels]` or `[batch, words, width, labels]`, what is no padding."""
    words = np.arange(batch.word_positions.shape[1])
    labels = np.arange(batch.label_positions.shape[1]) < batch.n_labels[:, None]
    if model.config.architecture == "token":
        real = words < batch.n_words[:, None]
        return np.asarray(real[:, :, None] & labels[:, None])
    last = words[:, None] + np.arange(model.config.max_width)
    return np.asarray(
        (last[None] < batch.n_words[:, None, None])[..., None] & labels[:, None, None]
    )
