"""Self-attention in an ONNX graph: fused by an optimizer, or spelled out by an exporter."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from .. import tensors
from ..tensors import TensorEntry
from .onnx_file import Node
from .onnx_steps import Linear, Steps
from .onnx_values import MICROSOFT, close


@dataclass(frozen=True, slots=True)
class Attention:
    """Self-attention of x."""

    x: str
    query: Linear
    key: Linear
    value: Linear
    heads: int


class Attentions(Steps):
    """Recognises attention."""

    def attention(self, name: str) -> Attention | None:
        node = self._maker(name)
        if node is not None and node.op == "Attention" and node.domain == MICROSOFT:
            return self._fused_attention(node)
        if node is not None and node.op == "MultiHeadAttention" and node.domain == MICROSOFT:
            return self._multi_head(node)
        return self._spelled_attention(name)

    def _fused_attention(self, node: Node) -> Attention | None:
        if len(node.inputs) < 3 or not self._only_mask(node, bias=5, others=(4, 6)):
            return None
        heads = node.attributes.get("num_heads", 0)
        weight, bias = self._constant(node.inputs[1]), self._constant(node.inputs[2])
        if weight is None or bias is None or weight.entry is None or bias.entry is None or type(heads) is not int:
            return None
        x = self._skip(node.inputs[0])
        if len(weight.shape) != 2 or weight.shape[1] != 3 * weight.shape[0] or bias.shape != (3 * weight.shape[0],):
            return None
        hidden = weight.shape[0]
        if node.attributes.get("unidirectional", 0) or node.attributes.get("do_rotary", 0):
            return None
        if heads < 1 or hidden % heads or not _is_scale(node.attributes.get("scale", 0.0), hidden // heads):
            return None
        parts = []
        for index in range(3):
            wide, narrow = weight.entry, bias.entry
            step = index * hidden * tensors.WIDTHS[wide.dtype]
            matrix = dataclasses.replace(wide, shape=(hidden, hidden), strides=(1, 3 * hidden), begin=wide.begin + step)
            parts.append(Linear(x, matrix, _cut(narrow, index * hidden, hidden)))
        return Attention(x, parts[0], parts[1], parts[2], heads)

    def _only_mask(self, node: Node, bias: int, others: tuple[int, ...]) -> bool:
        """Whether what is added to the scores is a mask, and an operator has none of some further inputs."""
        given = dict(enumerate(node.inputs))
        added = given.get(bias, "")
        return not any(given.get(index) for index in others) and (not added or self._is_mask(added))

    def _multi_head(self, node: Node) -> Attention | None:
        if not self._only_mask(node, bias=5, others=(6, 7)):
            return None
        heads = node.attributes.get("num_heads", 0)
        found = [self.linear(item) for item in node.inputs[:3] if item]
        if len(found) != 3 or node.attributes.get("unidirectional", 0) or type(heads) is not int:
            return None
        given = node.inputs[3] if len(node.inputs) > 3 else ""
        bias = self._vector(given) if given else None
        parts = []
        for index, item in enumerate(found):
            if item is None or (bias is None) == (item.bias is None) or (given and bias is None):
                return None
            hidden = item.weight.shape[0]
            part = item
            if bias is not None:
                if bias.shape != (3 * hidden,):
                    return None
                part = dataclasses.replace(item, bias=_cut(bias, index * hidden, hidden))
            if heads < 1 or hidden % heads or not _is_scale(node.attributes.get("scale", 0.0), hidden // heads):
                return None
            parts.append(part)
        if len({item.x for item in parts}) != 1:
            return None
        return Attention(parts[0].x, parts[0], parts[1], parts[2], heads)

    def _spelled_attention(self, name: str) -> Attention | None:
        """Match softmax(scale q k^T + mask) v, heads apart, put together again by a reshape."""
        product, scale, _ = self._through(name)
        node = self._maker(product, "MatMul")
        if node is None or not close(scale, 1.0):
            return None
        value, value_scale, value_sizes = self._to_linear(node.inputs[1])
        scores = self._scores(node.inputs[0])
        if value is None or scores is None or not close(value_scale, 1.0):
            return None
        product, scale, _ = self._through(scores)
        both = self._maker(product, "MatMul", "FusedMatMul")
        if both is None:
            return None
        if both.op == "FusedMatMul":
            scale *= both.attributes.get("alpha", 1.0)
        query, query_scale, query_sizes = self._to_linear(both.inputs[0])
        key, key_scale, key_sizes = self._to_linear(both.inputs[1])
        if query is None or key is None or len({query.x, key.x, value.x}) != 1:
            return None
        sizes = {*value_sizes, *query_sizes, *key_sizes}
        if len(sizes) != 1 or any(part.bias is None for part in (query, key, value)):
            return None
        size = sizes.pop()
        if not close(scale * query_scale * key_scale, 1 / math.sqrt(size)):
            return None
        return Attention(value.x, query, key, value, value.weight.shape[0] // size)

    def _scores(self, name: str) -> str | None:
        """Return what goes into attention's softmax before the mask."""
        node = self._maker(name)
        if node is not None and node.op == "Where" and len(node.inputs) == 3:
            # PyTorch's fused attention makes rows without any key zero: Where(IsNaN(p), 0, p).
            test = self._maker(node.inputs[0], "IsNaN")
            if test is None or self._scalar(node.inputs[1]) != 0.0:
                return None
            if self._skip(test.inputs[0]) != self._skip(node.inputs[2]):
                return None
            node = self._maker(node.inputs[2])
        if node is None or node.op != "Softmax" or node.attributes.get("axis", -1) not in (-1, 3):
            return None
        masked = self._maker(node.inputs[0], "Add")
        if masked is None or len(masked.inputs) != 2:
            return None
        sides = [item for item in masked.inputs if self._maker(self._through(item)[0], "MatMul", "FusedMatMul")]
        others = [item for item in masked.inputs if item not in sides]
        return sides[0] if len(sides) == 1 and len(others) == 1 and self._is_mask(others[0]) else None

    def _is_mask(self, name: str) -> bool:
        """Whether a value depends on the attention mask and on no weights."""
        waiting, seen = [name], set[str]()
        depends = False
        masks = {value.name for value in self._graph.inputs if value.name in ("attention_mask", "input_mask")}
        while waiting:
            item = waiting.pop()
            if item in seen:
                continue
            seen.add(item)
            depends = depends or item in masks
            node = self._graph.makers.get(item)
            if node is not None and node.op != "Shape":  # a shape carries no numbers
                if node.op in ("MatMul", "Gemm", "Softmax", "LayerNormalization"):
                    return False
                waiting += [value for value in node.inputs if value]
        return depends


def _cut(entry: TensorEntry, first: int, count: int) -> TensorEntry:
    width = tensors.WIDTHS[entry.dtype]
    begin = entry.begin + first * width
    return dataclasses.replace(entry, shape=(count,), begin=begin, end=begin + count * width)


def _is_scale(scale: float, size: int) -> bool:
    """Whether an operator's scale is the usual one, which it may state or leave at 0."""
    return scale == 0.0 or close(scale, 1 / math.sqrt(size))
