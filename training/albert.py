"""A small ALBERT in plain PyTorch: the parameters and the arithmetic of Hugging Face's ``AlbertModel``.

Parameter names are those of an ``AlbertModel`` state dict without the ``albert.`` prefix, so that the
weights can be written as they are. The heads used only in training live in their own classes.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

EMBEDDING_STD = 0.05


@dataclass(frozen=True)
class AlbertConfig:
    """The keys of ``config.json``, in the names of Hugging Face's ``AlbertConfig``."""

    vocab_size: int = 8000
    embedding_size: int = 96
    hidden_size: int = 160
    num_hidden_layers: int = 4
    num_hidden_groups: int = 1
    inner_group_num: int = 1
    num_attention_heads: int = 5
    intermediate_size: int = 640
    hidden_act: str = "gelu_new"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    classifier_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 0
    bos_token_id: int = 2
    eos_token_id: int = 3

    def to_json(self) -> dict[str, object]:
        """Return the whole content of ``config.json``."""
        return {"architectures": ["AlbertModel"], "model_type": "albert", **asdict(self)}


class Embeddings(nn.Module):
    """Sum of word, position and token-type embeddings, then LayerNorm."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        size = config.embedding_size
        self.word_embeddings = nn.Embedding(config.vocab_size, size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, size)
        self.LayerNorm = nn.LayerNorm(size, eps=config.layer_norm_eps)

    def forward(self, ids: Tensor, positions: Tensor, token_types: Tensor) -> Tensor:
        """Return [batch, length, embedding_size] for three int64 [batch, length] tensors."""
        total = self.word_embeddings(ids) + self.position_embeddings(positions)
        normed: Tensor = self.LayerNorm(total + self.token_type_embeddings(token_types))
        return normed


class Attention(nn.Module):
    """Self-attention with its residual and LayerNorm (post-norm)."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.n_heads = config.num_attention_heads
        self.query = nn.Linear(size, size)
        self.key = nn.Linear(size, size)
        self.value = nn.Linear(size, size)
        self.dense = nn.Linear(size, size)
        self.LayerNorm = nn.LayerNorm(size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Return [batch, length, hidden]; `mask` is bool [batch, 1, 1, length], true where attended."""
        batch, length, size = hidden.shape

        def heads(projected: Tensor) -> Tensor:
            return projected.view(batch, length, self.n_heads, -1).transpose(1, 2)

        context = functional.scaled_dot_product_attention(
            heads(self.query(hidden)), heads(self.key(hidden)), heads(self.value(hidden)), attn_mask=mask
        )
        merged = context.transpose(1, 2).reshape(batch, length, size)
        normed: Tensor = self.LayerNorm(hidden + self.dense(merged))
        return normed


class Layer(nn.Module):
    """One transformer layer, used again for every level."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.ffn = nn.Linear(config.hidden_size, config.intermediate_size)
        self.ffn_output = nn.Linear(config.intermediate_size, config.hidden_size)
        self.full_layer_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Return [batch, length, hidden]."""
        attended = self.attention(hidden, mask)
        inner = functional.gelu(self.ffn(attended), approximate="tanh")
        normed: Tensor = self.full_layer_layer_norm(self.ffn_output(inner) + attended)
        return normed


class LayerGroup(nn.Module):
    """The shared layer under the name Hugging Face gives it."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.albert_layers = nn.ModuleList([Layer(config)])


class Encoder(nn.Module):
    """Projection from the embedding to the hidden size, then the shared layer n times."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.n_layers = config.num_hidden_layers
        self.embedding_hidden_mapping_in = nn.Linear(config.embedding_size, config.hidden_size)
        self.albert_layer_groups = nn.ModuleList([LayerGroup(config)])

    def forward(self, embedded: Tensor, mask: Tensor | None) -> Tensor:
        """Return the last hidden states, [batch, length, hidden]."""
        hidden: Tensor = self.embedding_hidden_mapping_in(embedded)
        layer = self.albert_layer_groups[0].albert_layers[0]  # type: ignore[index]
        for _ in range(self.n_layers):
            hidden = layer(hidden, mask)  # type: ignore[operator]
        return hidden


class Albert(nn.Module):
    """The shipped part: embeddings, encoder and pooler."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, ids: Tensor, positions: Tensor, token_types: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the last hidden states, [batch, length, hidden] float32."""
        hidden: Tensor = self.encoder(self.embeddings(ids, positions, token_types), mask)
        return hidden

    def pooled(self, hidden: Tensor) -> Tensor:
        """Return tanh(pooler([CLS])), [batch, hidden]."""
        return torch.tanh(self.pooler(hidden[:, 0]))


class PretrainingHeads(nn.Module):
    """Masked-word head tied to the word embeddings, and the sentence-order head. Neither is shipped."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.embedding_size)
        self.LayerNorm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.order = nn.Linear(config.hidden_size, 2)

    def word_logits(self, hidden: Tensor, word_embeddings: Tensor) -> Tensor:
        """Return [n, vocab_size] for the hidden states [n, hidden] of masked positions only."""
        transformed = self.LayerNorm(functional.gelu(self.dense(hidden), approximate="tanh"))
        return functional.linear(transformed, word_embeddings, self.bias)

    def order_logits(self, pooled: Tensor) -> Tensor:
        """Return [batch, 2]: whether the two segments stand in their order or are swapped."""
        logits: Tensor = self.order(pooled)
        return logits


def initialise(model: Albert, heads: PretrainingHeads, word_log_probs: Tensor, word_vectors: Tensor) -> None:
    """Set the start weights.

    Word embeddings start from `word_vectors` (unit rows), positions from sinusoids, the output bias from the
    unigram distribution `word_log_probs`. Matrices use 1/sqrt(fan-in) instead of ALBERT's 0.02, with weaker
    attention scores and residual branches: the model starts as a mean over the context, which predicts
    better than no context at once. Without this the loss stayed at the unigram level for 700 steps and more.
    """
    for module in [*model.modules(), *heads.modules()]:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=1.0 / math.sqrt(module.in_features))
            nn.init.zeros_(module.bias)
    embeddings = model.embeddings
    positions = embeddings.position_embeddings.weight
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("query.weight", "key.weight")):
                parameter.mul_(0.5)
            elif name.endswith(("attention.dense.weight", "ffn_output.weight")):
                parameter.mul_(0.35)
        embeddings.word_embeddings.weight.copy_(EMBEDDING_STD * math.sqrt(word_vectors.shape[1]) * word_vectors)
        positions.copy_(EMBEDDING_STD * math.sqrt(2) * sinusoids(*positions.shape))
        embeddings.token_type_embeddings.weight.normal_(std=0.2 * EMBEDDING_STD)
        heads.bias.copy_(word_log_probs)


def sinusoids(n_positions: int, size: int) -> Tensor:
    """Return sines and cosines of falling frequency, [n_positions, size].

    Learned positions that start this way let attention find its neighbours early, at every offset.
    """
    rates = torch.exp(-math.log(10_000.0) * torch.arange(0, size, 2) / size)
    angles = torch.arange(n_positions)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
