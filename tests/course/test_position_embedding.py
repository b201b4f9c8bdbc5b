"""Step 06's checker, by what it rejects and accepts besides its own mistakes and variants, which `verify` proves."""

import edited
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
SAYS = 'f"{end} positions are asked for, and n_positions is {n_positions}"'
SINES = """position = torch.arange(n_positions).unsqueeze(1) / 10000 ** (torch.arange(n_embd) / n_embd)
        table = torch.where(torch.arange(n_embd) % 2 == 0, position.sin(), position.cos())
        """
WRONG = {
    "sinusoids, not in the state": ([(MAKE, SINES + "self.weight = table")], [*ALL[:3], GRADIENT], "lacks weight"),
    "a buffer that is kept": (
        [(MAKE, f'{MAKE}\n        self.register_buffer("places", torch.arange(n_positions))')],
        [TABLE, FIRST, LATER],
        "has places besides: a buffer stays out of it when it is registered with persistent=False",
    ),
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
        "",
    ),
    "one too early": (
        [(LOOK, "past_length -= past_length > 0\n        return self.weight[past_length : past_length + seq_len]")],
        [LATER, GRADIENT],
        "",
    ),
    "one row for all": (
        [(LOOK, "return self.weight[end - 1].expand(seq_len, -1)")],
        [FIRST, LATER, GRADIENT],
        "",
    ),
    "not learned": ([(NUMBERS, NUMBERS + ", requires_grad=False")], [TABLE, GRADIENT], "it is learned"),
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
    "a kept counter": (
        [(MAKE, MAKE + "\n        self.register_buffer('count', torch.zeros(1))")],
        ALL[:3],
        "its state dict has count besides",
    ),
    "dropout": (
        [(LOOK, "return nn.functional.dropout(self.weight[past_length:end], 0.1)")],
        [FIRST, LATER, GRADIENT],
        "",
    ),
    "a message with all numbers": (
        [(SAYS, "' '.join(map(str, range(10000)))")],
        [BEYOND],
        "a message with two numbers is asked for, not one with all",
    ),
    "a tuple": ([(LOOK, LOOK + ",")], [FIRST, LATER, GRADIENT], "a tuple"),
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
    "nn.Embedding's": [
        (MAKE, "self.weight = nn.Embedding(n_positions, n_embd).weight\n        nn.init.normal_(self.weight, std=0.02)")
    ],
}


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
