"""Step 05's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
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
GUARD = """        if input_ids.numel() and input_ids.min() < 0:
            raise IndexError(f"id {input_ids.min().item()} is not in the table of {self.weight.shape[0]} rows")
"""
LOOK = "return self.weight[input_ids]"
ENCODE = "nn.functional.one_hot(input_ids, num_classes=weight.shape[0])"
PRODUCT = "return one_hot.to(weight.dtype) @ weight"
WRONG = {
    # SYLLABUS.md's own
    "the table turned": (
        [("torch.randn(vocab_size, n_embd)", "torch.randn(n_embd, vocab_size)")],
        [TABLE, OUT, RANGE, GRADIENT],
        "a row for each token: [vocab_size, n_embd]",
    ),
    "ids made floats": ([(LOOK, "return self.weight[input_ids.float()]")], [OUT, RANGE, GRADIENT], "IndexError: "),
    "a negative id wraps": ([(GUARD, "")], [RANGE], "-1 is no row of a table with 11"),
    "an id too large wraps": (
        [(LOOK, "return self.weight[input_ids % self.weight.shape[0]]")],
        [RANGE],
        "11 is no row of a table with 11",
    ),
    "clamped": (
        [(GUARD, ""), (LOOK, "return self.weight[input_ids.clamp(0, self.weight.shape[0] - 1)]")],
        [RANGE],
        "11 is no row of a table with 11",
    ),
    "times the root of n_embd": (
        [(LOOK, LOOK + " * self.weight.shape[1] ** 0.5")],
        [OUT, GRADIENT],
        "times the root of n_embd: the Transformer of 2017 did so",
    ),
    ".data": ([(LOOK, "return self.weight.data[input_ids]")], [GRADIENT], "no gradient comes to weight"),
    "detached": ([(LOOK, LOOK + ".detach()")], [GRADIENT], "no gradient comes to weight"),
    "a plain tensor": ([(MAKE, f"self.weight = {NUMBERS}")], [TABLE, OUT, GRADIENT], "nn.Parameter"),
    # more that people write
    "no standard deviation": ([("0.02 * ", "")], [TABLE], "a standard deviation of 0.02"),
    "its square": ([("0.02 * ", "0.02**2 * ")], [TABLE], "a standard deviation of 0.02"),
    "zeros": ([(NUMBERS, "torch.zeros(vocab_size, n_embd)")], [TABLE], "each number is drawn by itself"),
    "uniform": (
        [("0.02 * torch.randn(vocab_size, n_embd)", "(torch.rand(vocab_size, n_embd) - 0.5) * 0.02 * 12**0.5")],
        [TABLE],
        "a normal distribution",
    ),
    "rand for randn": ([("randn", "rand")], [TABLE], "a standard deviation of 0.02"),
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
    "not learned": ([(NUMBERS, NUMBERS + ", requires_grad=False")], [TABLE, GRADIENT], "it is trained"),
    "a buffer": ([(MAKE, f"self.register_buffer('weight', {NUMBERS})")], [TABLE, GRADIENT], "it is trained"),
    "another name": (
        [
            (MAKE, MAKE.replace("weight", "table")),
            (LOOK, "return self.table[input_ids]"),
            (GUARD, GUARD.replace("weight", "table")),
        ],
        [TABLE, OUT, GRADIENT],
        "weight",
    ),
    "a bias": (
        [(MAKE, MAKE + "\n        self.bias = nn.Parameter(torch.zeros(n_embd))")],
        [TABLE, OUT, GRADIENT],
        "its state dict has bias besides",
    ),
    "float64": ([(NUMBERS, NUMBERS + ".double()")], [TABLE, OUT, GRADIENT], "torch.float64"),
    "float16": ([(LOOK, LOOK + ".half().float()")], [OUT, GRADIENT], ""),
    "dropout": ([(LOOK, "return nn.functional.dropout(self.weight[input_ids], 0.1)")], [OUT, GRADIENT], ""),
    "row 0 is for padding": ([(LOOK, LOOK + " * (input_ids != 0).unsqueeze(-1)")], [OUT, GRADIENT], ""),
    "one row for all ids": (
        [(LOOK, "return self.weight[input_ids.flatten()[0]].expand(*input_ids.shape, -1)")],
        [OUT, RANGE, GRADIENT],
        "",
    ),
    "ids of two axes alone": (
        [(LOOK, "batch, seq = input_ids.shape\n        return self.weight[input_ids].view(batch, seq, -1)")],
        [OUT],
        "ValueError: ",
    ),
    "flat": ([(LOOK, "return self.weight[input_ids.flatten()]")], [OUT, GRADIENT], ""),
    "ids counted from 1": (
        [(LOOK, "return self.weight[input_ids - 1]")],
        [OUT, RANGE, GRADIENT],
        "the first row is that of id 0",
    ),
    "columns": ([(LOOK, "return self.weight[:, input_ids]")], [OUT, RANGE, GRADIENT], ""),
    "ids changed": (
        [(LOOK, "out = self.weight[input_ids]\n        input_ids.zero_()\n        return out")],
        [OUT, GRADIENT],
        "the ids after the call: they were changed in place",
    ),
    "nothing comes back": ([(LOOK, LOOK.removeprefix("return "))], [OUT, GRADIENT], "is a `return` missing?"),
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
    "one_hot without its width": ([(ENCODE, "nn.functional.one_hot(input_ids)")], [ONE_HOT], ""),
    "one_hot of the columns": ([(ENCODE, ENCODE.replace("[0]", "[1]"))], [ONE_HOT], ""),
    "one_hot of integers": ([(PRODUCT, "return one_hot @ weight")], [ONE_HOT], "RuntimeError: "),
    "the one_hot alone": ([(PRODUCT, "return one_hot.to(weight.dtype)")], [ONE_HOT], ""),
    "the weight turned": ([(PRODUCT, "return one_hot.to(weight.dtype) @ weight.T")], [ONE_HOT], "RuntimeError: "),
    "a sum over the tokens": ([(PRODUCT, PRODUCT.replace("one_hot.", "one_hot.sum(0)."))], [ONE_HOT], ""),
    "no embed_one_hot": ([("def embed_one_hot", "def one_hot_embed")], [ONE_HOT], "defines no embed_one_hot"),
}
RIGHT = {
    "index_select": [
        (
            LOOK,
            "rows = self.weight.index_select(0, input_ids.flatten())\n        return rows.view(*input_ids.shape, -1)",
        )
    ],
    "gather": [
        (GUARD, ""),
        (
            LOOK,
            (
                "flat = input_ids.reshape(-1, 1).expand(-1, self.weight.shape[1])\n"
                "        return self.weight.gather(0, flat).view(*input_ids.shape, -1)"
            ),
        ),
    ],
    "the product in forward": [(GUARD, ""), (LOOK, "return embed_one_hot(input_ids, self.weight)")],
    "a comparison in forward": [
        (
            LOOK,
            (
                "hot = input_ids.unsqueeze(-1) == torch.arange(self.weight.shape[0])\n"
                "        if not hot.any(-1).all():\n            raise IndexError('no such row')\n"
                "        return hot.float() @ self.weight"
            ),
        )
    ],
    "a loop": [
        (
            LOOK,
            (
                "rows = [self.weight[i] for i in input_ids.flatten()]\n"
                "        return torch.stack(rows).view(*input_ids.shape, -1)"
            ),
        )
    ],
    "a ValueError": [("raise IndexError", "raise ValueError")],
    "an assertion": [(GUARD, "        assert (input_ids >= 0).all()\n")],
    "init.normal_": [
        (
            MAKE,
            (
                "self.weight = nn.Parameter(torch.empty(vocab_size, n_embd))\n"
                "        nn.init.normal_(self.weight, mean=0.0, std=0.02)"
            ),
        )
    ],
    "torch.normal": [(NUMBERS, "torch.normal(0.0, 0.02, (vocab_size, n_embd))")],
    "trunc_normal_": [(NUMBERS, "nn.init.trunc_normal_(torch.empty(vocab_size, n_embd), std=0.02)")],
    "normal_": [(NUMBERS, "torch.empty(vocab_size, n_embd).normal_(std=0.02)")],
    "register_parameter": [(MAKE, f"self.register_parameter('weight', nn.Parameter({NUMBERS}))")],
    "sizes kept": [(MAKE, "self.vocab_size, self.n_embd = vocab_size, n_embd\n        " + MAKE)],
    "the identity's rows": [(ENCODE, "torch.eye(weight.shape[0])[input_ids]")],
    "float()": [(PRODUCT, "return one_hot.float() @ weight")],
    "matmul": [(PRODUCT, "return torch.matmul(one_hot.type_as(weight), weight)")],
    "einsum": [(PRODUCT, "return torch.einsum('...v,vn->...n', one_hot.to(weight), weight)")],
    "a scatter": [(ENCODE, "torch.zeros(*input_ids.shape, len(weight)).scatter_(-1, input_ids.unsqueeze(-1), 1.0)")],
    "comments and strings": [
        (LOOK, "# nn.Embedding would do\n        name = 'torch.nn.functional.embedding'\n        " + LOOK)
    ],
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


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


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
        edited.text("token_embedding", *WRONG["one_hot without its width"][0]),
    )
    assert judge_text("token_embedding", right, seed=str(seed)).outcome == "passed"
    assert edited.failed(judge_text("token_embedding", wrong, seed=str(seed))) == [ONE_HOT]
