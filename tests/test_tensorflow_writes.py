"""What TensorFlow itself writes: checkpoints and SavedModels of an ALBERT that it computes, against its own numbers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import containers
import make_model
from albert_fast import AlbertEmbeddings
from albert_fast.models import read_any

tf = pytest.importorskip("tensorflow")

GEO = make_model.geometry(num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=64)
WEIGHTS = make_model.make_weights(GEO, 8)
IDS = [[2, 40, 77, 5, 3], [2, 9, 100, 200, 3]]
Get = Callable[[str], Any]


def forward(get: Get, ids: Any, mask: Any, types: Any) -> tuple[Any, Any]:
    """Compute an ALBERT as TensorFlow programs do; `get` returns the variable of a Hugging Face name."""
    heads, size = GEO["num_attention_heads"], GEO["hidden_size"] // GEO["num_attention_heads"]
    shape = tf.shape(ids)

    def linear(x: Any, name: str) -> Any:
        return tf.matmul(x, get(f"{name}.weight")) + get(f"{name}.bias")

    def norm(x: Any, name: str) -> Any:
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return tf.nn.batch_normalization(
            x, mean, variance, get(f"{name}.bias"), get(f"{name}.weight"), GEO["layer_norm_eps"]
        )

    def apart(x: Any) -> Any:
        return tf.transpose(tf.reshape(x, [shape[0], shape[1], heads, size]), [0, 2, 1, 3])

    x = tf.gather(get("embeddings.word_embeddings.weight"), ids)
    x += tf.gather(get("embeddings.token_type_embeddings.weight"), types)
    x += get("embeddings.position_embeddings.weight")[: shape[1]]
    x = linear(norm(x, "embeddings.LayerNorm"), "encoder.embedding_hidden_mapping_in")
    bias = (1.0 - tf.cast(mask[:, None, None, :], tf.float32)) * -10000.0
    p = "encoder.albert_layer_groups.0.albert_layers.0."
    for _ in range(GEO["num_hidden_layers"]):
        query, key, value = (apart(linear(x, f"{p}attention.{part}")) for part in ("query", "key", "value"))
        scores = tf.matmul(query, key, transpose_b=True) * size**-0.5 + bias
        context = tf.transpose(tf.matmul(tf.nn.softmax(scores), value), [0, 2, 1, 3])
        context = tf.reshape(context, [shape[0], shape[1], heads * size])
        x = norm(x + linear(context, f"{p}attention.dense"), f"{p}attention.LayerNorm")
        y = linear(x, f"{p}ffn")
        y = 0.5 * y * (1.0 + tf.tanh((2 / np.pi) ** 0.5 * (y + 0.044715 * tf.pow(y, 3))))
        x = norm(x + linear(y, f"{p}ffn_output"), f"{p}full_layer_layer_norm")
    return x, tf.tanh(linear(x[:, 0], "pooler"))


def stored(name: str) -> make_model.Array:
    """Return a weight in TensorFlow's layout."""
    array = WEIGHTS[name]
    return array.T.copy() if array.ndim == 2 and "_embeddings" not in name else array


def check(path: Path, want: make_model.Array) -> None:
    files = read_any(path)
    assert dataclasses.asdict(files.geometry) == GEO
    assert {entry.name for entry in files.tensors} == set(WEIGHTS)
    model = AlbertEmbeddings.load(path)
    options = {**model._options(level="piece"), "special_tokens": True}
    got = model._loaded().embed_ids(IDS, options)["vectors"]
    np.testing.assert_allclose(got, want.reshape(got.shape), atol=1e-5)


def google_name(name: str) -> str:
    found = containers.google_variables({name: WEIGHTS[name]}, "module/bert/")
    return next(iter(found))


def test_tensorflow_1(tmp_path: Path) -> None:
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        variables = {n: v1.get_variable(google_name(n), initializer=stored(n), use_resource=False) for n in WEIGHTS}
        step = v1.get_variable("global_step", initializer=np.int64(7), trainable=False)
        slot = v1.get_variable("module/bert/pooler/dense/kernel/adam_m", initializer=stored("pooler.weight") * 0)
        ids, mask, types = (
            v1.placeholder(tf.int32, [None, None], name) for name in ("input_ids", "input_mask", "segment_ids")
        )
        hidden, pooled = forward(variables.__getitem__, ids, mask, types)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            feed = {ids: IDS, mask: np.ones((2, 5)), types: np.zeros((2, 5))}
            want = session.run(hidden, feed)
            inputs = {"input_ids": ids, "input_mask": mask, "segment_ids": types}
            v1.saved_model.simple_save(
                session, str(tmp_path / "saved"), inputs, {"sequence_output": hidden, "pooled": pooled}
            )
            (tmp_path / "google").mkdir()
            v1.train.Saver().save(session, str(tmp_path / "google/model.ckpt-best"))
        assert {step.op.name, slot.op.name} == {"global_step", "module/bert/pooler/dense/kernel/adam_m"}
    vocabulary = {"assets/spiece.model": make_model.vocabulary(400)}
    check(containers.write_files(tmp_path / "saved", vocabulary), want)
    config = json.dumps(containers.google_config(GEO)).encode()
    content = {"albert_config.json": config, "30k-clean.model": make_model.vocabulary(400)}
    check(containers.write_files(tmp_path / "google", content), want)


def test_tensorflow_2(tmp_path: Path) -> None:
    class Layer(tf.Module):  # type: ignore[misc]
        """A scope: its children are attributes or lists, its leaves variables."""

    def variable(root: Any, name: str) -> None:
        *modules, leaf = name.split(".")
        at = root
        for module, following in zip(modules, [*modules[1:], ""], strict=True):
            if module.isdigit():
                continue
            if following.isdigit():
                if not hasattr(at, module):
                    setattr(at, module, [Layer()])
                at = getattr(at, module)[int(following)]
            else:
                if not hasattr(at, module):
                    setattr(at, module, Layer())
                at = getattr(at, module)
        norm = "LayerNorm" in name or "layer_norm" in name
        known = {"weight": "gamma" if norm else "kernel", "bias": "beta" if norm else "bias"}
        setattr(at, "weight" if "_embeddings" in name else known[leaf], tf.Variable(stored(name), name=leaf))
        variables[name] = getattr(at, "weight" if "_embeddings" in name else known[leaf])

    variables: dict[str, Any] = {}
    root, albert = Layer(), Layer()
    root.albert = albert
    for name in WEIGHTS:
        variable(albert, name)
    specs = [
        tf.TensorSpec([None, None], tf.int32, name=name) for name in ("input_ids", "attention_mask", "token_type_ids")
    ]

    @tf.function(input_signature=specs)  # type: ignore[misc]
    def serve(input_ids: Any, attention_mask: Any, token_type_ids: Any) -> dict[str, Any]:
        hidden, pooled = forward(variables.__getitem__, input_ids, attention_mask, token_type_ids)
        return {"last_hidden_state": hidden, "pooler_output": pooled}

    root.serve = serve
    ids = tf.constant(IDS, tf.int32)
    want = serve(ids, tf.ones_like(ids), tf.zeros_like(ids))["last_hidden_state"].numpy()
    signatures = {"serving_default": serve, "again": serve}
    tf.saved_model.save(root, str(tmp_path / "saved"), signatures=signatures)
    check(containers.write_files(tmp_path / "saved", {"assets/spiece.model": make_model.vocabulary(400)}), want)
