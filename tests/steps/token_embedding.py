"""Step 05 is judged against torch's embedding table, redrawn."""

import math

from autograder.checking import check, equivalent, forbids, mistake, variant
from autograder.comparing import (
    agrees,
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
from autograder.student import StudentRaised

# A fresh table is so large that a standard deviation of 0.0202 is ten standard errors from 0.02.
HEIGHT, WIDTH = 251, 503
# An axis of length 1 is for what squeezes it away.
SHAPES = (
    {"batch": 3, "seq": 5},
    {"seq": 7},
    {"more": 2, "batch": 3, "seq": 4},
    {"batch": 1, "seq": 6},
    {"batch": 4, "seq": 1},
)


@check(
    passed="embed_one_hot gives the rows of the ids",
    failed="embed_one_hot does not give the rows of the ids",
)
def one_hot_matches(student, oracle, draw):
    for shape in SHAPES:
        rows, n_embd = draw.distinct(2, 8, 20)
        theirs = oracle.embedding(rows, n_embd)
        ids = draw.ids(rows - 1, **shape)  # without the last one: the table is wider than the ids tell
        weight = theirs.state_dict()["weight"]
        close(student.embed_one_hot(ids, weight), theirs(ids), rtol=1e-6, atol=1e-6)
        wide = weight.double()
        close(student.embed_one_hot(ids, wide), wide[ids], rtol=1e-6, atol=1e-6, says="weight is float64 here")
    _both_ends(ids, rows)
    close(student.embed_one_hot(ids, weight), theirs(ids), rtol=1e-6, atol=1e-6, says="with the first id and the last")
    ids = draw.ids(rows - 1, batch=2, seq=3)
    weight = weight.clone()
    weight[-1] = math.inf
    got = student.embed_one_hot(ids, weight)
    if type(got) is type(weight) and not bool(got.isnan().all()):
        says = "a row that no id asks for is infinite: in a product it meets a 0, and 0 times infinity is nan"
        fail(says, "a lookup does not see it: here the rows come by a product", expected="nan", got="numbers")


@check.undeclared(failed="embed_one_hot does not let gradients through to the weight, or changes what it is given")
def one_hot_is_a_function(student, oracle, draw):
    theirs = oracle.embedding(11, 6)
    weight = theirs.state_dict()["weight"]
    ids, back = draw.ids(5, batch=2, seq=7), draw.normal(batch=2, seq=7, n_embd=6)
    try:
        got, (after_ids, after_weight) = student.embed_one_hot.call_keeping(ids, weight)
    except StudentRaised:
        return  # told by the line above
    if not agrees(got, theirs(ids)):
        return
    close(after_ids, ids, rtol=0, atol=0, says="these are the ids after the call: they were changed in place")
    close(after_weight, weight, rtol=0, atol=0, says="this is the weight after the call: it was changed in place")
    expected = theirs.gradients(ids, back).parameters["weight"]
    gradients = student.embed_one_hot.gradients(ids, weight, output_gradient=back)
    same_gradients(gradients._replace(inputs=gradients.inputs[-1:]), back, inputs={"weight": expected})


@check(
    passed="TokenEmbedding has one parameter, weight, of normal numbers with standard deviation 0.02",
    failed="TokenEmbedding does not have one parameter, weight, of normal numbers with standard deviation 0.02",
)
def has_its_parameter(student):
    import torch

    mine = make(student, "TokenEmbedding", HEIGHT, WIDTH)
    fits(mine, {"weight": torch.zeros(HEIGHT, WIDTH)}, says="a row for each token: [vocab_size, n_embd]")
    weight = mine.weight
    close(weight, torch.zeros(HEIGHT, WIDTH), rtol=0, atol=math.inf)  # float32, whatever its numbers
    equal(weight.requires_grad, True, says="it is trained, so it is an nn.Parameter")
    drawn_normally(weight, 0.02)
    for row, spread in enumerate(weight.detach().std(dim=1).tolist()):
        if not 0.015 < spread < 0.025:  # eight standard errors
            fail("each row is drawn so", expected="a standard deviation of 0.02", got=f"{spread:.4g} in row {row}")
    for column, spread in enumerate(weight.detach().std(dim=0).tolist()):
        if not 0.015 < spread < 0.025:  # eleven standard errors
            got = f"{spread:.4g} in column {column}"
            fail("each column is drawn so", expected="a standard deviation of 0.02", got=got)
    one, other = (make(student, "TokenEmbedding", 11, 4).weight for _ in range(2))
    if torch.equal(one, other):
        fail("two new tables are the same", "each is drawn anew: no seed is set in __init__, and no table is kept")


@check(
    passed="TokenEmbedding gives torch's rows, for ids of any shape",
    failed="TokenEmbedding does not give torch's rows, for ids of any shape",
)
def output_matches(student, oracle, draw):
    for shape in SHAPES:
        rows, n_embd = draw.distinct(2, 8, 60)
        theirs = oracle.embedding(rows, n_embd)
        mine = load(make(student, "TokenEmbedding", rows, n_embd), theirs.state_dict())
        ids = draw.ids(rows, **shape)
        got, (after,) = mine.call_keeping(ids)
        close(got, theirs(ids), rtol=1e-6, atol=1e-6)
        close(after, ids, rtol=0, atol=0, says="these are the ids after the call: they were changed in place")
        ids = _both_ends(draw.ids(rows, **shape), rows)
        close(mine(ids), theirs(ids), rtol=1e-6, atol=1e-6, says="other ids, the first and the last among them")
    ids = draw.ids(rows, batch=3, seq=2)
    close(
        mine(sliced(student, ids)),
        theirs(ids),
        rtol=1e-6,
        atol=1e-6,
        says="input_ids are a slice of a longer tensor",
    )
    mine.eval()
    close(mine(ids), theirs(ids), rtol=1e-6, atol=1e-6, says="after .eval(): a lookup is the same in use")


@check(
    passed="TokenEmbedding refuses an id that is not in the table",
    failed="TokenEmbedding does not refuse an id that is not in the table",
)
def refuses_strangers(student):
    import torch

    mine = make(student, "TokenEmbedding", 11, 4)
    mine(torch.tensor([[0, 10]]))
    # Alone, then beside a right one: then `all` for `any` shows. Then not in the first row and not in the last place.
    for ids in ([[3, 11]], [[-11]], [[-1]], [[3, -1]], [[3, 4, 5], [6, -1, 7], [8, 9, 0]]):
        _refuses(mine, torch.tensor(ids))
    mine.eval()
    _refuses(mine, torch.tensor([[3, 11]]), "after .eval()")
    _refuses(mine, torch.tensor([[3, -1]]), "after .eval()")


@check(
    passed="TokenEmbedding's gradient adds up where an id is repeated, and is 0 in rows that were not used",
    failed="TokenEmbedding's gradient does not add up where an id is repeated, or is not 0 in rows that were not used",
)
def gradients_match(student, oracle, draw):
    theirs = oracle.embedding(11, 6)
    mine = load(make(student, "TokenEmbedding", 11, 6), theirs.state_dict())
    ids = draw.ids(5, batch=2, seq=7)  # some twice, and rows 5 to 10 never
    ids[0, 0] = 0
    back = draw.normal(batch=2, seq=7, n_embd=6)
    expected = theirs.gradients(ids, back).parameters
    same_gradients(mine.gradients(ids, output_gradient=back), back, parameters=expected)
    mine.eval()
    in_use = mine.gradients(ids, output_gradient=back).parameters["weight"]
    if in_use is None:
        fail("in evaluation no gradient comes to weight", "what .eval() switches is dropout and the like")
    close(in_use, expected["weight"], says="this is the gradient of weight in evaluation")


@check.undeclared(failed="TokenEmbedding does not work in float64")
def works_in_float64(student, draw):
    mine = make(student, "TokenEmbedding", 11, 6)
    ids = draw.ids(11, batch=2, seq=7)
    try:
        narrow = mine(ids)
    except StudentRaised:
        return  # told by the lines above
    if not agrees(narrow, draw.normal(batch=2, seq=7, n_embd=6), rtol=0, atol=math.inf) or not agrees(
        mine(ids), narrow
    ):
        return
    mine.double()
    close(mine(ids), narrow.double(), says="weight is float64 here")


def _both_ends(ids, rows):
    """Write the table's first id and its last one into the ids, and return them."""
    ids.view(-1)[0], ids.view(-1)[1] = 0, rows - 1
    return ids


def _refuses(mine, ids, when=""):
    stranger = next(value for value in ids.flatten().tolist() if not 0 <= value < 11)
    ids.label = f"tensor({ids.tolist()})"
    says = f"{stranger} is no row of a table with 11: an error says so, a wrong row does not"
    raises(lambda: mine(ids), says=f"{when}: {says}" if when else says)


forbids(
    *("torch.nn.Embedding", "torch.nn.EmbeddingBag", "torch.nn.functional.embedding", "torch.embedding"),
    *("torch.nn.functional.embedding_bag", "torch.embedding_bag", "torch.nn.modules.sparse", "torch.ops"),
    *("torch._refs", "torch._decomp", "torch._C", "torch._VF"),
    within=["TokenEmbedding", "embed_one_hot"],
    operators=["aten.embedding", "aten._embedding_bag"],
    passed="TokenEmbedding is your own: torch's embedding is not used",
    failed="TokenEmbedding is not your own, or has not run: got {got}",
)


# ------------------------------------------------------------------------------------------- mistakes: embed_one_hot

ENCODE = "nn.functional.one_hot(input_ids, num_classes=weight.shape[0])"
PRODUCT = "return one_hot.to(weight.dtype) @ weight"
mistake(
    "one-hot-as-wide-as-its-ids",
    ENCODE,
    "nn.functional.one_hot(input_ids)",
    "one_hot is not told how many classes there are, so it takes the largest id that it meets. "
    "It is the height of the table.",
)
mistake(
    "rows-looked-up",
    PRODUCT,
    "return weight[input_ids]",
    "The rows are looked up. Here they come by a product: one-hot rows times the weight.",
    again=[(PRODUCT, "return weight.index_select(0, input_ids.flatten()).unflatten(0, input_ids.shape)")],
)
mistake(
    "one-hot-as-wide-as-a-row",
    "num_classes=weight.shape[0]",
    "num_classes=weight.shape[1]",
    "The one-hot rows are n_embd wide. They have a place for each row of the table: its height, weight.shape[0].",
)
mistake(
    "one-hot-of-integers",
    PRODUCT,
    "return one_hot @ weight",
    "one_hot makes whole numbers, and the product wants both sides in one dtype. Turn it into the weight's.",
    again=[(PRODUCT, "return torch.matmul(one_hot, weight)")],
)
mistake(
    "one-hot-always-float32",
    PRODUCT,
    "return one_hot.float() @ weight",
    "The one-hot rows are always float32. They have the weight's dtype, whatever that is.",
    again=[(ENCODE, "torch.eye(weight.shape[0])[input_ids]"), (PRODUCT, "return one_hot @ weight")],
)
mistake(
    "weight-made-integer",
    PRODUCT,
    "return one_hot @ weight.to(one_hot.dtype)",
    "The weight is cut down to whole numbers. Turn the one-hot rows into the weight's dtype, not the other way round.",
    again=[(PRODUCT, "return one_hot @ weight.long()")],
)
mistake(
    "one-hot-alone",
    PRODUCT,
    "return one_hot.to(weight.dtype)",
    "The one-hot rows themselves are returned. Their product with the weight is asked for.",
)
mistake(
    "weight-turned-in-the-product",
    PRODUCT,
    "return one_hot.to(weight.dtype) @ weight.T",
    "The weight is transposed. As it is, [vocab_size, n_embd], it fits the one-hot rows.",
)

mistake(
    "one-hot-without-gradient",
    PRODUCT,
    "return one_hot.to(weight.dtype) @ weight.detach()",
    "The product is cut off from the weight. .data, .detach() and no_grad keep the gradient away.",
    again=[(PRODUCT, "with torch.no_grad():\n        return one_hot.to(weight.dtype) @ weight")],
)
mistake(
    "one-hot-of-two-axes-at-most",
    PRODUCT,
    'return torch.einsum("sv,vn->sn" if one_hot.dim() == 2 else "bsv,vn->bsn", one_hot.to(weight.dtype), weight)',
    "embed_one_hot takes ids of one axis or two. Ids of any shape are to be looked up.",
    again=[
        (
            ENCODE,
            "torch.eye(weight.shape[0], dtype=weight.dtype)[input_ids]",
        ),
        (PRODUCT, 'return torch.einsum("bsv,vn->bsn" if input_ids.dim() > 1 else "sv,vn->sn", one_hot, weight)'),
    ],
)
mistake(
    "one-hot-squeezed",
    PRODUCT,
    "return (one_hot.to(weight.dtype) @ weight).squeeze(0)",
    "embed_one_hot loses an axis of length 1. The result is the ids' shape, and n_embd at its end.",
    again=[(PRODUCT, "return (one_hot.to(weight.dtype) @ weight).squeeze()")],
)

# ------------------------------------------------------------------------------------------- mistakes: the table

NUMBERS = "0.02 * torch.randn(vocab_size, n_embd)"
MAKE = f"self.weight = nn.Parameter({NUMBERS})"
mistake(
    "table-turned",
    "torch.randn(vocab_size, n_embd)",
    "torch.randn(n_embd, vocab_size)",
    "The table is [n_embd, vocab_size]. It has a row for each token: [vocab_size, n_embd].",
)
mistake(
    "no-parameter",
    MAKE,
    f"self.weight = {NUMBERS}",
    "self.weight is a plain tensor, so nobody trains it. Do the arithmetic first, and wrap its result in nn.Parameter.",
    again=[(MAKE, "self.weight = 0.02 * nn.Parameter(torch.randn(vocab_size, n_embd))")],
)
mistake(
    "a-buffer",
    MAKE,
    f'self.register_buffer("weight", {NUMBERS})',
    "self.weight is not trained: it asks for no gradient. Make it an nn.Parameter.",
    again=[(MAKE, f"self.weight = nn.Parameter({NUMBERS}, requires_grad=False)")],
)
mistake(
    "standard-deviation-of-1",
    NUMBERS,
    "torch.randn(vocab_size, n_embd)",
    "The numbers have a standard deviation of 1, as torch.randn draws them. 0.02 is asked for; "
    "in nn.init.normal_ it is the argument std, and the one before is the mean.",
    again=[(MAKE, "self.weight = nn.Parameter(torch.empty(vocab_size, n_embd))\n        nn.init.normal_(self.weight)")],
)
mistake(
    "variance-of-0-02",
    "0.02 * torch.randn",
    "0.02**0.5 * torch.randn",
    "The numbers have a variance of 0.02. It is the standard deviation that is 0.02.",
)
mistake(
    "standard-deviation-squared",
    "0.02 * torch.randn",
    "0.02**2 * torch.randn",
    "The numbers have a standard deviation of 0.02 squared. 0.02 itself is asked for.",
)
mistake(
    "rand-for-randn",
    NUMBERS,
    "0.02 * torch.rand(vocab_size, n_embd)",
    "The numbers lie evenly between 0 and 0.02: torch.rand draws uniform ones. torch.randn draws normal ones.",
)
mistake(
    "uniform-around-0",
    NUMBERS,
    "0.02 * 3**0.5 * (2 * torch.rand(vocab_size, n_embd) - 1)",
    "The numbers are uniform. Normal ones are asked for.",
)
mistake(
    "a-table-of-zeros",
    NUMBERS,
    "torch.zeros(vocab_size, n_embd)",
    "All numbers of the fresh table are the same. Each is drawn by itself, from a normal distribution.",
    again=[(NUMBERS, "0.02 * torch.ones(vocab_size, n_embd)")],
)
mistake(
    "first-row-for-padding",
    MAKE,
    MAKE + "\n        self.weight.data[0] = 0",
    "Row 0 of the fresh table is zero, as if token 0 were padding. GPT-2 has none: every row is drawn.",
    again=[(MAKE, MAKE + "\n        with torch.no_grad():\n            self.weight[0].zero_()")],
)
mistake(
    "first-column-zero",
    MAKE,
    MAKE + "\n        self.weight.data[:, 0] = 0",
    "Column 0 of the fresh table is zero. Every number is drawn, in each row and each column.",
)
mistake(
    "the-same-in-each-table",
    MAKE,
    "torch.manual_seed(0)\n        " + MAKE,
    "Two new tables of one size hold the same numbers: a seed is set in __init__, or a table is kept. "
    "Each is drawn anew.",
    again=[(NUMBERS, "0.02 * torch.randn(vocab_size, n_embd, generator=torch.Generator().manual_seed(42))")],
)
mistake(
    "another-name",
    MAKE,
    f"self.table = nn.Parameter({NUMBERS})",
    "The parameter has another name. It is self.weight, for the checkpoint has that name.",
    also=[
        ("{self.weight.shape[0]} rows", "{self.table.shape[0]} rows"),
        ("return self.weight[input_ids]", "return self.table[input_ids]"),
    ],
)
mistake(
    "no-super-init",
    "        super().__init__()\n",
    "",
    "__init__ does not begin with super().__init__(): it makes the places in which a module keeps what it is given.",
)
mistake(
    "a-second-parameter",
    MAKE,
    MAKE + "\n        self.bias = nn.Parameter(torch.zeros(n_embd))",
    "There is a bias beside the table. A token embedding has the table alone.",
)

# ------------------------------------------------------------------------------------------- mistakes: forward

GUARD = """        if (input_ids < 0).any():
            raise IndexError(f"id {input_ids.min().item()} is not in the table of {self.weight.shape[0]} rows")
"""
LOOK = "return self.weight[input_ids]"
mistake(
    "negative-ids-pass",
    GUARD,
    "",
    "A negative id is not refused: indexing counts it from the table's end. Raise an error where an id is below 0.",
    again=[("if (input_ids < 0).any():", "if (input_ids >= self.weight.shape[0]).any():")],
)
mistake(
    "truth-of-the-ids",
    "(input_ids < 0).any()",
    "input_ids < 0",
    "The truth of input_ids < 0 is asked for, and a tensor of many numbers has none. any() says whether one is.",
)
mistake(
    "ids-laid-out-by-view",
    LOOK,
    "return self.weight[input_ids.view(-1)].view(*input_ids.shape, -1)",
    "view() refuses ids that are a slice of a longer tensor. They can come so: reshape() takes them, and indexing too.",
)
mistake(
    "all-for-any",
    "(input_ids < 0).any()",
    "(input_ids < 0).all()",
    "A negative id is refused only where all ids are negative. One is enough.",
    again=[("(input_ids < 0).any()", "input_ids.max() < 0")],
)
mistake(
    "first-text-alone-guarded",
    "(input_ids < 0).any()",
    "(input_ids.reshape(-1, input_ids.shape[-1])[0] < 0).any()",
    "A negative id is refused in the first text alone. It is refused wherever it stands.",
    again=[("(input_ids < 0).any()", "min(input_ids.flatten()[: input_ids.shape[-1]].tolist()) < 0")],
)
mistake(
    "guarded-in-training-alone",
    "if (input_ids < 0).any():",
    "if self.training and (input_ids < 0).any():",
    "After .eval() a negative id is not refused. It is refused in training and in use.",
)
mistake(
    "minus-1-passes",
    "(input_ids < 0)",
    "(input_ids < -1)",
    "The id -1 is not refused. Every id below 0 is.",
)
mistake(
    "zero-is-refused",
    "(input_ids < 0)",
    "(input_ids <= 0)",
    "The id 0 is refused, and it is the first row of the table. Only ids below 0 are refused.",
)
mistake(
    "too-large-gets-a-row",
    LOOK,
    "return self.weight[input_ids % self.weight.shape[0]]",
    "An id that is too large gets the row of another token. It has to be an error, as plain indexing makes it one.",
    again=[(LOOK, "return self.weight[input_ids.clamp(max=self.weight.shape[0] - 1)]")],
)
mistake(
    "times-the-root-of-n-embd",
    LOOK,
    LOOK + " * self.weight.shape[1] ** 0.5",
    "The rows are multiplied by the root of n_embd, as in the Transformer of 2017. GPT-2 takes them as they are.",
    again=[
        (LOOK, "return self.weight[input_ids].mul(math.sqrt(self.weight.shape[1]))"),
        ("import torch\n", "import math\n\nimport torch\n"),
    ],
)
mistake(
    "no-gradient-to-the-table",
    LOOK,
    "return self.weight.data[input_ids]",
    "The rows are right, and cut off from the table: .data, .detach() and no_grad keep the gradient away.",
    again=[(LOOK, LOOK + ".detach()")],
)
mistake(
    "no-gradient-in-evaluation",
    LOOK,
    "return self.weight[input_ids] if self.training else self.weight.detach()[input_ids]",
    "After .eval() the rows are cut off from the table. .eval() switches dropout and the like, and no gradients.",
    again=[(LOOK, "with torch.set_grad_enabled(self.training):\n            " + LOOK)],
)
mistake(
    "result-made-float32",
    LOOK,
    LOOK + ".float()",
    "The rows are always float32. They have the dtype of the weight.",
)
mistake(
    "axis-of-1-squeezed",
    LOOK,
    LOOK + ".squeeze(0)",
    "An axis of length 1 is lost. The result is the ids' shape, and n_embd at its end.",
    again=[(LOOK, LOOK + ".squeeze()")],
)
mistake(
    "last-row-for-padding",
    LOOK,
    LOOK + " * (input_ids != self.weight.shape[0] - 1).unsqueeze(-1)",
    "The table's last id gets zeros, as if it were padding. It has a row like every other.",
)
mistake(
    "ids-made-floats",
    LOOK,
    "return self.weight[input_ids.float()]",
    "The ids are made floats. Indexing needs whole numbers: leave them as they are.",
)
mistake(
    "ids-from-1",
    LOOK,
    "return self.weight[input_ids - 1]",
    "Each id gets the row before its own. The first row, number 0, is that of id 0.",
)
mistake(
    "columns",
    LOOK,
    "return self.weight[:, input_ids]",
    "The ids pick columns of the table. They pick its rows, the first axis.",
)
mistake(
    "flat-result",
    LOOK,
    "return self.weight[input_ids.flatten()]",
    "The result has lost the shape of the ids. It is the ids' shape, and n_embd at its end.",
    again=[(LOOK, "return self.weight.index_select(0, input_ids.reshape(-1))")],
)
mistake(
    "padding-in-forward",
    LOOK,
    LOOK + " * (input_ids != 0).unsqueeze(-1)",
    "Id 0 gets zeros, as if it were padding. It has a row like every other.",
)
mistake(
    "two-axes-alone",
    LOOK,
    "batch, seq = input_ids.shape\n        return self.weight[input_ids].view(batch, seq, -1)",
    "Only ids of the shape [batch, seq] are taken. Ids of any shape are to be looked up.",
    again=[
        (
            LOOK,
            "b, s = input_ids.shape\n        return self.weight[input_ids.flatten()].view(b, s, -1)",
        )
    ],
)
mistake(
    "torchs-embedding",
    LOOK,
    "return nn.functional.embedding(input_ids, self.weight)",
    "The rows are looked up by torch's own embedding. In this step the lookup is yours: index the table.",
)
mistake(
    "forward-returns-nothing",
    LOOK,
    "self.weight[input_ids]",
    "forward returns nothing: a return belongs in front of its last line.",
)

# ------------------------------------------------------------------------------------------------ other right ways

variant("comparison", ENCODE, "input_ids.unsqueeze(-1) == torch.arange(weight.shape[0])")
variant("rows-of-the-identity", ENCODE, "torch.eye(weight.shape[0], dtype=weight.dtype)[input_ids]")
variant(
    "scatter",
    ENCODE,
    "torch.zeros(*input_ids.shape, len(weight)).scatter_(-1, input_ids.unsqueeze(-1), 1.0)",
)
variant("einsum", PRODUCT, 'return torch.einsum("...v,vn->...n", one_hot.type_as(weight), weight)')
variant(
    "init-normal",
    MAKE,
    "self.weight = nn.Parameter(torch.empty(vocab_size, n_embd))\n        nn.init.normal_(self.weight, std=0.02)",
)
variant("torch-normal", NUMBERS, "torch.normal(0.0, 0.02, (vocab_size, n_embd))")
variant("truncated-far-out", NUMBERS, "nn.init.trunc_normal_(torch.empty(vocab_size, n_embd), std=0.02)")
variant("registered", MAKE, f'self.n_embd = n_embd\n        self.register_parameter("weight", nn.Parameter({NUMBERS}))')
variant(
    "index-select",
    LOOK,
    "rows = self.weight.index_select(0, input_ids.flatten())\n        return rows.view(*input_ids.shape, -1)",
)
variant(
    "gather-refuses-by-itself",
    GUARD,
    "",
    also=[
        (
            LOOK,
            (
                "flat = input_ids.reshape(-1, 1).expand(-1, self.weight.shape[1])\n"
                "        return self.weight.gather(0, flat).view(*input_ids.shape, -1)"
            ),
        )
    ],
)
variant("product-in-forward", GUARD, "", also=[(LOOK, "return embed_one_hot(input_ids, self.weight)")])
variant(
    "loop",
    LOOK,
    "rows = [self.weight[i] for i in input_ids.flatten().tolist()]\n"
    "        return torch.stack(rows).view(*input_ids.shape, -1)",
)
variant("value-error", "raise IndexError", "raise ValueError")
variant("assertion", GUARD, "        assert (input_ids >= 0).all()\n")
variant(
    "both-ends-in-a-helper",
    "class TokenEmbedding(nn.Module):",
    "def known(ids: Tensor, height: int) -> bool:\n"
    "    return not ids.numel() or (int(ids.min()) >= 0 and int(ids.max()) < height)\n\n\n"
    "class TokenEmbedding(nn.Module):",
    also=[("if (input_ids < 0).any():", "if not known(input_ids, len(self.weight)):")],
)
variant(
    "comments-and-strings",
    LOOK,
    '# nn.Embedding would do\n        _ = "torch.nn.functional.embedding"\n        ' + LOOK,
)

equivalent(
    'raise IndexError(f"id {input_ids.min().item()} is not in the table of {self.weight.shape[0]} rows")',
    "raise AssertionError()",
    "the id is refused: of which kind the exception is, is not judged",
)
