"""Step 06 is judged against torch's table of positions, redrawn."""

import math
import re

from autograder.checking import check
from autograder.comparing import close, drawn_normally, equal, fail, fits, load, make, raises, same_gradients


@check(
    passed="PositionEmbedding has one parameter, weight, of normal numbers with standard deviation 0.02",
    failed="PositionEmbedding does not have one parameter, weight, of normal numbers with standard deviation 0.02",
)
def has_its_parameter(student):
    import torch

    mine = make(student, "PositionEmbedding", 211, 97)
    fits(mine, {"weight": torch.zeros(211, 97)}, says="a row for each position: [n_positions, n_embd]")
    weight = mine.weight
    close(weight, torch.zeros(211, 97), rtol=0, atol=math.inf)  # float32, whatever its numbers
    equal(weight.requires_grad, True, says="it is learned, so it is an nn.Parameter")
    drawn_normally(weight, 0.02)


@check(
    passed="PositionEmbedding gives the first rows, one for each token",
    failed="PositionEmbedding does not give the first rows, one for each token",
)
def first_rows(student, oracle, draw):
    import torch

    mine, theirs, rows = _pair(student, oracle, draw)
    for seq_len in (5, 1, rows - 1, rows):
        right = theirs(torch.arange(seq_len))
        known = {
            "these are the rows from 1 on: the first position is 0": theirs((torch.arange(seq_len) + 1) % rows),
            "these are the last rows": theirs(torch.arange(rows - seq_len, rows)),
            "one row is given for all: each token has its own": theirs(torch.tensor([seq_len - 1])).expand_as(right),
        }
        close(mine(seq_len), right, rtol=0, atol=0, known=known if 1 < seq_len < rows - 1 else None)


@check(
    passed="after past_length tokens, it goes on from there",
    failed="after past_length tokens, it does not go on from there",
)
def later_rows(student, oracle, draw):
    import torch

    mine, theirs, rows = _pair(student, oracle, draw)
    for seq_len, past in ((3, 4), (1, 1), (2, 7), (1, rows - 1), (rows - 3, 3)):
        right = torch.arange(past, past + seq_len)
        known = {
            "past_length is not counted: these are the first rows": theirs(right - past),
            "one too far: the first new position is past_length": theirs((right + 1) % rows),
            "one too early: the first new position is past_length": theirs(right - 1),
        }
        close(mine(seq_len, past), theirs(right), rtol=0, atol=0, known=known)


@check(
    passed="beyond n_positions it raises a ValueError that names both numbers",
    failed="beyond n_positions it does not raise a ValueError that names both numbers",
)
def refuses_beyond(student):
    mine = make(student, "PositionEmbedding", 13, 4)
    for seq_len, past in ((14, 0), (1, 13), (5, 9), (40, 0)):
        message = raises(
            lambda s=seq_len, p=past: mine(s, p), "ValueError", says="fewer rows would be added to all tokens unseen"
        )
        numbers = re.findall(r"\d+", message)
        if "13" in numbers:
            numbers.remove("13")  # n_positions; what is asked for may be the same number
        else:
            fail("n_positions is not in the message", expected="a message with 13", got=message)
        asked = {seq_len, past + seq_len, past + seq_len - 1, past or seq_len}  # the tokens, the end, the last position
        if not asked & {int(number) for number in numbers}:
            fail("what was asked for is not in the message", expected=f"a message with {past + seq_len}", got=message)


@check(
    passed="PositionEmbedding's gradient is 0 in rows that were not used",
    failed="PositionEmbedding's gradient is not what its rows got",
)
def gradients_match(student, draw):
    import torch

    mine = make(student, "PositionEmbedding", 9, 4)
    back = draw.normal(seq=3, n_embd=4)
    expected = torch.zeros(9, 4)
    expected[2:5] = back
    got = mine.gradients(3, 2, output_gradient=back)
    same_gradients(got, back, parameters={"weight": expected}, rtol=1e-6, atol=1e-6)


def _pair(student, oracle, draw):
    rows, n_embd = draw.distinct(2, 12, 40)
    theirs = oracle.embedding(rows, n_embd)
    return load(make(student, "PositionEmbedding", rows, n_embd), theirs.state_dict()), theirs, rows
