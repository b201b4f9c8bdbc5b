"""Step 12 is judged with Hugging Face's own models: loaded by the learner's function, the logits are theirs."""

import contextlib
from typing import NamedTuple

from autograder.checking import check, equivalent, mistake, variant
from autograder.comparing import Failed, agrees, close, equal, fail, raises
from autograder.difference import Difference
from autograder.source import Place
from autograder.student import Missing, StudentRaised

# On the logits, right code is at most 2.4e-6 away (step 11's measurement); a matrix left as it was, more than 1.
NEAR = {"rtol": 2e-4, "atol": 5e-4}
CUT = 2_000  # characters of an exception's message that come out of the learner's process
# GPT-2 has blocks of two digits. Every matrix but c_attn is square here: what is turned by its shape is not.
DEEP = {"vocab_size": 11, "n_positions": 9, "n_embd": 6, "n_layer": 13, "n_head": 3, "n_inner": 6}
DEEP["layer_norm_epsilon"] = 1e-3
NARROW = {"n_embd": 8, "n_head": 2, "n_inner": 12}  # enough where a file is refused
FROZEN = ("transformer.wpe.weight", "transformer.h.0.ln_2.weight", "transformer.h.0.ln_2.bias")


class _File(NamedTuple):
    """A file that is to be refused, the names in it that are wrong, and a sentence on what is."""

    tensors: dict
    wrong: list
    says: str


@check(
    passed="loaded with Hugging Face's weights, the model gives Hugging Face's logits",
    failed="loaded with Hugging Face's weights, the model does not give Hugging Face's logits",
)
def logits_match(student, oracle, draw):
    alphabet = "13 blocks, its names in the order of the alphabet, as safetensors has them"
    for ordered, values, holds in ((dict, _shallow(draw), ""), (_by_name, DEEP, alphabet)):
        mine, theirs = _pair(student, oracle, values)
        _load(student, mine, ordered(theirs.checkpoint()), holds)
        _same_logits(mine, theirs, values, draw)


@check(
    passed="names without the prefix, and a file without the head, load too",
    failed="names without the prefix, or a file without the head, do not load",
)
def takes_other_names(student, oracle, draw):
    values = _shallow(draw)
    mine = _fresh(student, values)  # the same for all: each file has other weights
    for bare in (True, False):
        theirs = oracle.lm_head_model(values)
        given = {name: value for name, value in theirs.checkpoint().items() if name != "lm_head.weight"}
        _load(student, mine, _bare(given) if bare else given, f"{'short' if bare else 'full'} names, no lm_head.weight")
        _same_logits(mine, theirs, values, draw)
    theirs = oracle.lm_head_model(values)
    _load(student, mine, _bare(theirs.checkpoint()), "short names, and lm_head.weight")
    _same_logits(mine, theirs, values, draw)
    theirs = oracle.lm_head_model(values)
    _load(student, mine, _mixed(theirs.checkpoint()), "every second name is short, the others are full")
    _same_logits(mine, theirs, values, draw)


@check(
    passed="the mask buffers of old files are passed over",
    failed="the mask buffers of old files are not passed over",
)
def passes_over_buffers(student, oracle, draw):
    values, held = _shallow(draw), "attn.bias and attn.masked_bias in each of {} blocks"
    mine, theirs = _pair(student, oracle, values)
    _load(student, mine, theirs.checkpoint() | _buffers(values), held.format(values["n_layer"]))
    _same_logits(mine, theirs, values, draw)
    mine, theirs = _pair(student, oracle, DEEP)
    file, last = theirs.checkpoint(), DEEP["n_layer"] - 1
    _load(student, mine, _bare(_buffers(DEEP) | file), held.format(DEEP["n_layer"]))
    attn = mine.transformer.h.item(last).attn.c_attn  # enough here: the numbers of all take a while
    matrix, bias = (file[f"transformer.h.{last}.attn.c_attn.{kind}"] for kind in ("weight", "bias"))
    for got, expected in ((attn.weight, matrix.t()), (attn.bias, bias)):
        close(got.detach(), expected, rtol=0, atol=0, says=f"h.{last}.attn.c_attn, after loading")


