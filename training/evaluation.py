"""Held-out figures: masked-word loss against the unigram baseline, and nearest neighbours of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from albert import Albert, PretrainingHeads
from batches import CLS, SEP, Batch, PieceEncoder
from corpus import Document

# Words that occur often enough in the texts for their contexts to say something about them.
CANDIDATES = tuple(
    "king prince queen lord priest servant soldier water river sea rain wine blood bread fire file "
    "directory folder path string number byte list tuple memory buffer process thread signal kernel package "
    "server network socket son daughter father mother brother wife man woman house city gate temple mountain "
    "day night morning year month gold silver brass stone wood sheep lamb horse camel bird love hate fear "
    "joy anger wisdom read write open close return".split()
)
PROBES = ("king", "water", "file", "son", "day", "gold", "thread", "read", "city", "sheep")
PAIRS = (
    ("king", "prince"),
    ("file", "directory"),
    ("water", "river"),
    ("son", "daughter"),
    ("read", "write"),
)


@dataclass(frozen=True)
class MaskedFigures:
    """Means over the masked pieces, in nats: the model's loss and the unigram baseline on the same pieces."""

    loss: float
    baseline: float
    accuracy: float
    n_masked: int

    @property
    def gain(self) -> float:
        """How far the loss is under the baseline."""
        return self.baseline - self.loss


def masked_figures(
    model: Albert, heads: PretrainingHeads, batches: Iterable[Batch], unigram: NDArray[np.float64]
) -> MaskedFigures:
    """Measure the masked-word loss on `batches` (token type 0, positions from 0)."""
    surprise = -np.log(unigram)
    loss = baseline = 0.0
    n_right = n_masked = 0
    with torch.inference_mode():
        for batch in batches:
            if not len(batch.masked):
                continue
            hidden = model(batch.ids, batch.positions, batch.token_types)
            logits = heads.word_logits(hidden.flatten(0, 1)[batch.masked], model.embeddings.word_embeddings.weight)
            loss += float(functional.cross_entropy(logits, batch.targets, reduction="sum"))
            baseline += float(surprise[batch.targets.numpy()].sum())
            n_right += int((logits.argmax(-1) == batch.targets).sum())
            n_masked += len(batch.targets)
    return MaskedFigures(loss / n_masked, baseline / n_masked, n_right / n_masked, n_masked)


def word_vectors(
    model: Albert, encoder: PieceEncoder, documents: Sequence[Document], n_contexts: int = 40
) -> dict[str, NDArray[np.float32]]:
    """Return for each candidate word the mean of its contextual vectors, [hidden] float32.

    The words are read word by word in windows of up to 64 words; a word's vector is that of its first piece.
    The mean over all words is taken off, so that cosines are not all near one.
    """
    sums = {word: np.zeros(model.config.hidden_size) for word in CANDIDATES}
    counts = dict.fromkeys(CANDIDATES, 0)
    with torch.inference_mode():
        for document in documents:
            for paragraph in document.paragraphs:
                words = paragraph.split()[:64]
                wanted = {word for word in words if counts.get(word, n_contexts) < n_contexts}
                if not wanted:
                    continue
                ids, firsts = [CLS], []
                for word in words:
                    firsts.append((word, len(ids)))
                    ids += encoder.words(word)
                ids = [*ids[:127], SEP]
                tensor = torch.tensor([ids])
                hidden = model(tensor, torch.arange(len(ids))[None], torch.zeros_like(tensor))[0].numpy()
                for word, at in firsts:
                    if word in wanted and at < len(ids) - 1:
                        sums[word] += hidden[at]
                        counts[word] += 1
    vectors = {word: sums[word] / counts[word] for word in CANDIDATES if counts[word] >= 3}
    centre = np.mean(list(vectors.values()), axis=0)
    return {word: (vector - centre).astype(np.float32) for word, vector in vectors.items()}


def cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    """Return the cosine of two vectors."""
    return float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))


def neighbours(vectors: dict[str, NDArray[np.float32]], word: str, n: int = 3) -> list[tuple[str, float]]:
    """Return the `n` nearest candidates of `word` by cosine."""
    scored = [(other, cosine(vectors[word], vectors[other])) for other in vectors if other != word]
    return sorted(scored, key=lambda pair: -pair[1])[:n]


def meaning_report(vectors: dict[str, NDArray[np.float32]]) -> list[str]:
    """Return printable lines: related pairs against the mean over all pairs, then neighbours."""
    words = list(vectors)
    every = [cosine(vectors[a], vectors[b]) for at, a in enumerate(words) for b in words[at + 1 :]]
    lines = [f"{len(words)} words; mean cosine of all pairs {np.mean(every):+.2f}, sd {np.std(every):.2f}"]
    for left, right in PAIRS:
        if left in vectors and right in vectors:
            lines.append(f"{left}/{right} {cosine(vectors[left], vectors[right]):+.2f}")
    for word in PROBES:
        if word in vectors:
            found = ", ".join(f"{other} {score:+.2f}" for other, score in neighbours(vectors, word))
            lines.append(f"{word}: {found}")
    return lines
