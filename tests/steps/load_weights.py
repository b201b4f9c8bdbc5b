"""Step 12 is judged with Hugging Face's own models: loaded by the learner's function, the logits are theirs."""

from autograder.checking import check, equivalent, mistake, variant
from autograder.comparing import Failed, agrees, close, equal, fail, raises
from autograder.difference import Difference
from autograder.source import Place
from autograder.student import StudentRaised

# On the logits, right code is at most 2.4e-6 away (step 11's measurement); a matrix left as it was, more than 1.
NEAR = {"rtol": 2e-4, "atol": 5e-4}
CUT = 2_000  # characters of an exception's message that come out of the learner's process


@check(
    passed="loaded with Hugging Face's weights, the model gives Hugging Face's logits",
    failed="loaded with Hugging Face's weights, the model does not give Hugging Face's logits",
)
def logits_match(student, oracle, draw):
    for ordered, holds in ((dict, ""), (_by_name, "its names in the order of the alphabet, as safetensors has them")):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        _load(student, mine, ordered(theirs.checkpoint()), holds)
        _same_logits(mine, theirs, values, draw)


@check(
    passed="names without the prefix, and a file without the head, load too",
    failed="names without the prefix, or a file without the head, do not load",
)
def takes_other_names(student, oracle, draw):
    values = draw.config()
    mine = _fresh(student, values)  # the same for all: each file has other weights
    for bare in (True, False):
        theirs = oracle.lm_head_model(values)
        given = {name: value for name, value in theirs.checkpoint().items() if name != "lm_head.weight"}
        _load(student, mine, _bare(given) if bare else given, f"{'short' if bare else 'full'} names, no lm_head.weight")
        _same_logits(mine, theirs, values, draw)
    theirs = oracle.lm_head_model(values)
    _load(student, mine, _bare(theirs.checkpoint()), "short names, and lm_head.weight")
    _same_logits(mine, theirs, values, draw)


