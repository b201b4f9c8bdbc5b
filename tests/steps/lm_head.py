"""Step 11 is judged against Hugging Face's GPT-2 with its head, redrawn; the tie by what it does."""

import contextlib
import math

from autograder import law
from autograder.checking import check, mistake, variant
from autograder.comparing import (
    Failed,
    agrees,
    can_learn,
    close,
    drawn_normally,
    equal,
    fail,
    fits,
    load,
    make,
    raises,
    same_gradients,
    sliced,
)
from autograder.difference import article
from autograder.student import Missing, Proxy, StudentRaised, type_name

# On the logits of 120 draws, right code is at most 2.4e-6 away, which is 0.004 of the tolerance.
NEAR = {"rtol": 2e-4, "atol": 5e-4}
SMALL = {"n_embd": 2, "n_head": 1, "n_inner": 3, "n_layer": 1}
LARGE = 256.0  # a power of two: what is so many times as large has the same digits


@check(
    passed="GPT2LMHeadModel has Hugging Face's parameters, under transformer and lm_head",
    failed="GPT2LMHeadModel does not have Hugging Face's parameters, under transformer and lm_head",
)
def has_its_parameters(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, _ = _fresh(student, oracle, values)
        head = _linear(mine)
        sizes = [head.in_features, head.out_features]
        equal(sizes, [values["n_embd"], values["vocab_size"]], says="in_features and out_features of lm_head")


@check(
    passed="GPT2LMHeadModel gives Hugging Face's logits",
    failed="GPT2LMHeadModel does not give Hugging Face's logits",
)
def output_matches(student, oracle, draw):
    for more in ([], [(1, 33)]):  # n_positions is 32, then 37 and more
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        for batch, seq in [(2, 9), (2, 1), *more]:
            ids = draw.ids(values["vocab_size"], batch=batch, seq=seq, label="input_ids")
            expected, says = _named(theirs(ids)), "this is a batch of one row" if batch == 1 else ""
            got = _scores(mine(ids), expected, values)
            if not agrees(got, expected, **NEAR):
                _steady(mine, got, expected, ids)
                close(got, expected, **NEAR, says=says)
    mine.eval()  # with the last ids: more than one position
    evaluated = mine(ids)
    close(evaluated, expected, **NEAR, says="in evaluation mode; in training mode they were right")
    if got.requires_grad and not evaluated.requires_grad:
        fail("in evaluation mode the logits have no gradient; in training mode they have one")
    _keeps_large_numbers(mine, theirs, ids)
    ids = draw.ids(values["vocab_size"], batch=2, seq=5, label="input_ids")
    close(mine(sliced(student, ids)), _named(theirs(ids)), **NEAR, says="input_ids are a slice of a longer tensor")
    copied, theirs = mine.copied(), oracle.lm_head_model(values)
    load(copied, theirs.linear_state_dict())
    expected = _named(theirs(ids))
    close(copied(ids), expected, **NEAR, says="the logits of a deep copy, which got weights of its own")
    copied.double()
    close(copied(ids), _named(expected.double()), **NEAR, says="all parameters are float64 here")
    limit = values["n_positions"]
    more = draw.ids(values["vocab_size"], batch=2, seq=limit + 3, label="input_ids")
    raises(lambda: mine(more), "ValueError", says=f"n_positions is {limit}, and the transformer refuses more")
    large = {**values, **SMALL, "n_positions": 1024}  # GPT-2's own, which somebody may have written down
    mine = make(student, "GPT2LMHeadModel", student.earlier("config").GPT2Config(**large))
    more = draw.ids(values["vocab_size"], batch=1, seq=1025, label="input_ids")
    raises(lambda: mine(more), "ValueError", says="n_positions is 1024, and the transformer refuses more")


@check(
    passed="lm_head and wte share one parameter",
    failed="lm_head and wte do not share one parameter",
)
def is_tied(student, oracle, draw):
    import torch

    values = draw.config()
    mine, theirs = _one_block(_fresh, student, oracle, values)
    table, head = mine.transformer.wte.weight.detach(), mine.lm_head.weight.detach()
    if not torch.equal(table, head):
        fail("in a fresh model", expected="lm_head.weight the same as transformer.wte.weight", got="other numbers")
    _require_tie(mine, "in a fresh model", values, draw)
    load(mine, theirs.linear_state_dict())
    _require_tie(mine, "after all weights got new values", values, draw)
    count = sum(parameter.numel() for _, parameter in mine.named_parameters())
    expected = sum(value.numel() for name, value in theirs.state_dict().items() if name != "lm_head.weight")
    equal(count, expected, says="all parameters, counted once: a second table counts twice")


@check(
    passed="the tie survives a copy of the model and a change of its dtype",
    failed="the tie does not survive a copy of the model, or a change of its dtype",
)
def tie_survives(student, oracle, draw):
    import torch

    values = draw.config()
    mine, _ = _one_block(_pair, student, oracle, values)
    _require_tie(mine.copied(), "in a deep copy", values, draw)
    mine.to(torch.float64)
    _require_tie(mine, "after .to(torch.float64)", values, draw)


@check(
    passed="the shared weight gets the gradients of both its uses",
    failed="the shared weight does not get the gradients of both its uses",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    mine, theirs = _one_block(_pair, student, oracle, values)
    can_learn(mine)
    ids = draw.ids(values["vocab_size"], batch=2, seq=6, label="input_ids")
    back = draw.normal(batch=2, seq=6, vocab_size=values["vocab_size"])
    got, expected = mine.gradients(ids, output_gradient=back), theirs.gradients(ids, back)
    if not agrees(got.output, _named(theirs(ids)), **NEAR):
        _steady(mine, got.output, back, ids)
    _scores(got.output, _named(back), values)
    if {"transformer.wte.weight", "lm_head.weight"} <= got.parameters.keys():
        parted = got.parameters["lm_head.weight"] is not None
        fail(
            "the head's part is missing in the gradient of transformer.wte.weight" if parted else "",
            "it went to lm_head.weight, a second parameter" if parted else "lm_head.weight gets no gradient at all",
            expected="one parameter, with the sum of both gradients",
            got="two parameters",
        )
    # The shared weight bears the name that was made first.
    shared = {"transformer.wte.weight": got.parameters.get("lm_head.weight")}
    trained, got = got.parameters, got._replace(parameters=shared | got.parameters)
    same_gradients(got, back, parameters=theirs.linear(expected.parameters), rtol=2e-3, atol=5e-3)
    mine.eval()
    evaluated = mine.gradients(ids, output_gradient=back).parameters
    cut = [name for name, value in trained.items() if value is not None and evaluated.get(name) is None]
    if cut:
        fail(f"in evaluation mode no gradient comes to {cut[0]}", "in training mode one does")


@check(
    passed="a fresh model's logits are small: its embeddings are drawn with standard deviation 0.02",
    failed="a fresh model's logits are not small: its embeddings are not drawn with standard deviation 0.02",
)
def starts_near_uniform(student, draw):
    import torch

    values = {**draw.config(), "vocab_size": 97, "n_layer": 1}
    mine = make(student, "GPT2LMHeadModel", student.earlier("config").GPT2Config(**values))
    ids = draw.ids(97, batch=4, seq=12, label="input_ids")
    with contextlib.suppress(Missing):
        _linear(mine)  # what else there is answers with a fresh model's numbers, which are others in each run
    shape = _named(torch.zeros(4, 12, 97))
    logits = _scores(mine(ids), shape, values)
    close(logits, shape, rtol=0, atol=math.inf)  # of the right type and shape
    kind = type_name(mine.transformer.wte)
    spread = float(mine.transformer.wte.weight.detach().double().std())
    if spread > 0.04:  # nn.Linear's own numbers: 0.083 here; nn.Embedding's: 1
        mend = "nn.init.normal_(self.wte.weight, std=0.02) draws them anew, in the __init__ of GPT2Model"
        mends = [f"wte is an nn.Embedding, whose numbers are larger: {mend}"] if kind == "Embedding" else []
        fail("the spread of the table of a fresh model", *mends, expected="about 0.02", got=f"about {spread:.1g}")
    logits = logits.detach()
    loss = float(torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, 97), ids[:, 1:].reshape(-1)))
    if not abs(loss - 4.575) < 0.5:  # ln 97; an embedding drawn from N(0, 1) and used as the head gives over 20
        fail("the loss of a model that knows nothing", expected="about ln(97) = 4.57", got=f"{loss:.2f}")
    drawn_normally(mine.transformer.wte.weight, 0.02)


