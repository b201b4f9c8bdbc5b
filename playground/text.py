"""Text to ids, and ids to text that appears as it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder.errors import UsageError
from playground.checkpoint import BadCheckpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tokenizers import Tokenizer

WHOLE, PARTS = "tokenizer.json", ("vocab.json", "merges.txt")
END_OF_TEXT = "<|endoftext|>"
UNFINISHED = "\ufffd"  # what bytes that are no whole character are decoded to


def among(files: set[str]) -> tuple[str, ...]:
    """Return which of these files make a tokenizer; none where they don't."""
    if WHOLE in files:
        return (WHOLE,)
    return PARTS if files.issuperset(PARTS) else ()


def load(folder: Path, shown: str) -> Tokenizer:
    import tokenizers

    files = among({path.name for path in folder.iterdir()})
    if not files:
        raise BadCheckpoint(f"{shown} has no tokenizer: a {WHOLE}, or {' and '.join(PARTS)}, is missing")
    try:
        if files == (WHOLE,):
            tokenizer = tokenizers.Tokenizer.from_file(str(folder / WHOLE))
        else:
            tokenizer = _from_parts(*(str(folder / name) for name in PARTS))
    except Exception as error:
        message = " ".join(str(error).split())[:80]
        raise BadCheckpoint(f"{shown}/{files[0]} cannot be read as a tokenizer: {message}") from error
    tokenizer.no_truncation()  # a file may ask for it, and the end of the prompt would be lost without a word
    tokenizer.no_padding()
    return tokenizer


def _from_parts(vocab: str, merges: str) -> Tokenizer:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE.from_file(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if tokenizer.token_to_id(END_OF_TEXT) is not None:
        tokenizer.add_special_tokens([AddedToken(END_OF_TEXT, special=True)])
    return tokenizer


def encode(tokenizer: Tokenizer, prompt: str, *, n_positions: int, vocab_size: int) -> list[int]:
    """Return the prompt's ids. Errors: UsageError, when the model cannot take them."""
    try:
        prompt.encode()
    except UnicodeEncodeError as error:  # an argument's bytes that are not UTF-8 arrive as lone surrogates
        raise UsageError("the prompt is not UTF-8 text") from error
    if not prompt.strip():
        raise UsageError("the prompt is empty: give a few words for GPT-2 to continue")
    ids: list[int] = tokenizer.encode(prompt).ids
    if not ids:
        raise UsageError("the prompt is empty for this tokenizer: it knows none of its characters")
    if len(ids) > n_positions:
        raise UsageError(f"the prompt is too long: {len(ids):,} tokens, and the model has {n_positions:,} positions")
    if max(ids) >= vocab_size:
        raise BadCheckpoint(f"the tokenizer gives the id {max(ids)}, and the model's vocab_size is {vocab_size}")
    return ids


def continuation(tokenizer: Tokenizer, prompt_ids: list[int], new_ids: Iterable[int]) -> Iterator[str]:
    """Yield what each new token adds to the text, in whole characters: one that is cut by a token's end waits."""
    ids = list(prompt_ids)
    done = tokenizer.decode(ids)
    shown = whole = done
    for token in new_ids:
        ids.append(token)
        whole = tokenizer.decode(ids)
        # At most one character is open, and if its bytes never become one, UNFINISHED is what they are.
        shown = whole.removesuffix(UNFINISHED)
        if len(shown) > len(done):
            yield shown[len(done) :]
            done = shown
    if len(whole) > len(done):
        yield whole[len(done) :]
