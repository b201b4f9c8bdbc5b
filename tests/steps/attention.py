"""Step 08 is judged against Hugging Face's attention, redrawn, with its mask given explicitly."""

import math

from autograder import law
from autograder.checking import cancelled, check, equivalent, mistake, variant
from autograder.comparing import agrees, close, equal, fail, fits, holds, load, make, raises, same_gradients
from autograder.student import StudentRaised

HIDDEN = -12345.0  # in the place of -inf where masks are compared, and no number that anybody puts there


@check(
    passed="GPT2Attention has Hugging Face's parameters: c_attn and c_proj, each with a weight and a bias",
    failed="GPT2Attention does not have Hugging Face's parameters: c_attn and c_proj, each with a weight and a bias",
)
def has_its_parameters(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        config = student.earlier("config").GPT2Config(**values)
        mine = make(student, "GPT2Attention", config)
        _refuse_other_layers(mine, values["n_embd"])
        fits(mine, oracle.attention(values).linear_state_dict())
        for name, value in values.items():
            equal(getattr(config, name), value, says=f"{name} of the configuration, which is to stay as it was")


@check(
    passed="GPT2Attention gives Hugging Face's output, each token seeing the past alone",
    failed="GPT2Attention does not give Hugging Face's output, each token seeing the past alone",
)
def output_matches(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        for mean, std in ((0.0, 1.0), (5.0, 3.0), (0.0, 1e-3)):
            x = _states(draw, values, 9, mean=mean, std=std)
            close(mine(x), theirs(x))
        for seq, batch in ((1, 2), (5, 1)):
            x = _states(draw, values, seq, batch)
            close(mine(x), theirs(x))
    for n_embd, n_head in ((48, 3), (6, 1), (5, 5)):
        values = {**draw.config(), "n_embd": n_embd, "n_head": n_head}
        mine, theirs = _pair(student, oracle, values)
        if n_head == 3:  # beside a module of its own size, and one with another number of heads
            for others in (values, {**values, "n_head": 1}):
                _pair(student, oracle, others)
        for seq, batch in ((2, 3), (values["n_positions"], 1)):
            x = _states(draw, values, seq, batch)
            close(mine(x), theirs(x), says=f"n_head is {n_head}, and more modules were made after the first one")
        mine.eval()
        close(mine(x), theirs(x), says="the module is in evaluation mode, after its method eval()")


@check(
    passed="it is right where sequence length, heads and head_dim are equal, too",
    failed="it is not right where sequence length, heads and head_dim are equal",
)
def equal_sizes(student, oracle, draw):
    values = {**draw.config(), "n_embd": 16, "n_head": 4}
    mine, theirs = _pair(student, oracle, values)
    x = draw.normal(batch=4, seq=4, n_embd=16, label="hidden_states")
    close(mine(x), theirs(x))


@check(
    passed="changing a token leaves the outputs before it as they were",
    failed="changing a token changes the outputs before it",
)
def is_causal(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    x = _states(draw, values, 9)
    first = mine(x)
    close(first, x, rtol=0, atol=math.inf)  # of the right type and shape, whatever its numbers
    changed = x.clone()
    for std in (1.0, 300.0):  # so large that some of the later keys score hundreds more than those that may be seen
        changed[:, 5:] = draw.normal(*changed[:, 5:].shape, std=std)
        second = mine(changed)
        close(second, x, rtol=0, atol=math.inf)
        close(
            second[:, :5],
            first[:, :5],
            rtol=1e-5,
            atol=1e-5,
            says="tokens 5 to 8 were changed: these are the outputs 0 to 4",
        )


@check(
    passed="a mask that is given is used in place of the causal one",
    failed="a mask that is given is not used in place of the causal one",
)
def uses_the_mask(student, oracle, draw):
    import torch

    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    x = _states(draw, values, 7)
    full = torch.zeros(7, 7)
    hidden = draw.normal(2, 1, 7, 7) > 0
    hidden[..., 0] = False
    per_batch = torch.zeros(2, 1, 7, 7).masked_fill(hidden, float("-inf"))
    soft = draw.normal(7, 7, std=3.0, label="a mask of other numbers")
    full.label, per_batch.label = "a mask of zeros", "a mask for each batch row"
    for mask in (per_batch, full, soft):
        got, (_, after) = mine.call_keeping(x, mask)
        close(got, theirs(x, mask))
        kept = after.nan_to_num(neginf=HIDDEN) if hasattr(after, "nan_to_num") else after
        close(kept, mask.nan_to_num(neginf=HIDDEN), rtol=0, atol=0, says="the mask after the call: it was changed")
    close(mine(x), theirs(x), says="no mask is given here, after calls with one")
    mine.eval()
    if agrees(mine(x), theirs(x)):  # else another line tells
        close(mine(x, per_batch), theirs(x, per_batch), says="a mask for each batch row is given, in evaluation mode")


@check(
    passed="GPT2Attention lets gradients through to its input and parameters, and leaves its input as it was",
    failed="GPT2Attention does not let the right gradients through, or changes its input",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    x = _states(draw, values, 6)
    _, (after,) = mine.call_keeping(x)
    close(after, x, rtol=0, atol=0, says="these are the hidden_states after the call: they were changed in place")
    back = draw.normal(batch=2, seq=6, n_embd=values["n_embd"])
    got, expected = mine.gradients(x, output_gradient=back), theirs.gradients(x, back)
    same_gradients(
        got,
        back,
        inputs={"hidden_states": expected.inputs[0]},
        parameters=theirs.linear(expected.parameters),
        rtol=1e-3,
        atol=1e-3,
    )


@check(
    passed="it raises a ValueError when n_head does not divide n_embd",
    failed="it does not raise a ValueError when n_head does not divide n_embd",
)
def refuses_uneven_heads(student, draw):
    n_head = draw.integer(3, 6)
    drawn = (n_head * draw.integer(2, 6) + draw.integer(1, n_head - 1), n_head)
    for n_embd, n_head in ((14, 4), (4, 8), drawn):
        values = {**draw.config(), "n_embd": n_embd, "n_head": n_head}
        config = student.earlier("config").GPT2Config(**values)
        says = f"{n_embd} features cannot be shared by {n_head} heads"
        raises(lambda config=config: student.GPT2Attention(config), "ValueError", says=says)


@check(
    passed="in bfloat16 it gives bfloat16, as float32 in float32",
    failed="in bfloat16 it does not give bfloat16",
)
def keeps_the_dtype(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    drawn = _states(draw, values, 7)
    for name in ("bfloat16", "double"):
        x, mask = _like(drawn, getattr(drawn, name)()), getattr(draw.normal(7, 7), name)()
        mask.label = "attention_mask"
        getattr(mine, name)()
        for given in ((x,), (x, mask)):
            says = "" if name == "bfloat16" else "all numbers are float64 here"
            close(mine(*given), x, rtol=0, atol=math.inf, says=says)  # its type and shape: bfloat16 has 8 bits of them


@check.undeclared(failed="the causal mask is not made on the device of hidden_states")
def keeps_the_device(student, oracle, draw):
    import torch

    values = draw.config()
    mine, _ = _made(student, oracle, values)
    drawn = _states(draw, values, 7)
    try:
        _made(student, oracle, values)[0](drawn)  # another one: what it keeps of a call is not asked here
    except StudentRaised:
        return  # whatever the device: the lines above tell it
    mine.to("meta")
    x, mask = _like(drawn, drawn.to("meta")), torch.zeros(7, 7, device="meta")
    mask.label = "attention_mask"
    try:
        mine(x, mask)
    except StudentRaised:
        return  # with a mask given it is no matter of the causal one: meta tensors have no numbers to look at
    says = "meta is a device that every torch has: module and hidden_states are there, and so is the mask to be"
    try:
        got = mine(x)
    except StudentRaised as error:
        fail(says, expected="a result on meta", got=f"{error.raised.type_name}: {error.raised.message}")
    device = getattr(getattr(got, "device", None), "type", None)
    if isinstance(device, str):  # else it is no tensor, which another line tells
        holds(device == "meta", says, expected="a result on meta", got=f"one on {device}")


def _pair(student, oracle, values):
    mine, theirs = _made(student, oracle, values)
    state = theirs.linear_state_dict()
    return load(mine, state, told=lambda: _refuse_other_layers(mine, values["n_embd"])), theirs


def _made(student, oracle, values):
    config = student.earlier("config").GPT2Config(**values)
    theirs = oracle.attention(values)
    return make(student, "GPT2Attention", config), theirs


def _refuse_other_layers(mine, n_embd):
    """Fail where there are no layers, and where query, key and value have one each, whatever these are called."""
    own = mine.state_dict()
    if not own:
        fail("c_attn and c_proj are not made yet", expected="a state dict of both", got="an empty one")
    weights = [name for name, value in own.items() if list(getattr(value, "shape", ())) == [n_embd, n_embd]]
    apart = [name for name in weights if not name.startswith("c_proj")]
    if len(apart) == 3 and not any(name.startswith("c_attn") for name in own):
        got = "three weights of n_embd by n_embd in its place"
        fail("its state dict has no c_attn", expected="c_attn.weight, of 3 * n_embd by n_embd", got=got)


def _like(drawn, made):
    """Return a tensor made of a drawn one, with its label and the names of its axes."""
    made.label, made.axes, made.axes_names = drawn.label, drawn.axes, drawn.axes_names
    return made


def _states(draw, values, seq, batch=2, **moments):
    return draw.normal(batch=batch, seq=seq, n_embd=values["n_embd"], label="hidden_states", **moments)


@law.causal
@law.rows_apart
@law.inputs_kept
@law.same_twice
def attention(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    return law.Subject(mine, lambda draw, batch, seq: (_states(draw, values, seq, batch),))


# ------------------------------------------------------------------------------------------- mistakes: the parameters

GUARD = """        if config.n_embd % config.n_head:
            raise ValueError(f"n_embd ({config.n_embd}) is no multiple of n_head ({config.n_head})")
"""
ATTN = "self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)"
PROJ = "self.c_proj = nn.Linear(config.n_embd, config.n_embd)"
THREE = "self.c_attn(hidden_states)"
SPLIT = f"query, key, value = {THREE}.split(n_embd, dim=-1)"
HEADS = "part.view(heads).transpose(1, 2)"
ALL_HEADS = f"""        query, key, value = (
            {HEADS} for part in (query, key, value)
        )  # [batch, n_head, seq, head_dim]
"""
SIZES = "heads = (batch, seq, self.n_head, n_embd // self.n_head)"
GIVEN = "        if attention_mask is None:\n"
CAUSAL = "causal_mask(seq, dtype=query.dtype, device=query.device)"
MADE = f"            attention_mask = {CAUSAL}\n"
ATTEND = "scaled_dot_product_attention(query, key, value, attention_mask)"
JOIN = "attended.transpose(1, 2).reshape(batch, seq, n_embd)"
LAST = "return self.c_proj(joined)"
TORCH = (
    "from torch import Tensor, nn\n",
    "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n",
)


def _order(name, new):
    mistake(
        f"order-{name}",
        "query, key, value = self",
        f"{new} = self",
        f"The parts of c_attn's output are taken for {new}. Their order is query, key, value.",
    )


mistake(
    "three-layers",
    ATTN,
    "self.q, self.k, self.v = (nn.Linear(config.n_embd, config.n_embd) for _ in range(3))",
    "Query, key and value have a layer each. They are one layer here, c_attn, three times as wide as its input.",
    also=[(SPLIT, "query, key, value = self.q(hidden_states), self.k(hidden_states), self.v(hidden_states)")],
    again=[
        (
            ATTN,
            (
                "self.query = nn.Linear(config.n_embd, config.n_embd)\n        "
                "self.key = nn.Linear(config.n_embd, config.n_embd)\n        "
                "self.value = nn.Linear(config.n_embd, config.n_embd)"
            ),
        ),
        (SPLIT, "query, key, value = (layer(hidden_states) for layer in (self.query, self.key, self.value))"),
    ],
)
mistake(
    "no-bias-in-c-attn",
    ATTN,
    f"{ATTN[:-1]}, bias=False)",
    "c_attn has no bias. Both layers have one, and nn.Linear makes it unless it is told not to.",
)
mistake(
    "no-bias-in-c-proj",
    PROJ,
    f"{PROJ[:-1]}, bias=False)",
    "c_proj has no bias. Both layers have one, and nn.Linear makes it unless it is told not to.",
)
mistake(
    "conv1d",
    ATTN,
    f"{ATTN}\n        self.c_attn.weight = nn.Parameter(self.c_attn.weight.data.T.contiguous())",
    "c_attn's weight is [n_embd, 3 * n_embd], as in the checkpoint. nn.Linear is told in and out, in this order, and "
    "keeps it as [out, in].",
    also=[(f"{THREE}.split", "(hidden_states @ self.c_attn.weight + self.c_attn.bias).split")],
    again=[(ATTN, "self.c_attn = nn.Linear(3 * config.n_embd, config.n_embd)")],
)
mistake(
    "mask-in-the-state-dict",
    PROJ,
    f'{PROJ}\n        self.register_buffer("mask", causal_mask(config.n_positions))',
    "The mask is in the state dict, where the checkpoint has none. A buffer that is not persistent stays out of it.",
)
mistake(
    "mask-in-the-state-dict-as-bias",
    PROJ,
    f'{PROJ}\n        self.register_buffer("bias", causal_mask(config.n_positions))',
    "The mask is in the state dict, as bias. Here it holds c_attn and c_proj alone.",
)
mistake(
    "uneven-heads",
    GUARD,
    "",
    "A width that the heads cannot share evenly is not refused when the module is made. It is, with a ValueError.",
)
mistake(
    "an-assertion",
    GUARD,
    "        assert config.n_embd % config.n_head == 0\n",
    "An assertion fails where the heads are uneven. A ValueError is asked for.",
)
mistake(
    "guard-turned",
    "if config.n_embd % config.n_head:",
    "if config.n_head % config.n_embd:",
    "What is refused is an n_head that is no multiple of n_embd. It is n_embd that has to be a multiple of n_head.",
)
mistake(
    "even-heads-refused",
    "if config.n_embd % config.n_head:",
    "if config.n_embd % config.n_head == 0:",
    "A width that the heads do share evenly is refused. The remainder of n_embd / n_head is to be 0: what is left over "
    "is refused.",
    again=[("if config.n_embd % config.n_head:", "if not config.n_embd % config.n_head:")],
)
mistake(
    "quotient-for-remainder",
    "if config.n_embd % config.n_head:",
    "if config.n_embd / config.n_head:",
    "Every width is refused, as n_embd / n_head is never 0. The remainder is 0 where the heads share evenly: "
    "n_embd % n_head.",
)
mistake(
    "one-part-for-three",
    ATTN,
    PROJ.replace("proj", "attn"),
    "c_attn is as wide as its input. It gives query, key and value at once: three times n_embd.",
)

# ------------------------------------------------------------------------------ mistakes: query, key, value, and heads

_order("key-query-value", "key, query, value")
_order("value-key-query", "value, key, query")
_order("query-value-key", "query, value, key")
_order("key-value-query", "key, value, query")
_order("value-query-key", "value, query, key")
mistake(
    "heads-first",
    SPLIT,
    f"query, key, value = {THREE}.view(batch, seq, self.n_head, 3, -1).unbind(3)",
    "c_attn's output is cut into heads first, and each head into query, key and value. It is the other way round.",
    also=[(HEADS, "part.transpose(1, 2)")],
    again=[
        (SPLIT, f"query, key, value = {THREE}.reshape(batch, seq, self.n_head, -1).chunk(3, dim=-1)"),
        (HEADS, "part.transpose(1, 2)"),
    ],
)
mistake(
    "split-by-the-number",
    SPLIT,
    f"query, key, value = {THREE}.split(3, dim=-1)",
    "There are more than three parts: split takes the size of a part, n_embd. chunk takes the number of parts.",
    again=[(SPLIT, f"query, key, value = {THREE}.split(n_embd // self.n_head, dim=-1)")],
)
mistake(
    "split-along-the-batch",
    SPLIT,
    f"query, key, value = {THREE}.split(n_embd)",
    "c_attn's output is taken apart along the batch, in the absence of an axis. Query, key and value lie side by side "
    "along the features: dim=-1.",
    again=[(SPLIT, f"query, key, value = {THREE}.split(n_embd, dim=0)")],
)
mistake(
    "chunk-along-the-batch",
    SPLIT,
    f"query, key, value = {THREE}.chunk(3)",
    "c_attn's output is taken apart along the batch, row by row. Query, key and value lie side by side along the "
    "features: dim=-1.",
    again=[(SPLIT, f"query, key, value = {THREE}.chunk(3, 0)")],
)
mistake(
    "a-quotient-that-is-a-float",
    SIZES,
    SIZES.replace("//", "/"),
    "head_dim is a float, as / makes it. Sizes are whole numbers: // divides without a remainder.",
)
mistake(
    "heads-behind-seq",
    HEADS,
    "part.view(heads)",
    "Attention is given [batch, seq, n_head, head_dim], and the heads of one token attend to each other. It works on "
    "the last two axes, so n_head goes in front of seq.",
)
mistake(
    "cut-by-view-alone",
    HEADS,
    "part.view(batch, self.n_head, seq, n_embd // self.n_head)",
    "view is asked for [batch, n_head, seq, head_dim] at once. It refuses, and reshape would mix up the tokens: "
    "heads come behind seq first, and then the two axes change places.",
)
mistake(
    "cut-by-reshape-alone",
    HEADS,
    "part.reshape(batch, self.n_head, seq, n_embd // self.n_head)",
    "A reshape to [batch, n_head, seq, head_dim] at once mixes up the tokens. Heads come behind seq first, and then "
    "the two axes change places.",
)
mistake(
    "head-dim-before-n-head",
    SIZES,
    "heads = (batch, seq, n_embd // self.n_head, self.n_head)",
    "n_head and head_dim have changed places: there are head_dim heads, each n_head wide.",
)
mistake(
    "every-nth-feature-to-a-head",
    HEADS,
    "part.reshape(batch, seq, n_embd // self.n_head, self.n_head).permute(0, 3, 1, 2)",
    "A head gets every n_head-th feature. Its features are neighbours: n_head is the axis before head_dim.",
)
mistake(
    "every-nth-feature-and-joined-alike",
    HEADS,
    "part.reshape(batch, seq, n_embd // self.n_head, self.n_head).permute(0, 3, 1, 2)",
    "A head gets every n_head-th feature, and gives it back there. Its features are neighbours.",
    also=[(JOIN, "attended.permute(0, 2, 3, 1).reshape(batch, seq, n_embd)")],
)
mistake(
    "twelve-heads",
    "self.n_head = config.n_head",
    "self.n_head = 12",
    "There are 12 heads, whatever the configuration says. Its n_head decides.",
)
mistake(
    "one-head",
    "self.n_head = config.n_head",
    "self.n_head = 1",
    "There is one head as wide as n_embd. There are n_head.",
    again=[(SIZES, "heads = (batch, seq, 1, n_embd)")],
)
mistake(
    "n-head-on-the-class",
    "self.n_head = config.n_head",
    "GPT2Attention.n_head = config.n_head",
    "n_head is kept on the class, where the next module overwrites it. Each module keeps its own, on self.",
)
mistake(
    "layers-of-the-class",
    PROJ,
    f"{PROJ}\n        made = type(self).__dict__.get(str(config.n_embd)) or (self.c_attn, self.c_proj)\n"
    "        setattr(type(self), str(config.n_embd), made)\n        self.c_attn, self.c_proj = made",
    "Two modules have the same layers, so what one is given the other has too. Each module makes its own.",
)
mistake(
    "seq-and-batch-exchanged",
    HEADS,
    "part.view(heads).transpose(0, 2)",
    "The axes of heads and batch change places. Those of heads and seq have to.",
    also=[(JOIN, "attended.transpose(0, 2).reshape(batch, seq, n_embd)")],
)
mistake(
    "joined-by-reshape-alone",
    JOIN,
    "attended.reshape(batch, seq, n_embd)",
    "The heads are joined without an exchange of axes. Their axis stands before seq, and has to go behind it first.",
)
mistake(
    "joined-by-view",
    JOIN,
    "attended.transpose(1, 2).view(batch, seq, n_embd)",
    "view cannot join the heads after the exchange of axes, as the numbers lie in another order. reshape copies them.",
)
mistake(
    "joined-feature-by-feature",
    JOIN,
    "attended.permute(0, 2, 3, 1).reshape(batch, seq, n_embd)",
    "The heads are joined feature by feature. All of head 0 comes first, then all of head 1.",
)
mistake(
    "joined-with-head-dim-before-seq",
    JOIN,
    JOIN.replace("1, 2", "2, 3"),
    "The axes of seq and head_dim change places before the heads are joined. Those of heads and seq have to.",
)
mistake(
    "c-proj-before-the-heads-are-joined",
    LAST,
    "return self.c_proj(attended)",
    "Each head goes through c_proj by itself. It takes all features of a token: the heads are joined first.",
)
mistake(
    "no-c-proj",
    LAST,
    "return joined",
    "c_proj is not used. The joined heads go through it.",
)
mistake(
    "residual",
    LAST,
    f"{LAST} + hidden_states",
    "hidden_states are added. The block does that, in the step after this one.",
)

# ----------------------------------------------------------------------------------- mistakes: the mask, and the scale

mistake(
    "no-causal-mask",
    GIVEN + MADE,
    "",
    "No mask is added where none is given. The causal one is.",
)
mistake(
    "mask-not-handed-on",
    ATTEND,
    "scaled_dot_product_attention(query, key, value)",
    "No mask reaches the attention, neither the causal one nor the one that is given.",
)
mistake(
    "given-mask-not-used",
    GIVEN,
    "        if True:\n",
    "The causal mask is used, whatever is given. A mask that is given is used instead of it.",
)
mistake(
    "causal-mask-added-to-the-given-one",
    GIVEN + MADE,
    f"        causal = {CAUSAL}\n"
    "        attention_mask = causal if attention_mask is None else attention_mask + causal\n",
    "The causal mask is added to the one that is given. The given one is used instead of it.",
)
mistake(
    "truth-of-the-mask",
    GIVEN,
    "        if not attention_mask:\n",
    "The mask's truth is asked for, and a tensor of many numbers has none. Ask whether there is a mask at all.",
)
mistake(
    "mask-without-the-axis-of-heads",
    GIVEN,
    f"        if attention_mask is not None and attention_mask.dim() == 4:\n"
    f"            attention_mask = attention_mask.squeeze(1)\n{GIVEN}",
    "The axis of heads is taken out of a mask for each batch row. It stays, for it broadcasts over the heads.",
)
mistake(
    "strict-mask",
    CAUSAL,
    "query.new_full((seq, seq), float('-inf')).triu()",
    "Each token is hidden from itself, and the first sees nothing at all. A token sees itself.",
    again=[TORCH, (CAUSAL, "torch.full((seq, seq), float('-inf'), dtype=query.dtype, device=query.device).triu(0)")],
)
mistake(
    "mask-turned",
    CAUSAL,
    f"{CAUSAL}.T",
    "Each token sees what comes after it. The past is what it sees, and itself.",
)
mistake(
    "hidden-scores-are-0",
    ATTEND,
    "torch.softmax((query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).masked_fill(attention_mask < 0, 0.0), "
    "dim=-1) @ value",
    "Hidden scores become 0, and e to the power of 0 is a weight of 1. The mask is added.",
    also=[TORCH],
    again=[
        TORCH,
        (
            ATTEND,
            "torch.softmax((query @ key.mT * query.shape[-1] ** -0.5).where(attention_mask == 0, 0), -1) @ value",
        ),
    ],
)
mistake(
    "mask-of-the-first-call",
    PROJ,
    f"{PROJ}\n        self.mask = None",
    "The mask of the first call is kept, and used again for another length. It is made for each call.",
    also=[
        (
            GIVEN + MADE,
            (
                f"{GIVEN}            self.mask = {CAUSAL} if self.mask is None else self.mask\n"
                "            attention_mask = self.mask\n"
            ),
        )
    ],
    again=[
        (PROJ, f"{PROJ}\n        self.kept = []"),
        (GIVEN + MADE, f"{GIVEN}            self.kept.append({CAUSAL})\n            attention_mask = self.kept[0]\n"),
    ],
)
mistake(
    "hidden-by-a-hundred",
    CAUSAL,
    "query.new_full((seq, seq), -100.0).triu(1)",
    "A hidden score is lowered by 100 alone, and a later token that fits well enough is seen. -inf hides it.",
    again=[TORCH, (CAUSAL, "-100 * torch.ones(seq, seq, dtype=query.dtype, device=query.device).triu(1)")],
)
mistake(
    "zero-or-not",
    GIVEN,
    "        if attention_mask is not None:\n"
    f"            attention_mask = attention_mask.masked_fill(attention_mask != 0, float('-inf'))\n{GIVEN}",
    "Whatever is not 0 in a mask that is given hides. The mask is added: -2 lowers a score, and -inf alone hides.",
)
mistake(
    "given-mask-kept",
    PROJ,
    f"{PROJ}\n        self.mask = None",
    "A mask that was given is used again in later calls without one. Where none is given, the causal one is used.",
    also=[
        (
            GIVEN,
            (
                "        if attention_mask is not None:\n            self.mask = attention_mask\n"
                "        elif self.mask is not None and self.mask.shape[-1] == seq:\n"
                f"            attention_mask = self.mask\n{GIVEN}"
            ),
        )
    ],
    again=[
        (PROJ, f"{PROJ}\n        self.given = {{}}"),
        (
            GIVEN,
            (
                "        if attention_mask is not None:\n            self.given[seq] = attention_mask\n"
                f"        attention_mask = self.given.get(seq)\n{GIVEN}"
            ),
        ),
    ],
)
mistake(
    "mask-as-long-as-n-embd",
    PROJ,
    f'{PROJ}\n        self.register_buffer("mask", causal_mask(config.n_embd), persistent=False)',
    "The mask that is kept is for n_embd tokens. A text has as many as n_positions.",
    also=[(CAUSAL, "self.mask[:seq, :seq]")],
    again=[
        (PROJ, f"{PROJ}\n        self.kept = causal_mask(self.c_proj.in_features)"),
        (CAUSAL, "self.kept[:seq, :seq].to(query)"),
    ],
)
mistake(
    "mask-where-one-is-given",
    GIVEN,
    GIVEN.replace("is None", "is not None"),
    "The causal mask is made where a mask is given, and none where none is: the condition is the wrong way round.",
    again=[(GIVEN, "        if not attention_mask is None:\n")],
)
mistake(
    "a-mask-of-ones-and-zeros",
    CAUSAL,
    "query.new_ones(seq, seq).tril()",
    "The mask holds ones and zeros, and is added to the scores: that hides nothing. 0 lets through, -inf hides.",
    again=[
        (MADE, MADE.replace(CAUSAL, "torch.tril(torch.ones(seq, seq, dtype=query.dtype, device=query.device))")),
        TORCH,
    ],
)
mistake(
    "split-along-the-sequence",
    SPLIT,
    f"query, key, value = {THREE}.chunk(3, dim=1)",
    "c_attn's result is cut along the sequence. Query, key and value lie side by side on its last axis.",
    again=[(SPLIT, f"query, key, value = torch.chunk({THREE}, 3, 1)"), TORCH],
)
mistake(
    "c-proj-of-the-input",
    LAST,
    "return self.c_proj(hidden_states)",
    "c_proj is given hidden_states. It takes what attention has gathered, the heads side by side.",
    again=[(LAST, "joined = hidden_states\n        return self.c_proj(joined)")],
)
mistake(
    "given-mask-in-training-alone",
    GIVEN,
    f"{GIVEN[:-2]} or not self.training:\n",
    "In evaluation mode a mask that is given is not used. It is used in both modes.",
    again=[(GIVEN, f"        attention_mask = attention_mask if self.training else None\n{GIVEN}")],
)
mistake(
    "causal-in-training-alone",
    GIVEN + MADE,
    f"{GIVEN[:-2]} and self.training:\n{MADE}",
    "In evaluation mode a token sees the later ones. The causal mask is used in both modes.",
    again=[(CAUSAL, f"{CAUSAL} if self.training else query.new_zeros(seq, seq)")],
)
mistake(
    "causal-mask-for-n-embd",
    CAUSAL,
    CAUSAL.replace("seq", "n_embd"),
    "The causal mask is for n_embd tokens. It is [seq, seq], as long as the text.",
)
mistake(
    "mask-in-float32",
    CAUSAL,
    "causal_mask(seq)",
    "The causal mask is float32, whatever the queries are. It has their dtype, and is on their device.",
)
mistake(
    "mask-on-the-cpu",
    CAUSAL,
    "causal_mask(seq, dtype=query.dtype)",
    "The causal mask is made on the CPU, wherever the queries are. It has their device.",
)
mistake(
    "mask-changed-in-place",
    f"        {LAST}",
    f"        attention_mask.zero_()\n        {LAST}",
    "The mask is changed in place, and the caller still holds it. Leave it as it came.",
)
mistake(
    "scaled-twice",
    f"        attended = {ATTEND}",
    f"        query = query / query.shape[-1] ** 0.5\n        attended = {ATTEND}",
    "The scores are divided by head_dim, or by its root twice. The attention function divides by the root, once.",
    again=[
        TORCH,
        (ATTEND, "torch.softmax(query @ key.transpose(-2, -1) / query.shape[-1] + attention_mask, dim=-1) @ value"),
    ],
)
cancelled("scaled-twice", "scaled_dot_product_attention", "no-scale")
mistake(
    "no-scale",
    ATTEND,
    "F.scaled_dot_product_attention(query, key, value, attention_mask, scale=1.0)",
    "The scores are not divided by the root of head_dim. The attention function does that when it is left to do so.",
    also=[TORCH],
    again=[
        TORCH,
        (ATTEND, "torch.softmax(query @ key.transpose(-2, -1) + attention_mask, dim=-1) @ value"),
    ],
)
mistake(
    "root-of-n-embd",
    ATTEND,
    "F.scaled_dot_product_attention(query, key, value, attention_mask, scale=n_embd**-0.5)",
    "The scores are divided by the root of n_embd. It is head_dim's: n_embd / n_head.",
    also=[TORCH],
    again=[
        TORCH,
        (ATTEND, "torch.softmax(query @ key.transpose(-2, -1) / n_embd**0.5 + attention_mask, dim=-1) @ value"),
    ],
)

# ------------------------------------------------------------------------------- mistakes: gradients, and what returns

mistake(
    "hidden-states-changed-in-place",
    f"        {LAST}",
    f"        hidden_states.data.add_(self.c_proj(joined).detach())\n        {LAST}",
    "hidden_states are changed in place, and the caller still holds them. Leave them as they came.",
)
mistake(
    "input-cut-off",
    THREE,
    "self.c_attn(hidden_states.detach())",
    "No gradient comes back to hidden_states. Nothing between them and the result may cut them off.",
)
mistake(
    "heads-cut-off",
    LAST,
    "return self.c_proj(joined.detach())",
    "No gradient comes back to c_attn. Nothing between it and the result may cut it off.",
)
mistake(
    "two-come-back",
    LAST,
    f"{LAST}, attended",
    "Two tensors come back. What c_proj gives is asked for alone.",
)
mistake(
    "axes-of-1-left-out",
    LAST,
    f"{LAST}.squeeze()",
    "An axis of size 1 is left out of the result. A batch of one, and a sequence of one, keep their axes.",
)

# ------------------------------------------------------------------------------------------------------------ variants

variant("chunk", f"{THREE}.split(n_embd, dim=-1)", f"{THREE}.chunk(3, dim=-1)")
variant("split-by-a-list", f"{THREE}.split(n_embd, dim=-1)", f"{THREE}.split([n_embd] * 3, dim=2)")
variant(
    "slices",
    SPLIT,
    f"wide = {THREE}\n        query, key, value = (wide[..., i * n_embd : (i + 1) * n_embd] for i in range(3))",
    also=[(HEADS, "part.reshape(heads).transpose(1, 2)")],
)
variant(
    "one-view",
    SPLIT,
    f"query, key, value = {THREE}.view(batch, seq, 3, self.n_head, -1).permute(2, 0, 3, 1, 4)",
    also=[(ALL_HEADS, "")],
)
variant("unflatten", HEADS, "part.unflatten(-1, (self.n_head, -1)).transpose(1, 2)")
variant("unfold", HEADS, "part.unfold(-1, n_embd // self.n_head, n_embd // self.n_head).transpose(1, 2)")
variant("permute", HEADS, "part.reshape(heads).permute(0, 2, 1, 3)")
variant("contiguous-and-view", JOIN, "attended.transpose(1, 2).contiguous().view(batch, seq, n_embd)")
variant("permute-and-flatten", JOIN, "attended.permute(0, 2, 1, 3).flatten(2)")
variant("joined-by-cat", JOIN, "torch.cat(attended.unbind(1), dim=-1)", also=[TORCH])
variant(
    "einsum",
    ATTEND,
    'torch.einsum("bhqk,bhkd->bhqd", torch.softmax(torch.einsum("bhqd,bhkd->bhqk", query, key) '
    "/ query.shape[-1] ** 0.5 + attention_mask, dim=-1), value)",
    also=[TORCH],
)
variant(
    "a-loop-over-the-heads",
    ATTEND,
    "torch.stack([scaled_dot_product_attention(query[:, i], key[:, i], value[:, i], "
    "attention_mask if attention_mask.dim() == 2 else attention_mask[:, 0]) for i in range(self.n_head)], dim=1)",
    also=[TORCH],
)
variant(
    "torchs-own",
    ATTEND,
    "F.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask)",
    also=[TORCH],
)
variant(
    "torchs-own-with-is-causal",
    GIVEN + MADE,
    "",
    also=[
        TORCH,
        (ATTEND, "F.scaled_dot_product_attention(query, key, value, attention_mask, is_causal=attention_mask is None)"),
    ],
)
variant(
    "torchs-own-by-the-name-of-step-07",
    "from puzzles.scaled_dot_product_attention import scaled_dot_product_attention",
    "from torch.nn.functional import scaled_dot_product_attention",
)
variant(
    "a-buffer-that-is-not-kept",
    PROJ,
    f'{PROJ}\n        self.register_buffer("mask", causal_mask(config.n_positions), persistent=False)',
    also=[(CAUSAL, "self.mask[:seq, :seq]")],
)
variant(
    "the-lowest-number",
    CAUSAL,
    "torch.full((seq, seq), torch.finfo(query.dtype).min, dtype=query.dtype, device=query.device).triu(1)",
    also=[TORCH],
)
variant("a-billion-below", CAUSAL, "query.new_full((seq, seq), -1e9).triu(1)")
variant("a-mask-of-four-axes", CAUSAL, f"{CAUSAL}[None, None]")
variant("not-equal-to-zero", "if config.n_embd % config.n_head:", "if config.n_embd % config.n_head != 0:")
variant(
    "head-dim-kept",
    "self.n_head = config.n_head",
    "self.n_head = config.n_head\n        self.head_dim = config.n_embd // config.n_head",
    also=[(SIZES, "heads = (batch, seq, self.n_head, self.head_dim)")],
)
variant(
    "an-error-of-its-own",
    "class GPT2Attention",
    "class Uneven(ValueError):\n    pass\n\n\nclass GPT2Attention",
    also=[("raise ValueError", "raise Uneven")],
)
variant("guard-at-the-end", GUARD, "", also=[(PROJ, f"{PROJ}\n{GUARD.rstrip()}")])
variant(
    "weights-of-its-own",
    PROJ,
    f"{PROJ}\n        for part in (self.c_attn, self.c_proj):\n            "
    "nn.init.normal_(part.weight, std=0.02)\n            nn.init.zeros_(part.bias)",
)
variant("dropout-of-0", LAST, "return nn.functional.dropout(self.c_proj(joined), 0.0)")
variant.file(
    "a-sequence-at-a-time",
    """
import torch
from torch import nn

from puzzles.causal_mask import causal_mask
from puzzles.scaled_dot_product_attention import scaled_dot_product_attention


class GPT2Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        if any(True for _ in range(config.n_embd % config.n_head)):
            raise ValueError("heads cannot share the features evenly")
        self.n_head = config.n_head
        self.c_attn = nn.Linear(config.n_embd, sum([config.n_embd] * 3))
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)

    def _one(self, text, mask):
        seq, n_embd = text.shape
        q, k, v = self.c_attn(text).split([n_embd] * 3, dim=1)
        cut = [part.reshape(seq, self.n_head, -1).transpose(0, 1) for part in (q, k, v)]
        return self.c_proj(scaled_dot_product_attention(*cut, mask).transpose(0, 1).reshape(seq, n_embd))

    def forward(self, hidden_states, attention_mask=None):
        seq = hidden_states.shape[1]
        if attention_mask is None:
            attention_mask = causal_mask(seq, dtype=self.c_attn.weight.dtype, device=hidden_states.device)
        masks = attention_mask.expand(len(hidden_states), 1, seq, seq)
        return torch.stack([self._one(text, mask) for text, mask in zip(hidden_states, masks)])
""",
)
variant.file(
    "every-head-through-its-own-columns-of-c-proj",
    """
import torch
from torch import nn

from puzzles.causal_mask import causal_mask
from puzzles.scaled_dot_product_attention import scaled_dot_product_attention


class GPT2Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        if config.n_embd % config.n_head:
            raise ValueError(f"n_embd={config.n_embd} is no multiple of n_head={config.n_head}")
        self.n_head = config.n_head
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)

    def forward(self, hidden_states, attention_mask=None):
        parts = self.c_attn(hidden_states).tensor_split(3 * self.n_head, dim=-1)
        n = self.n_head
        if attention_mask is None:
            attention_mask = causal_mask(hidden_states.size(1), dtype=parts[0].dtype, device=parts[0].device)
        query, key, value = (torch.stack(parts[i * n : (i + 1) * n], dim=1) for i in range(3))
        heads = scaled_dot_product_attention(query, key, value, attention_mask)
        result = self.c_proj.bias
        for head, weight in zip(heads.unbind(1), self.c_proj.weight.tensor_split(n, dim=1)):
            result = result + head @ weight.T
        return result
""",
)
variant.file(
    "split-heads-and-merge-heads",
    """
from torch import nn

from puzzles.causal_mask import causal_mask
from puzzles.scaled_dot_product_attention import scaled_dot_product_attention


def split_heads(x, n):
    *start, m = x.shape
    return x.reshape(*start, n, m // n).permute(0, 2, 1, 3)


def merge_heads(x):
    x = x.permute(0, 2, 1, 3)
    *start, a, b = x.shape
    return x.reshape(*start, a * b)


class GPT2Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.n_head = config.n_head
        if config.n_embd % self.n_head > 0:
            raise ValueError(config.n_embd, config.n_head)
        for name, times in {"c_attn": 3, "c_proj": 1}.items():
            self.add_module(name, nn.Linear(config.n_embd, times * config.n_embd))

    def forward(self, hidden_states, attention_mask=None):
        q, k, v = (split_heads(part, self.n_head) for part in self.c_attn(hidden_states).chunk(3, -1))
        mask = attention_mask
        if mask is None:
            mask = causal_mask(q.shape[-2], dtype=q.dtype, device=q.device)
        return self.c_proj(merge_heads(scaled_dot_product_attention(q, k, v, mask)))
""",
)
variant.file(
    "masked-fill-and-no-mask-function",
    """
import math

import torch
from torch import nn


class GPT2Attention(nn.Module):
    def __init__(self, config):
        if config.n_embd != config.n_embd // config.n_head * config.n_head:
            raise ValueError(f"{config.n_head} heads, {config.n_embd} features")
        super().__init__()
        self.n_head = config.n_head
        self.c_attn = nn.Linear(in_features=config.n_embd, out_features=3 * config.n_embd)
        self.c_proj = nn.Linear(in_features=config.n_embd, out_features=config.n_embd)

    def forward(self, hidden_states, attention_mask=None):
        q, k, v = self.c_attn(hidden_states).unflatten(-1, (3, self.n_head, -1)).unbind(dim=2)
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(q.shape[-1])
        if attention_mask is None:
            place = torch.arange(q.shape[1], device=q.device)
            scores = scores.masked_fill(place[None, :] > place[:, None], -math.inf)
        else:
            scores = scores + attention_mask
        return self.c_proj(torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), v).flatten(start_dim=2))
""",
)

# ----------------------------------------------------------------------------------------------------- equivalents

for turned in ("part.view(heads).transpose(1, 2)", "attended.transpose(1, 2)"):
    equivalent(turned, turned.replace("1, 2", "2, 1"), "Two axes that change places can be named in either order.")
