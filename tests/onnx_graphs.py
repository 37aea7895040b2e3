"""ALBERT as an ONNX graph in the forms that exporters and optimizers give it, made with the onnx package."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import make_model

STYLES = ("torch 1", "torch 1 sdpa", "torch 2", "fused", "multi head", "half")


class Builder:
    """Collects nodes and constants of one graph."""

    def __init__(self, geo: Mapping[str, Any], weights: Mapping[str, make_model.Array], style: str) -> None:
        self.geo, self.style = geo, style
        self.is_fused = style in ("fused", "multi head")
        self.real = np.float16 if style == "half" else np.float32
        self.weights = {name: array.astype(self.real) for name, array in weights.items()}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, make_model.Array] = {}
        self.count = 0

    def node(self, op: str, *inputs: str, domain: str = "", outputs: int = 1, name: str = "", **attributes: Any) -> str:
        self.count += 1
        out = name or f"/{op}_{self.count}"
        names = [out, *(f"{out}_{i}" for i in range(1, outputs))]
        self.nodes.append(helper.make_node(op, list(inputs), names, domain=domain, **attributes))
        return out

    def number(self, value: float) -> str:
        self.count += 1
        tensor = numpy_helper.from_array(np.array(value, self.real))
        self.nodes.append(helper.make_node("Constant", [], [f"/Constant_{self.count}"], value=tensor))
        return f"/Constant_{self.count}"

    def ints(self, *values: int) -> str:
        name = f"shape_{'_'.join(map(str, values))}"
        self.constants[name] = np.array(values, np.int64)
        return name

    def weight(self, name: str) -> str:
        self.constants[name] = self.weights[name]
        return name

    def turned(self, name: str, tag: str = "") -> str:
        """A matrix as exporters leave it: transposed, under a number; with a tag, a copy for one layer."""
        key = f"onnx::MatMul_{sum(name.encode())}{tag}"
        self.constants[key] = np.ascontiguousarray(self.weights[name].T)
        return key

    def linear(self, x: str, name: str, tag: str = "") -> str:
        product = self.node("MatMul", x, self.turned(f"{name}.weight", tag))
        bias = self.weight(f"{name}.bias")
        return self.node("Add", bias, product) if self.style != "torch 2" else self.node("Add", product, bias)

    def norm(self, x: str, name: str) -> str:
        gamma, beta = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        epsilon = self.geo["layer_norm_eps"]
        if self.style in ("torch 2", "fused", "multi head"):
            return self.node("LayerNormalization", x, gamma, beta, epsilon=epsilon, axis=-1)
        centred = self.node("Sub", x, self.node("ReduceMean", x, axes=[-1]))
        square = self.node("Pow", centred, self.number(2.0))
        variance = self.node(
            "Add",
            self.node("ReduceMean", square, axes=[-1]),
            self.number(epsilon),
        )
        quotient = self.node("Div", centred, self.node("Sqrt", variance))
        return self.node("Add", self.node("Mul", quotient, gamma), beta)

    def add_norm(self, x: str, residual: str, dense: str, norm: str, tag: str = "") -> str:
        if not self.is_fused:
            return self.norm(self.node("Add", residual, self.linear(x, dense, tag)), norm)
        product = self.node("MatMul", x, self.turned(f"{dense}.weight", tag))
        names = [self.weight(f"{norm}.weight"), self.weight(f"{norm}.bias"), self.weight(f"{dense}.bias")]
        return self.node(
            "SkipLayerNormalization",
            product,
            residual,
            *names,
            domain="com.microsoft",
            epsilon=self.geo["layer_norm_eps"],
        )

    def activation(self, x: str) -> str:
        act = self.geo["hidden_act"]
        if act == "relu":
            return self.node("Relu", x)
        if self.is_fused:
            return self.node("FastGelu" if act == "gelu_new" else "Gelu", x, domain="com.microsoft")
        if self.style == "torch 2":
            return self.node("Gelu", x, approximate="tanh" if act == "gelu_new" else "none")
        half = self.node("Mul", x, self.number(0.5))
        if act == "gelu":
            inner = self.node("Erf", self.node("Div", x, self.number(math.sqrt(2))))
        else:
            cube = self.node("Mul", self.node("Pow", x, self.number(3.0)), self.number(0.044715))
            scaled = self.node("Mul", self.node("Add", x, cube), self.number(math.sqrt(2 / math.pi)))
            inner = self.node("Tanh", scaled)
        return self.node("Mul", half, self.node("Add", inner, self.number(1.0)))

    def attention(self, x: str, prefix: str, mask: str) -> str:
        heads, hidden = self.geo["num_attention_heads"], self.geo["hidden_size"]
        size = hidden // heads
        if self.style == "multi head":
            parts = ("query", "key", "value")
            products = [self.node("MatMul", x, self.turned(f"{prefix}{part}.weight")) for part in parts]
            self.constants["qkv_bias"] = np.concatenate([self.weights[f"{prefix}{part}.bias"] for part in parts])
            return self.node("MultiHeadAttention", *products, "qkv_bias", mask, domain="com.microsoft", num_heads=heads)
        if self.style == "fused":
            parts = ("query", "key", "value")
            weight = np.concatenate([self.weights[f"{prefix}{part}.weight"].T for part in parts], 1)
            self.constants["qkv_weight"] = np.ascontiguousarray(weight)
            self.constants["qkv_bias"] = np.concatenate([self.weights[f"{prefix}{part}.bias"] for part in parts])
            return self.node("Attention", x, "qkv_weight", "qkv_bias", mask, domain="com.microsoft", num_heads=heads)

        def apart(part: str, perm: list[int]) -> str:
            shape = self.ints(0, 0, heads, size) if self.style != "torch 2" else self.ints(0, 0, -1, size)
            return self.node("Transpose", self.node("Reshape", self.linear(x, prefix + part), shape), perm=perm)

        query, key, value = apart("query", [0, 2, 1, 3]), apart("key", [0, 2, 3, 1]), apart("value", [0, 2, 1, 3])
        if self.style == "torch 2":  # the scale is shared between both
            root = self.number(size**-0.25)
            scores = self.node("MatMul", self.node("Mul", query, root), self.node("Mul", key, root))
        elif self.style == "torch 1 sdpa":  # the scale is worked out of a shape
            last = self.node("Slice", self.node("Shape", query), self.ints(-1), self.ints((1 << 63) - 1))
            wide = self.node("Sqrt", self.node("Cast", last, to=TensorProto.FLOAT))
            root = self.node("Sqrt", self.node("Div", self.number(1.0), wide))
            scores = self.node("MatMul", self.node("Mul", query, root), self.node("Mul", key, root))
        else:
            scores = self.node("Div", self.node("MatMul", query, key), self.number(math.sqrt(size)))
        shares = self.node("Softmax", self.node("Add", scores, mask), axis=-1)
        if self.style == "torch 1 sdpa":
            shares = self.node("Where", self.node("IsNaN", shares), self.number(0.0), shares)
        context = self.node("Transpose", self.node("MatMul", shares, value), perm=[0, 2, 1, 3])
        return self.node("Reshape", context, self.ints(0, 0, hidden))

    def mask(self) -> str:
        if self.is_fused:
            return self.node("Cast", "attention_mask", to=TensorProto.INT32)
        wide = self.node("Unsqueeze", "attention_mask", self.ints(1, 2))
        kept = self.node("Cast", wide, to=helper.np_dtype_to_tensor_dtype(np.dtype(self.real)))
        return self.node("Mul", self.node("Sub", self.number(1.0), kept), self.number(-1e4))

    def embeddings(self) -> str:
        words, positions, types = (
            self.weight(f"embeddings.{part}_embeddings.weight") for part in ("word", "position", "token_type")
        )
        if self.is_fused:
            ids, kinds = (self.node("Cast", name, to=TensorProto.INT32) for name in ("input_ids", "token_type_ids"))
            norm = [self.weight(f"embeddings.LayerNorm.{leaf}") for leaf in ("weight", "bias")]
            return self.node(
                "EmbedLayerNormalization", ids, kinds, words, positions, types, *norm,
                domain="com.microsoft", outputs=2, epsilon=self.geo["layer_norm_eps"],
            )  # fmt: skip
        self.constants["position_ids"] = np.arange(self.geo["max_position_embeddings"], dtype=np.int64)[None]
        length = self.node("Gather", self.node("Shape", "input_ids"), self.ints(1), axis=0)
        places = self.node("Slice", "position_ids", self.ints(0), length, self.ints(1))
        rows = self.node("Add", self.node("Gather", words, "input_ids"), self.node("Gather", types, "token_type_ids"))
        return self.norm(self.node("Add", rows, self.node("Gather", positions, places)), "embeddings.LayerNorm")

    def build(self, detour: bool = False) -> onnx.ModelProto:
        geo = self.geo
        x = self.linear(self.embeddings(), "encoder.embedding_hidden_mapping_in")
        mask = self.mask()
        for layer in range(geo["num_hidden_layers"]):
            group = layer * geo["num_hidden_groups"] // geo["num_hidden_layers"]
            p = f"encoder.albert_layer_groups.{group}.albert_layers.0."
            tag = f"_{layer}" if self.style == "torch 2" else ""
            context = self.attention(x, p + "attention.", mask)
            middle = self.add_norm(context, x, p + "attention.dense", p + "attention.LayerNorm")
            inner = self.activation(self.linear(middle, p + "ffn", tag))
            x = self.add_norm(inner, middle, p + "ffn_output", p + "full_layer_layer_norm", tag)
        if detour:  # changes nothing, and is no part of any ALBERT
            x = self.node("Neg", self.node("Neg", x))
        first = self.node("Gather", x, self.ints(0), axis=1)
        first = self.node("Reshape", first, self.ints(-1, geo["hidden_size"]))
        if "pooler.weight" in self.weights:
            names = self.weight("pooler.weight"), self.weight("pooler.bias")
            pooled = self.node("Tanh", self.node("Gemm", first, *names, transB=1))
            self.node("Cast", pooled, to=TensorProto.FLOAT, name="pooler_output")
        self.node("Cast", x, to=TensorProto.FLOAT, name="last_hidden_state")
        free = ["batch", "length"]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, free)
            for name in ("input_ids", "attention_mask", "token_type_ids")
        ]
        outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*free, geo["hidden_size"]])]
        if "pooler.weight" in self.weights:
            outputs.append(
                helper.make_tensor_value_info("pooler_output", TensorProto.FLOAT, ["batch", geo["hidden_size"]])
            )
        constants = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        graph = helper.make_graph(self.nodes, "albert", inputs, outputs, constants)
        opset = {"torch 2": 20, "fused": 17, "multi head": 17}.get(self.style, 13)
        opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def albert(
    geo: Mapping[str, Any], weights: Mapping[str, make_model.Array], style: str, detour: bool = False
) -> onnx.ModelProto:
    """Return an ALBERT as a graph; with a `detour` nobody recognises it, though it computes the same."""
    return Builder(geo, weights, style).build(detour)


def write_folder(path: Path, model: onnx.ModelProto, external: str = "", **options: Any) -> Path:
    """Write `model.onnx` and a vocabulary; `external` names a file that takes the tensors."""
    path.mkdir(parents=True, exist_ok=True)
    said = {"save_as_external_data": True, "location": external, "size_threshold": 256} if external else {}
    onnx.save(model, path / "model.onnx", **said, **options)
    (path / "spiece.model").write_bytes(make_model.vocabulary(400))
    return path
