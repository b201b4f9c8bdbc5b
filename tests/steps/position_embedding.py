"""Step 06 is judged against torch's table of positions, redrawn."""

from autograder.checking import check, close, equal, fail, load, raises


@check(
    passed="PositionEmbedding has one parameter, weight, of normal numbers with standard deviation 0.02",
    failed="PositionEmbedding does not have one parameter, weight, of normal numbers with standard deviation 0.02",
)
def has_its_parameter(student):
    mine = student.PositionEmbedding(211, 97)
    state = mine.state_dict(keep_vars=True)
    if sorted(state) != ["weight"]:
        fail(
            "a state dict has what was registered: one nn.Parameter",
            expected="weight",
            got=", ".join(state) or "nothing",
        )
    weight = state["weight"].detach()
    equal(list(weight.shape), [211, 97], says="a row for each position: [n_positions, n_embd]")
    equal(state["weight"].requires_grad, True, says="it is learned, so it is an nn.Parameter")
    count, found, mean = weight.numel(), float(weight.double().std()), float(weight.double().mean())
    if not abs(found - 0.02) < 5 * 0.02 / (2 * count) ** 0.5 or not abs(mean) < 5 * 0.02 / count**0.5:
        fail("a fresh table", expected="mean 0 and standard deviation 0.02", got=f"{mean:.3g} and {found:.3g}")
    beyond = float((weight.double().abs() > 0.02).double().mean())  # 0.317 of normal numbers, 0.423 of uniform ones
    if not abs(beyond - 0.3173) < 5 * (0.3173 * 0.6827 / count) ** 0.5:
        fail(
            "how many are beyond one standard deviation",
            expected="0.317 of them: a normal distribution",
            got=f"{beyond:.3f}",
        )


@check(
    passed="PositionEmbedding gives the first rows, one for each token",
    failed="PositionEmbedding does not give the first rows, one for each token",
)
def first_rows(student, oracle, draw):
    import torch

    rows, n_embd = draw.distinct(2, 12, 40)
    theirs = oracle.embedding(rows, n_embd)
    mine = load(student.PositionEmbedding(rows, n_embd), theirs.state_dict())
    for seq_len in (1, 5, rows - 1, rows):
        close(mine(seq_len), theirs(torch.arange(seq_len)), rtol=0, atol=0)


@check(
    passed="after past_length tokens, it goes on from there",
    failed="after past_length tokens, it does not go on from there",
)
def later_rows(student, oracle, draw):
    import torch

    rows, n_embd = draw.distinct(2, 12, 40)
    theirs = oracle.embedding(rows, n_embd)
    mine = load(student.PositionEmbedding(rows, n_embd), theirs.state_dict())
    for seq_len, past in ((1, 1), (3, 4), (2, 7), (1, rows - 1), (rows - 3, 3)):
        close(mine(seq_len, past), theirs(torch.arange(past, past + seq_len)), rtol=0, atol=0)


@check(
    passed="beyond n_positions it raises a ValueError that names both numbers",
    failed="beyond n_positions it does not raise a ValueError that names both numbers",
)
def refuses_beyond(student):
    mine = student.PositionEmbedding(13, 4)
    for seq_len, past in ((14, 0), (1, 13), (5, 9), (40, 0)):
        message = raises(
            lambda s=seq_len, p=past: mine(s, p), "ValueError", says="fewer rows would be added to all tokens unseen"
        )
        asked = (str(seq_len), str(past + seq_len), str(past))
        if "13" not in message or not any(number in message.replace("13", "", 1) for number in asked):
            fail("the message", expected=f"13 and what was asked for, {past + seq_len}", got=message)


@check(
    passed="PositionEmbedding's gradient is 0 in rows that were not used",
    failed="PositionEmbedding's gradient is not what its rows got",
)
def gradients_match(student, draw):
    import torch

    mine = student.PositionEmbedding(9, 4)
    back = draw.normal(seq=3, n_embd=4)
    got = mine.gradients(3, 2, output_gradient=back)
    expected = torch.zeros(9, 4)
    expected[2:5] = back
    close(got.parameters.get("weight"), expected, rtol=1e-6, atol=1e-6, says="this is the gradient of weight")
