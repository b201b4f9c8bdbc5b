"""Step 10 is judged against Hugging Face's stack of blocks, redrawn."""

import math

from autograder import law
from autograder.checking import check, mistake, variant
from autograder.comparing import (
    Failed,
    agrees,
    can_learn,
    close,
    equal,
    fail,
    fits,
    holds,
    load,
    make,
    raises,
    same_gradients,
    sliced,
)
from autograder.difference import article
from autograder.student import Missing, StudentRaised, type_name

# On the hidden states of 120 draws, right code is at most 2e-6 away, which is 0.009 of the tolerance. In some of them a
# last norm with an eps of 1e-5 for 1e-3 is within it: there is a comparison of its own for that.
NEAR = {"rtol": 1e-4, "atol": 2e-4}
DEEP = {"n_embd": 6, "n_head": 2, "n_inner": 7, "n_layer": 13}  # more blocks than GPT-2 has, and "10" is before "2"
SMALL = {"n_embd": 2, "n_head": 1, "n_inner": 3}
PARTS = ("wte", "wpe", "h", "ln_f")


@check(
    passed="GPT2Model has Hugging Face's parameters, under wte, wpe, h and ln_f, each block its own",
    failed="GPT2Model does not have Hugging Face's parameters, under wte, wpe, h and ln_f, each block its own",
)
def has_its_parameters(student, oracle, draw):
    values = draw.config()
    config = student.earlier("config").GPT2Config(**values)
    mine, theirs = make(student, "GPT2Model", config), oracle.model(values)
    fits(mine, theirs.linear_state_dict(), told=lambda: _has_its_blocks(mine, values))
    _is_a_list(mine)
    _counts(mine, theirs)
    more = {**values, **SMALL, "n_layer": 4}  # of two, each may be its own still
    _counts(make(student, "GPT2Model", student.earlier("config").GPT2Config(**more)), oracle.model(more))
    for name, value in values.items():
        equal(getattr(config, name), value, says=f"{name} of the configuration, which is to stay as it was")


@check(
    passed="GPT2Model gives Hugging Face's hidden states",
    failed="GPT2Model does not give Hugging Face's hidden states",
)
def output_matches(student, oracle, draw):
    for is_long in (False, True):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        for seq in (9, values["n_positions"] if is_long else 1):
            ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
            got, expected = mine(ids), _named(theirs(ids))
            if not agrees(got, expected, **NEAR):
                says = _idle(mine, theirs, ids, got, values)
                close(mine(ids), expected, **NEAR, says=says)
    ids = draw.ids(values["vocab_size"], batch=1, seq=4, label="input_ids")
    close(mine(ids), _named(theirs(ids)), **NEAR, says="this is a batch of one row")
    ids = draw.ids(values["vocab_size"], batch=2, seq=5, label="input_ids")
    expected = _named(theirs(ids))
    close(mine(sliced(student, ids)), expected, **NEAR, says="input_ids are a slice of a longer tensor")
    mine.double()
    close(mine(ids), _named(expected.double()), **NEAR, says="all parameters are float64 here")
    mine.float()
    _norm_has_its_eps(mine, theirs.linear_state_dict(), draw, values)
    values = {**values, **DEEP}
    mine, theirs = _pair(student, oracle, values)
    close(mine(ids), _named(theirs(ids)), **NEAR, says=f"this model has {values['n_layer']} blocks")