@check(
    passed="a tensor that is missing, unexpected or of another shape is a ValueError that names it, all at once",
    failed="a tensor that is missing, unexpected or of another shape is not a ValueError that names it, all at once",
)
def names_what_is_wrong(student, oracle, draw):
    import torch

    values = {**draw.config(), **NARROW}
    theirs = oracle.lm_head_model(values)
    n_embd, file = values["n_embd"], theirs.checkpoint()
    bias, table, norm = "transformer.h.0.mlp.c_fc.bias", "transformer.wte.weight", "transformer.ln_f.weight"
    matrix, positions = "transformer.h.1.attn.c_attn.weight", "transformer.wpe.weight"
    axes = {matrix: torch.ones(n_embd, 3 * n_embd, 1)}
    row = {norm: torch.ones(1, n_embd)}
    rows = {positions: torch.ones(values["n_positions"] + 1, n_embd)}
    strange = {"transformer.h.0.attn.masked_rotary": torch.ones(3), "score.weight": torch.ones(2, n_embd)}
    strange |= {"score.bias": torch.ones(2), "lm_head.bias": torch.ones(values["vocab_size"])}
    strange["transformer.h.1.attn.c_attn.lora_bias"] = torch.tensor(1.0)
    strange["transformer.h.0.attn.bias_k"] = torch.ones(2)  # which ends otherwise than the buffer
    lone = {name: value for name, value in file.items() if name != "lm_head.weight"}
    score = {"score.weight": strange["score.weight"]}
    padded = {table: torch.ones(values["vocab_size"] + 1, n_embd)}
    short_of_rows = {positions: torch.ones(values["n_positions"] - 1, n_embd)}
    block = {name: value for name, value in file.items() if ".h.0." in name}
    extra = {name.replace(".h.0.", f".h.{values['n_layer']}."): value for name, value in block.items()}
    last = [name for name in file if f".h.{values['n_layer'] - 1}." in name]
    headless = "and no lm_head.weight is there"
    files = [
        _File(_without(file, bias), [bias], "h.0.mlp.c_fc.bias is missing here"),
        _File(_without(lone, table), [table], f"wte.weight is missing here, {headless}"),
        _File(file | score, list(score), "score.weight is unexpected here"),
        _File(file | strange, list(strange), "six tensors are unexpected here, and four are a bias"),
        _File(
            _without(file, table, bias),
            [table, bias],
            "h.0.mlp.c_fc.bias and wte.weight are missing here, lm_head.weight is there",
        ),
        _File(file | rows, [positions], "wpe.weight has a row too many here"),
        _File(lone | padded, [table], f"wte.weight has a row too many here, {headless}"),
        _File(file | row, [norm], f"ln_f.weight is [1, {n_embd}] here"),
        _File(file | axes, [matrix], "h.1.attn.c_attn.weight has three axes here"),
        _File(file | {matrix: torch.ones(n_embd)}, [matrix], "h.1.attn.c_attn.weight has one axis here"),
        _File(file | short_of_rows, [positions], "wpe.weight has a row too few here"),
        _File(file | extra, list(extra), "the file has a block more than the model"),
        _File(_without(file, *last), last, "the file has a block less than the model"),
    ]
    for part in range(3):  # each is missing once; not all at once, as a message has only so much room
        gone = list(lone)[part::3]
        files.append(_File(_without(lone, *gone), gone, f"{len(gone)} tensors are missing here"))
    # Each is let through by another comparison: of the first axis alone, and of one that is the right way or turned.
    others = {"transformer.h.0.mlp.c_fc.weight": torch.ones(1, values["n_inner"]), positions: file[positions].t()}
    head = {"lm_head.weight": file[table] + 1}
    every = _without(file, bias, "transformer.h.1.ln_2.bias") | strange | row | axes | others | head
    names = [bias, "transformer.h.1.ln_2.bias", *strange, norm, matrix, *others, *head]
    files.append(_File(every, names, "thirteen are wrong here: two missing, six unexpected, four shapes, the head"))
    _refuses(student, values, files)


@check(
    passed="a head that differs from the token table is a ValueError",
    failed="a head that differs from the token table is not a ValueError",
)
def refuses_another_head(student, oracle, draw):
    import torch

    values, head = {**draw.config(), **NARROW}, "lm_head.weight"
    file = oracle.lm_head_model(values).checkpoint()
    table = file["transformer.wte.weight"]
    other = {**file, head: draw.normal(values["vocab_size"], values["n_embd"])}
    files = [
        _File(named(other), [head], f"lm_head.weight is another table than wte.weight{how}")
        for named, how in ((dict, ""), (_by_name, ", before which it stands"), (_bare, ", with short names"))
    ]
    row, column = draw.integer(1, values["vocab_size"] - 2), draw.integer(1, values["n_embd"] - 2)
    number = table[row, column]
    for changed, much in ((number + 1, "1"), (torch.nextafter(number, number + 1), "one bit")):
        near = table.clone()
        near[row, column] = changed
        says = f"lm_head.weight differs from wte.weight in one number, at [{row}, {column}], by {much}"
        files.append(_File({**file, head: near}, [head], says))
    more = torch.cat([table, torch.zeros(1, values["n_embd"])])
    files.append(_File({**file, head: more}, [head], "lm_head.weight has a row more than wte.weight"))
    files.append(_File({**file, head: table[:-1].clone()}, [head], "lm_head.weight has a row less than wte.weight"))
    _refuses(student, values, files)


