"""Step 13 is judged against Hugging Face's own greedy generation, redrawn: a fresh model repeats two tokens."""

import contextlib

from autograder.checking import check, equivalent, mistake, variant
from autograder.comparing import close, equal, fail
from autograder.student import Missing, StudentRaised

# Of new tokens: at first, through a window, to an end. Each is a pass through the model; another row costs nothing.
NEW, BEYOND, TO_THE_END = 3, 4, 5
NARROW = {"n_embd": 8, "n_head": 2, "n_inner": 12}  # enough where it is not said which tokens are written


@check(
    passed="generate appends what Hugging Face's greedy generation appends",
    failed="generate does not append what Hugging Face's greedy generation appends",
)
def output_matches(student, oracle, draw):
    wide, narrow = draw.config(), {**_small(draw), **NARROW}
    for batch, seq, values in ((4, 6, wide), (1, 11, narrow)):  # 11 is more than n_embd, which is no window
        mine, theirs = _pair(student, oracle, values)
        ids = draw.ids(values["vocab_size"], batch=batch, seq=seq, label="input_ids")
        same(student.generate(mine, ids, NEW), theirs.continued(ids, NEW), ids)
    other = oracle.lm_head_model(values)
    mine.load_state_dict(other.linear_state_dict())
    says = "the model got other weights meanwhile"
    same(student.generate(mine, ids, NEW), other.continued(ids, NEW), ids, says)


@check(
    passed="it appends exactly max_new_tokens, none for 0",
    failed="it does not append exactly max_new_tokens, none for 0",
)
def counts_right(student, oracle, draw):
    values = {**_small(draw), **NARROW}
    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=2, label="input_ids")
    for count in (0, 3, 1):  # the first that asks for something, for more than the prompt has
        expected = theirs.continued(ids, count)
        same(student.generate(mine, ids, count), expected, ids, f"max_new_tokens is {count}, and the prompt has 2")
    prompt, expected = _without_an_end(draw)
    written = student.generate(_writes(student, expected), prompt, 3)
    same(written, expected, prompt, "no eos_token_id is given: 50256 and 0 are ids like any other")


@check(
    passed="beyond n_positions it looks at the last n_positions tokens",
    failed="beyond n_positions it does not look at the last n_positions tokens",
)
def crops_the_context(student, oracle, draw):
    values = {**_small(draw), "n_positions": 8}
    mine, theirs = _pair(student, oracle, values)
    for seq in (7, 11):  # 7 grows through 8
        ids = draw.ids(values["vocab_size"], batch=7, seq=seq, label="input_ids")
        expected = theirs.continued(ids, BEYOND, window=8)
        same(student.generate(mine, ids, BEYOND), expected, ids, "n_positions is 8: each is the best after the last 8")
    values["n_positions"] = 3
    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=7, seq=6, label="input_ids")
    expected = theirs.continued(ids, BEYOND, window=3)
    eos = next(token for token in range(values["vocab_size"]) if not bool((expected == token).any()))
    says = f"n_positions is 3, and {BEYOND} tokens are new; no row writes {eos}, the end"
    same(student.generate(mine, ids, BEYOND, eos_token_id=eos), expected, ids, says)


@check(
    passed="a row that has reached eos_token_id is padded with it, and all rows ended end it",
    failed="a row that has reached eos_token_id is not padded with it, or all rows ended do not end it",
)
def stops_at_the_end(student, oracle, draw):
    values = _small(draw)
    mine, theirs = _pair(student, oracle, values)
    three, eos = _prompts_that_end(theirs, values, draw)
    two = _like(three[:2].contiguous(), three)
    ids = _like(three[[1, 2, 0]], three)
    # The row that ends first is the middle one, and, where another row never ends, the last one.
    for some in (_like(three[[1, 0, 1]], three), ids, _like(three[1:2].contiguous(), three)):
        expected, free = theirs.continued(some, TO_THE_END, eos), theirs.continued(some, TO_THE_END)[:, 6:]
        same(student.generate(mine, some, TO_THE_END, eos_token_id=eos), expected, some, _endings(free, eos))
    free = theirs.continued(two, TO_THE_END)[:, 6:]
    # Now the first one, with ids 0 and eos exchanged everywhere: 0 is an id like any other.
    state = theirs.linear_state_dict()
    for name in ("transformer.wte.weight", "lm_head.weight"):
        state[name][[0, eos]] = state[name][[eos, 0]]
    mine.load_state_dict(state)
    expected, prompt = _exchanged(theirs.continued(two, TO_THE_END, eos), eos), _like(_exchanged(two, eos), two)
    says = _endings(_exchanged(free, eos), 0)
    same(student.generate(mine, prompt, TO_THE_END, eos_token_id=0), expected, prompt, says)
    _ends_beyond_the_window(student, oracle, {**values, "n_positions": 4}, draw)


@check(
    passed="an eos_token_id in the prompt ends no row",
    failed="an eos_token_id in the prompt ends a row",
)
def passes_over_the_prompts(student, oracle, draw):
    values = _small(draw)
    mine, theirs = _pair(student, oracle, values)
    for place, where in ((3, "in the middle"), (5, "at the end")):
        ids, eos = _prompts_with_an_end(theirs, values, place, draw)
        expected = theirs.continued(ids, 3, eos)
        says = f"{eos} stands in row 1's prompt, {where}; no row begins with it"
        same(student.generate(mine, ids, 3, eos_token_id=eos), expected, ids, says)
    ids, eos = _prompts_with_an_end(theirs, values, 5, draw, every=True)
    says = f"{eos} stands at the end of every row's prompt; no row begins with it"
    same(student.generate(mine, ids, 3, eos_token_id=eos), theirs.continued(ids, 3, eos), ids, says)
    ids, eos = _prompts_with_an_end(theirs, values, 0, draw, seq=1, every=True)
    says = f"{eos} is all of every row's prompt; no row begins with it"
    same(student.generate(mine, ids, 3, eos_token_id=eos), theirs.continued(ids, 3, eos), ids, says)


