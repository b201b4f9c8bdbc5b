"""Step 05 is judged against torch's embedding table, redrawn."""

from autograder.checking import check, close, equal, fail, forbids, load, raises


@check(
    passed="embed_one_hot gives the rows of the ids",
    failed="embed_one_hot does not give the rows of the ids",
)
def one_hot_matches(student, oracle, draw):
    for shape in ({"batch": 2, "seq": 5}, {"seq": 7}):
        rows, n_embd = draw.distinct(2, 8, 20)
        theirs = oracle.embedding(rows, n_embd)
        ids = draw.ids(rows, **shape)
        close(student.embed_one_hot(ids, theirs.state_dict()["weight"]), theirs(ids), rtol=1e-6, atol=1e-6)


@check(
    passed="TokenEmbedding has one parameter, weight, of normal numbers with standard deviation 0.02",
    failed="TokenEmbedding does not have one parameter, weight, of normal numbers with standard deviation 0.02",
)
def has_its_parameter(student):
    mine = student.TokenEmbedding(211, 97)
    state = mine.state_dict(keep_vars=True)
    if sorted(state) != ["weight"]:
        fail(
            "a state dict has what was registered: one nn.Parameter",
            expected="weight",
            got=", ".join(state) or "nothing",
        )
    weight = state["weight"]
    equal(list(weight.shape), [211, 97], says="a row for each token: [vocab_size, n_embd]")
    equal(weight.requires_grad, True, says="it is trained, so it is an nn.Parameter")
    looks_normal(weight.detach(), 0.02)


@check(
    passed="TokenEmbedding gives torch's rows, for ids of any shape",
    failed="TokenEmbedding does not give torch's rows, for ids of any shape",
)
def output_matches(student, oracle, draw):
    for shape in ({"batch": 3, "seq": 5}, {"seq": 7}, {"more": 2, "batch": 3, "seq": 4}):
        rows, n_embd = draw.distinct(2, 8, 60)
        theirs = oracle.embedding(rows, n_embd)
        mine = load(student.TokenEmbedding(rows, n_embd), theirs.state_dict())
        ids = draw.ids(rows, **shape)
        close(mine(ids), theirs(ids), rtol=1e-6, atol=1e-6)


@check(
    passed="TokenEmbedding refuses an id that is not in the table",
    failed="TokenEmbedding does not refuse an id that is not in the table",
)
def refuses_strangers(student):
    import torch

    mine = student.TokenEmbedding(11, 4)
    mine(torch.tensor([[0, 10]]))
    for wrong in (11, -1, -11):
        ids = torch.tensor([[3, wrong]])
        ids.label = f"tensor([[3, {wrong}]])"
        raises(
            lambda ids=ids: mine(ids),
            says=f"{wrong} is no row of a table with 11: an error says so, a wrong row does not",
        )


@check(
    passed="TokenEmbedding's gradient adds up where an id is repeated, and is 0 in rows that were not used",
    failed="TokenEmbedding's gradient does not add up where an id is repeated, or is not 0 in rows that were not used",
)
def gradients_match(student, oracle, draw):
    theirs = oracle.embedding(11, 6)
    mine = load(student.TokenEmbedding(11, 6), theirs.state_dict())
    ids = draw.ids(5, batch=2, seq=7)  # some twice, and rows 5 to 10 never
    back = draw.normal(batch=2, seq=7, n_embd=6)
    got, expected = mine.gradients(ids, output_gradient=back), theirs.gradients(ids, back)
    close(got.parameters.get("weight"), expected.parameters["weight"], says="this is the gradient of weight")


forbids(
    *("torch.nn.Embedding", "torch.nn.EmbeddingBag", "torch.nn.functional.embedding", "torch.embedding"),
    *("torch.nn.functional.embedding_bag", "torch.embedding_bag", "torch.nn.modules.sparse", "torch.ops"),
    *("torch._refs", "torch._decomp", "torch._C", "torch._VF"),
    within=["TokenEmbedding", "embed_one_hot"],
    operators=["aten.embedding", "aten._embedding_bag"],
    passed="TokenEmbedding is your own: torch's embedding is not used",
    failed="TokenEmbedding is not your own, or has not run: got {got}",
)


def looks_normal(weight, std):
    """Fail unless the numbers look drawn from N(0, std): five standard errors of mean and spread, and no row twice."""
    import torch

    count = weight.numel()
    found = float(weight.double().std())
    if not abs(found - std) < 5 * std / (2 * count) ** 0.5:
        fail("the spread of a fresh table", expected=f"a standard deviation of {std}", got=f"{found:.4g}")
    mean = float(weight.double().mean())
    if not abs(mean) < 5 * std / count**0.5:
        fail("the mean of a fresh table", expected="a mean of 0", got=f"{mean:.4g}")
    beyond = float((weight.double().abs() > std).double().mean())  # 0.317 of normal numbers, 0.423 of uniform ones
    if not abs(beyond - 0.3173) < 5 * (0.3173 * 0.6827 / count) ** 0.5:
        fail(
            "how many are beyond one standard deviation",
            expected="0.317 of them: a normal distribution",
            got=f"{beyond:.3f}",
        )
    if torch.equal(weight[0], weight[1]):
        fail("every row has its own numbers", expected="rows that differ", got="rows that are equal")
