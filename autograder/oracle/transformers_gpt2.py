"""Hugging Face's GPT-2 modules as oracles: the one file that knows their names, and how they want to be called."""

from __future__ import annotations

import functools
import inspect
import os
from typing import TYPE_CHECKING, Any

import torch

from autograder.oracle.modules import IN_USE, Reference, drawn, shake

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from transformers.activations import NewGELUActivation
from transformers.models.gpt2 import modeling_gpt2
from transformers.models.gpt2.configuration_gpt2 import GPT2Config

if TYPE_CHECKING:
    from collections.abc import Callable

    from autograder.draw import Draw

gpt2: Any = modeling_gpt2  # it bears no types


def configuration(values: dict[str, Any]) -> GPT2Config:
    """Return Hugging Face's configuration of the seven values: eager attention, token 0 for its marks."""
    settings: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": 0, "attn_implementation": "eager"}
    return GPT2Config(**values, **settings)


def _drawn(name: str, make: Callable[[Any], torch.nn.Module], values: dict[str, Any], draw: Draw) -> torch.nn.Module:
    """Return Hugging Face's module of a configuration, redrawn."""
    return drawn((name, *values.items()), lambda: make(configuration(values)), draw)


def mlp(values: dict[str, Any], draw: Draw) -> Reference:
    """Return Hugging Face's MLP, redrawn."""
    return Conv1DReference(_drawn("mlp", lambda config: gpt2.GPT2MLP(values["n_inner"], config), values, draw))


def embedding(rows: int, n_embd: int, draw: Draw) -> Reference:
    """Return torch's embedding table, redrawn."""
    return Reference(shake(torch.nn.Embedding(rows, n_embd), draw))


