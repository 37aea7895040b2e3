"""Fixtures that many tests share."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import albert_fast
import make_model
from albert_fast import AlbertEmbeddings


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
