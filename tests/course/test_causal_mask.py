"""Step 02's checker, by what it rejects and accepts. Each mistake stands with its first line that fails, and why."""

from textwrap import indent

import pytest

from autograder.views import layout

HEAD = """import functools
import math

import numpy
import torch


def causal_mask(sequence_length, num_tokens=0, *, dtype=torch.float32, device=None):
    n, past = sequence_length, num_tokens
    total = past + n
    inf = float("-inf")
    lowest = torch.finfo(dtype).min
    q = torch.arange(past, total, device=device).unsqueeze(1)
    k = torch.arange(total, device=device)
    like = {"dtype": dtype, "device": device}
"""
SHAPE, PAST, FUTURE, WEIGHTS, DTYPE, DEVICE, CONSTANT = (
    "has_the_shape",
    "lets_the_past_be_seen",
    "hides_the_future",
    "acts_on_scores",
    "has_the_dtype",
    "has_the_device",
    "is_a_constant",
)
# name: what stands in the function; the lines that fail, in order; a sentence under the first of them.
WRONG = {
    # SYLLABUS.md's own
    "triu with diagonal=0": (
        "return torch.full((n, total), inf, **like).triu(past)",
        (PAST, WEIGHTS),
        "row 0 is position num_tokens + 0 = 0: it may look at itself",
    ),
    "transposed": (
        "return torch.full((n, total), inf, **like).triu(past + 1).T",
        (SHAPE, PAST, FUTURE, WEIGHTS),
        "rows and columns are swapped\nrows: sequence_length; columns: num_tokens + sequence_length",
    ),
    "only the future is seen": (
        "return torch.zeros(n, total, **like).masked_fill(k <= q, inf)",
        (PAST, FUTURE, WEIGHTS),
        "row 0 is position num_tokens + 0 = 0: it may look at itself",
    ),
    "ones times -inf": (
        "return torch.triu(torch.ones(n, total, **like), past + 1) * inf",
        (PAST, FUTURE, WEIGHTS, DTYPE),
        "0 times inf is nan",
    ),
    "num_tokens ignored": (
        "return torch.full((n, n), inf, **like).triu(1)",
        (SHAPE, PAST, FUTURE, WEIGHTS),
        "num_tokens=2 is not counted",
    ),
    "aligned at the upper left": (
        "return torch.full((n, total), inf, **like).triu(1)",
        (PAST, WEIGHTS),
        "row 0 is position num_tokens + 0 = 2: it may look at position 1 too",
    ),
    "1 for seen, 0 for hidden": (
        "return torch.ones(n, total, **like).tril(past)",
        (PAST, FUTURE, WEIGHTS, DTYPE),
        "is a mask to multiply with: this one is added",
    ),
    # more that people write
    "1 for hidden": (
        "return torch.ones(n, total, **like).triu(past + 1)",
        (FUTURE, WEIGHTS, DTYPE),
        "1 is added to the score, and hides nothing: -inf does",
    ),
    "+inf": (
        "return torch.full((n, total), -inf, **like).triu(past + 1)",
        (FUTURE, WEIGHTS, DTYPE),
        "inf is added to the score, and hides nothing: -inf does",
    ),
    "boolean": (
        "return k > q",
        (PAST, FUTURE, WEIGHTS, DTYPE),
        "this mask is added to the scores: 0 lets a token be seen, -inf hides it",
    ),
    "integers": (
        "return torch.full((n, total), -10000, device=device).triu(past + 1)",
        (PAST, FUTURE, WEIGHTS, DTYPE),
        "this mask is added to the scores: 0 lets a token be seen, -inf hides it",
    ),
    "1e-9 for -1e9": (
        "return torch.full((n, total), 1e-9, **like).triu(past + 1)",
        (FUTURE, WEIGHTS, DTYPE),
        "1e-09 is added to the score, and hides nothing: -inf does",
    ),
    "-1e-9": (
        "return torch.full((n, total), -1e-9, **like).triu(past + 1)",
        (FUTURE, WEIGHTS, DTYPE),
        "-1e-09 cannot hide a score of 1,000 beside one of -1,000: -inf can",
    ),
    "-100": (
        "return torch.full((n, total), -100.0, **like).triu(past + 1)",
        (FUTURE, WEIGHTS, DTYPE),
        "-100 cannot hide a score of 1,000 beside one of -1,000: -inf can",
    ),
    "-2000": (
        "return torch.full((n, total), -2000.0, **like).triu(past + 1)",
        (FUTURE, WEIGHTS, DTYPE),
        "-2000 cannot hide a score of 1,000 beside one of -1,000: -inf can",
    ),
    "-1e9, which float16 cannot hold": (
        "return torch.zeros(n, total, **like).masked_fill(k > q, -1e9)",
        (DTYPE,),
        "without overflow",
    ),
    "four axes": (
        "return torch.full((n, total), inf, **like).triu(past + 1)[None, None]",
        (SHAPE, PAST, FUTURE, WEIGHTS),
        "it has 4 axes, where 2 are asked for",
    ),
    "one token too many is seen": (
        "return torch.zeros(n, total, **like).masked_fill(k > q + 1, inf)",
        (FUTURE, WEIGHTS),
        "row 0 is position num_tokens + 0 = 0: position 1 is after it",
    ),
    "one token too few is seen": (
        "return torch.zeros(n, total, **like).masked_fill((k > q) | (k < q - 3), inf)",
        (PAST, WEIGHTS),
        "it may look at position 0 too",
    ),
    "num_tokens subtracted": (
        "return torch.zeros(n, total, **like).masked_fill(k > torch.arange(n, device=device)[:, None] - past, inf)",
        (PAST, WEIGHTS),
        "row 0 is position num_tokens + 0 = 2: it may look at position 0 too",
    ),
    "the past is hidden": (
        "return torch.zeros(n, total, **like).masked_fill((k > q) | (k < past), inf)",
        (PAST, WEIGHTS),
        "row 0 is position num_tokens + 0 = 2: it may look at position 0 too",
    ),
    "the tokens before come last": (
        "return torch.cat([torch.full((n, n), inf, **like).triu(1), torch.zeros(n, past, **like)], 1)",
        (PAST, FUTURE, WEIGHTS),
        "row 0 is position num_tokens + 0 = 2: it may look at position 1 too",
    ),
    "dtype ignored": (
        "return torch.full((n, total), inf, device=device).triu(past + 1)",
        (DTYPE,),
        "",
    ),
    "float64 whatever is asked for": (
        "return torch.full((n, total), inf, dtype=torch.float64, device=device).triu(past + 1)",
        (DTYPE,),
        "with no dtype given, it is float32",
    ),
    "device ignored": (
        "return torch.full((n, total), inf, dtype=dtype).triu(past + 1)",
        (DEVICE,),
        "hand device on to each call that makes a tensor",
    ),
    "arange without the device": (
        "return torch.zeros(n, total, **like).masked_fill(torch.arange(total) > q, inf)",
        (DEVICE,),
        "is not on the expected device",
    ),
    "moved to the CPU": (
        "return torch.full((n, total), inf, **like).triu(past + 1).cpu()",
        (DEVICE,),
        "Cannot copy out of meta tensor",
    ),
    "always on another device": (
        "return torch.full((n, total), inf, dtype=dtype, device='meta').triu(past + 1)",
        (SHAPE, PAST, FUTURE, WEIGHTS, DTYPE),
        "with no device given, it is on torch's own default, the CPU",
    ),
    "asks for gradients": (
        "return torch.full((n, total), inf, **like).triu(past + 1).requires_grad_()",
        (CONSTANT,),
        "nothing in a mask is learned",
    ),
    "a parameter": (
        "return torch.nn.Parameter(torch.full((n, total), inf, **like).triu(past + 1))",
        (CONSTANT,),
        "nothing in a mask is learned",
    ),
    "a list": (
        "return [[0.0 if j <= i else inf for j in range(total)] for i in range(past, total)]",
        (SHAPE, PAST, FUTURE, WEIGHTS, DTYPE, DEVICE),
        "",
    ),
    "an array": (
        "return numpy.triu(numpy.full((n, total), inf, dtype=numpy.float32), past + 1)",
        (SHAPE, PAST, FUTURE, WEIGHTS, DTYPE, DEVICE),
        "",
    ),
    "nothing": (
        "torch.full((n, total), inf, **like).triu(past + 1)",
        (SHAPE, PAST, FUTURE, WEIGHTS, DTYPE, DEVICE),
        "",
    ),
    "no mask for one token": (
        "return torch.full((n, total), inf, **like).triu(past + 1) if n > 1 else None",
        (SHAPE, PAST, FUTURE, WEIGHTS, "has_the_dtype", DEVICE),
        "",
    ),
    "a subclass of a tensor": (
        "return torch.full((n, total), inf, **like).triu(past + 1).as_subclass(type('Yes', (torch.Tensor,), {}))",
        (SHAPE, PAST, FUTURE, WEIGHTS, DTYPE),
        "",
    ),
    "right for num_tokens=0 alone": (
        "return torch.full((n, total), inf, **like).triu(1) if not past else torch.zeros(n, total, **like)",
        (FUTURE, WEIGHTS),
        "row 0 is position num_tokens + 0 = 2: position 3 is after it",
    ),
    "right where the mask is square, or a row": (
        "return torch.full((n, total), inf, **like).triu(past + 1 if n == 1 or not past else total)",
        (FUTURE, WEIGHTS),
        "row 0 is position num_tokens + 0 = 2: position 3 is after it",
    ),
    "remembered by sequence_length": (
        "return known.setdefault(n, torch.full((n, total), inf, **like).triu(past + 1))",
        (SHAPE, PAST, FUTURE, WEIGHTS, DTYPE, DEVICE),
        "columns: num_tokens + sequence_length",
    ),
    "remembered without its dtype": (
        "return known.setdefault((n, past, device), torch.full((n, total), inf, **like).triu(past + 1))",
        (DTYPE,),
        "",
    ),
    "a number for each row": (
        "return torch.full((n, 1), inf, **like)",
        (SHAPE, PAST, FUTURE, WEIGHTS),
        "rows: sequence_length; columns: num_tokens + sequence_length",
    ),
    "nothing is hidden": (
        "return torch.zeros(n, total, **like)",
        (FUTURE, WEIGHTS),
        "row 0 is position num_tokens + 0 = 0: position 1 is after it",
    ),
}
RIGHT = {
    "full, triu": "return torch.full((n, total), inf, **like).triu(past + 1)",
    "full, triu_": "mask = torch.full((n, total), inf, **like)\nmask.triu_(diagonal=past + 1)\nreturn mask",
    "ones, tril, masked_fill": (
        "seen = torch.ones(n, total, dtype=torch.bool, device=device).tril(past)\n"
        "return torch.zeros(n, total, **like).masked_fill(~seen, inf)"
    ),
    "masked_fill_ on rows and columns": "return torch.zeros(n, total, **like).masked_fill_(k > q, inf)",
    "where": "return torch.where(k <= q, torch.tensor(0.0, **like), torch.tensor(inf, **like))",
    "where with numbers": "return torch.where(k <= q, 0.0, inf).to(dtype)",
    "finfo.min of the dtype": "return torch.zeros(n, total, **like).masked_fill(k > q, lowest)",
    "finfo.min times ones": "return (1 - torch.ones(n, total, **like).tril(past)) * lowest",
    "float32's finfo.min in every dtype": (
        "return torch.full((n, total), torch.finfo(torch.float32).min, device=device).triu(past + 1).to(dtype)"
    ),
    "-1e4": "return torch.full((n, total), -1e4, **like).triu(past + 1)",
    "-1e9 before the cast": "return torch.full((n, total), -1e9, device=device).triu(past + 1).to(dtype)",
    "indexed with a boolean": "mask = torch.zeros(n, total, **like)\nmask[k > q] = inf\nreturn mask",
    "a row at a time": (
        "mask = torch.zeros(n, total, **like)\nfor i in range(n):\n    mask[i, past + i + 1 :] = inf\nreturn mask"
    ),
    "nested lists": (
        "rows = [[0.0 if j <= i else inf for j in range(total)] for i in range(past, total)]\n"
        "return torch.tensor(rows, **like)"
    ),
    "nested lists, moved": (
        "rows = [[0.0 if j <= past + i else -math.inf for j in range(total)] for i in range(n)]\n"
        "return torch.tensor(rows).to(device=device, dtype=dtype)"
    ),
    "zeros beside a square": (
        "return torch.cat([torch.zeros(n, past, **like), torch.full((n, n), inf, **like).triu(1)], dim=1)"
    ),
    "the last rows of a larger square": "return torch.full((total, total), inf, **like).triu(1)[past:]",
    "numpy": (
        "return torch.from_numpy(numpy.triu(numpy.full((n, total), inf), past + 1)).to(dtype=dtype, device=device)"
    ),
    "log of 0 and 1": "return (k <= q).to(torch.float32).log().to(dtype)",
    "minus zero": "return torch.zeros(n, total, **like).masked_fill(k > q, inf) * torch.ones(1, **like) - 0.0",
    "the places by their numbers": (
        "i, j = torch.triu_indices(n, total, past + 1, device=device)\n"
        "mask = torch.zeros(n, total, **like)\nmask[i, j] = inf\nreturn mask"
    ),
    "numbers are read": (
        "mask = torch.zeros(n, total, **like)\n"
        "for i in range(n):\n    for j in range(total):\n"
        "        if k[j].item() > past + i:\n            mask[i, j] = inf\n"
        "return mask"
    ),
    "remembered": "return made(n, past, dtype, device)",
    "a warning and a print": (
        "import warnings\nwarnings.warn('careful')\nprint(n)\nreturn torch.full((n, total), inf, **like).triu(past + 1)"
    ),
}
BELOW = """

known = {}


@functools.lru_cache(maxsize=None)
def made(n, past, dtype, device):
    return torch.full((n, past + n), -math.inf, dtype=dtype, device=device).triu(past + 1)
"""


