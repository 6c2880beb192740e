"""An ONNX graph in fp32 -> the same in int8.

Weights per channel, activations as they come (their range is taken from the values at hand).
Those of the encoder are first divided, token by token, by their largest value, which the product
gets back: a token with an outlier then takes no precision from the others. Quantised are the
products with weights and the embedding table, row by row; left in float are the products of
attention, the recurrence, and the scorer's last map to three numbers, which is small and where an
error goes straight into a score.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_MIN_COLUMNS = 8
"""Products with fewer columns stay in float."""
_BY_ROW = "/encoder/"
"""How the names of the products begin whose activations are scaled row by row."""
_SMALLEST = "smallest_row_scale"


def to_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with products and embedding table in int8."""
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    _lift_constants(graph, weights)
    made = _Quantizer(weights)
    for node in graph.node:
        made.add(node)
    del graph.node[:]
    graph.node.extend(made.nodes)
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in (*weights.values(), *made.tensors) if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return model


class _Quantizer:
    """Rewrites nodes one by one; nodes and tensors so far."""

    def __init__(self, weights: dict[str, TensorProto]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[TensorProto] = []
        self.activations: set[str] = set()
        self.levelled: set[str] = set()
        self.quantized: set[str] = set()

    def add(self, node: onnx.NodeProto) -> None:
        weight = self.weights.get(node.input[1]) if node.op_type == "MatMul" else None
        if weight is not None and len(weight.dims) == 2 and weight.dims[1] >= _MIN_COLUMNS:
            if node.name.startswith(_BY_ROW):
                self._product_by_row(node)
            else:
                self._product(node)
        elif node.op_type == "Gather" and self._is_table(node):
            self._lookup(node)
        else:
            self.nodes.append(node)

    def _is_table(self, node: onnx.NodeProto) -> bool:
        table = self.weights.get(node.input[0])
        floats = table is not None and table.data_type == TensorProto.FLOAT
        return floats and table is not None and len(table.dims) == 2 and table.dims[0] > 1024

    def _product_by_row(self, node: onnx.NodeProto) -> None:
        """`x W` as `r (x / r) W`, where r is the largest absolute value of each row of x."""
        x, weight, out = node.input[0], node.input[1], node.output[0]
        level, row = f"{x}_level", f"{x}_row"
        if x not in self.levelled:
            self.levelled.add(x)
            self._make("Abs", [x], [f"{x}_abs"])
            largest = helper.make_node(
                "ReduceMax", [f"{x}_abs"], [f"{x}_max"], f"{x}_max", axes=[-1], keepdims=1
            )
            self.nodes.append(largest)
            self._make("Max", [f"{x}_max", self._smallest()], [row])
            self._make("Div", [x, row], [level])
        self._product(helper.make_node("MatMul", [level, weight], [f"{out}_level"]))
        self._make("Mul", [f"{out}_level", row], [out])

    def _smallest(self) -> str:
        """Name what keeps a row of zeros from being divided by zero."""
        if _SMALLEST not in self.quantized:
            self.quantized.add(_SMALLEST)
            tiny = np.array([np.finfo(np.float32).tiny], dtype=np.float32)
            self.tensors.append(numpy_helper.from_array(tiny, _SMALLEST))
        return _SMALLEST

    def _product(self, node: onnx.NodeProto) -> None:
        """`x W` as integers: x in uint8 with one scale, W in int8 with one per column."""
        x, weight, out = node.input[0], node.input[1], node.output[0]
        if x not in self.activations:
            self.activations.add(x)
            self._make("DynamicQuantizeLinear", [x], [f"{x}_q", f"{x}_scale", f"{x}_zero"])
        if weight not in self.quantized:
            self._keep(weight, axis=0)
        self._make(
            "MatMulInteger", [f"{x}_q", f"{weight}_q", f"{x}_zero", f"{weight}_zero"], [f"{out}_i"]
        )
        self._cast(out)
        self._make("Mul", [f"{x}_scale", f"{weight}_scale"], [f"{out}_scale"])
        self._make("Mul", [f"{out}_f", f"{out}_scale"], [out])

    def _lookup(self, node: onnx.NodeProto) -> None:
        """Rows of an int8 table, each with its own scale."""
        table, ids, out = node.input[0], node.input[1], node.output[0]
        if table not in self.quantized:
            self._keep(table, axis=1)
        self._make("Gather", [f"{table}_q", ids], [f"{out}_i"])
        self._make("Gather", [f"{table}_scale", ids], [f"{out}_scale"])
        self._cast(out)
        self._make("Mul", [f"{out}_f", f"{out}_scale"], [out])

    def _keep(self, name: str, *, axis: int) -> None:
        """Quantise a weight symmetrically along an axis."""
        values = numpy_helper.to_array(self.weights[name])
        scale = np.abs(values).max(axis=axis, keepdims=True) / 127
        scale = np.where(scale == 0, 1, scale).astype(np.float32)
        rounded = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
        scales = scale if axis == 1 else scale[0]
        zeros = np.zeros(scales.shape, dtype=np.int8)
        for suffix, array in (("q", rounded), ("scale", scales), ("zero", zeros)):
            self.tensors.append(numpy_helper.from_array(array, f"{name}_{suffix}"))
        self.quantized.add(name)

    def _cast(self, out: str) -> None:
        cast = helper.make_node(
            "Cast", [f"{out}_i"], [f"{out}_f"], f"{out}_f", to=TensorProto.FLOAT
        )
        self.nodes.append(cast)

    def _make(self, kind: str, inputs: list[str], outputs: list[str]) -> None:
        self.nodes.append(helper.make_node(kind, inputs, outputs, outputs[0]))


def _lift_constants(graph: onnx.GraphProto, weights: dict[str, TensorProto]) -> None:
    """Make initializers of constant nodes and of transposed weights, in place."""
    left = []
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensor = node.attribute[0].t
            tensor.name = node.output[0]
            weights[node.output[0]] = tensor
        else:
            left.append(node)
    del graph.node[:]
    graph.node.extend(left)
