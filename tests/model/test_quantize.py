from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from spanwise.model.quantize import to_int8

WEIGHT = np.random.default_rng(7).normal(size=(64, 32)).astype(np.float32)


def product(name):
    """Return `x -> x W` as a graph whose one node has this name."""
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name)],
        "product",
        [helper.make_tensor_value_info("x", floats, ["rows", 64])],
        [helper.make_tensor_value_info("y", floats, ["rows", 32])],
        [numpy_helper.from_array(WEIGHT, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


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


def test_row_scales_change_nothing_in_float(uneven):
    quantized = to_int8(product("/encoder/layer.0/dense/MatMul"))
    kept = [node for node in quantized.graph.node if node.op_type in {"Abs", "ReduceMax", "Max"}]
    divided = next(node for node in quantized.graph.node if node.op_type == "Div")
    restored = quantized.graph.node[-1]
    assert restored.output[0] == "y"
    middle = helper.make_node("MatMul", [divided.output[0], "w"], [restored.input[0]])
    quantized.graph.initializer.append(numpy_helper.from_array(WEIGHT, "w"))
    del quantized.graph.node[:]
    quantized.graph.node.extend([*kept, divided, middle, restored])
    np.testing.assert_allclose(run(quantized, uneven), uneven @ WEIGHT, rtol=1e-4, atol=1e-3)


def test_a_row_of_zeros_stays_one(uneven):
    uneven[1] = 0
    found = run(to_int8(product("/encoder/layer.0/dense/MatMul")), uneven)
    assert np.isfinite(found).all()
    assert not found[1].any()
