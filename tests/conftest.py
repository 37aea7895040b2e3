"""Fixtures that many tests share."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import albert_fast
import make_model
from albert_fast import AlbertEmbeddings, models


def pytest_report_header() -> str:
    from albert_fast import runtime

    found = runtime.find_library()
    return f"albert_fast {albert_fast.__version__}, ONNX Runtime {found.version} ({found.library.name})"


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of outputs of the real systems, where there is one."""
    folder = os.environ.get("ALBERT_FAST_GOLDEN", "")
    if not folder:
        pytest.skip("skipped: no golden folder")
    path = Path(folder)
    assert path.is_dir(), f"ALBERT_FAST_GOLDEN names {folder}, which is no folder"
    return path


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test talks to anything but this machine."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


ModelMaker = Callable[..., Path]


@pytest.fixture(scope="session")
def make_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelMaker:
    """Write a model folder with random weights: ``make_folder(hidden_size=48, dtype="F16", seed=3)``."""

    def make(seed: int = 0, dtype: str = "F32", prefix: str = "", **changes: Any) -> Path:
        folder = tmp_path_factory.mktemp("model")
        make_model.write_folder(folder, make_model.geometry(**changes), seed, dtype, prefix=prefix)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_folder(make_folder: ModelMaker) -> Path:
    return make_folder()


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> AlbertEmbeddings:
    """A tiny random model that tests may use but not change."""
    return AlbertEmbeddings.load(tiny_folder)


@pytest.fixture(scope="session")
def base_folder(make_folder: ModelMaker) -> Path:
    """A random model as wide as ALBERT base, with one layer."""
    return make_folder(hidden_size=768, num_hidden_layers=1, num_attention_heads=12, intermediate_size=768)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, base_folder: Path) -> Path:
    """Let every published name and hub id stand for the model of `base_folder`: nothing is downloaded."""
    real = models.resolve

    def resolve(name: Any, lang: str | None = None, **options: Any) -> models.ModelFiles:
        entry = models.registry.lookup(str(name))
        if (entry is None and not models.registry.is_hub_id(str(name))) or (entry and entry.name == models.BUILT_IN):
            return real(name, lang, **options)
        if entry is not None:
            assert lang in (None, entry.lang), f"{name} is a model for {entry.lang}, not {lang}"
        return dataclasses.replace(models.read_folder(base_folder), name=entry.name if entry else str(name))

    monkeypatch.setattr(models, "resolve", resolve)
    return base_folder
