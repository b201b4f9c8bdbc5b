"""Step 09 is judged against Hugging Face's block, redrawn."""

import contextlib
import math

from autograder import law
from autograder.checking import check, mistake, variant
from autograder.comparing import agrees, close, equal, fail, fits, load, make, same_gradients
from autograder.student import Missing, StudentRaised

# On 120 configurations, right code is at most 3e-6 away, which is 0.008 of the tolerance; with an eps of 1e-5 in one of
# the norms, the largest difference is 2.9 tolerances and more.
NEAR = {"rtol": 1e-4, "atol": 2e-4}
HIDDEN = -12345.0  # in the place of -inf where masks are compared, and no number that anybody puts there


@check(
    passed="GPT2Block has Hugging Face's parameters, under ln_1, attn, ln_2 and mlp",
    failed="GPT2Block does not have Hugging Face's parameters, under ln_1, attn, ln_2 and mlp",
)
def has_its_parameters(student, oracle, draw):
    for narrow in ({}, {}, {"n_inner": 5}):  # a width below n_embd, too
        values = {**draw.config(), **narrow}
        config = student.earlier("config").GPT2Config(**values)
        mine = make(student, "GPT2Block", config)
        theirs = oracle.block(values).linear_state_dict()
        fits(mine, theirs)
        expected = sum(value.numel() for value in theirs.values())
        got = sum(parameter.numel() for _, parameter in mine.named_parameters())
        equal(got, expected, says="all numbers, counted once: one norm under two names has too few")
        for name, value in values.items():
            equal(getattr(config, name), value, says=f"{name} of the configuration, which is to stay as it was")