@check(
    passed="the weights are copied, and the head stays tied",
    failed="the weights are not copied, or the head does not stay tied",
)
def copies_and_keeps_the_tie(student, oracle, draw):
    values = _shallow(draw)
    mine, theirs = _pair(student, oracle, values)
    given = theirs.checkpoint()
    kept, held = student.keep(given), student.keep([])
    norm, torch = mine.transformer.ln_f, _torch(student)
    if torch is not None:
        torch.set_grad_enabled(True)  # whatever an earlier check's refusals left
    held.extend(mine.parameters())
    block = mine.transformer.h.item(0)
    for part in (mine.transformer.wpe, block.ln_2):
        part.requires_grad_(False)
    block.mlp.eval()
    modes, before = _modes(student, mine)
    returned = _load(student, mine, kept, names=given)
    equal(returned, None, says="the function returns nothing: it changes the model")
    close(norm.weight.detach(), given["transformer.ln_f.weight"], rtol=0, atol=0, says="ln_f.weight, after loading")
    _keeps_its_entries(kept, given)
    name = "transformer.h.0.attn.c_attn.weight"
    close(kept.item(name), given[name], rtol=0, atol=0, says="h.0.attn.c_attn.weight in the caller's dict")
    _same_parameters(list(held), list(mine.parameters()))
    own = dict(list(mine.named_parameters()))
    _are_frozen_as_before(own)
    loaded = own["transformer.wpe.weight"].detach()
    close(loaded, given["transformer.wpe.weight"], rtol=0, atol=0, says="wpe.weight, which was frozen, after loading")
    _shares_no_memory(mine, theirs, kept, given)
    mine.transformer.wte.weight = draw.normal(values["vocab_size"], values["n_embd"])
    table, head = mine.transformer.wte.weight.detach(), mine.lm_head.weight.detach()
    close(head, table, rtol=0, atol=0, says="wte.weight was changed, and lm_head.weight is not: they are no longer one")
    ids = draw.ids(values["vocab_size"], batch=1, seq=3, label="input_ids")
    if not mine(ids).requires_grad:
        fail("the model is called after loading", expected="gradients are recorded again", got="none are")
    _is_in_its_mode(modes, before)
    _changes_numbers_alone(student, mine, given, values)
    with contextlib.suppress(StudentRaised):
        student.load_gpt2_weights(mine, {})
    if not mine(ids).requires_grad:
        fail("the model is called after an empty dict", expected="gradients are recorded again", got="none are")


def _changes_numbers_alone(student, mine, file, values):
    """Load two files more, where no gradients are recorded: one in float16, and one with short names and buffers."""
    half = {name: value.half() for name, value in file.items()}
    mine.eval()
    mine.transformer.h.train()
    modes, before = _modes(student, mine)
    recorded = _unrecorded(student, lambda: _load(student, mine, half, "all of it in float16"))
    loaded = mine.transformer.ln_f.weight.detach()
    close(loaded, half["transformer.ln_f.weight"].float(), rtol=0, atol=0, says="ln_f.weight, after a file of float16")
    for name, value in mine.state_dict().items():
        dtype = str(value.dtype).removeprefix("torch.")
        if dtype != "float32":
            fail(f"{_short(name)}, after a file of float16", expected="float32, as it was", got=dtype)
    _is_in_its_mode(modes, before)
    if recorded:
        fail("called under torch.no_grad()", expected="no gradients afterwards, either", got="they are switched on")
    old = _bare(_without(file, "lm_head.weight") | _buffers(values))
    kept = student.keep(old)
    with contextlib.suppress(StudentRaised):  # whether it loads is another check's question
        student.load_gpt2_weights(mine, kept)
    _keeps_its_entries(kept, old)


def _are_frozen_as_before(own):
    """Fail unless those of a model's parameters that were frozen before loading still are, and no others."""
    frozen = {name for name, parameter in own.items() if not parameter.requires_grad}
    woken = next((name for name in FROZEN if name not in frozen), None)
    if woken:
        fail(f"{_short(woken)} was frozen before loading", expected="no gradient asked for", got="it asks for one")
    others = sorted(frozen - set(FROZEN))
    if others:
        fail(
            f"{_short(others[0])} was not frozen before loading", expected="it asks for a gradient", got="it is frozen"
        )


def _modes(student, mine):
    """Return what tells the modes of a model's modules, and what it tells now."""
    modules = {name or "the model": module for name, module in mine.named_modules()}

    def modes():
        return dict(zip(modules, student.each(list(modules.values()), "training"), strict=True))

    return modes, modes()


def _is_in_its_mode(modes, before):
    """Fail unless each module is in the mode that it was in before loading."""
    for name, training in modes().items():
        if training != before[name]:
            was, now = ("in evaluation mode", "in training mode")[:: 1 if training else -1]
            fail(f"{_short(name)} was {was} before loading", expected="it still is", got=f"it is {now}")


def _shares_no_memory(mine, theirs, kept, given):
    """Fail unless all numbers of a file, which was loaded, are as they were once the model has others.

    First those that are turned, which may have been copied on the way where the others were not.
    """
    mine.load_state_dict({name: value.flip(0) for name, value in theirs.linear_state_dict().items()})
    for name in sorted(given, key=lambda name: "attn.c_attn.weight" not in name):
        says = f"the model was changed, and with it the file's {_short(name)}"
        close(kept.item(name), given[name], rtol=0, atol=0, says=says)


