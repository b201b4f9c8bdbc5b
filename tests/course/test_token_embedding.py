"""Step 05's checker, by what it rejects and accepts besides its own mistakes and variants, which `verify` proves."""

import edited
import pytest

ONE_HOT, TABLE, OUT, RANGE, GRADIENT, OWN = (
    "one_hot_matches",
    "has_its_parameter",
    "output_matches",
    "refuses_strangers",
    "gradients_match",
    "forbids",
)
NUMBERS = "0.02 * torch.randn(vocab_size, n_embd)"
MAKE = f"self.weight = nn.Parameter({NUMBERS})"
LOOK = "return self.weight[input_ids]"
ENCODE = "nn.functional.one_hot(input_ids, num_classes=weight.shape[0])"
PRODUCT = "return one_hot.to(weight.dtype) @ weight"
WRONG = {
    "a mean": ([(NUMBERS, NUMBERS + " + 0.02")], [TABLE], "a mean of 0"),
    "one row for all": (
        [(NUMBERS, "(0.02 * torch.randn(1, n_embd)).repeat(vocab_size, 1)")],
        [TABLE],
        "each number is drawn by itself",
    ),
    "a number for each row": (
        [(NUMBERS, "0.02 * torch.randn(vocab_size, 1).repeat(1, n_embd)")],
        [TABLE],
        "each number is drawn by itself",
    ),
    "float64": ([(NUMBERS, NUMBERS + ".double()")], [TABLE, OUT, GRADIENT], "torch.float64"),
    "float16": ([(LOOK, LOOK + ".half().float()")], [OUT, GRADIENT, "works_in_float64"], ""),
    "dropout": ([(LOOK, "return nn.functional.dropout(self.weight[input_ids], 0.1)")], [OUT, GRADIENT], ""),
    "one row for all ids": (
        [(LOOK, "return self.weight[input_ids.flatten()[0]].expand(*input_ids.shape, -1)")],
        [OUT, RANGE, GRADIENT],
        "",
    ),
    "ids changed": (
        [(LOOK, "out = self.weight[input_ids]\n        input_ids.zero_()\n        return out")],
        [OUT, GRADIENT],
        "the ids after the call: they were changed in place",
    ),
    "a tuple": ([(LOOK, LOOK + ",")], [OUT, GRADIENT], "a tuple"),
    "fresh at each call": ([(LOOK, "return (0.02 * torch.randn_like(self.weight))[input_ids]")], [OUT, GRADIENT], ""),
    "a function": (
        [
            (
                "class TokenEmbedding(nn.Module):",
                "def TokenEmbedding(rows, width):\n    return 0\n\n\nclass Other(nn.Module):",
            )
        ],
        [TABLE, OUT, RANGE, GRADIENT],
        "TokenEmbedding returns a plain value",
    ),
    "a sum over the tokens": ([(PRODUCT, PRODUCT.replace("one_hot.", "one_hot.sum(0)."))], [ONE_HOT], ""),
    "no embed_one_hot": ([("def embed_one_hot", "def one_hot_embed")], [ONE_HOT], "defines no embed_one_hot"),
}
RIGHT = {
    "a comparison in forward": [
        (
            LOOK,
            (
                "hot = input_ids.unsqueeze(-1) == torch.arange(self.weight.shape[0])\n"
                "        if not hot.any(-1).all():\n            raise IndexError('no such row')\n"
                "        return hot.to(self.weight.dtype) @ self.weight"
            ),
        )
    ],
    "init.normal_": [
        (
            MAKE,
            (
                "self.weight = nn.Parameter(torch.empty(vocab_size, n_embd))\n"
                "        nn.init.normal_(self.weight, mean=0.0, std=0.02)"
            ),
        )
    ],
    "normal_": [(NUMBERS, "torch.empty(vocab_size, n_embd).normal_(std=0.02)")],
    "register_parameter": [(MAKE, f"self.register_parameter('weight', nn.Parameter({NUMBERS}))")],
    "sizes kept": [(MAKE, "self.vocab_size, self.n_embd = vocab_size, n_embd\n        " + MAKE)],
    "matmul": [(PRODUCT, "return torch.matmul(one_hot.type_as(weight), weight)")],
}
FORBIDDEN = {
    "F.embedding": (
        [(LOOK, "return nn.functional.embedding(input_ids, self.weight)")],
        "torch.nn.functional.embedding",
    ),
    "torch.embedding": ([(LOOK, "return torch.embedding(self.weight, input_ids)")], "torch.embedding"),
    "an alias": (
        [
            ("import torch\n", "import torch\nimport torch.nn.functional as look\n"),
            (LOOK, "return look.embedding(input_ids, self.weight)"),
        ],
        "torch.nn.functional.embedding",
    ),
    "getattr": ([(LOOK, "return getattr(nn.functional, 'embed' + 'ding')(input_ids, self.weight)")], "embedding"),
    "the table's numbers": (
        [
            (
                MAKE,
                "self.weight = nn.Embedding(vocab_size, n_embd).weight\n        nn.init.normal_(self.weight, std=0.02)",
            )
        ],
        "torch.nn.Embedding",
    ),
    "a base": (
        [
            ("class TokenEmbedding(nn.Module)", "class TokenEmbedding(nn.Embedding)"),
            ("super().__init__()", "super().__init__(vocab_size, n_embd)"),
        ],
        "torch.nn.Embedding",
    ),
    "in embed_one_hot": (
        [(PRODUCT, "return nn.functional.embedding(input_ids, weight)")],
        "torch.nn.functional.embedding",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    report = judge_text("token_embedding", edited.text("token_embedding", *edits))
    assert edited.failed(report) == lines
    assert says in edited.said(report)


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    report = judge_text("token_embedding", edited.text("token_embedding", *RIGHT[name]))
    assert report.outcome == "passed", edited.said(report)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_torchs_own_table_is_forbidden(judge_text, name):
    edits, named = FORBIDDEN[name]
    report = judge_text("token_embedding", edited.text("token_embedding", *edits))
    assert edited.failed(report)[-1] == OWN
    assert report.checks[-1].message.startswith("TokenEmbedding is not your own, or has not run: got ")
    assert named in report.checks[-1].message


@pytest.mark.parametrize("seed", range(6))
def test_the_finished_step_passes_and_a_width_left_out_fails_whatever_is_drawn(judge_text, seed):
    right, wrong = (
        edited.text("token_embedding"),
        edited.text("token_embedding", (ENCODE, "nn.functional.one_hot(input_ids)")),
    )
    assert judge_text("token_embedding", right, seed=str(seed)).outcome == "passed"
    assert edited.failed(judge_text("token_embedding", wrong, seed=str(seed))) == [ONE_HOT]