def text_of(body):
    return HEAD + indent(body, "    ") + "\n" + BELOW


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    body, lines, says = WRONG[name]
    report = judge_text("causal_mask", text_of(body))
    failed = [result for result in report.checks if result.outcome != "passed"]
    assert tuple(result.id for result in failed) == lines
    assert report.outcome in ("failed", "error")
    assert says in "\n".join(failed[0].detail)
    told = [line.text for line in layout.lines(report) if line.role == "detail" and "Error: " not in line.text]
    long = [text for text in told if len(text) > 80 and not text.startswith("   likely")]  # that is wrapped
    assert long == []


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    assert judge_text("causal_mask", text_of(RIGHT[name])).outcome == "passed"


@pytest.mark.parametrize("seed", ["0", "ffff"])
def test_the_finished_step_passes_whatever_is_drawn(course, judge_text, seed):
    text = course.stub(course.find("causal_mask"), "solutions").read_text(encoding="utf-8")
    assert judge_text("causal_mask", text, seed=seed).outcome == "passed"


def test_num_tokens_has_a_default(judge_text):
    text = text_of("return made(n, past, dtype, device)").replace("num_tokens=0", "num_tokens")
    report = judge_text("causal_mask", text)
    assert report.outcome == "error"
    assert "missing 1 required positional argument: 'num_tokens'" in report.checks[0].detail[0]


def test_a_small_mask_is_shown_beside_the_expected_one(judge_text):
    report = judge_text("causal_mask", text_of(WRONG["aligned at the upper left"][0]))
    told = [line.text for line in layout.lines(report)]
    start = told.index("❌ a token does not see itself and all tokens before it")
    assert told[start + 2 : start + 7] == [
        "   call      causal_mask(2, 2)",
        "   expected  0 at [0, 1]   got -inf",
        "   row 0 is position num_tokens + 0 = 2: it may look at position 1 too",
        "   row 0     expected    0    0    0 -inf    got      0   -inf   -inf   -inf",
        "   row 1     expected    0    0    0    0    got      0      0   -inf   -inf",
    ]