@check(
    passed="the model runs in evaluation mode, and no gradients are recorded",
    failed="the model does not run in evaluation mode, or gradients are recorded",
)
def runs_in_evaluation(student, oracle, draw):
    values = _small(draw)
    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=4, seq=5, label="input_ids")
    transformer = mine.transformer
    norm = transformer.ln_f
    nn = _torchs_modules(student)
    if nn is not None:
        transformer.ln_f = nn.Sequential(norm, nn.AlphaDropout(0.5))
        mine.train()
        mine.training = False  # its own flag says nothing of the modules inside
        says = "a dropout was put behind the model's last norm: it drops only in training"
        same(student.generate(mine, ids, NEW), theirs.continued(ids, NEW), ids, says)
        dropped = transformer.ln_f.item(1).p
        equal(dropped, 0.5, says="the p of a dropout that was put behind the model's last norm, after the call")
        transformer.ln_f = norm
    # What comes into the last norm is kept, in a dict by the module: a tensor says whether it is recorded.
    seen = student.keep({})
    norm.register_forward_pre_hook(seen.setdefault)
    student.generate(mine, ids, 1)
    if any(getattr(value, "requires_grad", False) for given in seen.values() for value in given):
        student.generate(mine, ids, 1)  # again: the call that is shown is the last one
        fail("seen in the model's last norm", expected="nothing is recorded", got="what comes in asks for gradients")


@check(
    passed="it leaves the ids, each module's mode and the random numbers as they were",
    failed="it does not leave the ids, each module's mode and the random numbers as they were",
)
def leaves_no_trace(student, oracle, draw):
    values = {**draw.config(), **NARROW, "n_layer": 2}
    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=1, seq=5, label="input_ids")
    blocks = mine.transformer.h
    mlp = blocks.item(0).mlp
    positions = mine.transformer.wpe
    positions.requires_grad_(False)
    mine.train()
    for part in (mine.lm_head, positions, blocks):
        part.eval()
    mlp.train()  # of the first block alone
    before, state = mine.random_state(), mine.state_dict()
    some = {name or "model": module for name, module in mine.named_modules()}
    modes = _modes(student, some)
    _, (_, after, _) = student.generate.call_keeping(mine, ids, 3)
    close(after, _named(ids.clone()), rtol=0, atol=0, says="these are the caller's ids after the call")
    if not bool((mine.random_state() == before).all()):
        fail("greedy generation draws nothing", expected="the random state as it was", got="another one")
    changed = _changed(modes, _modes(student, some), "after generate")
    mine.eval()
    blocks.train()
    mlp.eval()
    modes = _modes(student, some)
    student.generate(mine, ids, 1)
    changed += _changed(modes, _modes(student, some), "after another call")
    _kept(changed, lambda: student.generate(mine, ids, 1))
    mine.train()
    modes = _modes(student, some)
    eos = int(theirs.continued(ids, 1)[0, -1])
    student.generate(mine, ids, 3, eos_token_id=eos)
    changed = _changed(modes, _modes(student, some), "after eos_token_id")
    _kept(changed, lambda: student.generate(mine, ids, 3, eos_token_id=eos))
    frozen = [name for name, parameter in mine.named_parameters() if not parameter.requires_grad]
    if "transformer.wpe.weight" not in frozen:
        fail("wpe.weight was frozen before the call", expected="no gradient asked for", got="it asks for one")
    if len(frozen) > 1:
        other = next(name for name in frozen if name != "transformer.wpe.weight")
        says = "after the call these ask for no gradients, and wpe.weight alone was frozen before it"
        fail(says, expected="transformer.wpe.weight alone", got=f"{len(frozen)} parameters, {other} among them")
    student.generate(mine, ids, 0)
    changed = _changed(modes, _modes(student, some), "when max_new_tokens is 0")
    _kept(changed, lambda: student.generate(mine, ids, 0))
    for name, value in mine.state_dict().items():
        close(value, state[name], rtol=0, atol=0, says=f"{name}, after generate")
    if not mine(ids).requires_grad:
        fail("the model is called after generate", expected="gradients are recorded again", got="none are")
    if _records_afterwards(student, lambda: student.generate(mine, ids, 0)):
        student.generate(mine, ids, 0)  # again: the call that is shown is the last one
        fail("called under torch.no_grad()", expected="no gradients afterwards, either", got="they are switched on")


def same(mine, theirs, prompt, says=""):
    """Fail unless both are the same ids."""
    batch, seq = prompt.shape
    new = theirs.shape[1] - seq
    expected = f"[batch={batch}, seq + n={seq + new}]"
    if new and _is(mine, prompt):
        fail("nothing is appended: this is the prompt", says, expected=expected, got=f"[batch={batch}, seq={seq}]")
    if new and _is(mine, theirs[:, seq:]):
        why = "these are the new ids: the prompt is missing in front of them"
        fail(why, says, expected=expected, got=f"[batch={batch}, n={new}]")
    close(mine, _named(theirs), rtol=0, atol=0, says=says)


def _is(mine, ids):
    """Return whether what came back is these ids: for words on it, when it is not what was asked for."""
    import torch

    same_kind = type(mine) is torch.Tensor and (mine.dtype, mine.device) == (ids.dtype, ids.device)
    return same_kind and torch.equal(mine, ids)


def _named(ids):
    ids.axes_names = ("batch", "seq + n")
    return ids


def _modes(student, some):
    return dict(zip(some, student.each(list(some.values()), "training"), strict=True))


def _changed(before, after, when):
    """Return which mode is not as it was, in a sentence, and how many more are not; nothing where all are."""
    first, *more = [name for name in before if after[name] != before[name]] or [""]
    if not first:
        return []
    short = first.removeprefix("transformer.")
    many = [f"so with {len(more)} other module{'s' if len(more) > 1 else ''}"] if more else []
    return [f"{when}, {short}.training is {after[first]} and was {before[first]}", *many]


def _kept(changed, call):
    if changed:
        call()  # again: the call that is shown is the last one
        fail(*changed, expected="each module's mode as it was", got="another one")