def _unrecorded(student, call):
    """Make a call while no gradients are recorded; return whether they are afterwards, and have them recorded again."""
    torch = _torch(student)
    if torch is None:
        call()
        return False
    torch.set_grad_enabled(False)
    try:
        call()
    except (StudentRaised, Failed):
        torch.set_grad_enabled(True)
        raise
    recorded = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    return recorded


def _torch(student):
    """Return torch in the worker, by one of the names that modules import; None where none has."""
    for module in (student.earlier("lm_head"), student):
        for path in (("torch",), ("nn", "functional", "torch")):
            with contextlib.suppress(Missing, AttributeError):
                found = module
                for name in path:
                    found = getattr(found, name)
                _ = found.set_grad_enabled, found.is_grad_enabled
                return found
    return None


def _keeps_its_entries(kept, given):
    """Fail unless the caller's dict has the names that it had."""
    now = set(kept)
    gone, new = sorted(given.keys() - now), sorted(now - given.keys(), key=str)
    if gone:
        more = f", and {new[0]} is new" if new else ""
        fail("the caller's dict has lost entries", expected="the dict as it was", got=f"no {gone[0]} in it{more}")
    if new:
        fail("the caller's dict has got entries", expected="the dict as it was", got=f"{new[0]} in it")


def _same_parameters(held, now):
    """Fail unless parameters that were held before loading are the model's still: the same objects, so the numbers."""
    import torch

    pairs = zip(held, now, strict=False)
    if len(held) > len(now) or not all(one.dtype == other.dtype and torch.equal(one, other) for one, other in pairs):
        says = "the model's parameters were held on to, as an optimiser does"
        fail(says, expected="the file's numbers in them", got="the model has other parameters now")


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
            Difference(
                "weights that load",
                f"a {error.raised.type_name}",
                (*_quoted(error.raised.type_name, message), *_order_of(model)),
            ),
            Place(lines[-1], 1) if lines else None,
            compared=True,
            values=(_named(message, names or given), []),
            says=holds,
            call=error.call,
        ) from None


def _order_of(model):
    """Say so where the model has the shared weight under its other name, as step 11 made the head first."""
    with contextlib.suppress(Missing, StudentRaised):
        own = [name for name, _ in model.named_parameters()]
        if "lm_head.weight" in own and "transformer.wte.weight" not in own:
            listed = "step 11 makes lm_head before transformer, so named_parameters() has no transformer.wte.weight"
            return [f"{listed}: make lm_head after it"]
    return []


def _named(message, given):
    """Return which tensors a message names, or that most are, and whether a prefix is where none belongs."""
    twice = any(f"transformer.{name}" in message for name in ("transformer.", "lm_head.weight"))
    short = list(map(_short, given))
    named = sorted(name for name in short if name in message)
    most = len(message) >= CUT or 2 * len(named) > len(short)  # how many find room hangs on the words around them
    return ["most of them", twice] if most else [*named, twice]


def _quoted(kind, message):
    """Return an exception's text in quotes: where it is long, how it begins and how it ends."""
    text = message.replace("\n", " ")
    text = f"{text[:280]} … {text[-200:]}" if len(text) > 500 else text
    more = ", and more" if len(message) >= CUT else ""
    return (f'{kind}: "{text}"{more}' if message else f"{kind}, without a message",)


def _refuses(student, values, files):
    """Fail unless each file is refused by a ValueError with the names that are wrong, and the model stays as it was.

    That it does is asked once, after all or after the first that fails; one by one only where it is another model then.
    """
    mine = _fresh(student, values)
    before = mine.state_dict()
    for file in files:
        try:
            _is_refused(student, mine, file)
        except Failed:
            if not _is_as(before, mine):
                break
            _is_refused(student, mine, file)  # again: the call that is shown is the last one
            raise
    if _is_as(before, mine):
        return
    fresh = _fresh(student, values)
    first = fresh.state_dict()
    for file in files:
        _is_refused(student, fresh, file)
        _stays_as(first, fresh)
    _stays_as(before, mine)


def _is_as(before, mine):
    """Return whether a model's numbers are what they were."""
    now = mine.state_dict()
    return all(agrees(now[name], value.detach(), rtol=0, atol=0) for name, value in before.items())


def _stays_as(before, mine):
    for name, value in mine.state_dict().items():
        close(value, before[name].detach(), rtol=0, atol=0, says=f"{name} was changed, although the file is refused")