def attend(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
    """Return what torch's attention gives, in float64, compared with Hugging Face's own: two that have to agree."""
    q, k, v = (part.detach().double() for part in (query, key, value))
    bias = None if mask is None else mask.double()
    result = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    if query.dim() == 4:
        holder = torch.nn.Module().eval()
        theirs, _ = gpt2.eager_attention_forward(holder, q, k, v, bias, scaling=query.shape[-1] ** -0.5)
        if not torch.allclose(theirs.transpose(1, 2), result, rtol=0, atol=1e-9):
            raise ValueError("transformers and torch do not agree on attention")
    return result.to(query.dtype)


def attention(values: dict[str, Any], draw: Draw) -> Reference:
    """Return Hugging Face's attention, redrawn; causal unless it is given a mask, as the learner's is."""
    return _Masked(_drawn("attention", lambda config: gpt2.GPT2Attention(config, layer_idx=1), values, draw))


def block(values: dict[str, Any], draw: Draw) -> Reference:
    """Return Hugging Face's block, redrawn; causal unless it is given a mask."""
    return _Masked(_drawn("block", lambda config: gpt2.GPT2Block(config, layer_idx=0), values, draw))


def model(values: dict[str, Any], draw: Draw) -> Reference:
    """Return Hugging Face's stack of blocks, redrawn."""
    return _Stack(_drawn("model", gpt2.GPT2Model, values, draw))


def lm_head_model(values: dict[str, Any], draw: Draw) -> LMHeadModel:
    """Return Hugging Face's GPT-2 with its head, redrawn."""
    return LMHeadModel(_drawn("lm_head_model", gpt2.GPT2LMHeadModel, values, draw))


def gelu_new(x: torch.Tensor) -> torch.Tensor:
    """Return GELU by the tanh approximation, computed in float64, in the dtype of `x`."""
    result: torch.Tensor = NewGELUActivation()(x.double())
    return result.to(x.dtype)


def visible(sequence_length: int, num_tokens: int) -> torch.Tensor:
    """Return where a token may look: [sequence_length, num_tokens + sequence_length], True where it may.

    From the mask that transformers makes with `num_tokens` tokens in its cache, compared with torch's own lower-right
    bias: two libraries that have to agree.
    """
    return _visible(sequence_length, num_tokens).clone()


@functools.lru_cache(maxsize=256)
def _visible(sequence_length: int, num_tokens: int) -> torch.Tensor:
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


class Conv1DReference(Reference):
    """A module of Hugging Face's Conv1D layers, which keep weights as [in, out]; a linear layer's is [out, in]."""

    @functools.cached_property
    def _turned(self) -> set[str]:
        """The names of the weights that a linear layer has the other way round."""
        parts = self._shared.named_modules()
        return {f"{name}.weight" for name, part in parts if type(part).__name__ == "Conv1D"}

    def linear_state_dict(self) -> dict[str, torch.Tensor]:
        """Return the weights as a module of linear layers takes them."""
        return self.linear(self.state_dict())

    def linear(self, named: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Turn those of `named` (weights, or their gradients) that a linear layer has the other way round."""
        return {name: value.t().contiguous() if name in self._turned else value for name, value in named.items()}


class _Masked(Conv1DReference):
    """An attention, or a block, that is causal unless it is given a mask: Hugging Face's alone is not."""

    def run(self, *args: Any) -> Any:
        hidden_states, mask = args[0], args[1] if len(args) > 1 else None
        if mask is None:
            mask = causal(hidden_states.shape[1])
        if mask.dim() == 2:
            mask = mask[None, None]
        output = self._module(hidden_states, attention_mask=mask.to(hidden_states.dtype))
        return output[0] if isinstance(output, tuple) else output


class _Stack(Conv1DReference):
    """The stack of blocks; `past_length` shifts the positions, and nothing else."""

    def run(self, *args: Any) -> Any:
        input_ids, past_length = args[0], args[1] if len(args) > 1 else 0
        positions = torch.arange(past_length, past_length + input_ids.shape[1]).unsqueeze(0)
        return self._module(input_ids, position_ids=positions, use_cache=False).last_hidden_state


class LMHeadModel(Conv1DReference):
    """GPT-2 with its head."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__(module)
        self._next: dict[tuple[int, ...], int] = {}

    def run(self, *args: Any) -> Any:
        return self._module(args[0], use_cache=False).logits

    def checkpoint(self) -> dict[str, torch.Tensor]:
        """Return the weights as Hugging Face's own files hold them: [in, out], the tied head under its own name too."""
        return self.state_dict()

    def continued(
        self, input_ids: torch.Tensor, tokens: int, eos_token_id: int | None = None, window: int | None = None
    ) -> torch.Tensor:
        """Return what greedy generation makes of the ids: with no window, what Hugging Face's own makes of them.

        A plain loop over Hugging Face's forward, because its `generate` takes more time around the model than in it;
        that both give the same is tested. With a window the model sees the last so many tokens, which its `generate`
        cannot. What was written after a text is remembered: with another end, the same texts come again.
        """
        rows = [tuple(row) for row in input_ids.tolist()]
        ended = [False] * len(rows)
        for _ in range(tokens):
            seen = [row[-window:] if window else row for row in rows]
            self._write({text for text, over in zip(seen, ended, strict=True) if not over} - self._next.keys())
            best = [eos_token_id if over else self._next[text] for text, over in zip(seen, ended, strict=True)]
            rows = [(*row, token) for row, token in zip(rows, best, strict=True)]
            ended = [over or token == eos_token_id for over, token in zip(ended, best, strict=True)]
            if all(ended):
                break
        return torch.tensor(rows, dtype=input_ids.dtype)

    def _write(self, texts: set[tuple[int, ...]]) -> None:
        """Ask for the tokens after texts of one length, and remember them."""
        asked = sorted(texts)
        if not asked:
            return
        with IN_USE, torch.no_grad():
            logits = self._module(torch.tensor(asked), use_cache=False, logits_to_keep=1).logits
        self._next |= zip(asked, logits[:, -1].argmax(dim=-1).tolist(), strict=True)


def causal(seq: int) -> torch.Tensor:
    """Return the additive causal mask [seq, seq] of `seq` tokens."""
    return torch.zeros(seq, seq).masked_fill(~visible(seq, 0), float("-inf"))
