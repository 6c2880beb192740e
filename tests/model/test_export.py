from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch

from spanwise import config
from spanwise.backend.onnx import OnnxBackend
from spanwise.backend.pytorch import PyTorchBackend
from spanwise.errors import CheckpointError, InputError
from spanwise.extractor import Extractor
from spanwise.model import export as exporting
from spanwise.model.export import export

LABELS = ["person", "city", "date", "thing"]
KINDS = ["bert", "deberta-v2", "modernbert"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory, make_model):
    """Return a function that exports a model once per set of options."""
    made = {}

    def of(kind, variant="fp32", **overrides):
        key = (kind, variant, tuple(sorted(overrides.items())))
        if key not in made:
            path = tmp_path_factory.mktemp("exported") / f"model.{variant}.onnx"
            model = make_model(kind, **overrides)
            made[key] = (model, export(model, path, variant=variant))
        return made[key]

    return of


@pytest.fixture(scope="module")
def spans(text):
    """Return a function: backend -> offsets and labels of what it finds in three texts."""

    def of(backend):
        found = Extractor(backend).entities([text, "Who?", text[:60]], LABELS)
        return [[(e.start, e.end, e.label) for e in entities] for entities in found]

    return of


@pytest.mark.parametrize("architecture", ["token", "span"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_gives_the_spans_of_torch(exported, spans, kind, architecture):
    model, made = exported(kind, architecture=architecture)
    assert made.largest_difference < 1e-4
    found = spans(OnnxBackend(made.path))
    assert found == spans(PyTorchBackend(model))
    assert any(found)


@pytest.mark.parametrize("layers", [0, 2])
def test_a_file_holds_any_number_of_recurrent_layers(exported, spans, layers):
    model, made = exported("bert", lstm_layers=layers)
    assert made.largest_difference < 1e-4
    assert spans(OnnxBackend(made.path)) == spans(PyTorchBackend(model))


def test_padding_reaches_no_word(exported):
    _, made = exported("bert")
    backend = OnnxBackend(made.path)
    batch = exporting._probe(exported("bert")[0])
    together = backend._run(backend.session, batch)
    for place in range(len(batch)):
        row = batch.row(place)
        n, c = row.word_positions.shape[1], row.label_positions.shape[1]
        np.testing.assert_allclose(
            together[place, :n, :c], backend._run(backend.session, row)[0], atol=1e-4
        )


@pytest.mark.parametrize("architecture", ["token", "span"])
def test_int8_stays_close_and_is_smaller(exported, architecture):
    _, whole = exported("bert", architecture=architecture)
    _, made = exported("bert", "int8", architecture=architecture)
    assert made.mean_difference < 0.25
    kinds = {node.op_type for node in onnx.load(made.path).graph.node}
    assert "MatMulInteger" in kinds
    assert made.largest_difference > whole.largest_difference  # it really is another file


def test_fp16_stays_close(exported):
    _, made = exported("bert", "fp16")
    assert made.largest_difference < exporting.TOLERANCE["fp16"]
    stored = {tensor.data_type for tensor in onnx.load(made.path).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in stored


def test_a_file_describes_itself(exported):
    model, made = exported("bert")
    stored = {each.key: each.value for each in onnx.load(made.path).metadata_props}
    described = json.loads(stored["spanwise.config"])
    assert config.read(config.ModelConfig, described) == model.config
    assert stored["spanwise.variant"] == "fp32"
    assert stored["spanwise.layout"] == "batch, words, labels, start end inside"
    assert json.loads(stored["spanwise.versions"])["torch"] == torch.__version__
    backend = OnnxBackend(made.path)
    assert backend.config == model.config
    assert backend.tokenizer.to_str() == model.tokenizer.to_str()


def test_an_export_leaves_the_model_as_it_was(exported):
    model, _ = exported("bert")
    assert model.network.encoder.config._attn_implementation == "sdpa"
    assert not model.network.training


def test_a_file_that_differs_from_torch_is_not_kept(tmp_path, monkeypatch, make_model):
    monkeypatch.setitem(exporting.TOLERANCE, "int8", 0.0)
    with pytest.raises(CheckpointError, match="differ from torch's by"):
        export(make_model("bert"), tmp_path / "m.onnx", variant="int8")
    assert not list(tmp_path.iterdir())


def test_an_unknown_variant_is_refused(tmp_path, make_model):
    with pytest.raises(InputError, match="'int4' is not one of fp32, fp16, int8"):
        export(make_model("bert"), tmp_path / "m.onnx", variant="int4")
