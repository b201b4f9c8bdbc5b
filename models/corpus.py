"""The text, its split, and its tokenizer: from `pydoc_data.topics`, which every Python carries.

The topics repeat each other: "compound" holds "with" and "while" whole, "specialnames" holds "numeric-types". So a
split by topics alone would test on what was trained on; here a training paragraph that stands in a held-out topic is
dropped, and one that stands in the training text already as well.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pydoc_data.topics import topics

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

END_OF_TEXT = "<|endoftext|>"
RUN_WORDS = 8  # paragraphs are compared by their runs of this many words: quotes of one another, reflowed or renumbered
EXCERPT_BYTES = 4096


@dataclass(frozen=True)
class Split:
    """The documents by topic; and of what they were made from, how many topics, and the sha256 of their text."""

    training: dict[str, str]
    held_out: dict[str, str]
    topics: int
    sha256: str

    @property
    def excerpt(self) -> str:
        """The name of the held-out topic whose size is nearest to EXCERPT_BYTES."""
        return min(self.held_out, key=lambda name: (abs(byte_count(self.held_out[name]) - EXCERPT_BYTES), name))


def byte_count(text: str) -> int:
    return len(text.encode("utf-8"))


def one_line_a_paragraph(text: str) -> str:
    """Return the prose, each paragraph on a line, and the examples of code as they are; grammar rules are left out.

    A newline is a token: a small model that has seen it end every line of a wrapped text writes blank lines for ever.
    """
    lines = []
    for paragraph in text.split("\n\n"):
        paragraph = paragraph.strip("\n")
        indent = len(paragraph) - len(paragraph.lstrip())
        if "::=" in paragraph or not paragraph:
            continue
        if indent < 3:
            paragraph = " ".join(word for word in paragraph.split() if not re.fullmatch(r"[*=~^-]{3,}", word))
        lines.append(paragraph)
    return "\n".join(lines) + "\n"


def is_held_out(name: str) -> bool:
    """Return whether a topic is in the held-out tenth: its name alone decides."""
    return hashlib.sha256(name.encode("utf-8")).digest()[0] < 256 / 10


def word_runs(paragraph: str) -> set[tuple[str, ...]]:
    """Return every run of RUN_WORDS consecutive words; of a shorter paragraph, all its words as one run."""
    words = re.findall(r"\w+", paragraph.lower())
    last = max(len(words) - RUN_WORDS, 0)
    return {tuple(words[start : start + RUN_WORDS]) for start in range(last + 1)}


def without_seen(text: str, seen: set[tuple[str, ...]]) -> str:
    """Return the paragraphs of which less than half was seen before; `seen` grows by what is returned.

    Paragraphs of one or two words are kept: "Note:" quotes nobody.
    """
    kept = []
    for paragraph in text.split("\n\n"):
        runs = word_runs(paragraph)
        if max(map(len, runs)) < 3 or len(runs & seen) < len(runs) / 2:
            kept.append(paragraph)
            seen |= runs
    return "\n\n".join(kept)


def split_topics(texts: dict[str, str] = topics) -> Split:
    """Split whole topics, and take from the training ones what the held-out ones or longer training ones hold."""
    held_out = {name: texts[name] for name in sorted(texts) if is_held_out(name)}
    seen = {run for text in held_out.values() for paragraph in text.split("\n\n") for run in word_runs(paragraph)}
    training = {}
    for name in sorted(texts.keys() - held_out.keys(), key=lambda name: (-len(texts[name]), name)):
        if (left := without_seen(texts[name], seen)).strip():
            training[name] = left
    whole = "\n".join(texts[name] for name in sorted(texts))
    digest = hashlib.sha256(whole.encode("utf-8")).hexdigest()
    plain = {name: one_line_a_paragraph(text) for name, text in (*sorted(training.items()), *held_out.items())}
    return Split(
        {name: plain[name] for name in sorted(training)}, {name: plain[name] for name in held_out}, len(texts), digest
    )


def train_tokenizer(documents: list[str], vocab_size: int) -> Tokenizer:
    """Return a byte-level BPE in GPT-2's manner; END_OF_TEXT is token 0, every byte has a token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, documents: list[str]) -> list[list[int]]:
    """Return each document's tokens after one END_OF_TEXT, which is the context of the first."""
    return [[tokenizer.token_to_id(END_OF_TEXT), *tokenizer.encode(document).ids] for document in documents]
