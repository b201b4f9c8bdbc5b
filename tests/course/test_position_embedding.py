"""Step 06's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

TABLE, FIRST, LATER, BEYOND, GRADIENT = (
    "has_its_parameter",
    "first_rows",
    "later_rows",
    "refuses_beyond",
    "gradients_match",
)
ALL = [TABLE, FIRST, LATER, BEYOND, GRADIENT]
NUMBERS = "0.02 * torch.randn(n_positions, n_embd)"
MAKE = f"self.weight = nn.Parameter({NUMBERS})"
LOOK = "return self.weight[past_length:end]"
GUARD = """        if end > n_positions:
            raise ValueError(f"{end} positions are asked for, and n_positions is {n_positions}")
"""
SAYS = 'f"{end} positions are asked for, and n_positions is {n_positions}"'
SINES = """position = torch.arange(n_positions).unsqueeze(1) / 10000 ** (torch.arange(n_embd) / n_embd)
        table = torch.where(torch.arange(n_embd) % 2 == 0, position.sin(), position.cos())
        """
WRONG = {
    # SYLLABUS.md's own
    "positions from 1": (
        [(LOOK, "return self.weight[torch.arange(past_length + 1, end + 1)]")],
        [FIRST, LATER, GRADIENT],
        "these are the rows from 1 on: the first position is 0",
    ),
    "past_length ignored": (
        [("end = past_length + seq_len", "end = seq_len"), (LOOK, "return self.weight[:end]")],
        [LATER, BEYOND, GRADIENT],
        "past_length is not counted: these are the first rows",
    ),
    "silent truncation": ([(GUARD, "")], [BEYOND], "fewer rows would be added to all tokens unseen"),
    "sinusoids, as a buffer": (
        [(MAKE, SINES + "self.register_buffer('weight', table)")],
        [TABLE, GRADIENT],
        "it is learned, so it is an nn.Parameter",
    ),
    "sinusoids, learned": ([(MAKE, SINES + "self.weight = nn.Parameter(table)")], [TABLE], "a standard deviation"),
    "sinusoids, not in the state": ([(MAKE, SINES + "self.weight = table")], [*ALL[:3], GRADIENT], "no weight"),
    # more that people write
    "past_length for the end": (
        [(LOOK, "return self.weight[past_length:seq_len]")],
        [LATER, GRADIENT],
        "axis 0 is 0, not 3",
    ),
    "all rows up to the end": ([(LOOK, "return self.weight[:end]")], [LATER, GRADIENT], ""),
    "all rows from the start": ([(LOOK, "return self.weight[past_length:]")], [FIRST, LATER, GRADIENT], ""),
    "the last rows": ([(LOOK, "return self.weight[-seq_len:]")], [FIRST, LATER, GRADIENT], "these are the last rows"),
    "one too far": (
        [
            (
                LOOK,
                (
                    "past_length += past_length > 0\n        "
                    "return self.weight[[i % n_positions for i in range(past_length, past_length + seq_len)]]"
                ),
            )
        ],
        [LATER, GRADIENT],
        "one too far: the first new position is past_length",
    ),
    "one too early": (
        [(LOOK, "past_length -= past_length > 0\n        return self.weight[past_length : past_length + seq_len]")],
        [LATER, GRADIENT],
        "one too early: the first new position is past_length",
    ),
    "one row": ([(LOOK, "return self.weight[end - 1]")], [FIRST, LATER, GRADIENT], "1 axis, where 2 are expected"),
    "one row for all": (
        [(LOOK, "return self.weight[end - 1].expand(seq_len, -1)")],
        [FIRST, LATER, GRADIENT],
        "one row is given for all: each token has its own",
    ),
    "columns": ([(LOOK, "return self.weight[:, past_length:end]")], [FIRST, LATER, GRADIENT], ""),
    "a batch axis": ([(LOOK, LOOK + ".unsqueeze(0)")], [FIRST, LATER, GRADIENT], "3 axes, where 2 are expected"),
    "the table turned": (
        [(NUMBERS, "0.02 * torch.randn(n_embd, n_positions)")],
        ALL,
        "a row for each position: [n_positions, n_embd]",
    ),
    "times the root of n_embd": (
        [(LOOK, LOOK + " * self.weight.shape[1] ** 0.5")],
        [FIRST, LATER, GRADIENT],
        "times what is expected",
    ),
    "IndexError": ([("raise ValueError", "raise IndexError")], [BEYOND], "IndexError: "),
    "an assertion": ([(GUARD, "        assert end <= n_positions\n")], [BEYOND], "AssertionError"),
    "torch's own error": (
        [(GUARD, ""), (LOOK, "return self.weight[torch.arange(past_length, end)]")],
        [BEYOND],
        "IndexError: ",
    ),
    "a message without numbers": ([(SAYS, '"too long"')], [BEYOND], "n_positions is not in the message"),
    "a message with n_positions alone": (
        [(SAYS, 'f"more than {n_positions}"')],
        [BEYOND],
        "what was asked for is not in the message",
    ),
    "a message with the end alone": ([(SAYS, 'f"{end} positions"')], [BEYOND], "n_positions is not in the message"),
    "seq_len alone is looked at": ([("if end > n_positions", "if seq_len > n_positions")], [BEYOND], ""),
    "past_length alone is looked at": ([("if end > n_positions", "if past_length > n_positions")], [BEYOND], ""),
    "one too strict": ([("if end > n_positions", "if end >= n_positions")], [FIRST, LATER], "ValueError: "),
    "one too mild": ([("if end > n_positions", "if end > n_positions + 1")], [BEYOND], ""),
    "the sequence's start again": (
        [(GUARD, ""), (LOOK, "return self.weight[torch.arange(past_length, end) % n_positions]")],
        [BEYOND],
        "",
    ),
    "clamped": (
        [(GUARD, ""), (LOOK, "return self.weight[torch.arange(past_length, end).clamp(max=n_positions - 1)]")],
        [BEYOND],
        "",
    ),
    "detached": ([(LOOK, LOOK + ".detach()")], [GRADIENT], "no gradient comes to weight"),
    "not learned": ([(NUMBERS, NUMBERS + ", requires_grad=False")], [TABLE, GRADIENT], "it is learned"),
    "no standard deviation": ([("0.02 * ", "")], [TABLE], "a standard deviation of 0.02"),
    "uniform": (
        [("0.02 * torch.randn(n_positions, n_embd)", "(torch.rand(n_positions, n_embd) - 0.5) * 0.02 * 12**0.5")],
        [TABLE],
        "a normal distribution",
    ),
    "a number for each position": (
        [(NUMBERS, "0.02 * torch.randn(n_positions, 1).repeat(1, n_embd)")],
        [TABLE],
        "each number is drawn by itself",
    ),
    "nn.Embedding under a name": (
        [
            (MAKE, "self.wpe = nn.Embedding(n_positions, n_embd)"),
            ("n_positions = self.weight.shape[0]", "n_positions = self.wpe.weight.shape[0]"),
            (LOOK, "return self.wpe.weight[past_length:end]"),
        ],
        [*ALL[:3], GRADIENT],
        "no weight",
    ),
    "a kept counter": (
        [(MAKE, MAKE + "\n        self.register_buffer('count', torch.zeros(1))")],
        ALL[:3],
        "its state dict has count besides",
    ),
    "it counts by itself": (
        [
            (MAKE, MAKE + "\n        self.past = 0"),
            (
                LOOK,
                (
                    "rows = [i % n_positions for i in "
                    "range(self.past, self.past + seq_len)]\n        self.past += seq_len\n        "
                    "return self.weight[rows]"
                ),
            ),
        ],
        [FIRST, LATER, GRADIENT],
        "",
    ),
    "dropout": (
        [(LOOK, "return nn.functional.dropout(self.weight[past_length:end], 0.1)")],
        [FIRST, LATER, GRADIENT],
        "",
    ),
    "nothing comes back": ([(LOOK, LOOK.removeprefix("return "))], [FIRST, LATER, GRADIENT], "is a `return` missing?"),
    "a tuple": ([(LOOK, LOOK + ",")], [FIRST, LATER, GRADIENT], "a tuple"),
    "the positions": ([(LOOK, "return torch.arange(past_length, end)")], [FIRST, LATER, GRADIENT], "1 axis"),
    "a function": (
        [
            (
                "class PositionEmbedding(nn.Module):",
                "def PositionEmbedding(rows, width):\n    return 0\n\n\nclass Other(nn.Module):",
            )
        ],
        ALL,
        "a plain value",
    ),
}
RIGHT = {
    "arange": [(LOOK, "return self.weight[torch.arange(past_length, end)]")],
    "narrow": [(LOOK, "return self.weight.narrow(0, past_length, seq_len)")],
    "index_select": [(LOOK, "return self.weight.index_select(0, torch.arange(past_length, end))")],
    "F.embedding": [(LOOK, "return nn.functional.embedding(torch.arange(seq_len) + past_length, self.weight)")],
    "one-hot": [
        (LOOK, "return nn.functional.one_hot(torch.arange(past_length, end), n_positions).float() @ self.weight")
    ],
    "a loop": [(LOOK, "return torch.stack([self.weight[i] for i in range(past_length, end)])")],
    "sizes kept": [
        (MAKE, "self.n_positions = n_positions\n        " + MAKE),
        ("n_positions = self.weight.shape[0]", "n_positions = self.n_positions"),
    ],
    "init.normal_": [
        (
            MAKE,
            (
                "self.weight = nn.Parameter(torch.empty(n_positions, n_embd))\n"
                "        nn.init.normal_(self.weight, std=0.02)"
            ),
        )
    ],
    "nn.Embedding's": [
        (MAKE, "self.weight = nn.Embedding(n_positions, n_embd).weight\n        nn.init.normal_(self.weight, std=0.02)")
    ],
    "a base": [
        ("class PositionEmbedding(nn.Module)", "class PositionEmbedding(nn.Embedding)"),
        ("super().__init__()", "super().__init__(n_positions, n_embd)"),
    ],
    "the last position is named": [(SAYS, 'f"position {end - 1} is beyond n_positions={n_positions}"')],
    "the parts are named": [(SAYS, 'f"{past_length} + {seq_len} > {n_positions}"')],
    "an error of one's own": [
        ("class PositionEmbedding", "class TooLong(ValueError):\n    pass\n\n\nclass PositionEmbedding"),
        ("raise ValueError", "raise TooLong"),
    ],
    "a check of the last position": [("if end > n_positions", "if not end - 1 < n_positions")],
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    report = judge_text("position_embedding", edited.text("position_embedding", *edits))
    assert edited.failed(report) == lines
    assert says in edited.said(report)


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    report = judge_text("position_embedding", edited.text("position_embedding", *RIGHT[name]))
    assert report.outcome == "passed", edited.said(report)


@pytest.mark.parametrize("seed", ["0", "ffff"])
def test_the_finished_step_passes_whatever_is_drawn(judge_text, seed):
    assert judge_text("position_embedding", edited.text("position_embedding"), seed=seed).outcome == "passed"
