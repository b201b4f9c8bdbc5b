"""Hugging Face's GPT-2 modules as oracles: the one file that knows their names, and how they want to be called."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

import torch

from autograder.oracle.modules import Reference, shake

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from transformers.activations import NewGELUActivation
from transformers.models.gpt2 import modeling_gpt2 as gpt2
from transformers.models.gpt2.configuration_gpt2 import GPT2Config

if TYPE_CHECKING:
    from autograder.draw import Draw


def configuration(values: dict[str, Any]) -> GPT2Config:
    """Return Hugging Face's configuration of the seven values: eager attention, token 0 for its marks."""
    settings: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": 0, "attn_implementation": "eager"}
    return GPT2Config(**values, **settings)


def mlp(values: dict[str, Any], draw: Draw) -> Reference:
    """Return Hugging Face's MLP, redrawn."""
    made: torch.nn.Module = gpt2.GPT2MLP(values["n_inner"], configuration(values))  # type: ignore[no-untyped-call]
    return _Conv1D(shake(made, draw))


def gelu_new(x: torch.Tensor) -> torch.Tensor:
    """Return GELU by the tanh approximation, computed in float64, in the dtype of `x`."""
    result: torch.Tensor = NewGELUActivation()(x.double())
    return result.to(x.dtype)


def visible(sequence_length: int, num_tokens: int) -> torch.Tensor:
    """Return where a token may look: [sequence_length, num_tokens + sequence_length], True where it may.

    From the mask that transformers makes with `num_tokens` tokens in its cache, compared with torch's own lower-right
    bias: two libraries that have to agree.
    """
    from torch.nn.attention.bias import causal_lower_right
    from transformers.cache_utils import DynamicCache
    from transformers.masking_utils import create_causal_mask

    config = configuration({"n_embd": 4, "n_head": 1, "n_layer": 1, "n_positions": 64, "vocab_size": 8})
    cache = DynamicCache(config=config)
    if num_tokens:
        past = torch.zeros(1, 1, num_tokens, 4)
        cache.update(past, past, 0)
    known = inspect.signature(create_causal_mask).parameters
    given = {"cache" if "cache" in known else "past_key_values": cache}  # it was renamed
    embeds = torch.zeros(1, sequence_length, 4)
    mask = create_causal_mask(config=config, inputs_embeds=embeds, attention_mask=None, position_ids=None, **given)
    theirs: torch.Tensor = mask[0, 0] == 0
    torchs = causal_lower_right(sequence_length, num_tokens + sequence_length)._materialize()  # noqa: SLF001
    if not torch.equal(theirs, torchs):
        raise ValueError("transformers and torch do not agree on the causal mask")
    return theirs


class _Conv1D(Reference):
    """A module of Hugging Face's Conv1D layers, which keep weights as [in, out]; a linear layer's is [out, in]."""

    def linear_state_dict(self) -> dict[str, torch.Tensor]:
        """Return the weights as a module of linear layers takes them."""
        turned = {f"{name}.weight" for name, part in self._module.named_modules() if type(part).__name__ == "Conv1D"}
        return {name: value.t().contiguous() if name in turned else value for name, value in self.state_dict().items()}
