"""Hugging Face transformers on PyTorch, with scaled-dot-product attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..inputs import Texts
from .base import Matrix, Peer, Setup, Task, embed_padded


class Transformers(Peer):
    """`AlbertModel` in inference mode; batches are padded to their longest."""

    packages = ("transformers", "torch")

    @staticmethod
    def imports() -> None:
        import torch  # noqa: F401
        from transformers import AlbertModel, AutoTokenizer  # noqa: F401

    def __init__(self, setup: Setup) -> None:
        import torch
        import transformers

        super().__init__(setup)
        use_threads(setup.threads)
        self._torch = torch
        library: Any = transformers  # half of it has no types
        self._model = library.AlbertModel.from_pretrained(str(setup.model), attn_implementation="sdpa").eval()

    def embed(self, texts: Texts, order: str, batch: int) -> Task:
        return embed_padded(texts, order, batch, self.setup.geometry["hidden_size"], self._run)

    def _run(self, ids: Any, mask: Any) -> Matrix:
        torch = self._torch
        with torch.inference_mode():
            out = self._model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
        states: Matrix = out.last_hidden_state.numpy()
        return states

    def embed_text(self, texts: Texts) -> Task:
        """Text to rows with the fast tokenizer, the way the model cards show."""
        tokenizer = fast_tokenizer(self.setup)
        torch = self._torch

        def run() -> Matrix:
            batch = tokenizer(texts.texts, return_tensors="pt", padding=True)
            with torch.inference_mode():
                states = self._model(**batch).last_hidden_state
            rows: Matrix = states[batch["attention_mask"].bool()].numpy()
            return np.ascontiguousarray(rows)

        return run


def use_threads(threads: int) -> None:
    """Have PyTorch use so many threads inside an operator, and no others."""
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)


def fast_tokenizer(setup: Setup) -> Any:
    """Return Hugging Face's fast ALBERT tokenizer over the vocabulary of the model."""
    import transformers

    import make_model

    file = setup.work / f"tokenizer-{setup.threads}.json"
    make_model.write_tokenizer_json(file, setup.folder.spiece.read_bytes())
    library: Any = transformers
    tokenizer = library.PreTrainedTokenizerFast(
        tokenizer_file=str(file),
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="[MASK]",
    )
    from tokenizers.processors import TemplateProcessing

    backend: Any = tokenizer.backend_tokenizer
    special = [(name, tokenizer.convert_tokens_to_ids(name)) for name in ("[CLS]", "[SEP]")]
    backend.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
    return tokenizer