def _is_refused(student, mine, file):
    """Fail unless a file is refused by one message with the names that are wrong."""
    given, names, says = file
    message = raises(lambda: student.load_gpt2_weights(mine, given), "ValueError", says=says)
    lacking = [name for name in names if _short(name) not in message]
    if lacking:
        got = f"none in its first {CUT:,} characters" if len(message) >= CUT else "a message without it"
        found = Difference(f"one message, with {lacking[0]} in it", got, (says, *_quoted("ValueError", message)))
        seen = _named(message, []) if len(message) >= CUT else lacking
        raise Failed(found, compared=True, values=(seen, []), says=says)
    right = [name for name in map(_short, given) if name not in map(_short, names)]
    if right and 2 * sum(name in message for name in right) > len(right):
        found = Difference(
            "the tensors that are wrong", "most that are right, too", (says, *_quoted("ValueError", message))
        )
        raise Failed(found, compared=True, values=("most of them", []), says=says)


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
        if all(torch.allclose(own[name], theirs.linear_state_dict()[name], rtol=0.01, atol=1e-3) for name in wrong):
            return "all tensors have nearly the file's numbers: were they rounded?"
        return "nothing was loaded: no tensor has the file's numbers"
    name = wrong[0]
    if torch.equal(own[name], file[name]):
        return f"{name} is the file's, not turned"
    return f"{name} has other numbers than the file"


def _short(name):
    return name.removeprefix("transformer.")


def _bare(given):
    return {_short(name): value for name, value in given.items()}


def _mixed(given):
    return {_short(name) if place % 2 else name: value for place, (name, value) in enumerate(given.items())}


def _buffers(values):
    """Return what old files hold of each block besides its weights."""
    import torch

    size, blocks = values["n_positions"], [f"transformer.h.{layer}.attn" for layer in range(values["n_layer"])]
    masks = {f"{attention}.bias": torch.ones(1, 1, size, size).tril() for attention in blocks}
    return masks | {f"{attention}.masked_bias": torch.tensor(-1e4) for attention in blocks}


def _by_name(given):
    return dict(sorted(given.items()))


def _without(given, *names):
    return {name: value for name, value in given.items() if name not in names}


