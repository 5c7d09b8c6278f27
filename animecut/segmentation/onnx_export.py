"""A network as an ONNX graph: what `torch.fx` traces of it, translated operator by operator.

PyTorch's own exporter takes half a minute for what takes a second here, and writes a graph that ONNX Runtime runs more
slowly. Only the operators that our networks consist of are known; a Mask R-CNN's boxes are not.
"""

import json
import operator
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, fx, nn
from torch.nn import functional as F

from animecut.segmentation.metadata import FORMAT
from animecut.segmentation.pspnet import Network

OPSET = 17  # of ONNX; with IR, what ONNX Runtime reads from 1.12 on
IR = 8

Attribute = Any  # whatever ONNX knows: numbers, words, lists of them


def to_onnx(network: Network, provenance: dict[str, object], sha256: str) -> bytes:
    """The network as an ONNX file: rgb (N, 3, H, W) float32 RGB in [0, 1] -> logits (N, classes, H, W); N, H, W free.

    It is the network alone; the colour-affinity refinement comes after it. Weights lie in it as float16.
    sha256: digest of the weights file that it is made of; kept in the metadata with architecture and provenance.
    Raises NotImplementedError for a network that tells characters apart.
    """
    if network.architecture.instances:
        raise NotImplementedError("ONNX has no words for a Mask R-CNN's boxes here")
    graph = _Graph()
    prepared = _prepare(graph, network)
    scores = graph.translate(_Scores(network.eval()), prepared)
    _upscale(graph, network, scores, prepared)
    pixels: list[str | int] = ["n", 3, "h", "w"]
    rgb = helper.make_tensor_value_info("rgb", TensorProto.FLOAT, pixels)
    shape: list[str | int] = ["n", len(network.architecture.classes), "h", "w"]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)
    made = helper.make_graph(graph.nodes, "animecut", [rgb], [logits], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    said = {
        "format": FORMAT,
        "architecture": json.dumps(asdict(network.architecture)),
        "provenance": json.dumps(provenance),
        "weights_sha256": sha256,
    }
    helper.set_model_props(model, said)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


class _Scores(nn.Module):
    """A network without what depends on the picture's size."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network.scores(self.network.backbone(x))


class _Tracer(fx.Tracer):
    """Looks into every Sequential, as parts of one (`features[:2]`) have no name of their own."""

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:  # noqa: ANN401 (fx's own)
        if isinstance(m, nn.Sequential):
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)


class _Graph:
    """Nodes and constants so far. Its methods add to them and return the name of what comes out."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Attribute) -> str:
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def weight(self, tensor: Tensor) -> str:
        """A tensor kept in float16, which ONNX Runtime widens once, when it loads the file."""
        half = self.constant(tensor.detach().cpu().numpy().astype(np.float16))
        return self.node("Cast", half, to=TensorProto.FLOAT)

    def size(self, name: str) -> str:
        """Height and width: (2,) int64."""
        return self.node("Shape", name, start=2, end=4)

    def resize(self, name: str, like: str, *, align_corners: bool) -> str:
        """Bilinear, to the size of another one."""
        sizes = self.node("Concat", self.node("Shape", name, start=0, end=2), self.size(like), axis=0)
        mode = "align_corners" if align_corners else "half_pixel"
        return self.node("Resize", name, "", "", sizes, mode="linear", coordinate_transformation_mode=mode)

    def pool(self, name: str, cells: int) -> str:
        """Adaptive average pooling, (cells, cells), as two matrix products, whatever the size."""
        if cells == 1:
            return self.node("GlobalAveragePool", name)
        rows, columns = (self._shares(name, axis, cells) for axis in (2, 3))
        return self.node("MatMul", self.node("MatMul", rows, name), self.node("Transpose", columns, perm=[1, 0]))

    def _shares(self, name: str, axis: int, cells: int) -> str:
        """(cells, length): how much each place counts in each cell; cells overlap as in torch's adaptive pooling."""
        length = self.node("Shape", name, start=axis, end=axis + 1)
        scalar = self.node("Squeeze", length)
        zero, one = (self.constant(np.array(value, np.int64)) for value in (0, 1))
        place = self.node("Range", zero, scalar, one)
        low, high = (self.constant(np.arange(first, first + cells)[:, None]) for first in (0, 1))
        count = self.integers(cells)
        start = self.node("Div", self.node("Mul", low, length), count)
        past = self.node("Add", self.node("Mul", high, length), self.integers(cells - 1))
        end = self.node("Div", past, count)
        inside = self.node("And", self.node("Not", self.node("Less", place, start)), self.node("Less", place, end))
        weight = self.node("Cast", inside, to=TensorProto.FLOAT)
        return self.node("Div", weight, self.node("ReduceSum", weight, self.integers(1), keepdims=1))

    def translate(self, module: nn.Module, given: str) -> str:
        """All that a module does with what it is given."""
        traced = _Tracer().trace(module)
        names: dict[fx.Node, str] = {}
        for node in traced.nodes:
            if node.op == "placeholder":
                names[node] = given
            elif node.op == "call_module":
                names[node] = self._layer(module.get_submodule(str(node.target)), names[node.args[0]])
            elif node.op == "call_function" and node.target in _FUNCTIONS:
                names[node] = _FUNCTIONS[node.target](self, node, names)
            elif node.op == "output":
                return names[node.args[0]]
            elif node.target not in (getattr, operator.getitem):  # of a shape: whoever scales to it looks it up
                raise NotImplementedError(f"{node.op} {node.target}")
        raise NotImplementedError("nothing comes out")

    def _layer(self, layer: nn.Module, x: str) -> str:
        match layer:
            case nn.Conv2d():
                tensors = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
                return self.node(
                    "Conv", x, *map(self.weight, tensors), strides=layer.stride, dilations=layer.dilation,
                    pads=[*layer.padding, *layer.padding], group=layer.groups,
                )  # fmt: skip
            case nn.BatchNorm2d(running_mean=Tensor() as mean, running_var=Tensor() as variance):
                tensors = [layer.weight, layer.bias, mean, variance]
                return self.node("BatchNormalization", x, *map(self.weight, tensors), epsilon=layer.eps)
            case nn.ReLU6():
                low, high = (self.constant(np.array(value, np.float32)) for value in (0, 6))
                return self.node("Clip", x, low, high)
            case nn.ReLU():
                return self.node("Relu", x)
            case nn.MaxPool2d(kernel_size=int(side), stride=int(stride), padding=int(pad)):
                return self.node("MaxPool", x, kernel_shape=[side] * 2, strides=[stride] * 2, pads=[pad] * 4)
            case nn.Dropout() | nn.Dropout2d() | nn.Identity():
                return x
        raise NotImplementedError(type(layer).__name__)


def _added(graph: _Graph, node: fx.Node, names: dict[fx.Node, str]) -> str:
    return graph.node("Add", *(names[one] for one in node.all_input_nodes))


def _joined(graph: _Graph, node: fx.Node, names: dict[fx.Node, str]) -> str:
    return graph.node("Concat", *(names[one] for one in node.all_input_nodes), axis=1)


def _scaled(graph: _Graph, node: fx.Node, names: dict[fx.Node, str]) -> str:
    shape = node.kwargs["size"]  # (something.shape)[-2:]
    if not isinstance(shape, fx.Node):
        raise NotImplementedError(f"scaling to {shape}")
    like = shape.all_input_nodes[0].all_input_nodes[0]
    return graph.resize(
        names[node.all_input_nodes[0]], names[like], align_corners=bool(node.kwargs.get("align_corners"))
    )


def _pooled(graph: _Graph, node: fx.Node, names: dict[fx.Node, str]) -> str:
    return graph.pool(names[node.all_input_nodes[0]], int(str(node.args[1])))


_FUNCTIONS: dict[Any, Callable[[_Graph, fx.Node, dict[fx.Node, str]], str]] = {
    operator.add: _added,
    operator.iadd: _added,
    torch.cat: _joined,
    F.interpolate: _scaled,
    F.adaptive_avg_pool2d: _pooled,
}


def _prepare(graph: _Graph, network: Network) -> str:
    """As `Network.prepared`."""
    mean, std = (graph.constant(value.cpu().numpy()) for value in (network.mean, network.std))
    normal = graph.node("Div", graph.node("Sub", "rgb", mean), std)
    lacking = graph.node("Mod", graph.node("Neg", graph.size("rgb")), graph.integers(network.multiple))
    pads = graph.node("Concat", graph.integers(0, 0, 0, 0, 0, 0), lacking, axis=0)
    return graph.node("Pad", normal, pads, mode="edge")


def _upscale(graph: _Graph, network: Network, scores: str, prepared: str) -> None:
    """As `Network._over`."""
    full = graph.resize(scores, prepared, align_corners=network.architecture.align_corners)
    graph.node("Slice", full, graph.integers(0, 0), graph.size("rgb"), graph.integers(2, 3), output="logits")