def _endings(free, eos):
    """Return in words when each row writes an id: [batch, n] is what they write as long as nothing ends them."""
    words = []
    for row, written in enumerate(free.tolist()):
        place = f"as new token {written.index(eos) + 1}" if eos in written else "never"
        words.append(f"row {row} writes {eos} {place}" if not row else f"row {row} {place}")
    return ", ".join(words)


def _prompts_that_end(theirs, values, draw):
    """Return three rows of ids, and an id that row 0 writes first, and then another, row 1 later, and row 2 never."""
    while True:
        ids = draw.ids(values["vocab_size"], batch=24, seq=6, label="input_ids")
        free = theirs.continued(ids, TO_THE_END)[:, 6:].tolist()
        for first, written in enumerate(free):
            eos = written[0]
            later = [row for row, others in enumerate(free) if eos in others[1 : TO_THE_END - 1] and others[0] != eos]
            never = [row for row, others in enumerate(free) if eos not in others]
            if eos and written[1] != eos and later and never:
                three = ids[[first, later[0], never[0]]]
                if not bool((three == eos).any()):
                    return _like(three, ids), eos


def _prompts_with_an_end(theirs, values, place, draw, *, seq=6, every=False):
    """Return ids whose row 1, or every row, has an id at a place that no row writes first, and that id."""
    while True:
        ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
        eos = int(ids[1, place])
        if every:
            ids[:, place] = eos
        if eos not in theirs.continued(ids, 1)[:, -1].tolist():
            return ids, eos


def _torchs_modules(student):
    """Return torch.nn in the worker, by one of the names that modules import; None where none has."""
    return _found(student, (("nn",), ("torch", "nn")), ("Sequential", "AlphaDropout"))


def _found(student, paths, having):
    for module in (student.earlier("lm_head"), student.earlier("model"), student):
        for path in paths:
            with contextlib.suppress(Missing, AttributeError):
                found = module
                for name in path:
                    found = getattr(found, name)
                for name in having:
                    getattr(found, name)
                return found
    return None


def _records_afterwards(student, call):
    """Make a call while no gradients are recorded; return whether they are afterwards, and have them recorded again."""
    torch = _found(student, (("torch",), ("nn", "functional", "torch")), ("set_grad_enabled", "is_grad_enabled"))
    if torch is None:
        return False
    torch.set_grad_enabled(False)
    try:
        call()
    except StudentRaised:
        torch.set_grad_enabled(True)
        raise
    recorded = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    return recorded


def _without_an_end(draw):
    """Return a prompt, and the prompt with three new ids: GPT-2's own end, 0, and the end once more.

    Neither is an end unless it is said.
    """
    import torch

    prompt = draw.ids(40, batch=1, seq=1, label="input_ids")
    return prompt, torch.cat([prompt, torch.tensor([[50256, 0, 50256]])], dim=1)


def _writes(student, text):
    """Return a small model of GPT-2's vocabulary that writes the last three of four ids, whatever it reads."""
    import torch

    sizes = {"vocab_size": 50257, "n_positions": 5, "n_embd": 2, "n_layer": 1, "n_head": 1, "n_inner": 3}
    mine = student.earlier("lm_head").GPT2LMHeadModel(student.earlier("config").GPT2Config(**sizes))
    # Beside such a position, a token and a fresh block are little: the id whose row is the position's is the best.
    ways = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])
    table, positions = torch.zeros(50257, 2, dtype=torch.int8), torch.zeros(5, 2)  # which soon is sent
    table[text[0, 1:]], positions[:3] = ways.to(torch.int8), 100 * ways
    mine.transformer.wte.weight, mine.transformer.wpe.weight = table, positions
    return mine


def _ends_beyond_the_window(student, oracle, values, draw):
    """Fail unless a row goes on to be padded when the text is longer than n_positions."""
    import torch

    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=7, seq=6, label="input_ids")
    free = theirs.continued(ids, 3, window=4)[:, 6:]
    eos = next((row[0] for row in free.tolist() if row[0] not in row[1:]), None)
    expected = theirs.continued(ids, 3, eos, window=4)
    try:
        got = student.generate(mine, ids, 3, eos_token_id=eos)
    except StudentRaised:
        return  # a window that is missing is another check's question, as is one at another place
    if torch.is_tensor(got) and got.dim() == 2 and torch.equal(got[:, :7], expected[:, :7]):
        same(got, expected, ids, f"n_positions is 4, and {eos} ends a row of a text of 6")


def _exchanged(ids, other):
    """Return the ids with 0 and another exchanged."""
    return ids.masked_fill(ids == 0, other).masked_fill(ids == other, 0)


def _like(ids, others):
    """Give ids the label and the axes of others, for the words of a failure."""
    ids.label, ids.axes = others.label, f"batch={ids.shape[0]}, seq={ids.shape[1]}"
    return ids


def _small(draw):
    """Return a configuration of one block: nothing here is about the model, and the first check has one of two."""
    return {**draw.config(), "n_layer": 1}


def _pair(student, oracle, values):
    theirs = oracle.lm_head_model(values)
    return _fresh(student, values, theirs.linear_state_dict()), theirs


def _fresh(student, values, state):
    mine = student.earlier("lm_head").GPT2LMHeadModel(student.earlier("config").GPT2Config(**values))
    mine.load_state_dict(state)
    return mine


# --------------------------------------------------------------------------------------- mistakes, and other right ways

HIDDEN = "hidden_states = model.transformer(input_ids[:, -n_positions:])"
LOGITS = "logits = model.lm_head(hidden_states[:, -1])"
BEST = "logits.argmax(dim=-1)"
LOOP = "for _ in range(max_new_tokens):"
EVAL = "    model.eval()\n"
MODES = "modes = [(module, module.training) for module in model.modules()]"
BACK = "    for module, mode in modes:\n        module.training = mode\n"
NONE_ENDED = "torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)"
PAD = "            next_ids = next_ids.masked_fill(ended, eos_token_id)\n"
ENDED = "ended = ended | (next_ids == eos_token_id)"
STOP = "        if ended.all():\n            break\n"
STOP_WITH_EOS = STOP.replace("ended.all()", "eos_token_id is not None and ended.all()")
JOINED = "torch.cat([input_ids, next_ids.unsqueeze(1)], dim=1)"
JOIN = f"        input_ids = {JOINED}\n"
RETURN = "    return input_ids"
PROMPTS_END = "if eos_token_id is not None and (input_ids[:, -1] == eos_token_id).all():"