@check.undeclared(failed="a fresh GPT2LMHeadModel is not made of the parts of the earlier steps as they are born")
def starts_as_made(student, draw):
    values = {**draw.config(), "n_layer": 1}
    config = student.earlier("config").GPT2Config(**values)
    mine = make(student, "GPT2LMHeadModel", config)
    state = mine.state_dict()
    if not isinstance(state, dict) or not _is_tensor(state.get("transformer.wpe.weight")):
        return  # told by the lines above
    norms = {name: value for name, value in state.items() if f".{name}".split(".")[-2] in ("ln_1", "ln_2", "ln_f")}
    for name, value in norms.items():
        born = float(name.endswith(".weight"))
        if _is_tensor(value) and not bool((value == born).all()):
            fail("the norms of a fresh model", expected="gains of 1 and shifts of 0", got="other numbers")
    # What step 10 draws there is its own: nn.Embedding's 1 is allowed, and zeros are where they were zeros before.
    before = float(student.earlier("model").GPT2Model(config).wpe.weight.detach().double().std())
    spread = float(state["transformer.wpe.weight"].detach().double().std())
    if spread > 3 * max(before, 0.02) or spread < min(before, 0.01) / 3:
        fail(
            "the spread of transformer.wpe.weight in a fresh model",
            expected=f"about {before:.1g}, as in a fresh GPT2Model",
            got=f"about {spread:.1g}",
        )


