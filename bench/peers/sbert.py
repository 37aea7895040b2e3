"""sentence-transformers, asked for the vectors of all pieces."""

from __future__ import annotations

import importlib
import shutil
from typing import Any

import numpy as np

from ..inputs import Texts
from .base import Matrix, Peer, Setup, Task
from .hf_transformers import fast_tokenizer, use_threads


class SentenceTransformers(Peer):
    """`SentenceTransformer.encode`, which sorts by length itself."""

    packages = ("sentence-transformers", "torch")

    @staticmethod
    def imports() -> None:
        import sentence_transformers  # noqa: F401

    def __init__(self, setup: Setup) -> None:
        import sentence_transformers

        super().__init__(setup)
        use_threads(setup.threads)
        # It reads the tokenizer from the model's folder, so that the folder gets one.
        folder = setup.work / f"sbert-{setup.threads}"
        if not (folder / "tokenizer.json").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("config.json", "model.safetensors"):
                shutil.copyfile(setup.model / name, folder / name)
            fast_tokenizer(setup).save_pretrained(str(folder))
        models = importlib.import_module("sentence_transformers.models")
        encoder = models.Transformer(str(folder), max_seq_length=512)
        pooling = models.Pooling(setup.geometry["hidden_size"])
        self._model: Any = sentence_transformers.SentenceTransformer(modules=[encoder, pooling], device="cpu")

    def embed(self, texts: Texts, batch: int) -> Task:
        def run() -> Matrix:
            rows = self._model.encode(
                texts.texts, batch_size=batch, output_value="token_embeddings", show_progress_bar=False
            )
            return np.concatenate([row.numpy() for row in rows])

        return run

    def embed_text(self, texts: Texts) -> Task:
        return self.embed(texts, len(texts.texts))
