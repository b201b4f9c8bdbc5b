"""What the model is measured against: n-gram models on the same split, and compressors. All in bits per byte."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
from collections import Counter, defaultdict
from collections.abc import Sequence

STRENGTHS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
UNIFORM_STRENGTH = 1.0

Documents = Sequence[Sequence[int]]


class NGram:
    """Interpolated n-gram model: each order is mixed with the one below it, the lowest with the uniform one.

    P(token | context) = (count + s·d·P(token | shorter context)) / (total + s·d), where d is the number of different
    tokens seen after the context, and the strength s is a model's one free number. With s = 1 this is Witten and Bell's
    smoothing (1991).
    """

    def __init__(self, documents: Documents, order: int, vocab_size: int, strength: float):
        self.order, self.vocab_size, self.strength = order, vocab_size, strength
        self.after: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for document in documents:
            for at in range(1, len(document)):
                for length in range(min(order, at + 1)):
                    self.after[tuple(document[at - length : at])][document[at]] += 1
        self.total = {context: counts.total() for context, counts in self.after.items()}

    def probability(self, context: tuple[int, ...], token: int) -> float:
        shorter = self.probability(context[1:], token) if context else 1 / self.vocab_size
        if context not in self.total:
            return shorter
        counts = self.after[context]
        weight = self.strength * len(counts) if context else UNIFORM_STRENGTH * len(counts)
        return (counts[token] + weight * shorter) / (self.total[context] + weight)

    def bits(self, documents: Documents) -> float:
        """Return the bits that the documents take; the first token of each is context only."""
        total = 0.0
        for document in documents:
            for at in range(1, len(document)):
                context = tuple(document[max(at - self.order + 1, 0) : at])
                total -= math.log2(self.probability(context, document[at]))
        return total


def best_strength(documents: Documents, order: int, vocab_size: int) -> float:
    """Return the strength that predicts every tenth document best from the other nine: the training split alone."""
    inner = [document for at, document in enumerate(documents) if at % 10 != 5]
    outer = [document for at, document in enumerate(documents) if at % 10 == 5]
    model = NGram(inner, order, vocab_size, 1.0)

    def bits(strength: float) -> float:
        model.strength = strength
        return model.bits(outer)

    return min(STRENGTHS, key=bits)


def fitted(documents: Documents, order: int, vocab_size: int) -> NGram:
    return NGram(documents, order, vocab_size, best_strength(documents, order, vocab_size))


def as_bytes(texts: Sequence[str]) -> list[list[int]]:
    """Return each text's bytes after one symbol 256, which is the context of the first."""
    return [[256, *text.encode("utf-8")] for text in texts]


def compressors(texts: Sequence[str]) -> dict[str, float]:
    """Return each compressor's bits per byte for the joined texts, knowing nothing else."""
    data = "".join(texts).encode("utf-8")
    sizes = {
        "gzip -9": len(gzip.compress(data, 9, mtime=0)),
        "bzip2 -9": len(bz2.compress(data, 9)),
        "xz -9e": len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
    }
    return {name: 8 * size / len(data) for name, size in sizes.items()}
