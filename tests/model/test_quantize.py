from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from spanwise.model.quantize import to_int8

WEIGHT = np.random.default_rng(7).normal(size=(64, 32)).astype(np.float32)


def product(name, *before):
    """Return `x -> x W` as a graph whose last node has this name; others go before it."""
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        [
            *before,
            helper.make_node("MatMul", [before[-1].output[0] if before else "x", "w"], ["y"], name),
        ],
        "product",
        [helper.make_tensor_value_info("x", floats, ["rows", 64])],
        [helper.make_tensor_value_info("y", floats, ["rows", 32])],
        [numpy_helper.from_array(WEIGHT, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def run(model, x):
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


def largest_errors(model, x):
    """Return each row's largest error as a share of its largest value."""
    wanted = x @ WEIGHT
    return np.abs(run(model, x) - wanted).max(axis=1) / np.abs(wanted).max(axis=1)


@pytest.fixture
def uneven():
    """Return two rows, the first a thousand times the second."""
    x = np.random.default_rng(8).normal(size=(2, 64)).astype(np.float32)
    x[0] *= 1000
    return x


def test_a_row_of_the_encoder_loses_nothing_to_a_larger_one(uneven):
    assert (largest_errors(to_int8(product("/encoder/layer.0/dense/MatMul")), uneven) < 0.03).all()
    other = largest_errors(to_int8(product("/scorer/words/MatMul")), uneven)
    assert other[0] < 0.03 < other[1]


def test_a_row_of_zeros_stays_one(uneven):
    uneven[1] = 0
    found = run(to_int8(product("/encoder/layer.0/dense/MatMul")), uneven)
    assert np.isfinite(found).all()
    assert not found[1].any()


def test_what_gelu_gives_has_nearly_all_of_eight_bits():
    x = np.random.default_rng(9).normal(size=(40, 64)).astype(np.float32) * 3
    x[0] *= 100
    gelu = helper.make_node("Gelu", ["x"], ["g"], approximate="none")
    wanted = run(product("/encoder/dense/MatMul", gelu), x)
    errors = [
        np.abs(run(to_int8(product(name, gelu)), x) - wanted)[1:].mean()
        for name in ("/encoder/dense/MatMul", "/scorer/dense/MatMul")
    ]
    assert errors[0] < errors[1] / 10  # one scale for all rows, of which one is huge
    assert errors[0] < 0.1  # 0.11 if what lies under zero had half of the bytes


def recurrence(n_words):
    """Return an LSTM of both directions over `x` [words, 1, 64]."""
    draw = np.random.default_rng(11).normal
    weights = {"w": (2, 64, 64), "r": (2, 64, 16), "b": (2, 128)}
    graph = helper.make_graph(
        [
            helper.make_node(
                "LSTM",
                ["x", "w", "r", "b", "n"],
                ["y"],
                "lstm",
                direction="bidirectional",
                hidden_size=16,
            )
        ],
        "recurrence",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["words", 1, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["words", 2, 1, 16])],
        [
            numpy_helper.from_array((draw(size=size) / 8).astype(np.float32), name)
            for name, size in weights.items()
        ]
        + [numpy_helper.from_array(np.array([n_words], dtype=np.int32), "n")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def test_a_recurrence_stays_close_over_many_words():
    x = np.random.default_rng(12).normal(size=(200, 1, 64)).astype(np.float32)
    quantized = to_int8(recurrence(180))
    stored = {tensor.name: tensor.data_type for tensor in quantized.graph.initializer}
    assert stored["w_q"] == stored["r_q"] == TensorProto.INT8
    assert "w" not in stored
    wanted, found = run(recurrence(180), x), run(quantized, x)
    assert 0 < np.abs(wanted - found).max() < 0.03
    assert not found[180:].any()