def _keeps_large_numbers(mine, theirs, ids):
    """Look at logits that are far from zero, and put the weights back."""
    state = theirs.linear_state_dict()
    norm, names = mine.transformer.ln_f, ("weight", "bias")
    norm.weight, norm.bias = (state[f"transformer.ln_f.{name}"] * LARGE for name in names)
    close(
        mine(ids),
        _named(theirs(ids) * LARGE),
        rtol=NEAR["rtol"],
        atol=NEAR["atol"] * LARGE,
        says=f"ln_f's weights are {LARGE:.0f} times as large here, and so are the logits",
    )
    norm.weight, norm.bias = (state[f"transformer.ln_f.{name}"] for name in names)


def _steady(mine, first, like, ids):
    """Fail when a second call gives other numbers: then none of them says anything."""
    if agrees(first, like, rtol=0, atol=math.inf) and not agrees(mine(ids), first, rtol=0, atol=0):
        fail("two identical calls differ: is there dropout? This model has none")


def _is_tensor(value):
    import torch

    return isinstance(value, torch.Tensor)


def _linear(mine):
    """Return the model's head; fail when it is no linear layer."""
    head = mine.lm_head
    with contextlib.suppress(Missing):
        if isinstance(head, Proxy):
            _ = head.in_features, head.out_features
            return head
    return fail(expected="an nn.Linear as lm_head", got=article(type_name(head)))


def _scores(got, expected, values):
    """Return what forward gave; fail when it is as wide as the vectors that the head is given."""
    import torch

    batch, seq, vocab_size = expected.shape
    if type(got) is torch.Tensor and got.shape == (batch, seq, values["n_embd"]):
        fail(
            "the last axis is n_embd: the head makes vocab_size of it",
            expected=f"[batch={batch}, seq={seq}, vocab_size={vocab_size}]",
            got=f"[batch={batch}, seq={seq}, n_embd={values['n_embd']}]",
        )
    return got


def _require_tie(model, when, values, draw):
    """Change one of the two weights, and look at the other."""
    table = draw.normal(values["vocab_size"], values["n_embd"]).to(model.lm_head.weight.dtype)
    model.transformer.wte.weight = table
    close(
        model.lm_head.weight.detach(),
        table,
        rtol=0,
        atol=0,
        says=f"{when}: wte.weight was set to this, and lm_head.weight is not",
    )


def _fresh(student, oracle, values):
    mine, theirs = _made(student, oracle, values)
    _has_its_layers(mine)
    fits(mine, theirs.linear_state_dict())
    return mine, theirs


def _pair(student, oracle, values):
    mine, theirs = _made(student, oracle, values)
    return load(mine, theirs.linear_state_dict(), told=lambda: _has_its_layers(mine)), theirs


def _has_its_layers(mine):
    """Fail where layers are there, and not under the two names."""
    own = mine.state_dict()
    tops = list(dict.fromkeys(str(name).partition(".")[0] for name in own if "." in str(name)))
    for name in ("transformer", "lm_head"):
        if tops and name not in tops:
            there = f"{', '.join(tops[:-1])} and {tops[-1]}" if tops[1:] else tops[0]
            says = f"it has layers under {there}, and none under {name}"
            fail(says, expected="transformer and lm_head", got=there)


def _one_block(pair, student, oracle, values):
    """Return a pair of one block; what fails with two as well is told in the words of the checks above."""
    try:
        return pair(student, oracle, {**values, "n_layer": 1})
    except (Failed, Missing, StudentRaised):
        _pair(student, oracle, values)
        raise


def _made(student, oracle, values):
    config = student.earlier("config").GPT2Config(**values)
    theirs = oracle.lm_head_model(values)
    return make(student, "GPT2LMHeadModel", config), theirs


def _named(logits):
    logits.axes_names = ("batch", "seq", "vocab_size")
    return logits


@law.tied
def table_and_head(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)

    def head(table):
        mine.transformer.wte.weight = table
        return mine.lm_head.weight.detach()

    return law.Subject(head, lambda draw, *_: (draw.normal(values["vocab_size"], values["n_embd"]),))


# --------------------------------------------------------------------------------------- mistakes, and other right ways

