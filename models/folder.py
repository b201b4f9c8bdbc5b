"""The folder tiny-gpt2/: written in Hugging Face's format, read back without a network, and made to talk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import AutoTokenizer, GPT2LMHeadModel, GPT2Tokenizer, PreTrainedTokenizerBase

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FOLDER = Path(__file__).parent / "tiny-gpt2"
HELD_OUT = "held_out.txt"  # one held-out topic, since another Python carries another text
PROMPT = "The import system"
NEW_TOKENS, TEMPERATURE, TOP_K, SAMPLE_SEED = 80, 0.8, 40, 1


def write(folder: Path, model: GPT2LMHeadModel, tokenizer: Tokenizer, excerpt: str) -> None:
    model.save_pretrained(folder)
    GPT2Tokenizer(tokenizer_object=tokenizer, model_max_length=model.config.n_positions).save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # safetensors makes it readable by its owner alone
    (folder / HELD_OUT).write_text(excerpt, encoding="utf-8", newline="\n")


def load(folder: Path = FOLDER) -> tuple[GPT2LMHeadModel, PreTrainedTokenizerBase]:
    model = GPT2LMHeadModel.from_pretrained(folder, local_files_only=True)
    return model.eval(), AutoTokenizer.from_pretrained(folder, local_files_only=True)


def size_bytes(folder: Path = FOLDER) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def sample(model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerBase, *, greedy: bool) -> str:
    """Return PROMPT and NEW_TOKENS tokens after it, fewer where the model ends its text."""
    prompt = tokenizer(PROMPT, return_tensors="pt")
    how = {"do_sample": False} if greedy else {"do_sample": True, "temperature": TEMPERATURE, "top_k": TOP_K}
    torch.manual_seed(SAMPLE_SEED)
    tokens = model.generate(**prompt, **how, max_new_tokens=NEW_TOKENS, pad_token_id=tokenizer.eos_token_id)
    return tokenizer.decode(tokens[0], skip_special_tokens=True)
