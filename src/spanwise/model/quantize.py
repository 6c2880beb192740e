"""An ONNX graph in fp32 -> the same in int8.

Weights per channel, activations as they come (their range is taken from the values at hand).
Those of the encoder are scaled token by token by their largest value, which the product gets back:
a token with an outlier then takes no precision from the others. Quantised are the products with
weights, those of the recurrence too, and the embedding table, row by row; left in float are the
products of attention and the scorer's last map to three numbers, which is small and where an error
goes straight into a score. GELU is computed with tanh instead of erf: a quarter less work for a
difference of 0.0005, a tenth of what a step of eight bits is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MIN_COLUMNS = 8
"""Products with fewer columns stay in float."""
_BY_ROW = "/encoder/"
"""How the names of the products begin whose activations are scaled row by row."""
_MIDDLE = 128
"""The unsigned byte that is zero."""
_GELU_MIDDLE, _GELU_LEAST = 32, 0.17
"""The same where nothing lies under -0.17: more bytes are left for what is above."""
_ORT = "com.microsoft"
"""Where ONNX Runtime keeps operators of its own."""


def to_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with products and embedding table in int8."""
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    _lift_constants(graph, weights)
    gelus = {node.output[0] for node in graph.node if node.op_type == "Gelu"}
    made = _Quantizer(weights, gelus)
    for node in graph.node:
        made.add(node)
    del graph.node[:]
    graph.node.extend(made.nodes)
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in (*weights.values(), *made.tensors) if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    if all(each.domain != _ORT for each in model.opset_import):
        model.opset_import.add(domain=_ORT, version=1)
    return model


