"""Hugging Face transformers on PyTorch."""

from __future__ import annotations

from typing import Any, ClassVar

from ..setup import Array, Setup
from .base import PaddedPeer


class Transformers(PaddedPeer):
    """`AlbertModel` with scaled-dot-product attention."""

    attention: ClassVar[str] = "sdpa"

    def __init__(self, setup: Setup, precision: str) -> None:
        import torch
        import transformers

        super().__init__(setup, precision)
        self._torch: Any = torch
        library: Any = transformers
        self._device = setup.torch_device
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        kind = torch.float16 if precision == "fp16" else torch.float32
        model = library.AlbertModel.from_pretrained(str(setup.folder), attn_implementation=self.attention, dtype=kind)
        self._model: Any = model.eval().to(self._device)

    def run(self, ids: Array, mask: Array) -> Array:
        torch = self._torch
        with torch.inference_mode():
            states = self._model(
                input_ids=torch.from_numpy(ids).to(self._device), attention_mask=torch.from_numpy(mask).to(self._device)
            ).last_hidden_state
            rows: Array = states.float().cpu().numpy()
        return rows


class CompiledTransformers(Transformers):
    """The same through torch.compile, for any length."""

    def __init__(self, setup: Setup, precision: str) -> None:
        super().__init__(setup, precision)
        self._model = self._torch.compile(self._model, dynamic=True)


class FlashTransformers(Transformers):
    """`AlbertModel` with the package flash_attn, which leaves padding out of attention. fp16 only."""

    attention = "flash_attention_2"
