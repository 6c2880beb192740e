from __future__ import annotations

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from spanwise.model.bert import BertRows
from spanwise.model.export import export
from spanwise.model.network import pick


@pytest.fixture
def encoder(make_model):
    """Return a BERT whose biases are not zero."""
    made = copy.deepcopy(make_model("bert").network.encoder)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    return made


def test_rows_are_those_of_transformers_with_padding(encoder):
    ids = torch.arange(2, 24).reshape(2, 11)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    rows = torch.tensor([[0, 10, 3, 3], [5, 1, 0, 0]])
    with torch.no_grad():
        wanted = pick(encoder(input_ids=ids, attention_mask=mask).last_hidden_state, rows)
        found = BertRows.of(encoder)(ids, mask, rows)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_other_encoders_and_one_without_layers_are_left_alone(make_model):
    assert BertRows.of(make_model("deberta-v2").network.encoder) is None
    assert BertRows.of(make_model("bert", context=False).network.encoder) is None


def test_a_file_has_one_operator_for_attention_and_keeps_to_the_standard(tmp_path, make_model):
    model = make_model("bert")
    path = export(model, tmp_path / "model.onnx").path
    graph = onnx.load(path)
    onnx.checker.check_model(graph, full_check=True)
    kinds = [node.op_type for node in graph.graph.node]
    assert kinds.count("Attention") == model.network.encoder.config.num_hidden_layers
    assert "Softmax" not in kinds
    assert {each.domain for each in graph.opset_import} == {""}


def test_the_last_layer_reads_picked_rows_only(tmp_path, make_model):
    # two words and one label of forty tokens, seen in the shape of the feed-forward part
    path = export(make_model("bert"), tmp_path / "model.onnx").path
    graph = onnx.load(path)
    last = [node for node in graph.graph.node if node.op_type == "Gelu"][-1].output[0]
    graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(last))
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feed = {
        "ids": np.arange(2, 42)[None],
        "mask": np.ones((1, 40), dtype=np.int64),
        "word_positions": np.array([[7, 9]]),
        "n_words": np.array([2]),
        "label_positions": np.array([[3]]),
    }
    assert session.run([last], feed)[0].shape[1] == 3