mistake(
    "one-row-never-ends",
    "if eos_token_id is not None:",
    "if eos_token_id is not None and len(input_ids) > 1:",
    "A text that is alone in its batch does not end at eos_token_id. It ends as it would beside others.",
    again=[("if eos_token_id is not None:", "if eos_token_id is not None and input_ids.shape[0] != 1:")],
)
mistake(
    "first-position",
    "hidden_states[:, -1]",
    "hidden_states[:, 0]",
    "The first position is asked for the next token. The last one knows the whole text.",
)
mistake(
    "last-but-one-position",
    "hidden_states[:, -1]",
    "hidden_states[:, -2]",
    "The position before the last is asked: it predicts a token that the text already has. The last one is to be "
    "asked.",
)
mistake(
    "first-row-for-all",
    BEST,
    "logits[:1].argmax(dim=-1).expand(len(input_ids))",
    "Every row gets the first row's token. Each row has an answer of its own.",
)
mistake(
    "argmax-of-the-whole-batch",
    BEST,
    "logits.argmax() % logits.shape[1] + 0 * logits[:, 0].long()",
    "One token is taken for all rows: the best of the whole batch. Each row has an answer of its own.",
    again=[(BEST, "(logits == logits.max()).any(0).long().argmax().expand(len(input_ids))")],
)
mistake(
    "argmax-without-an-axis",
    BEST,
    "logits.argmax()",
    "There is a single number for the whole batch: argmax was given no axis, or logits that have lost one. One for "
    "each row is asked for.",
    again=[(BEST, "torch.argmax(logits)")],
)
mistake(
    "all-positions",
    "hidden_states[:, -1]",
    "hidden_states",
    "The best token of every position is taken. Only the last position is to be asked, and positions are on axis 1.",
    again=[(BEST, "logits.argmax(-1)"), ("hidden_states[:, -1]", "hidden_states[:, :]")],
)
mistake(
    "all-positions-appended",
    "hidden_states[:, -1]",
    "hidden_states",
    "In each pass the best tokens of all positions are appended. Only the last position's is to be: one id for each "
    "row.",
    also=[("next_ids.unsqueeze(1)]", "next_ids]")],
)
mistake(
    "the-last-row",
    "hidden_states[:, -1]",
    "hidden_states[-1]",
    "Index -1 takes the last row of the batch, with all its positions. The last position of each row is asked for: "
    "positions are on axis 1.",
    again=[(BEST, "logits.argmax(dim=-1)[-1]"), ("hidden_states[:, -1]", "hidden_states")],
)
mistake(
    "the-last-score",
    LOGITS,
    "logits = model.lm_head(hidden_states)[..., -1]",
    "The score of the vocabulary's last token is taken at every position. The last position is asked for, with the "
    "scores of all tokens: positions are on axis 1.",
    again=[(LOGITS, "logits = model.lm_head(hidden_states)[:, :, -1]")],
)
mistake(
    "a-column-made-twice",
    "hidden_states[:, -1]",
    "hidden_states[:, -1:]",
    "The new ids have an axis too many. As a column, [batch, 1], they are put behind the text: a slice or keepdim=True "
    "makes that column already.",
    again=[(BEST, "logits.argmax(dim=-1, keepdim=True)")],
)
mistake(
    "a-column-beside-a-row",
    "next_ids.unsqueeze(1)]",
    "next_ids]",
    "The ids are a column, [batch, 1], and which rows have ended is [batch]: together they are stretched to "
    "[batch, batch]. Both are to have the same shape.",
    also=[(BEST, "logits.argmax(dim=-1, keepdim=True)")],
    again=[("next_ids.unsqueeze(1)]", "next_ids]"), ("hidden_states[:, -1]", "hidden_states[:, -1:]")],
)
mistake(
    "argmax-over-the-batch",
    BEST,
    "logits.argmax(dim=0)",
    "argmax goes along the batch: it finds the row that likes a token most. The best token of each row is asked for.",
)
mistake(
    "the-smallest-score",
    BEST,
    "logits.argmin(dim=-1)",
    "The token with the smallest score is taken. Greedy takes the largest.",
)
mistake(
    "sampled",
    BEST,
    "torch.multinomial(logits.softmax(-1), 1).squeeze(1)",
    "Tokens are drawn at random. Greedy generation takes the best one, and draws nothing.",
    again=[(BEST, "torch.distributions.Categorical(logits=logits).sample()")],
)
mistake(
    "the-new-token-alone",
    HIDDEN,
    "hidden_states = model.transformer(input_ids[:, -1:])",
    "The model is given the newest token alone, and takes it for the whole text. It is to get the text each time.",
)
mistake(
    "the-new-token-at-its-place",
    HIDDEN,
    "hidden_states = model.transformer(input_ids[:, -1:], min(input_ids.shape[1], n_positions) - 1)",
    "The model is given the newest token alone, at its place in the text. Without a cache it sees nothing of what "
    "comes before: it is to get the text each time.",
    again=[
        (LOOP, f"{LOOP}\n        place = input_ids[:, -n_positions:].shape[1] - 1"),
        ("model.transformer(input_ids[:, -n_positions:])", "model.transformer(input_ids[:, -1:], place)"),
    ],
)
mistake(
    "the-head-forgotten",
    LOGITS,
    "logits = hidden_states[:, -1]",
    "The largest feature of the last vector is taken for a token. The head, which makes scores of it, is missing.",
    again=[(BEST, "hidden_states[:, -1].argmax(dim=-1)")],
)
mistake(
    "the-last-norm-twice",
    "model.lm_head(hidden_states[:, -1])",
    "model.lm_head(model.transformer.ln_f(hidden_states[:, -1]))",
    "The last norm is applied once more before the head. What the transformer returns has gone through it already.",
)
mistake(
    "a-window-of-the-new-tokens",
    "-n_positions:]",
    "-max_new_tokens:]",
    "The model gets the last max_new_tokens tokens. How much it may see is n_positions.",
)
mistake(
    "the-prompt-alone",
    f"    {LOOP}\n",
    f"    prompt = input_ids[:, -n_positions:]\n    {LOOP}\n",
    "The model is given the prompt each time, so it says the same again and again. What it has written belongs to the "
    "text.",
    also=[("model.transformer(input_ids[:, -n_positions:])", "model.transformer(prompt)")],
    again=[
        (EVAL, f"{EVAL}    first = input_ids\n"),
        ("model.transformer(input_ids[:, -n_positions:])", "model.transformer(first[:, -n_positions:])"),
    ],
)
mistake(
    "no-window",
    "input_ids[:, -n_positions:]",
    "input_ids",
    "Beyond n_positions the model is asked for positions that it does not have. It is to get the last n_positions "
    "tokens alone, as if the text began with them.",
    again=[(HIDDEN, HIDDEN.replace("n_positions:]", "n_positions:], max(0, input_ids.shape[1] - n_positions)"))],
)
mistake(
    "a-window-at-the-front",
    "-n_positions:]",
    ":n_positions]",
    "Beyond n_positions the model sees the text's first tokens, always the same. It is to get the last ones.",
)
mistake(
    "a-window-one-shorter",
    "-n_positions:]",
    "1 - n_positions :]",
    "The model gets one token fewer than it has positions. It is to get the last n_positions tokens.",
)
mistake(
    "a-window-that-is-kept",
    HIDDEN,
    f"input_ids = input_ids[:, -n_positions:]\n        {HIDDEN}",
    "The text itself is cut to the window, and its beginning is lost. The cut is for the model alone.",
    again=[
        ("(input_ids[:, -n_positions:])", "(input_ids)"),
        (
            f"    {LOOP}\n",
            (
                f"    {LOOP}\n        if input_ids.shape[1] > n_positions:\n"
                "            input_ids = input_ids[:, input_ids.shape[1] - n_positions :]\n"
            ),
        ),
    ],
)
mistake(
    "n-embd-for-n-positions",
    "wpe.weight.shape[0]",
    "wpe.weight.shape[1]",
    "The window is as long as the position table's rows are wide. It is as long as the table has rows.",
)
mistake(
    "a-config-in-the-model",
    "model.transformer.wpe.weight.shape[0]",
    "model.config.n_positions",
    "The model keeps no configuration. n_positions is the number of rows of its position table, wpe.",
)
mistake(
    "n-positions-of-the-model",
    "model.transformer.wpe.weight.shape[0]",
    "model.n_positions",
    "The model has no such attribute. n_positions is the number of rows of its position table, wpe.",
)
mistake(
    "an-embedding-of-torch",
    "model.transformer.wpe.weight.shape[0]",
    "model.transformer.wpe.num_embeddings",
    "The position table is a module of your own, and keeps no such number. Its weight has n_positions rows.",
)
mistake(
    "a-module-with-a-shape",
    "model.transformer.wpe.weight.shape[0]",
    "model.transformer.wpe.shape[0]",
    "wpe is a module, and has no shape. Its weight has: n_positions rows.",
)
mistake(
    "a-config-in-the-stack",
    "model.transformer.wpe.weight.shape[0]",
    "model.transformer.config.n_positions",
    "The stack keeps no configuration. n_positions is the number of rows of its position table, wpe.",
)
mistake(
    "ended-by-n-positions",
    STOP,
    f"{STOP}        if input_ids.shape[1] >= n_positions:\n            break\n",
    "Writing stops when the text has n_positions tokens. It is to go on, with a window that moves along.",
    again=[
        (
            f"        {HIDDEN}",
            f"        if _ and input_ids.shape[1] >= n_positions:\n            break\n        {HIDDEN}",
        )
    ],
)
mistake(
    "no-more-than-n-positions",
    LOOP,
    "for _ in range(min(max_new_tokens, n_positions)):",
    "No more than n_positions tokens are appended. There are to be max_new_tokens, with a window that moves along.",
)
mistake(
    "ended-by-twice-n-positions",
    LOOP,
    "for _ in range(min(max_new_tokens, 2 * n_positions - input_ids.shape[1])):",
    "Writing stops when the text has twice n_positions tokens. It is to go on, with a window that moves along.",
)
mistake(
    "one-too-few",
    LOOP,
    "for _ in range(max_new_tokens - 1):",
    "One token too few is appended. There are to be max_new_tokens.",
)
mistake(
    "one-too-many",
    LOOP,
    "for _ in range(max_new_tokens + 1):",
    "One token too many is appended. There are to be max_new_tokens.",
)
mistake(
    "one-even-for-0",
    LOOP,
    "for _ in range(max(1, max_new_tokens)):",
    "With max_new_tokens=0 a token is appended all the same. None is asked for.",
    again=[
        (STOP, f"{STOP}        if _ + 1 == max_new_tokens:\n            break\n"),
        (LOOP, "for _ in range(max_new_tokens or 1):"),
    ],
)
mistake(
    "max-new-tokens-for-the-whole",
    LOOP,
    "for _ in range(max_new_tokens - input_ids.shape[1]):",
    "max_new_tokens is taken for the length of the whole text. It counts the new tokens.",
    again=[(LOOP, "for _ in range(input_ids.shape[1], max_new_tokens):")],
)
mistake(
    "nothing-appended",
    f"input_ids = {JOINED}",
    JOINED,
    "Nothing is appended: the prompt comes back as it was. torch.cat changes no tensor: it returns a new one, which is "
    "to become the text.",
    again=[(LOOP, "for _ in range(0):")],
)
mistake(
    "new-tokens-in-front",
    JOINED,
    "torch.cat([next_ids.unsqueeze(1), input_ids], dim=1)",
    "New tokens are put in front of the text. They belong at its end.",
)
mistake(
    "joined-along-the-batch",
    "next_ids.unsqueeze(1)], dim=1)",
    "next_ids.unsqueeze(1)], dim=0)",
    "New tokens are joined as further rows. They belong at the end of each row, along axis 1.",
)
mistake(
    "ids-without-an-axis",
    "next_ids.unsqueeze(1)]",
    "next_ids]",
    "The new ids have one axis, and the text has two. They are to be a column, [batch, 1].",
    again=[(JOINED, "torch.cat((input_ids, next_ids), -1)")],
)
mistake(
    "a-row-for-a-column",
    "next_ids.unsqueeze(1)]",
    "next_ids.unsqueeze(0)]",
    "The new ids are one row, and the text has a row for each of the batch. They are to be a column, [batch, 1].",
    again=[("next_ids.unsqueeze(1)]", "next_ids[None]]")],
)
mistake(
    "the-new-ids-alone",
    RETURN,
    "    return input_ids[:, start:]",
    "The prompt is missing in the result. All of the text comes back, the new tokens at its end.",
    also=[(f"    {LOOP}", f"    start = input_ids.shape[1]\n    {LOOP}")],
    again=[(f"    {LOOP}", f"    given = input_ids\n    {LOOP}"), (RETURN, "    return input_ids[:, given.size(1) :]")],
)
mistake(
    "the-new-ids-in-a-list",
    RETURN,
    "    return torch.stack(new, dim=1)",
    "The prompt is missing in the result. All of the text comes back, the new tokens at its end; with no new ones, the "
    "prompt alone.",
    also=[(f"    {LOOP}", f"    new = []\n    {LOOP}"), (JOIN, f"{JOIN}        new.append(next_ids)\n")],
)
mistake(
    "a-return-in-the-loop",
    f"{BACK}{RETURN}",
    "        for module, mode in modes:\n            module.training = mode\n        return input_ids",
    "One token is appended, and none comes back for 0 of them: does the return stand in the loop? It comes below it.",
)
mistake(
    "eos-ignored",
    f"{PAD}            {ENDED}\n",
    "            pass\n",
    "eos_token_id changes nothing. A row that has written it has ended.",
)
mistake(
    "stopped-at-the-first-eos",
    "ended.all()",
    "ended.any()",
    "Generation ends as soon as one row has. The others are to go on until all have ended.",
    again=[(STOP, STOP_WITH_EOS.replace("ended.all()", "eos_token_id in next_ids"))],
)
mistake(
    "stopped-by-the-last-row",
    "ended.all()",
    "ended[-1]",
    "Generation ends as soon as the last row has. The others are to go on until all have ended.",
)
mistake(
    "stopped-by-the-first-row",
    "ended.all()",
    "ended[0]",
    "Generation ends as soon as the first row has. The others are to go on until all have ended.",
    again=[("if ended.all()", "if eos_token_id is not None and input_ids[0, -1] == eos_token_id")],
)
mistake(
    "those-that-go-on-padded",
    "masked_fill(ended, eos_token_id)",
    "masked_fill(~ended, eos_token_id)",
    "eos_token_id is given to the rows that have not ended. It is for those that have.",
    again=[("next_ids.masked_fill(ended, eos_token_id)", "torch.where(ended, next_ids, eos_token_id)")],
)
mistake(
    "padded-after-the-loop",
    PAD,
    "",
    "A row is padded from its first eos_token_id on, in the prompt too. Only one that the row has written counts.",
    also=[
        (
            RETURN,
            (
                "    for row in input_ids if eos_token_id is not None else []:\n"
                f"        row[(row == eos_token_id).cumsum(0) > 0] = eos_token_id\n{RETURN}"
            ),
        )
    ],
)
mistake(
    "room-for-all-returned",
    EVAL,
    f"{EVAL}    start, room = input_ids.shape[1], input_ids.new_zeros(len(input_ids), max_new_tokens)\n",
    "When all rows have ended, the result is as long as without an end. It is to stop behind the id that ended the "
    "last row.",
    also=[(RETURN, "    return torch.cat([input_ids, room], 1)[:, : start + max_new_tokens]")],
)
mistake(
    "an-end-without-being-asked",
    "eos_token_id: int | None = None",
    "eos_token_id: int | None = 50256",
    "Generation ends at id 50256, and no eos_token_id was given. With none, nothing but the limit stops it.",
)
mistake(
    "no-padding",
    PAD,
    "",
    "A row that has ended goes on writing. It is to be filled up with eos_token_id.",
)
mistake(
    "all-without-its-call",
    "if ended.all():",
    "if ended.all:",
    "ended.all without () is the method itself, which counts as true: the loop ends after its first round.",
    again=[("if ended.all():", "if ended.all is not None:")],
)
mistake(
    "ended-not-remembered",
    PAD,
    "",
    "Which rows have ended is forgotten after each pass: an ended row goes on, and generation ends only when all rows "
    "write eos_token_id at once. Once ended, a row stays so.",
    also=[(ENDED, "ended = next_ids == eos_token_id")],
    again=[
        (f"{PAD}            {ENDED}\n", "            pass\n"),
        (STOP, STOP_WITH_EOS.replace("ended.all()", "(next_ids == eos_token_id).all()")),
    ],
)
mistake(
    "or-for-whole-tensors",
    ENDED,
    "ended = ended or (next_ids == eos_token_id)",
    "A tensor of several truth values is asked for a single one, as or, and, not and if do. Each row has its own: | "
    "joins two tensors element by element.",
    again=[(ENDED, "ended = (next_ids == eos_token_id) or ended")],
)
mistake(
    "or-without-brackets",
    ENDED,
    "ended = ended | next_ids == eos_token_id",
    "| binds more tightly than ==, so ids and truth values are joined first, and rows that have ended go on. The "
    "comparison is to come first: it needs brackets.",
    again=[(ENDED, "ended = next_ids == eos_token_id | ended")],
)
mistake(
    "ended-as-numbers",
    "dtype=torch.bool, ",
    "",
    "Which rows have ended is kept in numbers: torch.zeros makes floats. Truth values are asked for, of dtype bool.",
    again=[(NONE_ENDED, "0.0 * input_ids[:, 0]")],
)
mistake(
    "none-taken-for-an-id",
    "if eos_token_id is not None:",
    "if True:",
    "eos_token_id is None here, which is no id to fill up with. Rows are padded only where there is one.",
    again=[(f"{PAD}            {ENDED}\n", f"            pass\n{PAD[4:]}        {ENDED}\n")],
)
mistake(
    "padded-with-0",
    "masked_fill(ended, eos_token_id)",
    "masked_fill(ended, 0)",
    "A row that has ended is filled up with 0. It is to be filled up with eos_token_id.",
)
mistake(
    "no-stop",
    STOP,
    "",
    "Generation goes on when every row has ended. It is to end there.",
)
mistake(
    "the-last-eos-left-out",
    STOP,
    "",
    "Generation ends before the id that ended the last row is appended. It is part of the result.",
    also=[(JOIN, STOP + JOIN)],
    again=[(STOP, ""), (JOIN, STOP_WITH_EOS + JOIN)],
)
mistake(
    "an-eos-anywhere-in-the-prompt",
    NONE_ENDED,
    "(input_ids == (-1 if eos_token_id is None else eos_token_id)).any(dim=1)",
    "An eos_token_id in the prompt ends its row. Only one that the row has written counts.",
    again=[
        (ENDED, "ended = ended | (input_ids == eos_token_id).any(1) | (next_ids == eos_token_id)"),
        (PAD, f"            ended = ended | (input_ids == eos_token_id).any(1)\n{PAD}"),
    ],
)
mistake(
    "an-eos-at-the-prompts-end",
    NONE_ENDED,
    "input_ids[:, -1] == (-1 if eos_token_id is None else eos_token_id)",
    "An eos_token_id at the end of the prompt ends its row. Only one that the row has written counts.",
    again=[(PAD, f"            ended = ended | (input_ids[:, -1] == eos_token_id)\n{PAD}")],
)
mistake(
    "stopped-before-the-first-token",
    f"        {HIDDEN}",
    f"        {PROMPTS_END}\n            break\n        {HIDDEN}",
    "When every prompt ends with eos_token_id, nothing is appended. Only one that the row has written counts.",
    also=[(STOP, "")],
    again=[(EVAL, f"    {PROMPTS_END}\n        return input_ids\n{EVAL}")],
)
mistake(
    "an-end-sought-in-the-window",
    PAD,
    f"            ended = (input_ids[:, -n_positions:][:, start:] == eos_token_id).any(1)\n{PAD}",
    "Beyond n_positions a row that has ended goes on: its new ids are sought in the window, which has moved. A row "
    "that has ended stays so.",
    also=[(EVAL, f"{EVAL}    start = input_ids.shape[1]\n")],
)
mistake(
    "stopped-by-the-prompts",
    STOP,
    STOP_WITH_EOS.replace("ended.all()", "(input_ids == eos_token_id).any(dim=1).all()"),
    "Generation ends when every row holds eos_token_id, and one in the prompt counts as well. Only one that the row "
    "has written counts.",
)
mistake(
    "eos-0-taken-for-none",
    "if eos_token_id is not None:",
    "if eos_token_id:",
    "An eos_token_id of 0 is taken for none, because 0 counts as false. None alone means that there is none.",
)
mistake(
    "in-training-mode",
    EVAL,
    "",
    "A module inside the model runs in training mode. model.eval() puts each of them into evaluation mode, whatever "
    "the model's own flag says.",
    again=[(EVAL, "    if model.training:\n        model.eval()\n")],
)
mistake(
    "gradients-recorded",
    "@torch.no_grad()\ndef",
    "def",
    "Gradients are recorded in each pass. The line torch.no_grad() above the function is to stay.",
)
mistake(
    "modes-not-given-back",
    BACK,
    "",
    "The model stays in evaluation mode. Each module's mode is to be as it was.",
)
mistake(
    "always-training-afterwards",
    BACK,
    "    model.train()\n",
    "Every module is in training afterwards, whatever it was before. Each module's mode is to be as it was.",
)
mistake(
    "one-mode-for-all",
    MODES,
    "mode = model.training",
    "The model's own mode is given to all its modules. Each module had one of its own, and is to get that back.",
    also=[(BACK, "    model.train(mode)\n")],
    again=[(BACK, "    model.train(modes[0][1])\n")],
)
mistake(
    "modes-of-the-upper-modules-alone",
    MODES,
    "modes = [(module, module.training) for module in [model, *model.children(), *model.transformer.children()]]",
    "What is inside the blocks stays in evaluation mode. model.modules() gives every module, at any depth.",
    again=[
        (
            MODES,
            'modes = [(module, module.training) for name, module in model.named_modules() if name.count(".") < 2]',
        )
    ],
)
mistake(
    "modes-given-back-at-the-end-alone",
    STOP,
    "        if ended.all():\n            return input_ids\n",
    "When eos_token_id has ended it, the model stays in evaluation mode. The modes are to be given back on every way "
    "out.",
)
mistake(
    "modes-not-given-back-for-0",
    EVAL,
    f"{EVAL}    if max_new_tokens == 0:\n        return input_ids\n",
    "With max_new_tokens=0 the model stays in evaluation mode. The modes are to be given back on every way out.",
)
mistake(
    "all-in-training-that-were",
    BACK,
    "    for module, mode in modes:\n        if mode:\n            module.train()\n",
    "A module that was in training wakes all that are inside it. train() goes down; setting module.training does not.",
)
mistake(
    "modes-of-all-but-the-layers",
    MODES,
    'modes = [(module, module.training) for name, module in model.named_modules() if name.count(".") < 4]',
    "The layers inside attention and MLP stay in evaluation mode. model.modules() gives every module, at any depth.",
)
mistake(
    "modes-by-class",
    MODES,
    "modes = {type(module): module.training for module in model.modules()}",
    "Modules of one class get one mode. Each module had a mode of its own, and is to get that back.",
    also=[(BACK, "    for module in model.modules():\n        module.training = modes[type(module)]\n")],
)
mistake(
    "gradients-switched-on",
    "@torch.no_grad()\ndef",
    "def",
    "Gradients are switched on afterwards, whatever the caller had. torch.no_grad() gives back what was.",
    also=[
        (EVAL, f"{EVAL}    torch.set_grad_enabled(False)\n"),
        (RETURN, f"    torch.set_grad_enabled(True)\n{RETURN}"),
    ],
)
mistake(
    "frozen-ones-woken",
    RETURN,
    f"    model.requires_grad_(True)\n{RETURN}",
    "A parameter that was frozen asks for gradients again. The model is to come back as it was.",
    again=[
        (EVAL, f"{EVAL}    model.requires_grad_(False)\n"),
        (RETURN, f"    for parameter in model.parameters():\n        parameter.requires_grad = True\n{RETURN}"),
    ],
)
mistake(
    "gradients-off-for-good",
    EVAL,
    f"{EVAL}    torch.set_grad_enabled(False)\n",
    "Gradients are switched off, and never on again: whoever trains the model afterwards gets none. They are to be off "
    "during the call alone.",
    also=[("@torch.no_grad()\ndef", "def")],
)
mistake(
    "seeded",
    LOOP,
    f"torch.manual_seed(0)\n    {LOOP}",
    "The random state is changed. Greedy generation draws nothing, and needs no seed.",
)
mistake(
    "the-callers-ids-changed",
    RETURN,
    "    given.data = input_ids\n    return input_ids",
    "The caller's own ids are changed. The result is a tensor of its own.",
    also=[(EVAL, f"{EVAL}    given = input_ids\n")],
    again=[(EVAL, f"{EVAL}    callers = input_ids\n"), (JOIN, f"{JOIN}        callers.set_(input_ids)\n")],
)
mistake(
    "floats", RETURN, "    return input_ids.float()", "The ids come back as floats. They are int64, like the prompt's."
)
mistake("a-list", RETURN, "    return input_ids.tolist()", "A list comes back. A tensor of ids is asked for.")
mistake(
    "the-first-row-alone",
    RETURN,
    "    return input_ids[0]",
    "Only the first row comes back, without the axis of the batch. All rows are asked for.",
    again=[(RETURN, "    return input_ids[0, :]")],
)

