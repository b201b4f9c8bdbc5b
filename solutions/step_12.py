# Generated from puzzles/load_weights.py by `pixi run generate`: edit that file, not this one.
"""Loading weights: OpenAI's numbers, as Hugging Face keeps them, into your own model."""

from collections.abc import Mapping

import torch
from torch import Tensor

from solutions.step_11 import GPT2LMHeadModel

PREFIX = "transformer."
HEAD = "lm_head.weight"
TABLE = "transformer.wte.weight"
TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
BUFFERS = (".attn.bias", ".attn.masked_bias")  # the causal mask, which old files hold too


def load_gpt2_weights(model: GPT2LMHeadModel, state_dict: Mapping[str, Tensor]) -> None:
    """Copy the weights of a Hugging Face GPT-2 into ``model``.

    Args:
        model: your own, of the same configuration.
        state_dict: Hugging Face's names, with or without the prefix ``transformer.``; the four matrices of each block
            are stored [in, out], where a linear layer has [out, in].

    Errors: ValueError, which names every tensor that is missing, unexpected or wrongly shaped; nothing is changed then.
    """
    given = {}
    for name, tensor in state_dict.items():
        if name.endswith(BUFFERS):
            continue
        full_name = name if name.startswith(PREFIX) or name == HEAD else PREFIX + name
        given[full_name] = tensor.t() if name.endswith(TRANSPOSED) and tensor.dim() == 2 else tensor

    wrong = []
    head = given.pop(HEAD, None)
    if head is not None and TABLE in given and not torch.equal(head, given[TABLE]):
        wrong.append(f"{HEAD} differs from {TABLE}")

    # The tied weight under both its names, whichever comes first.
    named = model.named_parameters(remove_duplicate=False)
    own = {name: parameter for name, parameter in named if name != HEAD}
    wrong += [f"{name} is missing" for name in own if name not in given]
    wrong += [f"{name} is unexpected" for name in given if name not in own]
    for name, parameter in own.items():
        if name in given and given[name].shape != parameter.shape:
            wrong.append(f"{name} is {list(given[name].shape)}, not {list(parameter.shape)}")
    if wrong:
        raise ValueError("; ".join(wrong))

    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(given[name])