class _Quantizer:
    """Rewrites nodes one by one; nodes and tensors so far."""

    def __init__(self, weights: dict[str, TensorProto], gelus: set[str]) -> None:
        self.weights = weights
        self.gelus = gelus
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[TensorProto] = []
        self.activations: set[str] = set()
        self.constants: set[str] = set()
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
        elif node.op_type == "LSTM":
            self._recurrence(node)
        elif node.op_type == "Gelu":
            self.nodes.append(helper.make_node("Gelu", node.input, node.output, approximate="tanh"))
        else:
            self.nodes.append(node)

    def _is_table(self, node: onnx.NodeProto) -> bool:
        table = self.weights.get(node.input[0])
        floats = table is not None and table.data_type == TensorProto.FLOAT
        return floats and table is not None and len(table.dims) == 2 and table.dims[0] > 1024

    def _product_by_row(self, node: onnx.NodeProto) -> None:
        """`x W` as `r (x / r) W`, where r is the largest absolute value of each row of x."""
        x, weight, out = node.input[0], node.input[1], node.output[0]
        middle = _GELU_MIDDLE if x in self.gelus else _MIDDLE
        step, zero = self._constant(1 / np.float32(255 - middle)), self._constant(np.uint8(middle))
        level = f"{x}_level"
        if level not in self.activations:
            self.activations.add(level)
            self._largest(x)
            # a row of zeros is divided by zero: any integers here, zeros again below
            self._make("Reciprocal", [f"{x}_row"], [f"{x}_inverse"])
            self._make("Mul", [x, f"{x}_inverse"], [level])
            self._make("QuantizeLinear", [level, step, zero], [f"{level}_q"])
        self._keep_columns(weight)
        inputs = [f"{level}_q", f"{weight}_q", step, f"{weight}_scale", zero]
        self._make("MatMulIntegerToFloat", inputs, [f"{out}_level"], domain=_ORT)
        self._make("Mul", [f"{out}_level", f"{x}_row"], [out])

    def _largest(self, x: str) -> None:
        """Make the scale of each row of x, `[.., 1]`."""
        last = self._constant(np.array([-1]))
        if x in self.gelus:
            floor = np.float32(_GELU_LEAST * (255 - _GELU_MIDDLE) / _GELU_MIDDLE)
            self._make("ReduceMax", [x, last], [f"{x}_max"])
            self._make("Max", [f"{x}_max", self._constant(floor)], [f"{x}_row"])
        else:
            self._make("Abs", [x], [f"{x}_abs"])
            self._make("ReduceMax", [f"{x}_abs", last], [f"{x}_row"])

    def _constant(self, value: np.generic | NDArray[np.int64]) -> str:
        """Name a constant of one number."""
        name = f"{value.dtype}_{value.item()}"
        if name not in self.constants:
            self.constants.add(name)
            self.tensors.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _product(self, node: onnx.NodeProto) -> None:
        """`x W` as integers: x in uint8 with one scale, W in int8 with one per column."""
        x, weight, out = node.input[0], node.input[1], node.output[0]
        if x not in self.activations:
            self.activations.add(x)
            self._make("DynamicQuantizeLinear", [x], [f"{x}_q", f"{x}_scale", f"{x}_zero"])
        self._keep_columns(weight)
        self._make(
            "MatMulInteger", [f"{x}_q", f"{weight}_q", f"{x}_zero", f"{weight}_zero"], [f"{out}_i"]
        )
        self._cast(out)
        self._make("Mul", [f"{x}_scale", f"{weight}_scale"], [f"{out}_scale"])
        self._make("Mul", [f"{out}_f", f"{out}_scale"], [out])

    def _recurrence(self, node: onnx.NodeProto) -> None:
        """An LSTM with both products in integers; its state is quantised anew at every word."""
        inputs = [*node.input, *[""] * (8 - len(node.input))]
        scales = []
        for place in (1, 2):
            name = node.input[place]
            self._keep_columns(name, transposed=True)
            inputs[place] = f"{name}_q"
            scales += [f"{name}_scale", f"{name}_zero"]
        made = helper.make_node(
            "DynamicQuantizeLSTM", [*inputs, *scales], node.output, node.name, domain=_ORT
        )
        made.attribute.extend(node.attribute)
        self.nodes.append(made)

    def _lookup(self, node: onnx.NodeProto) -> None:
        """Rows of an int8 table, each with its own scale."""
        table, ids, out = node.input[0], node.input[1], node.output[0]
        if table not in self.quantized:
            self._keep(table, *_rounded(numpy_helper.to_array(self.weights[table]), axis=-1))
        self._make("Gather", [f"{table}_q", ids], [f"{out}_i"])
        self._make("Gather", [f"{table}_scale", ids], [f"{out}_scale"])
        self._cast(out)
        self._make("Mul", [f"{out}_f", f"{out}_scale"], [out])

    def _keep_columns(self, name: str, *, transposed: bool = False) -> None:
        """Quantise a weight `[.., inputs, outputs]`, or its transpose, with a scale per output."""
        if name not in self.quantized:
            values = numpy_helper.to_array(self.weights[name])
            values = values.swapaxes(-1, -2) if transposed else values
            rounded, scale = _rounded(values, axis=-2)
            self._keep(name, rounded, scale.squeeze(-2))

    def _keep(self, name: str, rounded: NDArray[np.int8], scale: NDArray[np.float32]) -> None:
        self.quantized.add(name)
        zeros = np.zeros(scale.shape, dtype=np.int8)
        for suffix, array in (("q", rounded), ("scale", scale), ("zero", zeros)):
            self.tensors.append(numpy_helper.from_array(array, f"{name}_{suffix}"))

    def _cast(self, out: str) -> None:
        cast = helper.make_node(
            "Cast", [f"{out}_i"], [f"{out}_f"], f"{out}_f", to=TensorProto.FLOAT
        )
        self.nodes.append(cast)

    def _make(self, kind: str, inputs: list[str], outputs: list[str], *, domain: str = "") -> None:
        self.nodes.append(helper.make_node(kind, inputs, outputs, outputs[0], domain=domain))


def _rounded(
    values: NDArray[np.float32], *, axis: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return values as integers from -127 to 127, and their scale, which is 1 long in `axis`."""
    scale = np.abs(values).max(axis=axis, keepdims=True) / 127
    scale = np.where(scale == 0, 1, scale).astype(np.float32)
    return np.clip(np.rint(values / scale), -127, 127).astype(np.int8), scale


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
