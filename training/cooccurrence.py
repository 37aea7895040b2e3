"""Start values for the word embeddings: a factorisation of the training text's co-occurrence counts."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from batches import IntArray

WINDOW = 5
MIN_WEIGHT = 5.0
# Context counts to the power 3/4 (Levy, Goldberg and Dagan 2015): rare contexts would win otherwise.
CONTEXT_POWER = 0.75


def cooccurrence_vectors(ids: IntArray, vocab_size: int, size: int) -> Tensor:
    """Return unit vectors of the pieces, [vocab_size, size] float32.

    They factorise the positive pointwise mutual information of pieces at most five apart, nearer ones
    counting more. Pieces with next to no occurrence get a random direction. Needs about 1 GB for 8,000
    pieces and some ten seconds; the masked-word loss leaves the unigram level hundreds of steps sooner.
    """
    counts = np.zeros(vocab_size * vocab_size, np.float32)
    for distance in range(1, WINDOW + 1):
        pairs = ids[:-distance] * vocab_size + ids[distance:]
        counts += np.bincount(pairs, minlength=len(counts)).astype(np.float32) / np.float32(distance)
    table = torch.from_numpy(counts.reshape(vocab_size, vocab_size))
    table = table + table.T
    weight = table.sum(1)
    context = weight**CONTEXT_POWER
    expected = weight[:, None] * (context / context.sum())[None, :]
    information = torch.where(table > 0, (table / expected).log(), 0.0).clamp_min_(0.0)
    left, singular, _ = torch.svd_lowrank(information, q=size, niter=4)
    vectors = left * singular.sqrt()
    vectors -= vectors.mean(0)
    is_rare = weight < MIN_WEIGHT
    vectors[is_rare] = torch.randn(int(is_rare.sum()), size)
    return functional.normalize(vectors, dim=1)