STACK = "self.transformer = GPT2Model(config)"
HEAD = "self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)"
TIE = "self.lm_head.weight = self.transformer.wte.weight"
OUTPUT = "return self.lm_head(self.transformer(input_ids))"

mistake(
    "gradients-in-training-alone",
    OUTPUT,
    "hidden = self.transformer(input_ids)\n        return self.lm_head(hidden if self.training else hidden.detach())",
    "In evaluation mode the gradients end at the head. The mode says nothing of gradients: whoever wants none says so.",
    again=[
        (
            OUTPUT,
            "h = self.transformer(input_ids)\n        return self.lm_head(h if self.training else h.data)",
        )
    ],
)
mistake(
    "positions-set-to-zero",
    TIE,
    f"{TIE}\n        nn.init.zeros_(self.transformer.wpe.weight)",
    "The position table is set to zeros. It stays as step 10 has drawn it.",
    again=[(TIE, f"{TIE}\n        self.transformer.wpe.weight.data.zero_()")],
)
mistake(
    "two-tables",
    TIE,
    "pass",
    "The head has a table of its own, with other numbers. One parameter under both names is asked for.",
    again=[(TIE, f"self.tied = False\n\n    def tie_weights(self):\n        {TIE}")],
)
mistake(
    "a-copy",
    TIE,
    "self.lm_head.weight = nn.Parameter(self.transformer.wte.weight.detach().clone())",
    "Both weights have the same numbers at first, and are two parameters: values were copied, or one was replaced "
    "after the tie. One parameter under both names is asked for.",
    again=[(TIE, f"{TIE}\n        self.transformer.wte.weight = nn.Parameter(self.lm_head.weight.detach().clone())")],
)
mistake(
    "shared-memory",
    TIE,
    "self.lm_head.weight.data = self.transformer.wte.weight.data",
    "The two weights share their memory, and are still two parameters, each with its own part of the gradient. "
    "The parameter itself is to be shared, not its .data.",
    again=[(TIE, "self.lm_head.weight = nn.Parameter(self.transformer.wte.weight)")],
)
mistake(
    "tied-the-wrong-way-round",
    TIE,
    "self.transformer.wte.weight = self.lm_head.weight",
    "The shared table has numbers as nn.Linear draws them: it took over the head's, or they were drawn after the tie. "
    "The table's own are to stay.",
    again=[
        (
            f"{STACK}\n        {HEAD}\n        {TIE}",
            f"{HEAD}\n        head = self.lm_head\n        {STACK}\n        self.transformer.wte.weight = head.weight",
        )
    ],
)
mistake(
    "a-table-of-spread-one",
    TIE,
    f"{TIE}\n        nn.init.normal_(self.lm_head.weight)",
    "The shared table is drawn with standard deviation 1, so a fresh model's logits are far too large. It is to keep "
    "the token table's 0.02.",
    again=[(TIE, f"nn.init.normal_(self.transformer.wte.weight, 0.0, 1.0)\n        {TIE}")],
)
mistake(
    "sizes-swapped",
    HEAD,
    "self.lm_head = nn.Linear(config.vocab_size, config.n_embd, bias=False)",
    "lm_head is made from vocab_size to n_embd; the tie alone puts its weight right. nn.Linear takes the input's size "
    "first, and that is n_embd.",
)
mistake(
    "the-embedding-as-the-head",
    f"{HEAD}\n        {TIE}",
    "self.lm_head = self.transformer.wte",
    "lm_head is the token embedding itself, which looks up rows by ids. A linear layer is asked for, whose weight is "
    "the embedding's.",
    again=[(HEAD, "self.lm_head = self.transformer.wte"), (TIE, "self.tied = True")],
)
mistake(
    "the-module-for-its-weight",
    TIE,
    "self.lm_head.weight = self.transformer.wte",
    "wte is the embedding, a module. The head takes its parameter, which is wte.weight.",
)
mistake(
    "the-weight-as-the-head",
    f"{HEAD}\n        {TIE}",
    "self.lm_head = self.transformer.wte.weight",
    "lm_head is the table's parameter. A linear layer is asked for, with that parameter as its weight.",
    again=[(TIE, "self.lm_head = self.transformer.wte.weight")],
)
mistake(
    "a-tensor-for-the-parameter",
    TIE,
    "self.lm_head.weight = self.transformer.wte.weight.T",
    "What the head is given is a tensor made of the table's parameter, as .T, .data and detach() make one. The "
    "parameter itself is asked for, as it is: both weights are [vocab_size, n_embd].",
    again=[(TIE, "self.lm_head.weight = self.transformer.wte.weight.data")],
)
mistake(
    "turned-for-the-head",
    TIE,
    "self.lm_head.weight = nn.Parameter(self.transformer.wte.weight.T)",
    "The head's weight is [n_embd, vocab_size], the table turned. Both are [vocab_size, n_embd], and one parameter: "
    "nothing is to be turned.",
    again=[(TIE, "self.lm_head.weight.data = self.transformer.wte.weight.data.T")],
)
mistake("a-bias", "bias=False", "bias=True", "The head has a bias. Hugging Face's has none, and no file would fill it.")
mistake(
    "softmax",
    OUTPUT,
    f"{OUTPUT}.softmax(-1)",
    "Each row adds up to 1: these are probabilities. The logits are asked for, as they are before the softmax.",
    again=[(OUTPUT, "return nn.functional.softmax(self.lm_head(self.transformer(input_ids)), dim=-1)")],
)
mistake(
    "log-softmax",
    OUTPUT,
    f"{OUTPUT}.log_softmax(-1)",
    "These are logarithms of probabilities. The logits are asked for, as they are before any softmax.",
    again=[
        (
            OUTPUT,
            "x = self.lm_head(self.transformer(input_ids))\n        return x - x.logsumexp(-1, keepdim=True)",
        )
    ],
)
mistake(
    "softmax-in-evaluation",
    OUTPUT,
    "x = self.lm_head(self.transformer(input_ids))\n        return x if self.training else x.softmax(-1)",
    "In evaluation mode each row adds up to 1: these are probabilities. forward returns logits in both modes.",
    again=[
        (
            OUTPUT,
            "x = self.lm_head(self.transformer(input_ids))\n        return x if self.training else nn.Softmax(2)(x)",
        )
    ],
)
mistake(
    "not-transposed",
    OUTPUT,
    "return self.transformer(input_ids) @ self.transformer.wte.weight",
    "The table is [vocab_size, n_embd]: a product written by hand needs it transposed.",
    again=[(OUTPUT, "hidden = self.transformer(input_ids)\n        return hidden.matmul(self.lm_head.weight)")],
)
mistake(
    "the-last-position-alone",
    OUTPUT,
    "return self.lm_head(self.transformer(input_ids)[:, -1:])",
    "Only the last position's logits come back. They are asked for at every position.",
)
mistake(
    "the-last-position-without-its-axis",
    OUTPUT,
    "return self.lm_head(self.transformer(input_ids)[:, -1])",
    "Only the last position's logits come back, as [batch, vocab_size]. They are asked for at every position.",
    again=[(OUTPUT, "return self.lm_head(self.transformer(input_ids))[:, -1, :]")],
)
mistake(
    "the-best-ids",
    OUTPUT,
    f"{OUTPUT}.argmax(-1)",
    "The best token of each position comes back. The scores of all tokens are asked for.",
    again=[(OUTPUT, "return self.lm_head(self.transformer(input_ids)).max(dim=2).indices")],
)
mistake(
    "divided-by-the-root-of-n-embd",
    OUTPUT,
    "return self.lm_head(self.transformer(input_ids)) / self.lm_head.in_features**0.5",
    "The logits are divided by √n_embd, as T5's are. GPT-2's are the plain products.",
    again=[
        (OUTPUT, "hidden = self.transformer(input_ids)\n        return self.lm_head(hidden * hidden.shape[-1] ** -0.5)")
    ],
)
mistake(
    "a-norm-again",
    OUTPUT,
    "return self.lm_head(self.transformer.ln_f(self.transformer(input_ids)))",
    "The last norm is applied twice: the transformer has done it already. The head takes the transformer's result.",
)
mistake(
    "the-embeddings-alone",
    OUTPUT,
    "return self.lm_head(self.transformer.wte(input_ids))",
    "The head gets the tokens' embeddings, so the blocks are never used. It is to get what the transformer returns.",
)
mistake(
    "the-hidden-states",
    OUTPUT,
    "return self.transformer(input_ids)",
    "The transformer's vectors come back, and the head is never used. Its scores are asked for.",
)
mistake(
    "the-transformer-detached",
    OUTPUT,
    "return self.lm_head(self.transformer(input_ids).detach())",
    "The transformer's result is cut off from the gradients, so nothing below the head can learn.",
    again=[(OUTPUT, "return self.lm_head(self.transformer(input_ids).data)")],
)
mistake(
    "the-head-detached",
    OUTPUT,
    "return self.transformer(input_ids) @ self.lm_head.weight.detach().T",
    "The head uses the shared weight without its gradient, so the table learns from the lookup alone. Both uses are to "
    "teach it.",
    again=[(OUTPUT, "return nn.functional.linear(self.transformer(input_ids), self.transformer.wte.weight.data)")],
)
mistake(
    "tied-in-forward",
    TIE,
    "pass",
    "A model that has not been called yet is not tied. The tie belongs in __init__, not in forward.",
    also=[(OUTPUT, f"{TIE}\n        {OUTPUT}")],
    again=[
        (TIE, "self.tie = True"),
        (OUTPUT, f"if self.lm_head.weight is not self.transformer.wte.weight:\n            {TIE}\n        {OUTPUT}"),
    ],
)
mistake(
    "a-head-that-is-not-used",
    TIE,
    "pass",
    "The scores come from the table, and lm_head has a weight of its own that does nothing. The two are to be one "
    "parameter.",
    also=[(OUTPUT, "return self.transformer(input_ids) @ self.transformer.wte.weight.T")],
    again=[
        (TIE, "table = self.transformer.wte.weight"),
        (OUTPUT, "return nn.functional.linear(self.transformer(input_ids), self.transformer.wte.weight)"),
    ],
)
mistake(
    "no-lm-head",
    f"{HEAD}\n        {TIE}",
    "pass",
    "There is no lm_head. It is asked for under this name, with the table as its weight.",
    also=[(OUTPUT, "return self.transformer(input_ids) @ self.transformer.wte.weight.T")],
    again=[
        (HEAD, "self.n_embd = config.n_embd"),
        (TIE, "self.vocab_size = config.vocab_size"),
        (OUTPUT, "return nn.functional.linear(self.transformer(input_ids), self.transformer.wte.weight)"),
    ],
)
mistake(
    "a-table-kept-in-a-function",
    TIE,
    f"{TIE}\n        table = self.lm_head.weight\n        self.lm_head.forward = lambda hidden: hidden @ table.T",
    "A copy of the model still multiplies with the first model's table. forward is to use the model's own lm_head.",
    again=[
        (TIE, f"{TIE}\n        self.scores = lambda hidden: self.lm_head(hidden)"),
        (OUTPUT, "return self.scores(self.transformer(input_ids))"),
    ],
)
mistake(
    "the-last-position-in-evaluation",
    OUTPUT,
    "x = self.transformer(input_ids)\n        if not self.training:\n            x = x[:, -1:]\n"
    "        return self.lm_head(x)",
    "In evaluation mode only the last position's logits come back. All positions' are asked for, in both modes.",
    again=[
        (
            OUTPUT,
            "x = self.lm_head(self.transformer(input_ids))\n        return x if self.training else x[:, [-1]]",
        )
    ],
)
mistake(
    "a-batch-of-one-squeezed",
    OUTPUT,
    f"{OUTPUT}.squeeze(0)",
    "A batch of one row loses its axis. The result is [batch, seq, vocab_size], whatever the batch.",
    again=[(OUTPUT, "x = self.lm_head(self.transformer(input_ids))\n        return x[0] if len(x) == 1 else x")],
)
mistake(
    "all-axes-of-one-squeezed",
    OUTPUT,
    f"{OUTPUT}.squeeze()",
    "An axis of size 1 is taken away. The result is [batch, seq, vocab_size], whatever the sizes.",
    again=[(OUTPUT, "return self.lm_head(self.transformer(input_ids).squeeze())")],
)
mistake(
    "ids-cut-off",
    OUTPUT,
    f"input_ids = input_ids[:, -len(self.transformer.wpe.weight) :]\n        {OUTPUT}",
    "Ids beyond n_positions are cut off. More of them are to end in the transformer's ValueError.",
    again=[(OUTPUT, f"input_ids = input_ids[:, : len(self.transformer.wpe.weight)]\n        {OUTPUT}")],
)
mistake(
    "ids-cut-off-at-1024",
    OUTPUT,
    f"input_ids = input_ids[:, -1024:]\n        {OUTPUT}",
    "Ids beyond 1024 are cut off. More than n_positions end in the transformer's ValueError, also where it is 1024.",
    again=[(OUTPUT, f"input_ids = input_ids[:, :1024]\n        {OUTPUT}")],
)
mistake(
    "ids-viewed",
    OUTPUT,
    "b, s = input_ids.shape\n        return self.lm_head(self.transformer(input_ids.view(b * s).view(b, s)))",
    "view() refuses ids that are a slice of a longer tensor. They can come so: reshape() takes them.",
    again=[(OUTPUT, f"input_ids = input_ids.view(-1).view(input_ids.shape)\n        {OUTPUT}")],
)
mistake(
    "norms-drawn-anew",
    TIE,
    f"{TIE}\n        for parameter in self.parameters():\n            nn.init.normal_(parameter, std=0.02)",
    "Something gives a fresh norm other numbers. Its gain is to stay ones, and its shift zeros.",
    again=[
        (
            TIE,
            (
                f"{TIE}\n        for p in self.parameters():\n"
                "            nn.init.normal_(p, std=0.02) if p.dim() > 1 else nn.init.zeros_(p)"
            ),
        )
    ],
)
mistake(
    "positions-drawn-with-spread-one",
    TIE,
    f"{TIE}\n        nn.init.normal_(self.transformer.wpe.weight)",
    "The position table is drawn again, with a spread of 1. It is to stay as the transformer has made it.",
    again=[(TIE, f"nn.init.normal_(self.transformer.wpe.weight, 0.0, 1.0)\n        {TIE}")],
)
mistake(
    "no-gradient-in-evaluation",
    OUTPUT,
    "x = self.lm_head(self.transformer(input_ids))\n        return x if self.training else x.detach()",
    "In evaluation mode the logits are cut off from the gradients. forward does the same in both modes, and whoever "
    "wants none calls it in a no_grad().",
    also=[("from torch import Tensor, nn", "import torch\nfrom torch import Tensor, nn")],
    again=[
        ("from torch import Tensor, nn", "import torch\nfrom torch import Tensor, nn"),
        (OUTPUT, f"with torch.set_grad_enabled(self.training):\n            {OUTPUT}"),
    ],
)
mistake(
    "float32-whatever-comes",
    OUTPUT,
    f"{OUTPUT}.float()",
    "The logits are float32 in a float64 model too. They have the dtype of the parameters.",
    again=[(OUTPUT, "return self.lm_head(self.transformer(input_ids)).type(Tensor([]).dtype)")],
)
mistake(
    "dropout",
    OUTPUT,
    "return self.lm_head(nn.functional.dropout(self.transformer(input_ids), 0.1, self.training))",
    "Something is random, or remembered: two calls differ. This model has no dropout.",
    again=[(OUTPUT, "return nn.Dropout(0.2)(self.lm_head(self.transformer(input_ids)))")],
)
mistake(
    "shared-memory-the-wrong-way-round",
    TIE,
    "self.transformer.wte.weight.data = self.lm_head.weight.data",
    "The table has taken over the head's memory, and the two are still two parameters. The head takes the table's own "
    "parameter.",
    again=[(TIE, "self.transformer.wte.weight = nn.Parameter(self.lm_head.weight)")],
)
mistake(
    "one-axis-for-batch-and-sequence",
    OUTPUT,
    f"{OUTPUT}.view(-1, self.lm_head.out_features)",
    "The batch and the sequence have become one axis. They stay apart: [batch, seq, vocab_size].",
    again=[(OUTPUT, "return self.lm_head(self.transformer(input_ids).flatten(0, 1))")],
)
mistake(
    "without-the-last-position",
    OUTPUT,
    f"{OUTPUT}[:, :-1]",
    "The last position's logits are left out, as a loss does it. forward returns those of every position.",
    again=[(OUTPUT, "return self.lm_head(self.transformer(input_ids)[:, :-1])")],
)
mistake(
    "another-embedding-as-the-head",
    HEAD,
    "self.lm_head = nn.Embedding(config.vocab_size, config.n_embd)",
    "lm_head is an nn.Embedding, which looks up rows by ids. An nn.Linear is asked for, without a bias.",
    also=[(OUTPUT, "return self.transformer(input_ids) @ self.lm_head.weight.T")],
    again=[
        (HEAD, "self.lm_head = nn.Embedding(config.vocab_size, config.n_embd)"),
        (OUTPUT, "return nn.functional.linear(self.transformer(input_ids), self.lm_head.weight)"),
    ],
)
mistake(
    "the-head-as-the-embedding",
    TIE,
    "self.transformer.wte = self.lm_head",
    "The ids come to a linear layer, which looks up none: they go to wte first, and the head is last. wte stays where "
    "it is, and the head takes its weight.",
    again=[(TIE, "setattr(self.transformer, 'wte', self.lm_head)")],
)
mistake(
    "by-hand-without-the-norm",
    OUTPUT,
    "x = self.transformer.wte(input_ids) + self.transformer.wpe(input_ids.shape[1])\n"
    "        for block in self.transformer.h:\n            x = block(x)\n        return self.lm_head(x)",
    "The last norm is left out. The head takes what the transformer returns, which has passed it.",
    again=[
        (
            OUTPUT,
            (
                "stack = self.transformer\n        x = stack.wte(input_ids) + stack.wpe(input_ids.shape[1])\n"
                "        return self.lm_head(nn.Sequential(*stack.h)(x))"
            ),
        )
    ],
)
mistake(
    "by-hand-without-the-positions",
    OUTPUT,
    "x = self.transformer.wte(input_ids)\n        for block in self.transformer.h:\n            x = block(x)\n"
    "        return self.lm_head(self.transformer.ln_f(x))",
    "The positions are left out. The head takes what the transformer returns, called on the ids.",
    again=[
        (
            OUTPUT,
            (
                "stack = self.transformer\n        x = nn.Sequential(*stack.h)(stack.wte(input_ids))\n"
                "        return self.lm_head(stack.ln_f(x))"
            ),
        )
    ],
)
mistake(
    "a-table-drawn-anew",
    TIE,
    f"{TIE}\n        nn.init.xavier_uniform_(self.lm_head.weight)",
    "The shared table is drawn anew, with too large a spread. It is to keep the token table's 0.02.",
    again=[(TIE, f"{TIE}\n        nn.init.xavier_normal_(self.transformer.wte.weight)")],
)
mistake(
    "a-table-drawn-for-relu",
    TIE,
    f"{TIE}\n        nn.init.kaiming_uniform_(self.lm_head.weight)",
    "The shared table is drawn anew, with too large a spread. It is to keep the token table's 0.02.",
    again=[(TIE, f"{TIE}\n        nn.init.kaiming_normal_(self.transformer.wte.weight)")],
)
mistake(
    "a-tuple",
    OUTPUT,
    f"{OUTPUT}, None",
    "forward returns a tuple. The logits alone are asked for.",
    again=[(OUTPUT, "hidden = self.transformer(input_ids)\n        return (self.lm_head(hidden), None)")],
)