variant(
    "the-models-own-call",
    f"{HIDDEN}\n        {LOGITS}  # [batch, vocab_size]: only the last position is asked",
    "logits = model(input_ids[:, -n_positions:])[:, -1]",
)
variant("torch-max", BEST, "logits.max(dim=-1).indices")
variant("topk", BEST, "logits.topk(1).indices[:, 0]")
variant("softmax-first", BEST, "logits.softmax(-1).argmax(-1)")
variant("hstack", JOINED, "torch.hstack([input_ids, next_ids[:, None]])")
variant("inference-mode", "@torch.no_grad()", "@torch.inference_mode()")
variant(
    "gradients-switched-off-by-hand",
    "@torch.no_grad()\n",
    "",
    also=[
        (EVAL, f"{EVAL}    recorded = torch.is_grad_enabled()\n    torch.set_grad_enabled(False)\n"),
        (RETURN, f"    torch.set_grad_enabled(recorded)\n{RETURN}"),
    ],
)
variant(
    "two-rows-at-a-time",
    "model.transformer(input_ids[:, -n_positions:])",
    "torch.cat([model.transformer(part) for part in input_ids[:, -n_positions:].split(2)])",
)
variant("torch-where", "next_ids.masked_fill(ended, eos_token_id)", "torch.where(ended, eos_token_id, next_ids)")
variant(
    "a-while-loop",
    LOOP,
    "end = input_ids.shape[1] + max_new_tokens\n    while input_ids.shape[1] < end:",
)
variant(
    "modes-by-name",
    MODES,
    "modes = {name: module.training for name, module in model.named_modules()}",
    also=[(BACK, "    for name, module in model.named_modules():\n        module.training = modes[name]\n")],
)
variant(
    "the-remembered-before-the-padded",
    f"{PAD}            {ENDED}\n",
    f"            fresh = next_ids == eos_token_id\n{PAD}            ended = ended | fresh\n",
)
variant.file(
    "a-copy-of-the-model",
    """import copy

import torch


@torch.no_grad()
def generate(model, input_ids, max_new_tokens, *, eos_token_id=None):
    frozen = copy.deepcopy(model).eval()
    size = model.transformer.wpe.weight.size(0)
    start = input_ids.shape[1]
    text = input_ids.clone()
    for _ in range(max_new_tokens):
        best = frozen(text[:, -size:])[:, -1:].argmax(-1)
        if eos_token_id is not None:
            written = text[:, start:]
            best[(written == eos_token_id).any(1)] = eos_token_id
        text = torch.cat((text, best), 1)
        if eos_token_id is not None and (text[:, start:] == eos_token_id).any(1).all():
            break
    return text
""",
)
variant.file(
    "row-by-row",
    """import torch


def _continued(model, row, count, end):
    ids = row.tolist()
    size = model.transformer.wpe.weight.shape[0]
    for _ in range(count):
        scores = model(torch.tensor([ids[-size:]]))[0, -1]
        ids.append(int(scores.argmax()))
        if ids[-1] == end:
            break
    return ids


@torch.no_grad()
def generate(model, input_ids, max_new_tokens, *, eos_token_id=None):
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        rows = [_continued(model, row, max_new_tokens, eos_token_id) for row in input_ids]
    finally:
        for module, mode in before.items():
            module.training = mode
    longest = max(map(len, rows))
    return torch.tensor([row + [eos_token_id] * (longest - len(row)) for row in rows])
""",
)

equivalent(ENDED, "ended = next_ids == eos_token_id", "A row that has ended writes eos_token_id again.")
equivalent(BEST, "logits.argmax(dim=1)", "Axis 1 of two axes is the last one.")
equivalent(
    NONE_ENDED,
    "torch.zeros(input_ids.shape[0], dtype=torch.bool)",
    "All that is judged lies where tensors lie unless told otherwise.",
)
