"""Step 10 is judged against Hugging Face's stack of blocks, redrawn."""

import math

from autograder.checking import check
from autograder.comparing import agrees, close, equal, fail, load, make, raises, same_gradients

# On the hidden states of 120 draws, right code is at most 2e-6 away, which is 0.009 of the tolerance. In some of them a
# last norm with an eps of 1e-5 for 1e-3 is within it: there is a comparison of its own for that.
NEAR = {"rtol": 1e-4, "atol": 2e-4}


@check(
    passed="GPT2Model has Hugging Face's parameters, under wte, wpe, h and ln_f, each block its own",
    failed="GPT2Model does not have Hugging Face's parameters, under wte, wpe, h and ln_f, each block its own",
)
def has_its_parameters(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        expected = sum(value.numel() for value in theirs.state_dict().values())
        got = sum(parameter.numel() for _, parameter in mine.named_parameters())
        equal(got, expected, says="all parameters, counted once: one block used n_layer times has too few")


@check(
    passed="GPT2Model gives Hugging Face's hidden states",
    failed="GPT2Model does not give Hugging Face's hidden states",
)
def output_matches(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        for seq in (9, 1, values["n_positions"]):
            ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
            got, expected = mine(ids), _named(theirs(ids))
            if not agrees(got, expected, **NEAR):
                close(got, expected, **NEAR, says=_reason(mine, theirs, ids, got, values))
    _norm_has_its_eps(mine, theirs.linear_state_dict(), draw, values)


@check(
    passed="past_length shifts the positions, and nothing else",
    failed="past_length does not shift the positions, and nothing else",
)
def shifts_positions(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    for seq, past in ((5, 3), (1, 7), (4, values["n_positions"] - 4)):
        ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
        got, expected = mine(ids, past), _named(theirs(ids, past))
        unmoved = past and agrees(got, theirs(ids), **NEAR)
        says = f"these are the positions 0 to {seq - 1}: past_length is not used" if unmoved else ""
        close(got, expected, **NEAR, says=says)


@check(
    passed="more than n_positions positions raise a ValueError",
    failed="more than n_positions positions do not raise a ValueError",
)
def refuses_beyond(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    limit = values["n_positions"]
    for seq, past in ((limit + 1, 0), (3, limit - 2)):
        ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
        raises(lambda ids=ids, past=past: mine(ids, past), "ValueError", says=f"n_positions is {limit}")


@check(
    passed="changing a token leaves the outputs before it as they were, and other rows of the batch too",
    failed="changing a token changes the outputs before it, or other rows of the batch",
)
def is_causal(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=3, seq=9, label="input_ids")
    first = _hidden(mine, ids, values)
    changed = ids.clone()
    changed[0, 5:] = (changed[0, 5:] + 1) % values["vocab_size"]
    again = _hidden(mine, changed, values)
    close(
        again[0, :5],
        first[0, :5],
        rtol=1e-5,
        atol=1e-5,
        says="tokens 5 to 8 of row 0 were changed: outputs 0 to 4 of row 0",
    )
    close(again[1:], first[1:], rtol=1e-5, atol=1e-5, says="row 0 was changed: these are the other rows")


@check(
    passed="gradients reach every parameter, the embeddings included",
    failed="gradients do not reach every parameter, the embeddings included",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=6, label="input_ids")
    back = draw.normal(batch=2, seq=6, n_embd=values["n_embd"])
    got, expected = mine.gradients(ids, output_gradient=back), theirs.gradients(ids, back)
    same_gradients(got, back, parameters=theirs.linear(expected.parameters), rtol=1e-3, atol=2e-3)


@check(
    passed="GPT2Model gives the same in training and in evaluation",
    failed="GPT2Model does not give the same in training and in evaluation",
)
def has_no_dropout(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=6, label="input_ids")
    first, (after, *_) = mine.call_keeping(ids)
    close(after, ids, rtol=0, atol=0, says="these are the ids after the call: they were changed in place")
    close(first, _like(ids, values), rtol=0, atol=math.inf)
    if not _same(mine(ids), first):
        fail("two identical calls differ: is there dropout, or is something remembered?")
    mine.eval()
    if not _same(mine(ids), first):
        fail("evaluation mode gives something else than training mode")


def _pair(student, oracle, values):
    config = student.earlier("config").GPT2Config(**values)
    theirs = oracle.model(values)
    mine = make(student, "GPT2Model", config)
    own = mine.state_dict()
    if isinstance(own, dict) and "wte.weight" in own and not any(str(name).startswith("h.") for name in own):
        says = "it has no block's parameters: nn.ModuleList makes them known, a list does not"
        fail(says, expected="h.0.ln_1.weight and the like", got=", ".join(map(str, own))[:200])
    return load(mine, theirs.linear_state_dict()), theirs


def _like(ids, values):
    import torch

    return _named(torch.zeros(*ids.shape, values["n_embd"]))


def _named(hidden):
    hidden.axes_names = ("batch", "seq", "n_embd")
    return hidden


def _hidden(mine, ids, values):
    """Return the hidden states: of the right type and shape, whatever their numbers."""
    got = mine(ids)
    close(got, _like(ids, values), rtol=0, atol=math.inf)
    return got


def _same(mine, first):
    return agrees(mine, first, rtol=0, atol=0)


def _norm_has_its_eps(mine, state, draw, values):
    """Look at the last norm alone, where its eps weighs as much as what it norms."""
    import torch

    small = {name: torch.zeros_like(value) if ".c_proj." in name else value for name, value in state.items()}
    small = {name: value / 5 if name[:3] in ("wte", "wpe") else value for name, value in small.items()}
    mine.load_state_dict(small)
    ids = draw.ids(values["vocab_size"], batch=2, seq=5, label="input_ids")
    stream = small["wte.weight"][ids] + small["wpe.weight"][:5]
    last = (small["ln_f.weight"], small["ln_f.bias"], values["layer_norm_epsilon"])
    expected = torch.nn.functional.layer_norm(stream, stream.shape[-1:], *last)
    says = "the blocks add nothing here: this is ln_f of small embeddings, where its eps shows"
    close(mine(ids), _named(expected), **NEAR, says=says)


def _reason(mine, theirs, ids, got, values):
    """Return why the output differs, as far as other weights show it: what can be changed without any effect."""
    if not agrees(got, _like(ids, values), rtol=0, atol=math.inf):
        return ""
    state = theirs.linear_state_dict()
    if not _same(mine(ids), got):
        return "two identical calls differ: is there dropout, or is something remembered?"
    blocks = [f"h.{index}." for index in range(values["n_layer"])]
    idle = [part for part in ("wte.", "wpe.", *blocks, "ln_f.") if _is_idle(mine, ids, got, state, part)]
    mine.load_state_dict(state)
    if idle:
        names = ", ".join(part.rstrip(".") for part in idle)
        return f"other weights in {names} give the same output: forward does not use them"
    smaller = {
        name: value / values["n_embd"] ** 0.5 if name == "wte.weight" else value for name, value in state.items()
    }
    mine.load_state_dict(smaller)
    scaled = agrees(mine(ids), theirs(ids), **NEAR)
    mine.load_state_dict(state)
    return "the token rows are taken times the root of n_embd: GPT-2 does not do so" if scaled else ""


def _is_idle(mine, ids, got, state, part):
    mine.load_state_dict({name: value.flip(0) + 1 if name.startswith(part) else value for name, value in state.items()})
    return _same(mine(ids), got)