@check(
    passed="the mask buffers of old files are passed over",
    failed="the mask buffers of old files are not passed over",
)
def passes_over_buffers(student, oracle, draw):
    import torch

    values = draw.config()
    mine, size = _fresh(student, values), values["n_positions"]
    for named in (dict, _bare):
        theirs = oracle.lm_head_model(values)
        given = dict(theirs.checkpoint())
        for layer in range(values["n_layer"]):
            given[f"transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, size, size).tril()
            given[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
        _load(student, mine, named(given), "attn.bias and attn.masked_bias in each block")
        _same_logits(mine, theirs, values, draw)


@check(
    passed="a tensor that is missing, unexpected or of another shape is a ValueError that names it, all at once",
    failed="a tensor that is missing, unexpected or of another shape is not a ValueError that names it, all at once",
)
def names_what_is_wrong(student, oracle, draw):
    import torch

    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    before = mine.state_dict()
    n_embd, file = values["n_embd"], theirs.checkpoint()
    bias, table, norm = "transformer.h.0.mlp.c_fc.bias", "transformer.wte.weight", "transformer.ln_f.weight"
    matrix, positions = "transformer.h.1.attn.c_attn.weight", "transformer.wpe.weight"
    axes = {matrix: torch.ones(n_embd, 3 * n_embd, 1)}
    row = {norm: torch.ones(1, n_embd)}
    rows = {positions: torch.ones(values["n_positions"] + 1, n_embd)}
    strange = {"transformer.h.0.attn.rotary": torch.ones(3), "score.weight": torch.ones(2, n_embd)}
    lone = {name: value for name, value in file.items() if name != "lm_head.weight"}
    _refuses(student, mine, before, _without(file, bias), [bias], "h.0.mlp.c_fc.bias is missing here")
    _refuses(
        student,
        mine,
        before,
        _without(lone, table),
        [table],
        "wte.weight is missing here, and no lm_head.weight is there",
    )
    _refuses(
        student, mine, before, _without(file, table), [table], "wte.weight is missing here, and lm_head.weight is there"
    )
    score = {"score.weight": strange["score.weight"]}
    _refuses(student, mine, before, file | score, list(score), "score.weight is unexpected here")
    _refuses(
        student, mine, before, file | strange, list(strange), "score.weight and h.0.attn.rotary are unexpected here"
    )
    _refuses(student, mine, before, file | rows, [positions], "wpe.weight has a row too many here")
    padded = {table: torch.ones(values["vocab_size"] + 1, n_embd)}
    _refuses(
        student,
        mine,
        before,
        lone | padded,
        [table],
        "wte.weight has a row too many here, and no lm_head.weight is there",
    )
    _refuses(student, mine, before, file | row, [norm], f"ln_f.weight is [1, {n_embd}] here")
    _refuses(student, mine, before, file | axes, [matrix], "h.1.attn.c_attn.weight has three axes here")
    every = _without(file, bias, "transformer.h.1.ln_2.bias") | strange | rows | row | axes
    names = [bias, "transformer.h.1.ln_2.bias", *strange, positions, norm, matrix]
    _refuses(
        student, mine, before, every, names, "seven tensors are wrong here: two missing, two unexpected, three shapes"
    )


@check(
    passed="a head that differs from the token table is a ValueError",
    failed="a head that differs from the token table is not a ValueError",
)
def refuses_another_head(student, oracle, draw):
    import torch

    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    given, before = dict(theirs.checkpoint()), mine.state_dict()
    given["lm_head.weight"] = draw.normal(values["vocab_size"], values["n_embd"])
    _refuses(student, mine, before, given, ["lm_head.weight"], "lm_head.weight is another table than wte.weight")
    given["lm_head.weight"] = given["transformer.wte.weight"].clone()
    row, column = draw.integer(1, values["vocab_size"] - 2), draw.integer(1, values["n_embd"] - 2)
    number = given["lm_head.weight"][row, column].clone()
    for other, much in ((number + 1, "1"), (torch.nextafter(number, number + 1), "one bit")):
        given["lm_head.weight"][row, column] = other
        says = f"lm_head.weight differs from wte.weight in one number, at [{row}, {column}], by {much}"
        _refuses(student, mine, before, given, ["lm_head.weight"], says)
    given["lm_head.weight"] = torch.cat([given["transformer.wte.weight"], torch.zeros(1, values["n_embd"])])
    says = "lm_head.weight has a row more than wte.weight"
    _refuses(student, mine, before, given, ["lm_head.weight"], says)


@check(
    passed="the weights are copied, and the head stays tied",
    failed="the weights are not copied, or the head does not stay tied",
)
def copies_and_keeps_the_tie(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    given = theirs.checkpoint()
    kept = student.keep(given)
    returned = _load(student, mine, kept, names=given)
    equal(returned, None, says="the function returns nothing: it changes the model")
    loaded = mine.transformer.ln_f.weight.detach()
    close(loaded, given["transformer.ln_f.weight"], rtol=0, atol=0, says="ln_f.weight, after loading")
    gone = sorted(given.keys() - set(kept))
    if gone:
        fail("the caller's dict has lost entries", expected="the dict as it was", got=f"no {gone[0]} in it")
    name = "transformer.h.0.attn.c_attn.weight"
    mine.transformer.wte.weight = draw.normal(values["vocab_size"], values["n_embd"])
    layer = mine.transformer.h.item(0).attn.c_attn
    layer.weight = draw.normal(3 * values["n_embd"], values["n_embd"])
    mine.transformer.ln_f.weight = draw.normal(values["n_embd"])
    for each in (name, "transformer.wte.weight", "transformer.ln_f.weight"):
        close(
            kept.item(each),
            given[each],
            rtol=0,
            atol=0,
            says=f"the model was changed, and with it the file's {each.removeprefix('transformer.')}",
        )
    table, head = mine.transformer.wte.weight.detach(), mine.lm_head.weight.detach()
    close(head, table, rtol=0, atol=0, says="wte.weight was changed, and lm_head.weight is not: they are no longer one")
    trained = [name for name, parameter in mine.named_parameters() if not parameter.requires_grad]
    equal(trained, [], says="these no longer ask for gradients")
    if not mine(draw.ids(values["vocab_size"], batch=1, seq=3, label="input_ids")).requires_grad:
        fail("the model is called after loading", expected="gradients are recorded again", got="none are")


def _load(student, model, given, holds="", names=None):
    """Load a file, whose names are in `names` where it is a proxy; what is special about it is said where that raises.

    A ValueError's own words are the learner's: what is compared with known mistakes is which tensors it names.
    """
    try:
        return student.load_gpt2_weights(model, given)
    except StudentRaised as error:
        if holds:
            error.call += f"    the dict: {holds}"
        if error.raised.builtin != "ValueError":
            raise
        message, frames = error.raised.message, error.raised.frames
        lines = [frame.line for frame in frames if frame.filename == frames[0].filename]
        raise Failed(
            Difference("weights that load", f"a {error.raised.type_name}", _quoted(error.raised.type_name, message)),
            Place(lines[-1], 1) if lines else None,
            compared=True,
            values=(_named(message, names or given), []),
            call=error.call,
        ) from None


def _named(message, given):
    """Return which tensors of a file a message names, or that most of them are, and whether a prefix stands twice."""
    twice = "transformer.transformer." in message
    short = [name.removeprefix("transformer.") for name in given]
    named = sorted(name for name in short if name in message)
    most = len(message) >= CUT or 2 * len(named) > len(short)  # how many find room hangs on the words around them
    return ["most of them", twice] if most else [*named, twice]


def _quoted(kind, message):
    """Return an exception's text in quotes: where it is long, how it begins and how it ends."""
    text = message.replace("\n", " ")
    text = f"{text[:280]} … {text[-200:]}" if len(text) > 500 else text
    more = ", and more" if len(message) >= CUT else ""
    return (f'{kind}: "{text}"{more}' if message else f"{kind}, without a message",)


def _refuses(student, mine, before, given, names, says):
    """Fail unless a file is refused by a ValueError with these names, and the model is as it was before."""
    message = raises(lambda: student.load_gpt2_weights(mine, given), "ValueError", says=says)
    lacking = [name for name in names if name.removeprefix("transformer.") not in message]
    if lacking:
        got = f"none in its first {CUT:,} characters" if len(message) >= CUT else "a message without it"
        found = Difference(f"one message, with {lacking[0]} in it", got, (says, *_quoted("ValueError", message)))
        seen = _named(message, []) if len(message) >= CUT else lacking
        raise Failed(found, compared=True, values=(seen, []), says=says)
    for name, value in mine.state_dict().items():
        close(value, before[name].detach(), rtol=0, atol=0, says=f"{name} was changed, although the file is refused")


def _same_logits(mine, theirs, values, draw):
    ids = draw.ids(values["vocab_size"], batch=2, seq=9, label="input_ids")
    expected = theirs(ids)
    expected.axes_names = ("batch", "seq", "vocab_size")
    got = mine(ids)
    if not agrees(got, expected, **NEAR):
        says = _culprit(mine, theirs)
        close(mine(ids), expected, **NEAR, says=says)  # called again: the call that is shown is the last one


def _culprit(mine, theirs):
    """Return which tensor of a model is not the file's, in words."""
    import torch

    own, file = mine.state_dict(), theirs.checkpoint()
    wrong = [name for name, value in theirs.linear_state_dict().items() if not torch.equal(own[name], value)]
    if not wrong:
        return "all tensors are the file's: something else was changed"
    if len(wrong) == len(own):
        return "nothing was loaded: no tensor has the file's numbers"
    name = wrong[0]
    if torch.equal(own[name], file[name]):
        return f"{name} is the file's, not turned"
    return f"{name} has other numbers than the file"


def _bare(given):
    return {name.removeprefix("transformer."): value for name, value in given.items()}


def _by_name(given):
    return dict(sorted(given.items()))


def _without(given, *names):
    return {name: value for name, value in given.items() if name not in names}


def _pair(student, oracle, values):
    return _fresh(student, values), oracle.lm_head_model(values)


def _fresh(student, values):
    return student.earlier("lm_head").GPT2LMHeadModel(student.earlier("config").GPT2Config(**values))


# --------------------------------------------------------------------------------------- mistakes, and other right ways

TURN = "tensor.t() if name.endswith(TRANSPOSED) and tensor.dim() == 2 else tensor"
FULL = "name if name.startswith(PREFIX) or name == HEAD else PREFIX + name"
SKIP = "        if name.endswith(BUFFERS):\n            continue\n"
TAKEN = "head = given.pop(HEAD, None)"
DIFFERS = "if head is not None and TABLE in given and not torch.equal(head, given[TABLE]):"
MISSING = '    wrong += [f"{name} is missing" for name in own if name not in given]\n'
STRANGE = '    wrong += [f"{name} is unexpected" for name in given if name not in own]\n'
SHAPES = "if name in given and given[name].shape != parameter.shape:"
RAISE = '    if wrong:\n        raise ValueError("; ".join(wrong))\n'
COPY = "            parameter.copy_(given[name])\n"
LOOP = f"        for name, parameter in own.items():\n{COPY}"
WHERE_IT_FITS = f"            if name in given and given[name].shape == parameter.shape:\n    {COPY}"

mistake(
    "square-one-not-turned",
    '"attn.c_proj.weight", ',
    "",
    "The attention's c_proj.weight is as the file has it. It is square, so its shape says nothing, and it is to be "
    "turned like the other three.",
    again=[(TURN, "tensor.t() if name.endswith(TRANSPOSED) and len(set(tensor.shape)) == 2 else tensor")],
)
mistake(
    "nothing-turned",
    TURN,
    "tensor",
    "No matrix is turned. The file keeps four matrices of each block as [in, out], where a linear layer has [out, in].",
)
mistake(
    "every-matrix-turned",
    "name.endswith(TRANSPOSED) and ",
    "",
    "Every tensor with two axes is turned, the two tables too. Only the four matrices of each block lie on their side.",
)
mistake(
    "c-attn-not-turned",
    '"attn.c_attn.weight", ',
    "",
    "The attention's c_attn.weight is not turned. All four matrices of a block are to be.",
)
mistake(
    "reshaped-not-turned",
    "tensor.t() if",
    "tensor.reshape(tensor.shape[::-1]) if",
    "The matrices have the right shape, and their numbers in the wrong order: a reshape does not turn rows into "
    "columns.",
    again=[("tensor.t() if", "tensor.contiguous().view(tensor.shape[1], tensor.shape[0]) if")],
)
mistake(
    "buffers-not-passed-over",
    SKIP,
    "",
    "The masks of old files, attn.bias and attn.masked_bias, are taken for weights. They are to be passed over.",
    again=[(SKIP, ""), ("{name} is unexpected", "there is no {name}")],
)
mistake(
    "attn-bias-without-its-dot",
    '".attn.bias", ',
    '"attn.bias", ',
    "attn.c_attn.bias is passed over as well, because it ends in attn.bias too. The dot in front belongs to the name.",
    again=[('".attn.bias", ', '"attn.bias", '), ("{name} is missing", "no {name}")],
)
mistake(
    "one-ending-for-all-buffers",
    '(".attn.bias", ".attn.masked_bias")',
    '("attn.bias",)',
    "What ends in attn.bias is passed over: attn.c_attn.bias does, and is a weight, and attn.masked_bias does not, and "
    "is none.",
)
mistake(
    "all-biases-passed-over",
    "name.endswith(BUFFERS)",
    'name.endswith("bias")',
    "Every bias is passed over. Only attn.bias and attn.masked_bias are no weights: the dot in front of attn tells "
    "them from attn.c_attn.bias.",
    again=[("name.endswith(BUFFERS)", '"bias" in name'), ("{name} is missing", "no {name}")],
)
mistake(
    "masked-bias-forgotten",
    '(".attn.bias", ".attn.masked_bias")',
    '(".attn.bias",)',
    "attn.bias is passed over, and attn.masked_bias is not. Old files have both.",
)
mistake(
    "full-names-needed",
    FULL,
    "name",
    "Names without the prefix are not found. They are to get it.",
)
mistake(
    "prefix-twice",
    FULL,
    "PREFIX + name",
    "Names that have the prefix get it once more: transformer.transformer. Only those that lack it get it, and the "
    "head's stays as it is.",
    again=[(FULL, "name if name == HEAD else PREFIX + name"), ("{name} is unexpected", "{name} is too much")],
)
mistake(
    "names-that-do-not-meet",
    FULL,
    "name if name == HEAD else name.removeprefix(PREFIX)",
    "The file's names and the model's do not meet: all are missing and all are unexpected. The model's have the "
    "prefix, so the file's are to get it where they lack it.",
    again=[(FULL, "name.removeprefix(PREFIX)")],
)
mistake(
    "prefix-by-the-first-name",
    FULL,
    "name if next(iter(state_dict)).startswith(PREFIX) or name == HEAD else PREFIX + name",
    "The file's first name decides for all whether they get the prefix. The first may be the head's: each name is to "
    "be looked at by itself.",
)
mistake(
    "prefix-stripped-by-letters",
    FULL,
    "name if name == HEAD else PREFIX + name.lstrip(PREFIX)",
    "lstrip takes off letters, not a word: score.weight becomes core.weight. The prefix alone is to go.",
    again=[(FULL, "name if name == HEAD else PREFIX + name.lstrip('transformer.')")],
)
mistake(
    "head-needed",
    TAKEN,
    "head = given.pop(HEAD)",
    "A file without lm_head.weight is refused. Many leave it out, because it is the table.",
    again=[(TAKEN, "head = given[HEAD]\n    del given[HEAD]")],
)
mistake(
    "head-not-taken-out",
    TAKEN,
    "head = given.get(HEAD)",
    "lm_head.weight counts as unexpected. When it has been compared, it is to be taken out.",
)
mistake(
    "table-not-asked-for",
    DIFFERS,
    "if head is not None and not torch.equal(head, given[TABLE]):",
    "A file with lm_head.weight and without wte.weight ends in a KeyError. The two can be compared only where both "
    "are there; else a ValueError names what is missing.",
    again=[(DIFFERS, "if head is not None and not given[TABLE].equal(head):")],
)
mistake(
    "another-head-taken",
    DIFFERS,
    "if False:",
    "A head that differs from the table is taken without a word. It is to be refused.",
    again=[(DIFFERS, "if head is not None and TABLE in given and head.shape != given[TABLE].shape:")],
)
mistake(
    "a-head-that-is-near",
    "torch.equal(",
    "torch.allclose(",
    "A head that is nearly the table is taken. It has to be equal, to the last bit.",
    again=[(DIFFERS, "if head is not None and TABLE in given and (head - given[TABLE]).abs().max() > 1e-6:")],
)
mistake(
    "a-heads-first-row",
    "torch.equal(head, given[TABLE])",
    "torch.equal(head[0], given[TABLE][0])",
    "Only the first row of the head is compared with the table. All of it has to be equal.",
)
mistake(
    "a-head-compared-number-by-number",
    "not torch.equal(head, given[TABLE])",
    "head != given[TABLE]",
    "A whole tensor is asked whether it is true, as if, and, not and or do. torch.equal gives one answer for two "
    "tensors, and `is not None` says whether a head is there.",
    again=[(DIFFERS, "if head and TABLE in given and not torch.equal(head, given[TABLE]):")],
)
mistake(
    "a-head-compared-whatever-its-shape",
    "not torch.equal(head, given[TABLE])",
    "(head != given[TABLE]).any()",
    "A head of another shape than the table ends in an error of torch's own. It differs from the table, so a "
    "ValueError is to name it.",
)
mistake(
    "a-padded-head-taken",
    "not torch.equal(head, given[TABLE])",
    "head.shape == given[TABLE].shape and not torch.equal(head, given[TABLE])",
    "A head of another shape than the table is taken without a word. It is to be refused.",
)
mistake(
    "first-fault-alone",
    '"; ".join(wrong)',
    "wrong[0]",
    "The message names the first tensor that is wrong and no other. One message is to name all of them.",
)
mistake(
    "first-three-faults",
    '"; ".join(wrong)',
    '"; ".join(wrong[:3])',
    "The message stops after three tensors. It is to name all that are wrong.",
)
mistake(
    "missing-passed-over",
    MISSING,
    "",
    "A tensor that is missing is passed over, and the model keeps its own numbers there. It is to be named in a "
    "ValueError.",
    also=[(COPY, f"            if name in given:\n    {COPY}")],
)
mistake(
    "missing-is-a-key-error",
    MISSING,
    "",
    "A tensor that is missing ends in a KeyError, when others have been copied already. It is to be named in a "
    "ValueError before anything is changed.",
)
mistake(
    "unexpected-passed-over",
    STRANGE,
    "",
    "A tensor that the model does not have is passed over. It is to be named in a ValueError.",
)
mistake(
    "shapes-not-compared",
    SHAPES,
    "if False:",
    "Shapes are not compared: copy_ stretches what it can, and raises its own error for the rest. Each shape that "
    "differs is to be named in a ValueError.",
    again=[(SHAPES, "if name in given and given[name] is None:")],
)
mistake(
    "sizes-in-place-of-shapes",
    SHAPES,
    "if name in given and given[name].numel() != parameter.numel():",
    "Only the number of elements is compared, so a tensor of another shape is let through. The shapes have to be "
    "equal.",
    also=[(COPY, "            parameter.copy_(given[name].reshape(parameter.shape))\n")],
    again=[
        (SHAPES, "if name in given and given[name].nelement() != parameter.nelement():"),
        (COPY, "            parameter.copy_(given[name].reshape_as(parameter))\n"),
    ],
)
mistake(
    "turned-whatever-its-axes",
    " and tensor.dim() == 2 else",
    " else",
    "t() is called on a tensor of three axes, and its error names no tensor. Only what has two axes can be turned; "
    "the shape is then named in a ValueError.",
)
mistake(
    "a-key-error",
    "raise ValueError",
    "raise KeyError",
    "The file is refused by another kind of exception. A ValueError is asked for.",
)
mistake(
    "no-value-error",
    'raise ValueError("; ".join(wrong))',
    "print(wrong)\n        return",
    "What is wrong with a file raises nothing: the function comes back, as if all were well. A ValueError is asked "
    "for.",
    again=[(RAISE, ""), (COPY, WHERE_IT_FITS)],
)
mistake(
    "changed-before-it-is-refused",
    RAISE,
    "",
    "The file is refused when a part of it has been copied already. Everything is to be looked at before anything is "
    "changed.",
    also=[(COPY, WHERE_IT_FITS + RAISE)],
)
mistake(
    "nothing-loaded",
    COPY,
    "            pass\n",
    "Nothing of the file comes into the model: it has its own numbers still. Each tensor is to be copied into the "
    "model's parameter.",
    again=[(COPY, "            parameter = given[name]\n")],
)
mistake(
    "by-order",
    LOOP,
    f"        for parameter, tensor in zip(own.values(), given.values()):\n{COPY.replace('given[name]', 'tensor')}",
    "Tensors are taken one after the other, as if the file had the model's order. Each is to be found by its name.",
)
mistake(
    "biases-forgotten",
    COPY,
    f"            if name.endswith('bias'):\n                continue\n{COPY}",
    "The biases are not loaded. Every tensor of the model is to get the file's numbers.",
)
mistake(
    "file-kept",
    COPY,
    "            parameter.data = given[name]\n",
    "The model's parameters are the file's tensors themselves, so training would change the file. Their values are to "
    "be copied.",
)
mistake(
    "untied",
    COPY,
    f"{COPY}        model.lm_head.weight = torch.nn.Parameter(given[TABLE].clone())\n",
    "The head has become a parameter of its own. The tie is to stay: values are copied into the parameters that are "
    "there.",
)
mistake(
    "gradients-recorded",
    "    with torch.no_grad():\n",
    "    if True:\n",
    "The copy in place is recorded for gradients, which autograd refuses for a parameter. It is to be done without "
    "recording.",
)
mistake(
    "frozen",
    COPY,
    f"{COPY}            parameter.requires_grad_(False)\n",
    "The parameters no longer ask for gradients, so the model cannot be trained. Recording is to be off during the "
    "copy alone.",
    again=[("    with torch.no_grad():\n", "    model.requires_grad_(False)\n    if True:\n")],
)
mistake(
    "gradients-off-for-good",
    "    with torch.no_grad():\n",
    "    torch.set_grad_enabled(False)\n    if True:\n",
    "Gradients are switched off, and never on again: whoever trains the model afterwards gets none. They are to be off "
    "during the copy alone.",
)
mistake(
    "file-emptied",
    TAKEN,
    f"state_dict.pop(HEAD, None)\n    {TAKEN}",
    "lm_head.weight is taken out of the caller's own dict. That is to stay as it was: work on a new one.",
    again=[("    given = {}\n", "    given = {}\n    first = state_dict.pop(HEAD, None)\n"), (TAKEN, "head = first")],
)
mistake(
    "the-model-comes-back",
    COPY,
    f"{COPY}    return model\n",
    "The function returns something. It changes the model that it is given, and returns nothing.",
)

variant("capital-t", "tensor.t() if", "tensor.T if")
variant("contiguous", "tensor.t() if", "tensor.transpose(0, 1).contiguous() if")
variant(
    "data-copy",
    "    with torch.no_grad():\n",
    "    if True:\n",
    also=[(COPY, COPY.replace("parameter.", "parameter.data."))],
)
variant("load-state-dict-at-the-end", LOOP, "        model.load_state_dict({**given, HEAD: given[TABLE]})\n")
variant("load-state-dict-not-strict", LOOP, "        model.load_state_dict(given, strict=False)\n")
variant(
    "names-from-the-state-dict",
    "named = model.named_parameters(remove_duplicate=False)",
    "named = model.state_dict().items()",
)
variant(
    "a-regular-expression",
    SKIP,
    "        if re.search(r'\\.attn\\.(masked_)?bias$', name):\n            continue\n",
    also=[("import torch\n", "import re\n\nimport torch\n")],
)
variant("removeprefix", FULL, "name if name == HEAD else PREFIX + name.removeprefix(PREFIX)")
variant("many-lines-in-the-message", '"; ".join', '"\\n".join')
variant(
    "a-kind-of-value-error",
    'raise ValueError("; ".join(wrong))',
    'class WrongFile(ValueError):\n            pass\n        raise WrongFile("; ".join(wrong))',
)
variant("cloned-first", "given[full_name] = tensor", "tensor = tensor.clone()\n        given[full_name] = tensor")
variant.file(
    "the-models-side-first",
    """import torch

PREFIX = "transformer."
SIDEWAYS = {"attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"}


def is_sideways(name):
    parts = name.split(".")
    return parts[-1] == "weight" and ".".join(parts[-3:-1]) in SIDEWAYS


def load_gpt2_weights(model, state_dict):
    rest = {name: value for name, value in state_dict.items() if not name.endswith((".attn.bias", ".attn.masked_bias"))}
    head = rest.pop("lm_head.weight", None)
    plan, complaints = [], []
    for name, parameter in model.transformer.named_parameters():
        value = rest.pop(PREFIX + name, rest.pop(name, None))
        if value is None:
            complaints.append(f"missing: {name}")
            continue
        wanted = tuple(parameter.shape)[::-1] if is_sideways(name) else tuple(parameter.shape)
        if tuple(value.shape) != wanted:
            complaints.append(f"shape of {name}: {tuple(value.shape)} instead of {wanted}")
            continue
        if name == "wte.weight" and head is not None and not torch.equal(head, value):
            complaints.append("lm_head.weight is not wte.weight")
        plan.append((parameter, value.mT if is_sideways(name) else value))
    complaints.extend(f"unexpected: {name}" for name in rest)
    if complaints:
        raise ValueError("\\n".join(complaints))
    for parameter, value in plan:
        parameter.detach().copy_(value)
""",
)

_NAMED = "model.named_parameters(remove_duplicate=False)"
_FIRST = "a model whose table comes before its head lists it first; the rest is for a step 11 that makes the head first"
equivalent(_NAMED, "model.named_parameters()", _FIRST)
equivalent(_NAMED, "model.named_parameters(remove_duplicate=True)", _FIRST)
equivalent("torch.equal(head, given[TABLE])", "torch.equal(given[TABLE], head)", "two are equal in either order")