@check(
    passed="GPT2Block gives Hugging Face's output",
    failed="GPT2Block does not give Hugging Face's output",
)
def output_matches(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        for mean, std in ((0.0, 1.0), (5.0, 3.0), (0.0, 1e-3)):
            x = _states(draw, values, 9, mean=mean, std=std)
            _compare(mine, theirs, x)
    _pair(student, oracle, values)
    _compare(mine, theirs, x, says="another block was made after this one, and given weights of its own")
    for batch, seq in ((1, 5), (3, 1), (1, 1), (2, values["n_positions"])):
        _compare(mine, theirs, _states(draw, values, seq, batch=batch))


@check(
    passed="with both c_proj at zero, the block hands the stream through unchanged",
    failed="with both c_proj at zero, the block does not hand the stream through unchanged",
)
def residuals_are_there(student, oracle, draw):
    import torch

    values = draw.config()
    config = student.earlier("config").GPT2Config(**values)
    state = oracle.block(values).linear_state_dict()
    silent = {name: torch.zeros_like(value) if ".c_proj." in name else value for name, value in state.items()}
    mine = load(make(student, "GPT2Block", config), silent)
    x = _states(draw, values, 6)
    close(mine(x), x, rtol=1e-6, atol=1e-6, says="attention and MLP add nothing here: what comes in goes out")


@check(
    passed="a mask that is given goes on to the attention",
    failed="a mask that is given does not go on to the attention",
)
def hands_the_mask_on(student, oracle, draw):
    import torch

    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    x = _states(draw, values, 7)
    for sizes, axes in (((7, 7), "seq=7, seq=7"), ((2, 1, 7, 7), "batch=2, 1, seq=7, seq=7")):
        hidden = draw.normal(*sizes) > 0
        hidden[..., 0] = False  # a row that hides everything has no right answer
        mask = torch.zeros(sizes).masked_fill(hidden, float("-inf"))
        mask.label, mask.axes = "attention_mask", axes
        _compare(mine, theirs, x, mask)
    soft = draw.normal(seq=7, seq_=7, std=3.0, label="attention_mask")
    soft.axes = "seq=7, seq=7"
    _compare(mine, theirs, x, soft)
    zeros = torch.zeros(7, 7)
    zeros.label, zeros.axes = "attention_mask", "seq=7, seq=7"
    _compare(mine, theirs, x, zeros, says="the mask is all zeros: it hides nothing")
    _, (states, after) = mine.call_keeping(x, mask)
    if not agrees(states, x, rtol=0, atol=0):
        fail("hidden_states has other numbers after the call with a mask: they are changed in place")
    kept = after.nan_to_num(neginf=HIDDEN) if hasattr(after, "nan_to_num") else after
    close(kept, mask.nan_to_num(neginf=HIDDEN), rtol=0, atol=0, says="the mask after the call: it was changed")
    _compare(mine, theirs, x, says="no mask is given here, after calls with one")
    mine.eval()
    if agrees(mine(x), theirs(x), **NEAR):  # else another line tells
        _compare(mine, theirs, x, mask, says="a mask is given, in evaluation mode")


@check(
    passed="GPT2Block lets gradients through to its input and parameters, and leaves its input as it was",
    failed="GPT2Block does not let the right gradients through, or changes its input",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    x = _states(draw, values, 6)
    first, (after,) = mine.call_keeping(x)
    if not agrees(after, x, rtol=0, atol=0):
        fail("hidden_states has other numbers after the call: `x += …` changes them in place")
    _steady(mine, first, x)
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
    _leaves_the_stream(student, mine, values, x, back)


@check(
    passed="GPT2Block gives the same in training and in evaluation, and in any order of the batch",
    failed="GPT2Block does not give the same in training and in evaluation, or in any order of the batch",
)
def is_a_function(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    x = _states(draw, values, 6)
    first = mine(x)
    close(first, x, rtol=0, atol=math.inf)  # of the right type and shape, whatever its numbers
    _steady(mine, first, x)
    turned = _like(x, x.flip(0))
    close(mine(turned), first.flip(0), rtol=1e-5, atol=1e-5, says="the batch in another order")
    mine.eval()
    evaluated, (after,) = mine.call_keeping(x)
    close(evaluated, first, rtol=0, atol=0, says="evaluation mode gives something else than training mode")
    if first.requires_grad and not evaluated.requires_grad:
        fail("in evaluation mode the result has no gradient; in training mode it has one")
    if agrees(mine(x), first, rtol=0, atol=0) and not agrees(after, x, rtol=0, atol=0):
        fail("in evaluation mode, the call changes hidden_states in place")


@check.undeclared(failed="GPT2Block does not work in float64")
def works_in_float64(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    drawn = _states(draw, values, 6)
    narrow = mine(drawn)
    if not agrees(narrow, drawn, rtol=0, atol=math.inf) or not agrees(mine(drawn), narrow):
        return  # told by the lines above
    mine.double()
    x = _like(drawn, drawn.double())
    close(mine(x), narrow.double(), **NEAR, says="hidden_states and all parameters are float64 here")


def _leaves_the_stream(student, mine, values, x, back):
    """Fail where a norm that keeps its input for the gradient, as torch's and many a step 03 do, finds it changed."""
    for name in ("ln_1", "ln_2"):
        norm = _torchs_norm(student, values)
        if norm is None:
            return
        with contextlib.suppress(StudentRaised):  # a norm of the learner's own may refuse it
            getattr(mine, name).forward = norm.forward  # by whatever attribute the block calls it
    try:
        mine.gradients(x, output_gradient=back)
    except StudentRaised as error:
        if "inplace operation" in error.raised.message:
            says = "nn.LayerNorm, which keeps its input for the gradient, finds it changed: `+=`"
            fail(says, expected="a new tensor", got="a sum written into the stream")


def _torchs_norm(student, values):
    """Return torch's layer norm in the worker, by a name for torch.nn of the file or of step 03; None without one."""
    for file in (student, student.earlier("layer_norm")):
        for path in (("nn",), ("torch", "nn")):
            with contextlib.suppress(Missing, AttributeError, StudentRaised):
                found = file
                for name in path:
                    found = getattr(found, name)
                return found.LayerNorm(values["n_embd"], eps=values["layer_norm_epsilon"])
    return None


def _pair(student, oracle, values):
    config = student.earlier("config").GPT2Config(**values)
    theirs = oracle.block(values)
    return load(make(student, "GPT2Block", config), theirs.linear_state_dict()), theirs


def _states(draw, values, seq, batch=2, **moments):
    return draw.normal(batch=batch, seq=seq, n_embd=values["n_embd"], label="hidden_states", **moments)


def _like(x, made):
    """Return a tensor made of a drawn one, with its label and the names of its axes."""
    made.label, made.axes, made.axes_names = x.label, x.axes, x.axes_names
    return made


def _compare(mine, theirs, x, *mask, says=""):
    got, expected = mine(x, *mask), theirs(x, *mask)
    expected.axes_names = x.axes_names
    if not agrees(got, expected, **NEAR):
        _steady(mine, got, x, *mask)
        close(got, expected, **NEAR, says=says)


def _steady(mine, first, x, *mask):
    """Fail when a second call gives other numbers: then none of them says anything."""
    if agrees(first, x, rtol=0, atol=math.inf) and not agrees(mine(x, *mask), first, rtol=0, atol=0):
        fail("two identical calls differ: is there dropout? This block has none")


@law.causal
@law.rows_apart
@law.inputs_kept
@law.same_twice
def block(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    return law.Subject(mine, lambda draw, batch, seq: (draw.normal(batch=batch, seq=seq, n_embd=values["n_embd"]),))


@law.is_identity
def silent_block(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    state = theirs.linear_state_dict()
    load(mine, {name: value * 0 if ".c_proj." in name else value for name, value in state.items()})
    return law.Subject(mine, lambda draw, batch, seq: (draw.normal(batch=batch, seq=seq, n_embd=values["n_embd"]),))


# ------------------------------------------------------------------------------------ the programs that it is judged by

LN_1 = "self.ln_1 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"
LN_2 = "self.ln_2 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"
MLP = "self.mlp = GPT2MLP(config.n_inner, config)"
FIRST = "hidden_states = hidden_states + self.attn(self.ln_1(hidden_states), attention_mask)"
SECOND = "return hidden_states + self.mlp(self.ln_2(hidden_states))"
NEW_LINE = "\n        "
ATTN = "self.attn = GPT2Attention(config)"
CLASS = "class GPT2Block(nn.Module):"
EPS = ", eps=config.layer_norm_epsilon"

mistake(
    "post-norm",
    FIRST,
    "hidden_states = self.ln_1(hidden_states + self.attn(hidden_states, attention_mask))",
    "Each norm comes after its sum, as in 2017. GPT-2's stand before attention and the MLP, and the stream has none.",
    also=[(SECOND, "return self.ln_2(hidden_states + self.mlp(hidden_states))")],
)
mistake(
    "norm-after-each-part",
    FIRST,
    "hidden_states = hidden_states + self.ln_1(self.attn(hidden_states, attention_mask))",
    "Each norm takes what attention or the MLP has made. It is to take what goes into them.",
    also=[(SECOND, "return hidden_states + self.ln_2(self.mlp(hidden_states))")],
)
mistake(
    "no-additions",
    FIRST,
    FIRST.replace("= hidden_states + ", "= "),
    "Nothing is added to the stream: what attention and the MLP make takes its place.",
    also=[(SECOND, SECOND.replace("hidden_states + ", ""))],
)
mistake(
    "attention-replaces-the-stream",
    FIRST,
    FIRST.replace("= hidden_states + ", "= "),
    "What attention makes takes the stream's place. It is to be added to it.",
)
mistake(
    "mlp-replaces-the-stream",
    SECOND,
    SECOND.replace("hidden_states + ", ""),
    "What the MLP makes takes the stream's place. It is to be added to it.",
)
mistake(
    "added-to-the-norm",
    FIRST,
    f"hidden_states = self.ln_1(hidden_states){NEW_LINE}"
    "hidden_states = hidden_states + self.attn(hidden_states, attention_mask)",
    "The sums start from what the norm has made. They are to start from the stream as it was before the norm.",
    also=[
        (SECOND, f"hidden_states = self.ln_2(hidden_states){NEW_LINE}return hidden_states + self.mlp(hidden_states)")
    ],
)
mistake(
    "side-by-side",
    FIRST,
    "attended = self.attn(self.ln_1(hidden_states), attention_mask)",
    "Attention and the MLP both read the block's input. The MLP is to read what attention has left, by ln_2.",
    also=[(SECOND, "return hidden_states + attended + self.mlp(self.ln_2(hidden_states))")],
)
mistake(
    "input-added-at-the-end",
    FIRST,
    "middle = hidden_states + self.attn(self.ln_1(hidden_states), attention_mask)",
    "The second sum starts from the block's input. It is to start from the stream that attention has written to.",
    also=[(SECOND, "return hidden_states + self.mlp(self.ln_2(middle))")],
)
mistake(
    "mlp-first",
    FIRST,
    "hidden_states = hidden_states + self.mlp(self.ln_2(hidden_states))",
    "The MLP comes before attention. Attention is the first.",
    also=[(SECOND, "return hidden_states + self.attn(self.ln_1(hidden_states), attention_mask)")],
)
mistake(
    "in-place",
    FIRST,
    "hidden_states += self.attn(self.ln_1(hidden_states), attention_mask)",
    "The block writes into the tensor that it was given, as `+=` does. The sum is to be a new tensor.",
    again=[
        (LN_1, "self.ln_1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"),
        (FIRST, "hidden_states.add_(self.attn(self.ln_1(hidden_states), attention_mask))"),
        (SECOND, f"hidden_states.add_(self.mlp(self.ln_2(hidden_states))){NEW_LINE}return hidden_states"),
    ],
)
mistake(
    "in-place-into-the-sum",
    SECOND,
    f"hidden_states += self.mlp(self.ln_2(hidden_states)){NEW_LINE}return hidden_states",
    "A sum is written into the stream, as `+=` does. A norm that still needs its input for the gradient finds other "
    "numbers there. Each sum is to be a new tensor.",
    again=[
        (FIRST, "middle = hidden_states + self.attn(self.ln_1(hidden_states), attention_mask)"),
        (SECOND, "return middle.add_(self.mlp(self.ln_2(middle)))"),
    ],
)
mistake(
    "in-place-after-torchs-norm",
    LN_2,
    LN_2.replace("LayerNorm", "nn.LayerNorm"),
    "`+=` changes the stream that a norm, such as nn.LayerNorm, still needs for its gradient. The second sum is to be "
    "a new tensor.",
    also=[(SECOND, f"hidden_states += self.mlp(self.ln_2(hidden_states)){NEW_LINE}return hidden_states")],
    again=[
        (LN_1, LN_1.replace("LayerNorm", "nn.LayerNorm")),
        (LN_2, LN_2.replace("LayerNorm", "nn.LayerNorm")),
        (SECOND, "return hidden_states.add_(self.mlp(self.ln_2(hidden_states)))"),
    ],
)
mistake(
    "norms-swapped",
    FIRST,
    FIRST.replace("ln_1", "ln_2"),
    "ln_1 and ln_2 have changed places: ln_1 is attention's norm, and ln_2 the MLP's.",
    also=[(SECOND, SECOND.replace("ln_2", "ln_1"))],
)
mistake(
    "ln-1-twice",
    SECOND,
    SECOND.replace("ln_2", "ln_1"),
    "ln_1 stands before both parts, and ln_2 is not used: it is the MLP's.",
)
mistake(
    "one-norm-under-two-names",
    LN_2,
    "self.ln_2 = self.ln_1",
    "ln_2 is the same object as ln_1. Two norms are asked for, each made by a call of its own.",
)
mistake("no-ln-1", FIRST, FIRST.replace("self.ln_1(hidden_states)", "hidden_states"), "Attention reads no norm: ln_1.")
mistake("no-ln-2", SECOND, SECOND.replace("self.ln_2(hidden_states)", "hidden_states"), "The MLP reads no norm: ln_2.")
mistake(
    "no-norms",
    FIRST,
    FIRST.replace("self.ln_1(hidden_states)", "hidden_states"),
    "Attention and the MLP read the stream as it is. Each is to read a norm of it, ln_1 and ln_2.",
    also=[(SECOND, SECOND.replace("self.ln_2(hidden_states)", "hidden_states"))],
)
mistake("no-mlp", SECOND, "return hidden_states", "The MLP has no part in the result: it adds to the stream too.")
mistake(
    "no-attention",
    f"{FIRST}{NEW_LINE}",
    "",
    "Attention has no part in the result: it is the first to add to the stream.",
)
mistake(
    "shared-between-blocks",
    ATTN,
    f"{ATTN}{NEW_LINE}self.attn = self.__class__.__dict__.get(str(config)) or self.attn{NEW_LINE}"
    "setattr(self.__class__, str(config), self.attn)",
    "Two blocks have the same attention, so what one is given the other has too. Each block makes its own.",
    again=[
        (CLASS, f"MADE = {{}}\n\n\n{CLASS}"),
        (ATTN, "self.attn = MADE.setdefault(str(config), GPT2Attention(config))"),
    ],
)
mistake(
    "axes-of-1-left-out",
    SECOND,
    "return (hidden_states + self.mlp(self.ln_2(hidden_states))).squeeze()",
    "An axis of size 1 is left out of the result. A batch of one, and a sequence of one, keep their axes.",
)
mistake(
    "float32-in-between",
    FIRST,
    FIRST.replace("self.ln_1(hidden_states)", "self.ln_1(hidden_states).float()"),
    "What the norm gives is made float32, and the layers of attention may be another dtype. Leave it as it is.",
)
mistake(
    "float32-comes-back",
    SECOND,
    "return (hidden_states + self.mlp(self.ln_2(hidden_states))).float()",
    "The result is float32, whatever comes in. It has the dtype of hidden_states.",
)
mistake(
    "zero-or-not",
    FIRST,
    f"if attention_mask is not None:{NEW_LINE}"
    f'    attention_mask = attention_mask.masked_fill(attention_mask != 0, float("-inf")){NEW_LINE}{FIRST}',
    "Whatever is not 0 in the mask hides. The mask is to go to the attention as it is, which adds it.",
)
mistake(
    "mask-changed-in-place",
    FIRST,
    f"if attention_mask is not None:{NEW_LINE}    attention_mask.clamp_(min=-1e9){NEW_LINE}{FIRST}",
    "The mask is changed in place, and the caller still holds it. Leave it as it came.",
)
mistake(
    "mask-kept",
    MLP,
    f"{MLP}{NEW_LINE}self.mask = None",
    "A mask that was given is used again in later calls without one. Hand on what this call is given, None included.",
    also=[
        (
            FIRST,
            (
                f"if attention_mask is not None:{NEW_LINE}    self.mask = attention_mask{NEW_LINE}"
                f"elif self.mask is not None and self.mask.shape[-1] == hidden_states.shape[1]:{NEW_LINE}"
                f"    attention_mask = self.mask{NEW_LINE}{FIRST}"
            ),
        )
    ],
)
mistake(
    "mask-kept-back",
    FIRST,
    FIRST.replace(", attention_mask)", ")"),
    "The mask that is given does not reach the attention.",
)
mistake(
    "causal-mask-added",
    FIRST,
    f"mask = attention_mask{NEW_LINE}if mask is not None:{NEW_LINE}    seq = hidden_states.shape[1]{NEW_LINE}"
    f'    mask = mask + Tensor(seq, seq).fill_(float("-inf")).triu(1){NEW_LINE}'
    + FIRST.replace("attention_mask", "mask"),
    "The causal mask is added to the mask that is given. That one is to go to the attention as it is.",
    again=[
        ("from puzzles.attention", "from puzzles.causal_mask import causal_mask\nfrom puzzles.attention"),
        (
            FIRST,
            f"causal = causal_mask(hidden_states.shape[1]){NEW_LINE}"
            f"mask = causal if attention_mask is None else attention_mask + causal{NEW_LINE}"
            + FIRST.replace("attention_mask", "mask"),
        ),
    ],
)
mistake(
    "one-mask-for-the-batch",
    FIRST,
    f"if attention_mask is not None and attention_mask.dim() == 4:{NEW_LINE}"
    f"    attention_mask = attention_mask[0, 0]{NEW_LINE}{FIRST}",
    "All rows of the batch get the mask of the first one. The mask is to go to the attention as it is.",
)
mistake(
    "no-causal-mask",
    FIRST,
    f"if attention_mask is None:{NEW_LINE}    seq = hidden_states.shape[1]{NEW_LINE}"
    f"    attention_mask = hidden_states.new_zeros(seq, seq){NEW_LINE}{FIRST}",
    "Without a mask, each token sees the later ones too. Attention makes the causal mask itself when it is given None.",
    again=[(FIRST, FIRST.replace("attention_mask", "Tensor([0.0]) if attention_mask is None else attention_mask"))],
)
mistake(
    "mask-to-the-mlp",
    SECOND,
    SECOND.replace("self.ln_2(hidden_states)", "self.ln_2(hidden_states), attention_mask"),
    "The MLP is given the mask too: it takes the stream's norm alone.",
)
mistake(
    "mask-to-the-norm",
    FIRST,
    "hidden_states = hidden_states + self.attn(self.ln_1(hidden_states, attention_mask))",
    "The norm is given the mask: a parenthesis closes too late. The mask is the attention's second argument.",
)
mistake(
    "mask-in-training-alone",
    FIRST,
    FIRST.replace("attention_mask", "attention_mask if self.training else None"),
    "In evaluation mode the mask is not handed on to attention. It is in both modes.",
    again=[(FIRST, f"if not self.training:{NEW_LINE}    attention_mask = None{NEW_LINE}{FIRST}")],
)
mistake(
    "default-eps",
    LN_1,
    LN_1.replace(EPS, ""),
    "Both norms have another eps than config.layer_norm_epsilon.",
    also=[(LN_2, LN_2.replace(EPS, ""))],
)
mistake("default-eps-in-ln-1", LN_1, LN_1.replace(EPS, ""), "ln_1 has another eps than config.layer_norm_epsilon.")
mistake("default-eps-in-ln-2", LN_2, LN_2.replace(EPS, ""), "ln_2 has another eps than config.layer_norm_epsilon.")
mistake(
    "eps-by-place",
    LN_1,
    LN_1.replace("eps=", ""),
    "Your LayerNorm takes its eps by name: eps=…",
)
mistake(
    "four-times-n-embd",
    MLP,
    MLP.replace("config.n_inner", "4 * config.n_embd"),
    "The MLP is made 4 * n_embd wide. Its width is config.n_inner.",
)
mistake(
    "mlp-arguments-swapped",
    MLP,
    "self.mlp = GPT2MLP(config, config.n_inner)",
    "A part is given a number where it takes the configuration: GPT2Attention takes config alone, GPT2MLP its inner "
    "width first and config second.",
)
mistake(
    "mlp-without-its-width",
    MLP,
    "self.mlp = GPT2MLP(config)",
    "GPT2MLP takes two things: its inner width, and the configuration.",
)
mistake(
    "ln1-for-ln-1",
    LN_1,
    LN_1.replace("ln_1", "ln1"),
    "The checkpoint's names have an underscore: ln_1 and ln_2.",
    also=[
        (LN_2, LN_2.replace("ln_2", "ln2")),
        (FIRST, FIRST.replace("ln_1", "ln1")),
        (SECOND, SECOND.replace("ln_2", "ln2")),
    ],
)
mistake(
    "dropout",
    MLP,
    f"{MLP}{NEW_LINE}self.dropout = nn.Dropout(0.1)",
    "Something is random: two calls differ. This block has no dropout.",
    also=[(SECOND, "return hidden_states + self.dropout(self.mlp(self.ln_2(hidden_states)))")],
    again=[
        (
            FIRST,
            "drop = nn.Dropout(0.2)" + NEW_LINE + FIRST.replace("self.attn(", "drop(self.attn(") + ")",
        )
    ],
)

variant(
    "torchs-own-norms",
    LN_1,
    LN_1.replace("LayerNorm", "nn.LayerNorm"),
    also=[(LN_2, LN_2.replace("LayerNorm", "nn.LayerNorm"))],
)
variant(
    "in-steps",
    FIRST,
    f"normed = self.ln_1(hidden_states){NEW_LINE}attended = self.attn(normed, attention_mask){NEW_LINE}"
    "stream = attended + hidden_states",
    also=[
        (
            SECOND,
            f"normed = self.ln_2(stream){NEW_LINE}worked = self.mlp(normed){NEW_LINE}return worked + stream",
        )
    ],
)
variant(
    "in-one-line",
    f"{FIRST}{NEW_LINE}{SECOND}",
    "return (y := hidden_states + self.attn(self.ln_1(hidden_states), attention_mask)) + self.mlp(self.ln_2(y))",
)
variant(
    "in-place-into-what-the-parts-made",
    FIRST,
    f"middle = self.attn(self.ln_1(hidden_states), attention_mask){NEW_LINE}middle += hidden_states",
    also=[(SECOND, f"end = self.mlp(self.ln_2(middle)){NEW_LINE}end += middle{NEW_LINE}return end")],
)
variant(
    "the-changes-alone",
    FIRST,
    "first = self.attn(self.ln_1(hidden_states), attention_mask)",
    also=[(SECOND, "return hidden_states + (first + self.mlp(self.ln_2(hidden_states + first)))")],
)
variant(
    "the-mask-by-name",
    FIRST,
    FIRST.replace(", attention_mask)", ", attention_mask=attention_mask)"),
)
variant(
    "dropout-of-0",
    MLP,
    f"{MLP}{NEW_LINE}self.dropout = nn.Dropout(0.0)",
    also=[(SECOND, "return hidden_states + self.dropout(self.mlp(self.ln_2(hidden_states)))")],
)
variant("n-inner-or-four-times", MLP, "self.mlp = GPT2MLP(config.n_inner or 4 * config.n_embd, config)")
variant.file(
    "a-loop-over-names",
    """from torch import Tensor, nn

from puzzles.attention import GPT2Attention
from puzzles.config import GPT2Config
from puzzles.layer_norm import LayerNorm
from puzzles.mlp import GPT2MLP


class GPT2Block(nn.Module):
    WIRES = (("ln_1", "attn"), ("ln_2", "mlp"))

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.add_module("mlp", GPT2MLP(intermediate_size=config.n_inner, config=config))
        self.add_module("attn", GPT2Attention(config))
        for name in ("ln_2", "ln_1"):
            self.add_module(name, LayerNorm(config.n_embd, eps=config.layer_norm_epsilon))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for norm, part in self.WIRES:
            extra = (mask,) if part == "attn" else ()
            x = x + getattr(self, part)(getattr(self, norm)(x), *extra)
        return x
""",
)
variant.file(
    "helpers",
    """import functools

import torch
from torch import nn

import puzzles.attention as attending
from puzzles.layer_norm import LayerNorm
from puzzles.mlp import GPT2MLP


class GPT2Block(nn.Module):
    def __init__(self, config):
        super(GPT2Block, self).__init__()
        norm = functools.partial(LayerNorm, config.n_embd, eps=config.layer_norm_epsilon)
        self.ln_1, self.ln_2 = norm(), norm()
        self.attn, self.mlp = attending.GPT2Attention(config), GPT2MLP(config.n_inner, config)
        self.config = config

    @staticmethod
    def residual(stream, norm, part):
        return torch.add(stream, part(norm(stream)))

    def forward(self, hidden_states, attention_mask=None):
        attend = functools.partial(self.attn, attention_mask=attention_mask)
        return self.residual(self.residual(hidden_states, self.ln_1, attend), self.ln_2, self.mlp)
""",
)
variant.file(
    "a-stack-and-its-sum",
    """import torch
from torch import Tensor
from torch.nn import LayerNorm as Norm
from torch.nn import Module

from puzzles.attention import GPT2Attention as Attend
from puzzles.mlp import GPT2MLP as Work


class GPT2Block(Module):
    def __init__(self, config, /) -> None:
        super().__init__()
        width, eps = config.n_embd, config.layer_norm_epsilon
        self.register_module("ln_1", Norm(width, eps))
        self.register_module("attn", Attend(config))
        self.register_module("ln_2", Norm((width,), eps=eps))
        self.register_module("mlp", Work(config.n_inner, config))

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        stream = hidden_states.clone()
        for part in (lambda x: self.attn(self.ln_1(x), attention_mask), lambda x: self.mlp(self.ln_2(x))):
            stream = torch.stack([stream, part(stream)]).sum(dim=0)
        return stream
""",
)