@check(
    passed="past_length shifts the positions, and nothing else",
    failed="past_length does not shift the positions, and nothing else",
)
def shifts_positions(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair_of(2, student, oracle, values)
    for seq, past in ((5, 3), (1, 7), (4, values["n_positions"] - 4)):
        ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
        expected = _named(theirs(ids, past))
        got = mine(ids, past_length=past) if seq == 1 else mine(ids, past)  # by its name, too
        if not agrees(got, expected, **NEAR):
            _steady(mine, got, ids, past)
            close(got, expected, **NEAR)
    ids = draw.ids(values["vocab_size"], batch=2, seq=4, label="input_ids")
    says = f"no past_length is given, and the call before had {past}"
    close(mine(ids), _named(theirs(ids)), **NEAR, says=says)
    mine.eval()
    if agrees(mine(ids), _named(theirs(ids)), **NEAR):  # else another line tells
        close(mine(ids, 3), _named(theirs(ids, 3)), **NEAR, says="past_length is 3, in evaluation mode")
        says = "in evaluation mode, no past_length is given, and the call before had 3"
        close(mine(ids), _named(theirs(ids)), **NEAR, says=says)


@check(
    passed="more than n_positions positions raise a ValueError",
    failed="more than n_positions positions do not raise a ValueError",
)
def refuses_beyond(student, oracle, draw):
    values = draw.config()
    mine = _fresh(student, values)
    limit = values["n_positions"]
    evaluating = ", in evaluation mode too"
    calls = (limit + 1, 0, ""), (3, limit - 2, ""), (limit + 1, 0, evaluating), (3, limit - 2, evaluating)
    for seq, past, mode in calls:
        if mode:
            mine.eval()
        ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
        says = f"n_positions is {limit}{mode}"
        _refuses(student, oracle, values, lambda ids=ids, past=past: mine(ids, past), "ValueError", says)
    large = {**values, **SMALL, "n_positions": 1024}  # GPT-2's own, which somebody may have written down
    mine = _fresh(student, large)
    ids = draw.ids(values["vocab_size"], batch=1, seq=1025, label="input_ids")
    raises(lambda: mine(ids), "ValueError", says="n_positions is 1024")


@check(
    passed="changing a token leaves the outputs before it as they were, and other rows of the batch too",
    failed="changing a token changes the outputs before it, or other rows of the batch",
)
def is_causal(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair_of(1, student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=3, seq=9, label="input_ids")
    first = _hidden(mine, ids, values)
    _steady(mine, first, ids)
    changed = _like(ids, ids.clone())
    changed[0, 5:] = (changed[0, 5:] + 1) % values["vocab_size"]
    changed.label = "changed_ids"
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
    mine, theirs = _pair_of(4, student, oracle, values)  # of two blocks, the first is all but the last
    ids = draw.ids(values["vocab_size"], batch=2, seq=6, label="input_ids")
    ids[0, 2], ids[0, 3] = 0, values["vocab_size"] - 1  # tokens like any other
    ids[1, 4] = 0  # and one that comes again
    back = draw.normal(batch=2, seq=6, n_embd=values["n_embd"])
    got, expected = mine.gradients(ids, output_gradient=back), theirs.gradients(ids, back)
    try:
        _same_gradients(got, theirs, expected, back)
    except Failed:  # of weights that are frozen, or calls that differ, they say nothing
        can_learn(mine)
        _steady(mine, _hidden(mine, ids, values), ids)
        raise


@check(
    passed="GPT2Model gives the same in training and in evaluation",
    failed="GPT2Model does not give the same in training and in evaluation",
)
def has_no_dropout(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair_of(2, student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=6, label="input_ids")
    first, (after, *_) = mine.call_keeping(ids)
    close(after, ids, rtol=0, atol=0, says="these are the ids after the call: they were changed in place")
    close(first, _shaped(ids, values), rtol=0, atol=math.inf)
    _steady(mine, first, ids)
    mine.eval()
    evaluated = mine(ids)
    if not _same(evaluated, first):
        fail("evaluation mode gives something else than training mode")
    if first.requires_grad and not evaluated.requires_grad:
        fail("in evaluation mode the result has no gradient; in training mode it has one")


@check.undeclared(failed="the norms of a fresh GPT2Model do not start with gains of 1 and shifts of 0")
def starts_with_plain_norms(student, draw):
    state = _fresh(student, draw.config()).state_dict()
    norms = ("ln_f", "h.0.ln_1", "h.0.ln_2")
    for name in [f"{norm}.{kind}" for norm in norms for kind in ("weight", "bias")] if isinstance(state, dict) else []:
        born, value = float(name.endswith(".weight")), state.get(name)
        if hasattr(value, "isfinite") and not bool((value == born).all()):
            fail("the norms of a fresh model", expected="gains of 1 and shifts of 0", got="other numbers")


@check.undeclared(failed="GPT2Model takes ids that are not in its token table")
def refuses_unknown_ids(student, oracle, draw):
    values = draw.config()
    mine = _fresh(student, values)
    for unknown in (-1, values["vocab_size"]):
        ids = draw.ids(values["vocab_size"], batch=2, seq=4, label="input_ids")
        ids[1, 2] = unknown
        says = f"one id is {unknown}, and the table has the rows 0 to {values['vocab_size'] - 1}"
        _refuses(student, oracle, values, lambda ids=ids: mine(ids), "", says)


def _refuses(student, oracle, values, call, kind, says):
    """Fail unless a call of a fresh model raises; of one that takes no weights, tell that, as the checks above do."""
    try:
        raises(call, kind, says=says)
    except (Failed, Missing, StudentRaised):
        _pair(student, oracle, values)
        raises(call, kind, says=says)  # again: the call that is shown is the last one
        raise


def _same_gradients(got, theirs, expected, back):
    second = [name for name in theirs.linear(expected.parameters) if name not in got.parameters]
    if second:  # a shared one is listed once: whether forward uses it is not the question
        many, few = len(expected.parameters), len(got.parameters)
        fail(
            f"{second[0]} is no parameter of its own",
            expected=f"{many} parameters, each with its gradient",
            got=f"{few}",
        )
    cut = [_part(name) for name in theirs.linear(expected.parameters) if got.parameters.get(name) is None]
    if cut:
        close(got.output, back, rtol=0, atol=math.inf)
        fail(
            f"no gradient comes to {', '.join(dict.fromkeys(cut))}",
            "is it used? Is there a detach(), .data or no_grad() on its way?",
        )
    same_gradients(got, back, parameters=theirs.linear(expected.parameters), rtol=1e-3, atol=2e-3)


def _pair(student, oracle, values):
    config, theirs = student.earlier("config").GPT2Config(**values), oracle.model(values)
    mine = make(student, "GPT2Model", config)
    return load(mine, theirs.linear_state_dict(), told=lambda: _has_its_blocks(mine, values)), theirs


def _pair_of(n_layer, student, oracle, values):
    """Return a pair of so many blocks; what fails with any number is told in the words of the checks above."""
    try:
        return _pair(student, oracle, {**values, "n_layer": n_layer})
    except (Failed, Missing, StudentRaised):
        _pair(student, oracle, values)
        raise


def _fresh(student, values):
    """Return the learner's model of one block, with the weights that it is born with."""
    return make(student, "GPT2Model", student.earlier("config").GPT2Config(**{**values, "n_layer": 1}))


def _has_its_blocks(mine, values):
    own = mine.state_dict()
    if isinstance(own, dict):
        _has_its_tables(own)
    if isinstance(own, dict) and "wte.weight" in own:
        blocks = {str(name).split(".")[1] for name in own if str(name).startswith("h.")}
        expected = f"n_layer = {values['n_layer']} blocks in h"
        if blocks & {"ln_1", "attn", "ln_2", "mlp"}:
            fail("h is one block itself, and no list of blocks", expected=expected, got="one block")
        if not blocks:
            _has_h(mine, own, expected)
        got = f"{len(blocks)} block{'' if len(blocks) == 1 else 's'}"
        holds(len(blocks) == values["n_layer"], expected=expected, got=got)


def _has_its_tables(own):
    """Fail where layers are there under other names than the checkpoint's."""
    tops = list(dict.fromkeys(str(name).partition(".")[0] for name in own if "." in str(name)))
    lacks = [name for name in PARTS if name != "h" and name not in tops]
    if lacks and set(tops) - set(PARTS):
        there = f"{', '.join(tops[:-1])} and {tops[-1]}" if tops[1:] else tops[0]
        fail(f"it has layers under {there}, and none under {lacks[0]}", expected="wte, wpe, h and ln_f", got=there)


def _has_h(mine, own, expected):
    """Fail, and say what is there, unless h is a module."""
    try:
        found = mine.h
    except Missing:
        parts = list(dict.fromkeys(str(name).partition(".")[0] for name in own))
        there = f"{', '.join(parts[:-1])} and {parts[-1]}" if parts[1:] else parts[0]
        fail(f"the model has {there}, and nothing that is called h yet", expected=expected, got="no h")
    kind = type_name(found)
    if kind in ("list", "tuple") and not len(found):
        fail(f"h is a {kind} with nothing in it", expected=expected, got=f"an empty {kind}")
    if kind in ("list", "tuple", "dict", "generator"):
        why = f"h is a {kind}: an nn.ModuleList makes its blocks known to the model"
        fail(why, expected=expected, got=f"a {kind}, which hides them")


def _is_a_list(mine):
    """Fail where a block cannot be had by its number."""
    try:
        mine.h.item(0)
    except StudentRaised:
        fail(
            "the blocks are had by their numbers, as h[0], and this raises here",
            expected="an nn.ModuleList as h",
            got=article(type_name(mine.h)),
        )


def _part(name):
    """Return the part of the stack that a parameter is in: h.0 of h.0.ln_1.weight."""
    return ".".join(name.split(".")[: 2 if name.startswith("h.") else 1])


def _counts(mine, theirs):
    """Fail unless there are as many numbers as in Hugging Face's."""
    got, expected = _counted(mine, theirs)
    equal(got, expected, says="all parameters, counted once: one block used n_layer times has too few")


def _counted(mine, theirs):
    """Return how many numbers the learner's parameters have and how many Hugging Face's, a shared one counted once."""
    own = sum(parameter.numel() for _, parameter in mine.named_parameters())
    return own, sum(value.numel() for value in theirs.state_dict().values())


def _like(ids, made):
    """Return a tensor made of a drawn one, with its label and the names of its axes."""
    made.label, made.axes, made.axes_names = ids.label, ids.axes, ids.axes_names
    return made


def _shaped(ids, values):
    """Return hidden states of the right shape."""
    import torch

    return _named(torch.zeros(*ids.shape, values["n_embd"]))


def _named(hidden):
    hidden.axes_names = ("batch", "seq", "n_embd")
    return hidden


def _hidden(mine, ids, values):
    """Return the hidden states: of the right type and shape, whatever their numbers."""
    got = mine(ids)
    close(got, _shaped(ids, values), rtol=0, atol=math.inf)
    return got


def _same(mine, first):
    return agrees(mine, first, rtol=0, atol=0)


def _steady(mine, first, *inputs):
    """Fail when a second call gives other numbers: then none of them says anything."""
    import torch

    if type(first) is torch.Tensor and first.isfinite().all() and not _same(mine(*inputs), first):
        fail("two identical calls differ: is there dropout, or is something remembered?")


def _norm_has_its_eps(mine, state, draw, values):
    """Look at the last norm alone, where its eps weighs as much as what it norms."""
    import torch

    small = {name: torch.zeros_like(value) if ".c_proj." in name else value for name, value in state.items()}
    small = {name: value / 5 if name[:3] in ("wte", "wpe") else value for name, value in small.items()}
    mine.load_state_dict(small)
    ids = draw.ids(values["vocab_size"], batch=2, seq=9, label="input_ids")  # as before: rows that are kept are old now
    stream = small["wte.weight"][ids] + small["wpe.weight"][:9]
    last = (small["ln_f.weight"], small["ln_f.bias"], values["layer_norm_epsilon"])
    expected = torch.nn.functional.layer_norm(stream, stream.shape[-1:], *last)
    says = "the blocks add nothing here: this is ln_f of small embeddings, where its eps shows"
    close(mine(ids), _named(expected), **NEAR, says=says)


def _idle(mine, theirs, ids, got, values):
    """Return which parts can have other weights without any effect, in a sentence; nothing where it says nothing."""
    if not agrees(got, _shaped(ids, values), rtol=0, atol=math.inf):
        return ""
    _steady(mine, got, ids)
    own, expected = _counted(mine, theirs)
    if own != expected:  # of what is shared, the last weights count
        return ""
    state = theirs.linear_state_dict()
    blocks = [f"h.{index}." for index in range(values["n_layer"])]
    idle = [part for part in ("wte.", "wpe.", *blocks, "ln_f.") if _is_idle(mine, ids, got, state, part)]
    mine.load_state_dict(state)
    names = ", ".join(part.rstrip(".") for part in idle)
    return f"other weights in {names} give the same output: forward does not use them" if idle else ""


def _is_idle(mine, ids, got, state, part):
    mine.load_state_dict({name: value.flip(0) + 1 if name.startswith(part) else value for name, value in state.items()})
    return _same(mine(ids), got)


@law.causal
@law.rows_apart
@law.inputs_kept
@law.same_twice
def stack(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    return law.Subject(mine, lambda draw, batch, seq: (draw.ids(values["vocab_size"], batch=batch, seq=seq),))


# ------------------------------------------------------------------------------------ the programs that it is judged by

TOKENS = "self.wte = TokenEmbedding(config.vocab_size, config.n_embd)"
PLACES = "self.wpe = PositionEmbedding(config.n_positions, config.n_embd)"
BLOCKS = "self.h = nn.ModuleList(GPT2Block(config) for _ in range(config.n_layer))"
LAST = "self.ln_f = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"
SUM = "self.wte(input_ids) + self.wpe(input_ids.shape[1], past_length)"
POSITIONS = "self.wpe(input_ids.shape[1], past_length)"
LOOP = "for block in self.h:"
ROUND = "hidden_states = block(hidden_states)"
OUTPUT = "return self.ln_f(hidden_states)"
NEW_LINE = "\n        "
FILLED = f"for index in range(config.n_layer):{NEW_LINE}    self.h[str(index)] = GPT2Block(config)"
ONE_HOT = ("import TokenEmbedding", "import TokenEmbedding, embed_one_hot")
START = "        hidden_states = self.wte"
REFUSE = "            raise ValueError(past_length)\n"
TORCH = ("from torch import Tensor, nn", "import torch\nfrom torch import Tensor, nn")

mistake(
    "no-positions",
    SUM,
    "self.wte(input_ids)",
    "The rows of the positions are not added to the rows of the tokens.",
)
mistake(
    "positions-multiplied",
    SUM,
    SUM.replace(" + ", " * "),
    "The rows of the tokens and of the positions are multiplied. They are to be added.",
)
mistake(
    "times-the-root-of-n-embd",
    "self.wte(input_ids)",
    "self.wte.weight.shape[1] ** 0.5 * self.wte(input_ids)",
    "The rows of the tokens are taken times the root of n_embd, as in 2017. GPT-2 adds them as they are.",
    again=[("self.wte(input_ids)", "self.wte(input_ids) * self.ln_f.weight.numel() ** 0.5")],
)
mistake(
    "positions-by-the-batch",
    "input_ids.shape[1]",
    "input_ids.shape[0]",
    "The first size of input_ids is the batch. There are as many positions as the second one says.",
    again=[("input_ids.shape[1]", "len(input_ids)")],
)
mistake(
    "ids-as-positions",
    POSITIONS,
    "self.wpe(input_ids, past_length)",
    "The position table is given a tensor: the ids, or their positions. It takes two numbers: how many positions, "
    "and where they start.",
    again=[TORCH, (POSITIONS, "self.wpe(torch.arange(past_length, past_length + input_ids.shape[1]))")],
)
mistake(
    "ids-as-positions-of-an-embedding",
    PLACES,
    PLACES.replace("PositionEmbedding", "nn.Embedding"),
    "The position table is given the ids. It is to be given positions, which start at past_length.",
    also=[(POSITIONS, "self.wpe(input_ids)")],
    again=[
        (PLACES, PLACES.replace("PositionEmbedding", "nn.Embedding")),
        (POSITIONS, "nn.functional.embedding(input_ids, self.wpe.weight)"),
    ],
)
mistake(
    "position-arguments-swapped",
    POSITIONS,
    "self.wpe(past_length, input_ids.shape[1])",
    "The position table takes how many positions there are first, and where they start second.",
)
mistake(
    "past-length-unused",
    POSITIONS,
    "self.wpe(input_ids.shape[1])",
    "past_length does not reach the position table: its rows always start at 0.",
    again=[(POSITIONS, "self.wpe(input_ids.shape[1]) + past_length")],
)
mistake(
    "past-length-only-in-the-limit",
    PLACES,
    PLACES.replace("PositionEmbedding", "nn.Embedding"),
    "past_length does not reach the position table: its rows always start at 0.",
    also=[
        TORCH,
        (POSITIONS, "self.wpe(torch.arange(input_ids.shape[1]))"),
        (START, f"        if past_length + input_ids.shape[1] > len(self.wpe.weight):\n{REFUSE}{START}"),
    ],
    again=[
        (POSITIONS, "self.wpe(input_ids.shape[1])"),
        (START, f"        if past_length + input_ids.shape[1] > len(self.wpe.weight):\n{REFUSE}{START}"),
    ],
)
mistake(
    "positions-end-too-early",
    PLACES,
    PLACES.replace("PositionEmbedding", "nn.Embedding"),
    "The positions start at past_length and end at the number of ids. They end at past_length more than that.",
    also=[
        TORCH,
        (POSITIONS, "self.wpe(torch.arange(past_length, input_ids.shape[1]))"),
        (START, f"        if past_length + input_ids.shape[1] > len(self.wpe.weight):\n{REFUSE}{START}"),
    ],
    again=[
        (POSITIONS, "self.wpe.weight[past_length : input_ids.shape[1]]"),
        (START, f"        if past_length + input_ids.shape[1] > len(self.wpe.weight):\n{REFUSE}{START}"),
    ],
)
mistake(
    "past-length-as-more-rows",
    POSITIONS,
    "self.wpe(input_ids.shape[1] + past_length)",
    "There are past_length rows too many. It is where the positions start, not how many there are.",
)
mistake(
    "past-length-cuts-the-ids",
    "        hidden_states = self.wte",
    "        input_ids = input_ids[:, past_length:]\n        hidden_states = self.wte",
    "The first past_length ids are cut off. input_ids has new tokens alone, and past_length says where they stand.",
)
mistake(
    "positions-from-1",
    "past_length)  #",
    "past_length + 1)  #",
    "The positions start one row too late. The first token stands at past_length, which is 0 at first.",
)
mistake(
    "index-error",
    PLACES,
    PLACES.replace("PositionEmbedding", "nn.Embedding"),
    "A position beyond the table ends in an IndexError, as nn.Embedding's does. A ValueError is asked for.",
    also=[TORCH, (POSITIONS, "self.wpe(torch.arange(past_length, past_length + input_ids.shape[1]))")],
    again=[
        TORCH,
        (PLACES, PLACES.replace("PositionEmbedding", "nn.Embedding")),
        (POSITIONS, "self.wpe(torch.arange(input_ids.shape[1]) + past_length)"),
    ],
)
mistake(
    "positions-come-round",
    POSITIONS,
    "self.wpe.weight[positions % limit]",
    "Too large a past_length gets rows of other positions. What is beyond the table is to end in a ValueError.",
    also=[
        TORCH,
        (
            "        hidden_states = self.wte",
            (
                "        seq, limit = input_ids.shape[1], self.wpe.weight.shape[0]\n"
                "        if seq > limit:\n            raise ValueError(seq)\n"
                "        positions = torch.arange(seq) + past_length\n        hidden_states = self.wte"
            ),
        ),
    ],
    again=[
        (
            "        hidden_states = self.wte",
            (
                "        past_length = min(past_length, max(0, self.wpe.weight.shape[0] - input_ids.shape[1]))\n"
                "        hidden_states = self.wte"
            ),
        )
    ],
)
mistake(
    "positions-beyond-get-other-rows",
    POSITIONS,
    "self.wpe.weight[positions.clamp(max=len(self.wpe.weight) - 1)]",
    "Positions beyond the table get rows of others. They are to end in a ValueError.",
    also=[TORCH, (START, f"        positions = torch.arange(input_ids.shape[1]) + past_length\n{START}")],
    again=[
        TORCH,
        (START, f"        positions = torch.arange(input_ids.shape[1]) + past_length\n{START}"),
        (POSITIONS, "self.wpe.weight[positions % len(self.wpe.weight)]"),
    ],
)
mistake(
    "ids-cut-off",
    START,
    f"        input_ids = input_ids[:, -len(self.wpe.weight) :]\n{START}",
    "Ids beyond n_positions are cut off. More of them are to end in a ValueError.",
    again=[(START, f"        input_ids = input_ids[:, : len(self.wpe.weight) - past_length]\n{START}")],
)
mistake(
    "ids-cut-off-at-1024",
    START,
    f"        input_ids = input_ids[:, -1024:]\n{START}",
    "Ids beyond 1024 are cut off. More than n_positions of them are to end in a ValueError, also where it is 1024.",
    again=[(START, f"        input_ids = input_ids[:, :1024]\n{START}")],
)
mistake(
    "an-assertion",
    START,
    f"        assert past_length + input_ids.shape[1] <= len(self.wpe.weight)\n{START}",
    "What is beyond the table ends in an AssertionError, as of an assert. A ValueError is asked for.",
    again=[
        (
            START,
            "        if past_length + input_ids.shape[1] > len(self.wpe.weight):\n            raise AssertionError\n"
            + START,
        )
    ],
)
mistake(
    "ids-viewed",
    SUM,
    f"self.wte(input_ids.view(-1)).view(*input_ids.shape, -1) + {POSITIONS}",
    "view() refuses ids that are a slice of a longer tensor. They can come so: reshape() takes them.",
    again=[(START, f"        b, s = input_ids.shape\n        input_ids = input_ids.view(b * s).view(b, s)\n{START}")],
)
mistake(
    "unknown-ids-taken",
    "self.wte(input_ids)",
    "self.wte.weight[input_ids]",
    "An id below 0 is taken. It is not in the table: wte, called on the ids as they are, refuses it.",
    again=[("self.wte(input_ids)", "self.wte(input_ids.clamp(min=0))")],
)
mistake(
    "float32-whatever-comes",
    OUTPUT,
    f"{OUTPUT}.float()",
    "The result is float32 in a float64 model too. It has the dtype of the parameters.",
    again=[(OUTPUT, f"{OUTPUT}.type(Tensor([]).dtype)")],
)
mistake(
    "a-configuration-used-up",
    BLOCKS,
    f"self.h = nn.ModuleList(){NEW_LINE}while config.n_layer > 0:{NEW_LINE}    self.h.append(GPT2Block(config))"
    f"{NEW_LINE}    config.n_layer -= 1",
    "The caller's config has another n_layer once a model is made. It is to stay as it was.",
    again=[(LAST, f"{LAST}{NEW_LINE}config.n_layer = 0")],
)
mistake(
    "blocks-in-the-order-of-their-names",
    LOOP,
    "for _, block in sorted(self.h.named_children(), key=lambda pair: pair[0]):",
    "More than ten blocks come in the wrong order: as text, 10 stands before 2.",
    again=[(LOOP, "for block in [self.h[int(name)] for name in sorted(map(str, range(len(self.h))))]:")],
)
mistake(
    "norms-drawn-anew",
    LAST,
    f"{LAST}{NEW_LINE}for parameter in self.parameters():{NEW_LINE}    nn.init.normal_(parameter, std=0.02)",
    "Something gives a fresh norm other numbers. Its gain is to stay ones, and its shift zeros.",
    again=[(LAST, f"{LAST}{NEW_LINE}nn.init.zeros_(self.ln_f.weight)")],
)
mistake(
    "no-gradient-in-evaluation",
    f"        {OUTPUT}",
    f"        with torch.set_grad_enabled(self.training):\n            {OUTPUT}",
    "In evaluation mode the result is cut off from the gradients. forward does the same in both modes: who wants "
    "none calls it in a no_grad().",
    also=[TORCH],
    again=[(OUTPUT, "x = self.ln_f(hidden_states)\n        return x if self.training else x.detach()")],
)
mistake(
    "no-gradients",
    "    def forward",
    "    @torch.no_grad()\n    def forward",
    "The result is cut off from all parameters, by no_grad(), detach() or .data. All are to learn from it.",
    also=[TORCH],
    again=[(OUTPUT, f"{OUTPUT}.detach()")],
)
mistake(
    "a-detached-stream",
    ROUND,
    "hidden_states = block(hidden_states.detach())",
    "What a block is given is cut off from the gradients, so nothing before the last block learns.",
    again=[(ROUND, "hidden_states = block(hidden_states.data)")],
)
mistake(
    "one-block-and-no-list",
    BLOCKS,
    "self.h = GPT2Block(config)",
    "h is one block. A list of n_layer blocks is asked for, in an nn.ModuleList.",
    also=[(f"{LOOP}{NEW_LINE}    {ROUND}", "hidden_states = self.h(hidden_states)")],
    again=[
        (BLOCKS, "self.h, self.n_layer = GPT2Block(config), config.n_layer"),
        (LOOP, "for _ in range(self.n_layer):"),
        (ROUND, "hidden_states = self.h(hidden_states)"),
    ],
)
mistake(
    "a-list-of-one-block",
    BLOCKS,
    "self.h = nn.ModuleList([GPT2Block(config)])",
    "h always has one block. config.n_layer says how many.",
    again=[("range(config.n_layer)", "range(1)")],
)
mistake(
    "one-block-for-all",
    BLOCKS,
    "self.h = nn.ModuleList([GPT2Block(config)] * config.n_layer)",
    "All of h is one and the same block. Each is to be made by a call of its own.",
    again=[
        (BLOCKS, f"block = GPT2Block(config){NEW_LINE}self.h = nn.ModuleList(block for _ in range(config.n_layer))")
    ],
)
mistake(
    "one-block-after-the-first",
    BLOCKS,
    f"first, second = GPT2Block(config), GPT2Block(config){NEW_LINE}"
    "self.h = nn.ModuleList([first] + [second] * (config.n_layer - 1))",
    "Of more than two blocks, some are one and the same. Each is to be made by a call of its own.",
)
mistake(
    "a-python-list",
    BLOCKS,
    "self.h = [GPT2Block(config) for _ in range(config.n_layer)]",
    "The blocks are in a Python list, and the model does not know them. An nn.ModuleList is asked for.",
)
mistake(
    "a-python-dict",
    BLOCKS,
    "self.h = {index: GPT2Block(config) for index in range(config.n_layer)}",
    "The blocks are in a Python dict, and the model does not know them. An nn.ModuleList is asked for.",
    also=[(LOOP, "for block in self.h.values():")],
)
mistake(
    "a-module-dict",
    BLOCKS,
    "self.h = nn.ModuleDict({str(index): GPT2Block(config) for index in range(config.n_layer)})",
    "The blocks are in an nn.ModuleDict, where h[0] finds none. An nn.ModuleList is asked for.",
    also=[(LOOP, "for block in self.h.values():")],
    again=[(BLOCKS, f"self.h = nn.ModuleDict(){NEW_LINE}{FILLED}"), (LOOP, "for _, block in self.h.items():")],
)
mistake(
    "no-h",
    f"{BLOCKS}{NEW_LINE}",
    "",
    "The model has no h. The blocks are asked for under this name, in an nn.ModuleList.",
    again=[(BLOCKS, BLOCKS.removeprefix("self."))],
)
mistake(
    "blocks-under-another-name",
    BLOCKS,
    BLOCKS.replace("self.h", "self.blocks"),
    "The blocks are there under another name. They are asked for as h, which is what the checkpoint calls them.",
    also=[(LOOP, "for block in self.blocks:")],
)
mistake(
    "list-is-called",
    LOOP,
    "hidden_states = self.h(hidden_states)",
    "A ModuleList cannot be called: loop over its blocks.",
    also=[(f"            {ROUND}\n", "")],
)
mistake(
    "twelve-blocks",
    "range(config.n_layer)",
    "range(12)",
    "h always has 12 blocks. config.n_layer says how many.",
)
mistake(
    "as-many-blocks-as-heads",
    "config.n_layer",
    "config.n_head",
    "h has as many blocks as n_head says, or one more than n_layer. n_layer says how many there are.",
    again=[("range(config.n_layer)", "range(config.n_layer + 1)")],
)
mistake(
    "blocks-unused",
    f"{LOOP}{NEW_LINE}    {ROUND}{NEW_LINE}",
    "",
    "The result of the blocks is not used: the sum of the tables goes past them.",
    again=[(ROUND, "block(hidden_states)")],
)
mistake(
    "first-block-alone",
    f"{LOOP}{NEW_LINE}    {ROUND}",
    "hidden_states = self.h[0](hidden_states)",
    "Only the first block is used: does a return stand in the loop? All of them come one after the other.",
    again=[(f"        {OUTPUT}", f"            {OUTPUT}")],
)
mistake(
    "last-block-left-out",
    LOOP,
    "for block in self.h[:-1]:",
    "The last block is not used.",
    again=[(LOOP, "for block in list(self.h.children())[: len(self.h) - 1]:")],
)
mistake(
    "first-block-left-out",
    LOOP,
    "for block in self.h[1:]:",
    "The first block is not used.",
    again=[(LOOP, "for block in list(self.h)[1:]:")],
)
mistake(
    "each-from-the-start",
    LOOP,
    f"start = hidden_states{NEW_LINE}{LOOP}",
    "Each block reads the sum of the tables. It is to read what the block before it has made.",
    also=[(ROUND, "hidden_states = block(start)")],
)
mistake("blocks-backwards", LOOP, "for block in reversed(self.h):", "The blocks come in the wrong order: h.0 is first.")
mistake(
    "added-twice",
    ROUND,
    "hidden_states = hidden_states + block(hidden_states)",
    "What a block returns is added to the stream. It is the stream already: the block has added what it writes.",
)
mistake(
    "no-ln-f",
    OUTPUT,
    "return hidden_states",
    "ln_f is not used: the result is to go through it, once.",
)
mistake(
    "ln-f-in-the-loop",
    ROUND,
    "hidden_states = self.ln_f(block(hidden_states))",
    "ln_f comes after every block. It comes once, after the last.",
    also=[(OUTPUT, "return hidden_states")],
)
mistake(
    "ln-f-first",
    LOOP,
    f"hidden_states = self.ln_f(hidden_states){NEW_LINE}{LOOP}",
    "ln_f comes before the blocks. It comes after the last.",
    also=[(OUTPUT, "return hidden_states")],
)
mistake(
    "ln-f-in-the-loop-and-after",
    ROUND,
    "hidden_states = self.ln_f(block(hidden_states))",
    "ln_f comes after every block, and once more at the end. It comes once, after the last block.",
    again=[(LOOP, f"stream = self.ln_f{NEW_LINE}{LOOP}"), (ROUND, "hidden_states = stream(block(hidden_states))")],
)
mistake(
    "ln-f-before-and-after",
    LOOP,
    f"hidden_states = self.ln_f(hidden_states){NEW_LINE}{LOOP}",
    "ln_f comes before the blocks, and again after them. It comes once, after the last block.",
    again=[(f"{SUM}  #", f"self.ln_f({SUM})  #")],
)
mistake(
    "ln-f-twice",
    OUTPUT,
    "return self.ln_f(self.ln_f(hidden_states))",
    "ln_f comes twice after the blocks. It comes once.",
    again=[(OUTPUT, f"hidden_states = self.ln_f(hidden_states){NEW_LINE}{OUTPUT}")],
)
mistake(
    "a-tuple",
    OUTPUT,
    f"{OUTPUT}, hidden_states",
    "forward returns a tuple. The hidden states after ln_f are asked for, alone.",
    again=[(OUTPUT, f"last = self.ln_f(hidden_states){NEW_LINE}return (last, hidden_states)")],
)
mistake(
    "ln-f-default-eps",
    LAST,
    "self.ln_f = LayerNorm(config.n_embd)",
    "ln_f has another eps than config.layer_norm_epsilon.",
)
mistake(
    "past-length-as-the-mask",
    ROUND,
    "hidden_states = block(hidden_states, past_length)",
    "The blocks get a mask that hides nothing, so that tokens see later ones. They need none: leave it out.",
    again=[(ROUND, "hidden_states = block(hidden_states, Tensor([0.0]))")],
)
mistake(
    "a-mask-with-the-past",
    ROUND,
    "hidden_states = block(hidden_states, causal_mask(past_length + input_ids.shape[1]))",
    "The blocks get a mask with columns for tokens that they do not see. They need none: leave it out.",
    also=[("from puzzles.block", "from puzzles.causal_mask import causal_mask\nfrom puzzles.block")],
    again=[
        ("from puzzles.block", "from puzzles.causal_mask import causal_mask\nfrom puzzles.block"),
        (ROUND, "hidden_states = block(hidden_states, causal_mask(input_ids.shape[1], past_length))"),
    ],
)
mistake(
    "positions-with-an-axis-more",
    f"{SUM}  #",
    f"{SUM}.unsqueeze(1)  #",
    "The rows of the positions have an axis too many: they are [seq, n_embd], and go with every text.",
)
mistake(
    "a-batch-of-one-squeezed",
    OUTPUT,
    f"{OUTPUT}.squeeze(0)",
    "A batch of one row loses its axis: squeeze takes away an axis of size 1. The result is [batch, seq, n_embd], "
    "whatever the batch.",
)
mistake(
    "past-length-remembered",
    "        hidden_states = self.wte",
    "        self.past = past_length = past_length or getattr(self, 'past', 0)\n        hidden_states = self.wte",
    "A past_length is remembered, and the next call without one starts there. Each call's positions hang on its own "
    "past_length alone.",
)
mistake(
    "a-padding-index",
    TOKENS,
    "self.wte = nn.Embedding(config.vocab_size, config.n_embd, padding_idx=0)",
    "Token 0 gets no gradient: padding_idx keeps its row out of training. It is a token like any other.",
)
mistake(
    "a-padding-index-at-the-end",
    TOKENS,
    "self.wte = nn.Embedding(config.vocab_size, config.n_embd, padding_idx=config.vocab_size - 1)",
    "The last token gets no gradient: padding_idx keeps its row out of training. It is a token like any other.",
    again=[(TOKENS, "self.wte = nn.Embedding(config.vocab_size, config.n_embd, padding_idx=-1)")],
)
mistake(
    "gradients-by-frequency",
    TOKENS,
    "self.wte = nn.Embedding(config.vocab_size, config.n_embd, scale_grad_by_freq=True)",
    "The gradients of tokens that come several times are divided by how often. They are to be added up.",
    again=[
        (TOKENS, TOKENS.replace("TokenEmbedding", "nn.Embedding")),
        (
            "self.wte(input_ids)",
            "nn.functional.embedding(input_ids, self.wte.weight, scale_grad_by_freq=True)",
        ),
    ],
)
mistake(
    "tables-turned",
    TOKENS,
    "self.wte = TokenEmbedding(config.n_embd, config.vocab_size)",
    "TokenEmbedding takes the number of tokens first, and the width second.",
)
mistake(
    "tables-without-gradients",
    f"{SUM}  #",
    f"({SUM}).detach()  #",
    "No gradient comes through the sum of the tables: it is cut off, by detach() or no_grad().",
    again=[
        TORCH,
        ("        hidden_states = self.wte", "        with torch.no_grad():\n            hidden_states = self.wte"),
    ],
)
mistake(
    "positions-without-gradient",
    POSITIONS,
    f"{POSITIONS}.detach()",
    "No gradient comes to wpe: the rows of the positions are cut off from it.",
)
mistake(
    "dropout",
    SUM,
    f"nn.functional.dropout({SUM}, 0.1)",
    "Something is random, or remembered: two calls differ. This model has no dropout.",
    again=[(OUTPUT, "return nn.Dropout(0.2)(self.ln_f(hidden_states))")],
)

variant("nn-layer-norm", LAST, LAST.replace("LayerNorm", "nn.LayerNorm"))
variant("a-token-table-of-torch", TOKENS, TOKENS.replace("TokenEmbedding", "nn.Embedding"))
variant(
    "a-position-table-of-torch",
    PLACES,
    f"{PLACES.replace('PositionEmbedding', 'nn.Embedding')}{NEW_LINE}self.limit = config.n_positions",
    also=[
        TORCH,
        (POSITIONS, "self.wpe(torch.arange(past_length, past_length + input_ids.shape[1]))"),
        (
            "        hidden_states = self.wte",
            (
                "        if past_length + input_ids.shape[1] > self.limit:\n"
                '            raise ValueError("too long")\n        hidden_states = self.wte'
            ),
        ),
    ],
)
variant(
    "ids-in-one-row",
    SUM,
    f"self.wte(input_ids.reshape(-1)).view(*input_ids.shape, -1) + {POSITIONS}",
)
variant("rows-by-a-product", "self.wte(input_ids)", "embed_one_hot(input_ids, self.wte.weight)", also=[ONE_HOT])
variant(
    "a-dropout-of-zero",
    f"hidden_states = {SUM}",
    f"hidden_states = nn.functional.dropout({SUM}, 0.0, self.training)",
)
variant(
    "by-index",
    LOOP,
    "for i in range(len(self.h)):",
    also=[(ROUND, "hidden_states = self.h[i](hidden_states)")],
)
variant(
    "appended",
    BLOCKS,
    f"self.h = nn.ModuleList(){NEW_LINE}while len(self.h) < config.n_layer:{NEW_LINE}"
    "    self.h.append(GPT2Block(config))",
)
variant(
    "copies-of-a-block",
    BLOCKS,
    f"block = GPT2Block(config){NEW_LINE}self.h = nn.ModuleList(copy.deepcopy(block) for _ in range(config.n_layer))",
    also=[("from torch import Tensor, nn", "import copy\n\nfrom torch import Tensor, nn")],
)
variant(
    "a-sequential",
    BLOCKS,
    "self.h = nn.Sequential(*[GPT2Block(config) for _ in range(config.n_layer)])",
    also=[(f"{LOOP}{NEW_LINE}    {ROUND}", "hidden_states = self.h(hidden_states)")],
)
variant(
    "added-in-place",
    f"hidden_states = {SUM}",
    f"hidden_states = self.wte(input_ids){NEW_LINE}hidden_states += {POSITIONS}",
)
variant(
    "a-causal-mask-for-all",
    ROUND,
    "hidden_states = block(hidden_states, causal_mask(input_ids.shape[1]))",
    also=[("from puzzles.block", "from puzzles.causal_mask import causal_mask\nfrom puzzles.block")],
)
variant(
    "all-states-kept",
    f"hidden_states = {SUM}",
    f"states = [{SUM}]",
    also=[(ROUND, "states.append(block(states[-1]))"), (OUTPUT, "return self.ln_f(states[-1])")],
)
variant(
    "a-buffer-that-is-not-saved",
    LAST,
    f'{LAST}{NEW_LINE}self.register_buffer("one", Tensor([1.0]), persistent=False)',
    also=[(OUTPUT, f"{OUTPUT} * self.one")],
)
variant(
    "weights-drawn-anew",
    LAST,
    f"{LAST}{NEW_LINE}for part in self.modules():{NEW_LINE}    if isinstance(part, nn.Linear):{NEW_LINE}"
    "        nn.init.normal_(part.weight, std=0.02)",
)
variant.file(
    "a-reduction",
    """import functools

import torch

import puzzles.layer_norm as norms
import puzzles.position_embedding as places
from puzzles.block import GPT2Block as Block
from puzzles.token_embedding import TokenEmbedding


class Chain(torch.nn.ModuleList):
    def forward(self, stream):
        return functools.reduce(lambda x, block: block(x, None), self, stream)


class GPT2Model(torch.nn.Module):
    def __init__(self, config):
        super(GPT2Model, self).__init__()
        self.ln_f = norms.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.h = Chain(map(Block, [config] * config.n_layer))
        self.add_module("wpe", places.PositionEmbedding(config.n_positions, config.n_embd))
        self.add_module("wte", TokenEmbedding(vocab_size=config.vocab_size, n_embd=config.n_embd))
        self.config = config

    def embed(self, ids, first):
        rows = [self.wpe(1, first + step) for step in range(ids.shape[-1])]
        return torch.cat(rows, dim=0).add(self.wte(ids))

    def forward(self, ids, past_length=0):
        return self.ln_f(self.h(self.embed(ids, past_length)))
""",
)
variant.file(
    "a-climb",
    """import torch
from torch import Tensor
from torch.nn import Module, ModuleList

from puzzles.block import GPT2Block
from puzzles.config import GPT2Config
from puzzles.layer_norm import LayerNorm
from puzzles.position_embedding import PositionEmbedding
from puzzles.token_embedding import TokenEmbedding


class GPT2Model(Module):
    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        width = config.n_embd
        self.wte, self.wpe = TokenEmbedding(config.vocab_size, width), PositionEmbedding(config.n_positions, width)
        self.h = ModuleList([])
        self.h.extend(GPT2Block(config) for _ in range(config.n_layer))
        self.ln_f = LayerNorm(width, eps=config.layer_norm_epsilon)

    def climb(self, stream: Tensor, floor: int) -> Tensor:
        return stream if floor == len(self.h) else self.climb(self.h[floor](stream), floor + 1)

    def forward(self, input_ids: Tensor, past_length: int = 0) -> Tensor:
        batch, seq = input_ids.shape
        limit = len(self.wpe.weight)
        if past_length + seq > limit:
            raise ValueError(f"{past_length + seq} positions, and there are {limit}")
        rows = self.wpe(seq, past_length)[None].expand(batch, seq, -1)
        return self.ln_f(self.climb(torch.stack((self.wte(input_ids), rows)).sum(0), 0))
""",
)
