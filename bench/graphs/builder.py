"""A few lines around `onnx.helper` that number the intermediate results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYER = "encoder.albert_layer_groups.0.albert_layers.0."
MICROSOFT = "com.microsoft"


class Builder:
    """Collects nodes and constants, numbers in `real`; a constant that is named twice is stored once."""

    def __init__(self, real: Any = np.float32) -> None:
        self._real = real
        self.nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def constant(self, name: str, values: Any, dtype: Any = None) -> str:
        """Return the name of a constant, made on first use."""
        from onnx import numpy_helper

        if name not in self._constants:
            array = np.ascontiguousarray(np.asarray(values, dtype or self._real))
            # ascontiguousarray makes scalars one-dimensional
            self._constants[name] = numpy_helper.from_array(array.reshape(np.shape(values)), name)
        return name

    def node(self, op: str, inputs: Sequence[str], domain: str = "", out: str = "", **attributes: Any) -> str:
        """Add a node with one result and return the result's name."""
        from onnx import helper

        name = out or f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], domain=domain, **attributes))
        return name

    def constants(self) -> list[Any]:
        """Return the constants as ONNX tensors."""
        return list(self._constants.values())

    def save(self, path: Path, inputs: dict[str, tuple[str, list[Any]]], outputs: dict[str, list[Any]]) -> None:
        """Write the model: inputs as name -> (INT64 or FLOAT, shape), float outputs as name -> shape."""
        import onnx
        from onnx import TensorProto, helper

        def info(name: str, kind: str, shape: list[Any]) -> Any:
            return helper.make_tensor_value_info(name, getattr(TensorProto, kind), shape)

        graph = helper.make_graph(
            self.nodes,
            "albert",
            [info(name, kind, shape) for name, (kind, shape) in inputs.items()],
            [info(name, "FLOAT", shape) for name, shape in outputs.items()],
            self.constants(),
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))


def linear_weight(weights: dict[str, NDArray[np.float32]], name: str) -> NDArray[np.float32]:
    """Return a linear map's matrix as [in, out], the way MatMul takes it."""
    turned: NDArray[np.float32] = weights[name + ".weight"].T
    return turned