variant(
    "the-hidden-states-in-rows-by-view",
    OUTPUT,
    "hidden = self.transformer(input_ids)\n        batch, seq, n_embd = hidden.shape\n"
    "        return self.lm_head(hidden.view(batch * seq, n_embd)).view(batch, seq, -1)",
)
variant(
    "in-two-lines", OUTPUT, "hidden_states = self.transformer(input_ids)\n        return self.lm_head(hidden_states)"
)
variant("by-the-tables-own-product", OUTPUT, "return self.transformer(input_ids) @ self.transformer.wte.weight.T")
variant("f-linear", OUTPUT, "return nn.functional.linear(self.transformer(input_ids), self.lm_head.weight)")
variant(
    "drawn-again-and-given-to-the-table",
    TIE,
    "nn.init.normal_(self.lm_head.weight, std=0.02)\n        self.transformer.wte.weight = self.lm_head.weight",
)
variant("register-parameter", TIE, "self.lm_head.register_parameter('weight', self.transformer.wte.weight)")
variant("the-head-made-first", f"{STACK}\n        {HEAD}", f"{HEAD}\n        {STACK}")
variant(
    "an-init-of-its-own",
    TIE,
    f"{TIE}\n        self.apply(self._draw)\n\n    def _draw(self, part):\n        if isinstance(part, nn.Linear):\n"
    "            nn.init.normal_(part.weight, std=0.02)",
)
variant(
    "a-tie-weights-method",
    TIE,
    "self.tie_weights()\n\n    def tie_weights(self) -> None:\n"
    "        setattr(self.lm_head, 'weight', self.transformer.wte.weight)",
)
variant(
    "positions-drawn-as-openai-drew-them",
    TIE,
    f"{TIE}\n        nn.init.normal_(self.transformer.wpe.weight, std=0.01)",
)
variant(
    "a-dropout-of-zero",
    OUTPUT,
    "return self.lm_head(nn.functional.dropout(self.transformer(input_ids), 0.0, self.training))",
)
variant("positions-given", OUTPUT, "return self.lm_head(self.transformer(input_ids, 0))")
variant.file(
    "an-einsum-with-the-table",
    """import torch
from torch import nn

from puzzles.model import GPT2Model


class GPT2LMHeadModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        stack = GPT2Model(config)
        self.transformer, self.lm_head = stack, nn.Linear(config.n_embd, config.vocab_size, False)
        del self.lm_head.weight
        self.lm_head.weight = stack.wte.weight

    def forward(self, input_ids):
        hidden = self.transformer(input_ids)
        return torch.einsum("bte,ve->btv", hidden, self.transformer.wte.weight)
""",
)
variant.file(
    "a-linear-layer-born-with-a-weight",
    """from torch import nn

from puzzles.model import GPT2Model


class TiedLinear(nn.Linear):
    def __init__(self, weight):
        outputs, inputs = weight.shape
        super().__init__(inputs, outputs, bias=False, device="meta")
        self.weight = weight


class GPT2LMHeadModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.transformer = GPT2Model(config)
        self.lm_head = TiedLinear(self.transformer.wte.weight)

    def forward(self, input_ids):
        hidden = self.transformer(input_ids)
        batch, seq, n_embd = hidden.shape
        return self.lm_head(hidden.reshape(batch * seq, n_embd)).reshape(batch, seq, -1)
""",
)
