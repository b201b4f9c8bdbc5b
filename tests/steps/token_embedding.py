"""Step 05 is judged against torch's embedding table, redrawn."""

import math

from autograder.checking import check, forbids
from autograder.comparing import close, drawn_normally, equal, fits, load, make, raises, same_gradients


@check(
    passed="embed_one_hot gives the rows of the ids",
    failed="embed_one_hot does not give the rows of the ids",
)
def one_hot_matches(student, oracle, draw):
    for shape in ({"batch": 2, "seq": 5}, {"seq": 7}):
        rows, n_embd = draw.distinct(2, 8, 20)
        theirs = oracle.embedding(rows, n_embd)
        ids = draw.ids(rows - 1, **shape)  # without the last one: the table is wider than the ids tell
        close(student.embed_one_hot(ids, theirs.state_dict()["weight"]), theirs(ids), rtol=1e-6, atol=1e-6)


@check(
    passed="TokenEmbedding has one parameter, weight, of normal numbers with standard deviation 0.02",
    failed="TokenEmbedding does not have one parameter, weight, of normal numbers with standard deviation 0.02",
)
def has_its_parameter(student):
    import torch

    mine = make(student, "TokenEmbedding", 211, 97)
    fits(mine, {"weight": torch.zeros(211, 97)}, says="a row for each token: [vocab_size, n_embd]")
    weight = mine.weight
    close(weight, torch.zeros(211, 97), rtol=0, atol=math.inf)  # float32, whatever its numbers
    equal(weight.requires_grad, True, says="it is trained, so it is an nn.Parameter")
    drawn_normally(weight, 0.02)


@check(
    passed="TokenEmbedding gives torch's rows, for ids of any shape",
    failed="TokenEmbedding does not give torch's rows, for ids of any shape",
)
def output_matches(student, oracle, draw):
    for shape in ({"batch": 3, "seq": 5}, {"seq": 7}, {"more": 2, "batch": 3, "seq": 4}):
        rows, n_embd = draw.distinct(2, 8, 60)
        theirs = oracle.embedding(rows, n_embd)
        mine = load(make(student, "TokenEmbedding", rows, n_embd), theirs.state_dict())
        ids = draw.ids(rows, **shape)
        got, (after,) = mine.call_keeping(ids)
        known = {
            "times the root of n_embd: the Transformer of 2017 did so, GPT-2 does not": theirs(ids) * n_embd**0.5,
            "these are the rows before: the first row is that of id 0": theirs((ids - 1) % rows),
        }
        close(got, theirs(ids), rtol=1e-6, atol=1e-6, known=known)
        close(after, ids, rtol=0, atol=0, says="these are the ids after the call: they were changed in place")


@check(
    passed="TokenEmbedding refuses an id that is not in the table",
    failed="TokenEmbedding does not refuse an id that is not in the table",
)
def refuses_strangers(student):
    import torch

    mine = make(student, "TokenEmbedding", 11, 4)
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
    mine = load(make(student, "TokenEmbedding", 11, 6), theirs.state_dict())
    ids = draw.ids(5, batch=2, seq=7)  # some twice, and rows 5 to 10 never
    back = draw.normal(batch=2, seq=7, n_embd=6)
    same_gradients(mine.gradients(ids, output_gradient=back), back, parameters=theirs.gradients(ids, back).parameters)


forbids(
    *("torch.nn.Embedding", "torch.nn.EmbeddingBag", "torch.nn.functional.embedding", "torch.embedding"),
    *("torch.nn.functional.embedding_bag", "torch.embedding_bag", "torch.nn.modules.sparse", "torch.ops"),
    *("torch._refs", "torch._decomp", "torch._C", "torch._VF"),
    within=["TokenEmbedding", "embed_one_hot"],
    operators=["aten.embedding", "aten._embedding_bag"],
    passed="TokenEmbedding is your own: torch's embedding is not used",
    failed="TokenEmbedding is not your own, or has not run: got {got}",
)
