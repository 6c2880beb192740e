"""Network -> one self-describing ONNX file, checked against torch before it is kept.

    ids, mask [batch, tokens], word_positions [batch, words], n_words [batch],
    label_positions [batch, labels]  ->  logits, as `Network` gives them

Encoder and head are traced; two things are put right afterwards. The LSTM gets the true lengths
(`sequence_lens`), so padding reaches no real word. The scorer is written without a loop: its
product runs over all labels at once, still in factors. What a reader needs (configuration,
tokenizer, variant, versions) lies in the file's metadata under the names below.
"""

from __future__ import annotations

import json
import platform
import tempfile
import warnings
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
from spanwise.model import quantize
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
_OPSET = 17
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
    with tempfile.TemporaryDirectory() as scratch:
        graph = _traced(network, _probe(model), Path(scratch) / "traced.onnx")
    if variant == "fp16":
        graph = quantize.to_fp16(graph)
    elif variant == "int8":
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


class _Scores(nn.Module):
    """The network's forward pass in a form that can be traced at any size."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        ids: Tensor,
        mask: Tensor,
        word_positions: Tensor,
        n_words: Tensor,  # noqa: ARG002 (of the LSTM, which gets it afterwards)
        labels_at: Tensor,
    ) -> Tensor:
        network = self.network
        hidden = network.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        labels = network.projection(pick(hidden, labels_at))
        words = network.projection(pick(hidden, word_positions))
        if network.lstm is not None:
            words = network.lstm(words)[0]  # `n_words` is put in afterwards
        if isinstance(network.scorer, TokenScorer):
            return _token_scores(network.scorer, words, labels)
        return _span_scores(network.scorer, words, labels)


def _token_scores(scorer: TokenScorer, words: Tensor, labels: Tensor) -> Tensor:
    t1, word_part, l1, label_part = scorer.factors(words, labels)
    mixed = nn.functional.linear(t1[:, :, None] * l1[:, None], scorer.mixing)
    mixed = torch.relu(mixed + (word_part[:, :, None] + label_part[:, None]))
    return scorer.out(mixed)  # type: ignore[no-any-return]


def _span_scores(scorer: SpanScorer, words: Tensor, labels: Tensor) -> Tensor:
    n_words = words.shape[1]
    begin = torch.arange(n_words)[:, None]
    last = begin + torch.arange(scorer.max_width)[None]
    last = torch.minimum(last, begin[-1:])  # spans past the end are never candidates
    ends = scorer.end(words)[:, last]
    starts = scorer.start(words)[:, :, None].expand_as(ends)
    spans = scorer.out(torch.relu(torch.cat((starts, ends), dim=-1)))
    every_label = scorer.label(labels)[:, None].transpose(-1, -2)
    return torch.matmul(spans, every_label)


def _traced(network: Network, probe: Batch, path: Path) -> onnx.ModelProto:
    """Trace the network into a file and return it with the LSTM's lengths put in."""
    example = TensorBatch.of(probe)
    inputs = tuple(getattr(example, name) for name in INPUTS)
    sizes = {"ids": "tokens", "mask": "tokens", "word_positions": "words"}
    sizes["label_positions"] = "labels"
    axes = {name: {0: "batch"} for name in INPUTS}
    for name, size in sizes.items():
        axes[name][1] = size
    token = network.config.architecture == "token"
    axes["logits"] = {0: "batch", 1: "words", (2 if token else 3): "labels"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the tracer's age, and of every shape it looks at
        try:
            torch.onnx.export(
                _Scores(network).eval(),
                inputs,
                str(path),
                input_names=list(INPUTS),
                output_names=["logits"],
                dynamic_axes=axes,
                opset_version=_OPSET,
                dynamo=False,  # takes 2 s instead of 20, and its graph is the one that fuses
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, TypeError) as error:
            kind = network.config.encoder.get("model_type")
            msg = f"encoder {kind!r} cannot be exported: {str(error).strip().splitlines()[0]}"
            raise UnsupportedError(msg) from error
    graph = onnx.load(path)
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
    split = RegexSplitter()
    limit = min(model.config.max_words, (model.config.max_positions or 1024) // 8)
    items = []
    for text, labels in _PROBES:
        (pieces,) = encoder.words([[text[i:j] for i, j in split(text)][:limit]])
        kept = pieces.lengths > 0
        room = min(len(kept), limit)
        items.append(encoder.encode(labels, encoder.instruction(()), pieces.between(0, room)))
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