def _shallow(draw):
    """Return a configuration of one block: a file of more is asked for where it says more."""
    return {**draw.config(), "n_layer": 1}


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
EARLY = "if name == HEAD and TABLE in given and not torch.equal(tensor, given[TABLE]):"
MISSING = '    wrong += [f"{name} is missing" for name in own if name not in given]\n'
STRANGE = '    wrong += [f"{name} is unexpected" for name in given if name not in own]\n'
SHAPES = "if name in given and given[name].shape != parameter.shape:"
LISTED = (
    f"    for name, parameter in own.items():\n        {SHAPES}\n"
    '            wrong.append(f"{name} is {list(given[name].shape)}, not {list(parameter.shape)}")\n'
)
RAISE = '    if wrong:\n        raise ValueError("; ".join(wrong))\n'
ALONE = '        wrong.append(f"{HEAD} differs from {TABLE}")\n'
COPY = "            parameter.copy_(given[name])\n"
LOOP = f"        for name, parameter in own.items():\n{COPY}"
LEFT_OUT = f"        lacks, has = model.load_state_dict(given, strict=False)\n    wrong = [*lacks[:-1], *has]\n{RAISE}"
TRIED = (
    "        try:\n            model.load_state_dict({**given, HEAD: given[TABLE]})\n"
    "        except RuntimeError as error:\n            raise ValueError(str(error)) from error\n"
)
UNLIKE = "unlike = any(n == full_name and p.shape != tensor.shape for n, p in model.named_parameters())\n"
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
    "frozen-ones-passed-over",
    COPY,
    f"            if parameter.requires_grad:\n    {COPY}",
    "A parameter that asks for no gradients keeps its old numbers. It stays frozen, and its numbers are to be the "
    "file's.",
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
    "the-mlps-c-proj-not-turned",
    ', "mlp.c_proj.weight")',
    ")",
    "The MLP's c_proj.weight is not turned. All four matrices of a block are to be.",
)
mistake(
    "turned-by-its-shape",
    TURN,
    "tensor.t() if name.endswith('attn.c_proj.weight') or (name.endswith(TRANSPOSED) and unlike) else tensor",
    "A matrix is turned where its shape is not the model's. Where n_inner is n_embd, the MLP's are square as well: go "
    "by name.",
    also=[("        given[full", f"        {UNLIKE}        given[full")],
)
mistake(
    "whatever-is-turned-by-its-shape",
    TURN,
    "tensor.t() if tensor.dim() == 2 and (name.endswith('attn.c_proj.weight') or unlike) else tensor",
    "A tensor is turned where its shape is not the model's. Where n_inner is n_embd, the MLP's matrices are square as "
    "well: go by name.",
    also=[("        given[full", f"        {UNLIKE}        given[full")],
)
mistake(
    "a-turned-table-taken",
    f"        {SHAPES}",
    "        if name in given and given[name].dim() == 2 and given[name].t().shape == parameter.shape:\n"
    f"            given[name] = given[name].t()\n        {SHAPES}",
    "A table that lies on its side is turned, and taken. Only the four matrices of each block are turned; another "
    "shape is to be named.",
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
    "stopped-at-the-first-buffer",
    SKIP,
    SKIP.replace("continue", "break"),
    "At the first buffer the loop ends, by a break. The tensors after it are to be read too: continue does that.",
)
mistake(
    "what-begins-like-a-buffer",
    "name.endswith(BUFFERS)",
    "any(each in name for each in BUFFERS)",
    "A name with .attn.bias anywhere in it is passed over. Only what ends so is a buffer.",
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
    again=[("name.endswith(BUFFERS)", 'name[-4:] == "bias"'), ("{name} is missing", "no {name}")],
)
mistake(
    "unknown-biases-passed-over",
    STRANGE,
    STRANGE.replace("not in own", "not in own and not name.endswith('bias')"),
    "A bias that the model does not have is passed over. Only attn.bias and attn.masked_bias are; any other is to be "
    "named.",
    also=[(SKIP, "")],
    again=[(STRANGE, STRANGE.replace("not in own", "not in own and name[-4:] != 'bias'"))],
)
mistake(
    "more-taken-for-a-buffer",
    "name.endswith(BUFFERS)",
    'name.endswith("bias") and tensor.dim() != 1',
    "A tensor that the model does not have is passed over as if it were a buffer. Only attn.bias and attn.masked_bias "
    "are, by their whole names.",
    again=[("name.endswith(BUFFERS)", "tensor.dim() in (0, 4)")],
)
mistake(
    "all-of-the-heads-passed-over",
    SKIP,
    f"{SKIP}        if name.startswith('lm_head') and name != HEAD:\n            continue\n",
    "lm_head.bias is passed over. It is no weight of the model, so it is to be named as unexpected.",
)
mistake(
    "buffers-of-ten-blocks",
    "name.endswith(BUFFERS)",
    "re.search(r'h\\.\\d\\.attn\\.(masked_)?bias$', name)",
    "The buffers of block 10 and those after it are not passed over. A block's number may have two digits.",
    also=[("import torch\n", "import re\n\nimport torch\n")],
    again=[
        (
            "name.endswith(BUFFERS)",
            "name.removeprefix(PREFIX) in {f'h.{i}{end}' for i in range(10) for end in BUFFERS}",
        )
    ],
)
mistake(
    "buffers-of-twelve-blocks",
    "name.endswith(BUFFERS)",
    "name.removeprefix(PREFIX) in {f'h.{i}{end}' for i in range(12) for end in BUFFERS}",
    "The buffers of a thirteenth block are not passed over. There may be more blocks than GPT-2's 12.",
)
mistake(
    "ten-blocks-turned",
    "name.endswith(TRANSPOSED)",
    "re.search(r'h\\.\\d\\.(attn|mlp)\\.c_\\w+\\.weight$', name)",
    "The matrices of block 10 and those after it are not turned. A block's number may have two digits.",
    also=[("import torch\n", "import re\n\nimport torch\n")],
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
    "prefix-for-all-or-none",
    "    given = {}\n",
    "    bare = not any(name.startswith(PREFIX) for name in state_dict)\n    given = {}\n",
    "Whether names get the prefix is decided for the whole file. Each name is to be looked at by itself: it gets the "
    "prefix unless it has it.",
    also=[(FULL, "PREFIX + name if bare and name != HEAD else name")],
    again=[(FULL, "PREFIX + name if 'wte.weight' in state_dict and name != HEAD else name")],
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
    "A file is refused for its lm_head.weight, which equals its table. It gets no prefix, is compared by its numbers, "
    "and is then taken out.",
)
mistake(
    "a-prefix-for-the-head",
    FULL,
    "name if name.startswith(PREFIX) else PREFIX + name",
    "lm_head.weight gets the prefix, and is then unexpected. It stands outside the transformer: its name is to stay.",
)
mistake(
    "a-head-that-is-missing",
    "own = {name: parameter for name, parameter in named if name != HEAD}",
    "own = model.state_dict()",
    "lm_head.weight counts as missing when it has been taken out, or is not there. The model's names are to be "
    "compared without the head's.",
    again=[("for name, parameter in named if name != HEAD}", "for name, parameter in named}")],
)
mistake(
    "an-equal-head-refused",
    "not torch.equal(head, given[TABLE])",
    "head is not given[TABLE]",
    "A head that equals the table is refused as another one. The file's own two tensors are to be compared by their "
    "numbers, and neither of them is turned.",
    again=[("not torch.equal(head, given[TABLE])", "not torch.equal(head, model.transformer.wte.weight)")],
)
mistake(
    "a-head-in-place-of-the-table",
    MISSING,
    f"    if head is not None:\n        given.setdefault(TABLE, head)\n{MISSING}",
    "A missing wte.weight is not named where lm_head.weight is there. The head does not stand in for it.",
)
mistake(
    "a-head-without-its-table-alone",
    MISSING,
    f"    if head is not None and TABLE not in given:\n        raise ValueError(TABLE)\n{MISSING}",
    "Where wte.weight and another one are missing, and lm_head.weight is there, one of them alone is named. One "
    "message is to name all that is wrong.",
    again=[
        (TAKEN, f"{TAKEN}\n    if head is not None and TABLE not in given:\n        raise ValueError('no ' + TABLE)")
    ],
)
mistake(
    "another-head-alone",
    'wrong.append(f"{HEAD}',
    'raise ValueError(f"{HEAD}',
    "Where the head differs, nothing else is named. One message is to name all that is wrong.",
    again=[(ALONE, "        raise ValueError('not the table: ' + HEAD)\n")],
)
mistake(
    "another-head-last",
    DIFFERS,
    "if False:",
    "A head that differs is not named where something else is wrong. One message is to name all that is wrong.",
    also=[(RAISE, f"{RAISE}    {DIFFERS}\n        raise ValueError(HEAD)\n")],
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
    "a-head-compared-too-early",
    "    given = {}\n",
    "    given, wrong = {}, []\n",
    "The head is compared with what was read before it, which need not be the table. Compare once all names are read.",
    also=[
        ("        full_name =", f"        {EARLY}\n    {ALONE}        full_name ="),
        (f"    wrong = []\n    {TAKEN}\n    {DIFFERS}\n{ALONE}", f"    {TAKEN}\n"),
    ],
)
mistake(
    "a-head-compared-by-full-names",
    DIFFERS,
    "if head is not None and TABLE in state_dict and not torch.equal(head, state_dict[TABLE]):",
    "The head is compared only where the file calls the table transformer.wte.weight. It may have its short name.",
    again=[
        (DIFFERS, "table = state_dict.get(TABLE)\n    if None not in (head, table) and not torch.equal(head, table):")
    ],
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
    "A head that differs in a part is taken, as where its first row alone is compared. All of it has to be equal.",
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
    "Of several tensors that are wrong, the message names the first alone, or the first of each kind. One message is "
    "to name all of them.",
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
    "as-many-blocks-as-the-file",
    MISSING,
    "    there = {name.split('.')[2] for name in given if '.h.' in name}\n"
    + MISSING.replace("given]", "given and ('.h.' not in name or name.split('.')[2] in there)]"),
    "The file says how many blocks are filled. Where it has fewer than the model, the others keep their own numbers. "
    "The model says what has to be there.",
    also=[(COPY, f"            if name in given:\n    {COPY}")],
    again=[
        (
            MISSING,
            MISSING.replace("given]", "given and (name[12:14] != 'h.' or any(name[:16] in it for it in given))]"),
        ),
        (COPY, f"            if name in given:\n    {COPY}"),
    ],
)
mistake(
    "missing-is-a-key-error",
    MISSING,
    "",
    "A tensor that is missing ends in a KeyError. It is to be named in a ValueError, before anything is changed.",
    again=[(MISSING, ""), (SHAPES, SHAPES.replace("name in given and ", ""))],
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
    "Shapes are not compared, or a part of them: copy_ stretches what it can, and raises its own error for the rest. "
    "Each shape that differs is to be named in a ValueError.",
    again=[(SHAPES, "if name in given and given[name] is None:")],
)
mistake(
    "the-first-axis-alone",
    SHAPES,
    "if name in given and given[name].shape[:1] != parameter.shape[:1]:",
    "The first axis alone is compared, or which is larger, so a tensor of another shape is let through. The shapes "
    "have to be equal.",
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
    "first-ten-faults",
    '"; ".join(wrong)',
    '"; ".join(wrong[:10])',
    "The message stops before all is named: the last shapes are not in it. It is to name all that are wrong.",
)
mistake(
    "kind-by-kind",
    MISSING,
    f"{MISSING}{RAISE}",
    "Where something is missing, nothing unexpected and no shape is named. One message is to name all that is wrong.",
    also=[(STRANGE, f"{STRANGE}{RAISE}")],
)
mistake(
    "names-before-shapes",
    STRANGE,
    f"{STRANGE}{RAISE}",
    "Where a name is wrong, no shape is. One message is to name all that is wrong, of both kinds.",
)
mistake(
    "a-shape-alone",
    'wrong.append(f"{name} is {list',
    'raise ValueError(f"{name} is {list',
    "The first shape that differs is raised at once, and no other is named. One message is to name all that is wrong.",
)
mistake(
    "right-ones-named-too",
    f"{MISSING}{STRANGE}",
    "    if own.keys() != given.keys():\n        wrong.append(f'the names differ: {list(own)} and {list(given)}')\n",
    "The message names most of the tensors, those that are right as well. Only those that are wrong are to be in it.",
    again=[
        (
            f"{MISSING}{STRANGE}",
            "    if own.keys() ^ given.keys():\n        wrong.extend(f'{name}?' for name in [*own, *given])\n",
        )
    ],
)
mistake(
    "unexpected-is-a-key-error",
    STRANGE,
    "",
    "A tensor that the model does not have ends in a KeyError. It is to be named in a ValueError, before anything is "
    "changed.",
    also=[
        (
            f"    for name, parameter in own.items():\n        {SHAPES}",
            "    for name in given:\n        parameter = own[name]\n        if given[name].shape != parameter.shape:",
        )
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
    "changed-by-load-state-dict",
    f"{MISSING}{STRANGE}",
    "",
    "The file is refused when a part of it has been copied already. Everything is to be looked at before anything is "
    "changed.",
    also=[
        (LISTED, ""),
        (
            LOOP,
            LEFT_OUT,
        ),
    ],
    again=[
        (f"{MISSING}{STRANGE}", ""),
        (LISTED, ""),
        (
            LOOP,
            TRIED,
        ),
    ],
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
    "file-kept-in-part",
    COPY,
    "            parameter.data = given[name].contiguous()\n",
    "Some parameters are the file's tensors themselves, so training would change the file. The values of each are to "
    "be copied.",
)
mistake(
    "the-biases-kept",
    COPY,
    f"            if 'bias' in name:\n                parameter.data = given[name]\n            else:\n    {COPY}",
    "The biases are the file's tensors themselves, so training would change the file. Their values are to be copied.",
)
mistake(
    "the-files-dtype",
    COPY,
    "            parameter.data = given[name].clone()\n",
    "The model takes over the file's dtype: a file of float16 makes it float16. copy_ writes the values into the "
    "parameter that is there.",
)
mistake(
    "other-parameters",
    LOOP,
    "        for name in own:\n            path, _, last = name.rpartition('.')\n"
    "            setattr(model.get_submodule(path), last, torch.nn.Parameter(given[name].clone()))\n"
    "        model.lm_head.weight = model.transformer.wte.weight\n",
    "The model has other parameters than before, so an optimiser that holds the old ones trains nothing. Values are to "
    "be copied into those that are there.",
    again=[(LOOP, "        model.load_state_dict({**given, HEAD: given[TABLE]}, assign=True)\n")],
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
    "gradients-switched-on",
    "    with torch.no_grad():\n",
    "    torch.set_grad_enabled(False)\n    if True:\n",
    "Gradients are switched on afterwards, whatever the caller had. They are to be off during the copy alone: "
    "torch.no_grad() gives back what was.",
    also=[(COPY, f"{COPY}    torch.set_grad_enabled(True)\n")],
)
mistake(
    "gradients-off-after-a-refusal",
    "    given = {}\n",
    "    recorded = torch.is_grad_enabled()\n    torch.set_grad_enabled(False)\n    given = {}\n",
    "When a file has been refused, gradients stay switched off. They are to be off during the copy alone.",
    also=[(COPY, f"{COPY}    torch.set_grad_enabled(recorded)\n")],
)
mistake(
    "frozen-ones-woken",
    COPY,
    f"{COPY}    model.requires_grad_(True)\n",
    "A parameter that was frozen asks for gradients again. Loading changes numbers, and nothing else.",
    again=[
        ("    given = {}\n", "    model.requires_grad_(False)\n    given = {}\n"),
        (COPY, f"{COPY}            parameter.requires_grad_(True)\n"),
    ],
)
mistake(
    "evaluation-mode-left",
    COPY,
    f"{COPY}    model.eval()\n",
    "The model is in evaluation mode afterwards, and was in training. Loading changes numbers, and nothing else.",
    again=[("    given = {}\n", "    model.eval()\n    given = {}\n")],
)
mistake(
    "training-mode-left",
    COPY,
    f"{COPY}    model.train()\n",
    "The model is in training mode afterwards, and was in evaluation. Loading changes numbers, and nothing else.",
)
mistake(
    "the-callers-buffers-deleted",
    SKIP,
    SKIP.replace("continue", "del state_dict[name]\n            continue"),
    "The buffers are deleted from the caller's own dict. That is to stay as it was: make a new one.",
    also=[("in state_dict.items()", "in list(state_dict.items())")],
)
mistake(
    "the-callers-names-changed",
    "    given = {}\n",
    "    for name in list(state_dict):\n        if not name.startswith(PREFIX) and name != HEAD:\n"
    "            state_dict[PREFIX + name] = state_dict.pop(name)\n    given = {}\n",
    "The names in the caller's own dict are changed. That is to stay as it was: make a new one.",
)
mistake(
    "the-callers-matrices-turned",
    "        given[full",
    "        if name.endswith(TRANSPOSED) and tensor.dim() == 2:\n            state_dict[name] = tensor.mT\n"
    "        given[full",
    "The matrices in the caller's own dict are turned. It is to stay as it was: what is turned belongs into a new one.",
    again=[("tensor.t() if", "tensor.t_() if")],
)
mistake(
    "a-head-for-the-caller",
    TAKEN,
    f"{TAKEN}\n    state_dict.setdefault(HEAD, given.get(TABLE))",
    "lm_head.weight is put into the caller's own dict. That is to stay as it was: make a new one.",
)
mistake(
    "the-callers-dict-filled",
    "    given = {}\n",
    "    given = state_dict\n",
    "The model's names are put into the caller's own dict, beside the file's. Make a new one for what is to be loaded.",
    also=[("in state_dict.items()", "in list(state_dict.items())")],
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
