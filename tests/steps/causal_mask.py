"""Step 02 is judged by what its mask does to scores: Hugging Face's mask and torch's say where a token may look."""

from textwrap import indent

from autograder.checking import check, mistake, variant
from autograder.comparing import close, equal, fail
from autograder.student import StudentRaised

# sequence_length, num_tokens. 2 before 2 comes first: what is wrong by num_tokens, or by one, differs there. Beyond 256
# bfloat16 has no longer every whole number, so positions must not be of that dtype.
SIZES = ((3, 0), (2, 2), (1, 4), (5, 0), (2, 1), (4, 4), (1, 0), (2, 3), (3, 7), (17, 6), (3, 300))
LONG = (3, 2048)  # beyond GPT-2's 1,024, and beyond 2,048, where float16 has no longer every whole number
PATHS = ((3, 2), (1, 4), (4, 0))  # one new token, and nothing before, may have a way of their own
DTYPES = ("float32", "float64", "bfloat16", "float16")
MOST = 1000  # scores are within ±1,000
NUMBERS_READ = object()
HIDDEN = -2 * MOST - 14  # against the highest score, beside the lowest: e**-14 is below 1e-6
NEEDS_NUMBERS = ("cannot be called on meta tensors", "raises unimplemented by default")
COPIES = "Cannot copy out of meta tensor"  # as .tolist() says, which reads numbers, and .cpu(), which leaves the device


@check(
    passed="causal_mask has a row for each new token, and a column for each token there is",
    failed="causal_mask does not have a row for each new token, and a column for each token there is",
)
def has_the_shape(student):
    for new, before in SIZES:
        _of_the_shape(_made(student, new, before), new, before)


@check(
    passed="each token sees itself and all tokens before it",
    failed="a token does not see itself and all tokens before it",
)
def lets_the_past_be_seen(student, oracle):
    for new, before in (*SIZES, LONG):
        mask, visible = _numbers(student, new, before), oracle.visible(new, before)
        for row, column in (visible & (mask != 0)).nonzero().tolist():
            own = "itself" if column == before + row else f"position {column} too"
            says = f"row {row} is position num_tokens + {row} = {before + row}: it may look at {own}"
            _fail(mask, visible, row, column, says, _instead_of_zero(mask))


@check(
    passed="no token sees one that comes after it",
    failed="a token sees one that comes after it",
)
def hides_the_future(student, oracle):
    for new, before in (*SIZES, LONG):
        mask, visible = _numbers(student, new, before), oracle.visible(new, before)
        for row, column in (~visible & ~(mask <= HIDDEN)).nonzero().tolist():
            says = f"row {row} is position num_tokens + {row} = {before + row}: position {column} is after it"
            _fail(mask, visible, row, column, says, _instead_of_hidden(float(mask[row, column])))


@check(
    passed="softmax(scores + mask) gives hidden tokens weight 0, and each row adds up to 1",
    failed="softmax(scores + mask) does not give hidden tokens weight 0 in rows that add up to 1",
)
def acts_on_scores(student, oracle, draw):
    import torch

    # 1e-6: all right masks give the same weights to the last bit; the weakest that is wrong, -2000, is off by 0.2.
    for new, before in SIZES:
        mask, visible = _numbers(student, new, before), oracle.visible(new, before)
        worst = torch.where(visible, -float(MOST), float(MOST))
        drawn = [draw.normal(new, before + new, std=std).clamp(-MOST, MOST) for std in (1.0, 300.0)]
        kinds = ("scores of 1,000 where hidden, -1,000 where seen", "random scores", "large random scores")
        for scores, kind in zip((worst, *drawn), kinds, strict=True):
            mine = torch.softmax((scores + mask).double(), dim=-1)
            theirs = torch.softmax(scores.masked_fill(~visible, float("-inf")).double(), dim=-1)
            close(mine, theirs, rtol=0, atol=1e-6, says=f"these are the weights for {kind}")


@check(
    passed="causal_mask has the dtype that is asked for, and hides in each of them",
    failed="causal_mask does not have the dtype that is asked for, or does not hide in each of them",
)
def has_the_dtype(student):
    import torch

    for new, before in (*PATHS, (3, 300)):
        plain = _tensor(_made(student, new, before), new, before)
        equal(plain.dtype, torch.float32, says="with no dtype given, it is float32")
        for name in DTYPES:
            wanted = getattr(torch, name)
            mask = _tensor(student.causal_mask(new, before, dtype=wanted), new, before)
            if mask.dtype != wanted:
                fail(_elsewhere(new, before), expected=str(wanted), got=str(mask.dtype))
            if mask.shape != plain.shape or not torch.equal(mask == 0, plain == 0):
                fail(f"in {name} it is another mask than with no dtype given")
            weak = mask[(mask != 0) & ~(mask <= HIDDEN)].double().tolist()
            if weak:
                says = f"in {name} a number in it neither lets through nor hides"
                fail(says, expected="0 or -inf", got=_number(weak[0]))
    try:
        mask = student.causal_mask(3, 2, dtype=torch.float64, device="meta")
    except StudentRaised:
        return  # what a device takes is the next line's
    if getattr(mask, "dtype", torch.float64) != torch.float64:
        says = "with no device given it is the right one: dtype and device can be asked for at once"
        fail(says, expected="torch.float64", got=str(mask.dtype))


@check(
    passed="causal_mask is made on the device that is asked for",
    failed="causal_mask is not made on the device that is asked for",
)
def has_the_device(student, source):
    import torch

    for new, before in PATHS:
        mask = _on_meta(student, source, new, before)
        kind = type(getattr(mask, "device", None))
        got = mask.device.type if kind is torch.device else _word(mask)
        if mask is not NUMBERS_READ and got != "meta":
            says = "hand device on to each call that makes a tensor: torch.arange, torch.zeros …"
            says = says if kind is torch.device else "nothing that could be on a device has come back"
            meta = "meta is a device that every torch has: its tensors have no numbers"
            fail(_elsewhere(new, before) or says, meta, expected="meta", got=got)


@check.undeclared(failed="causal_mask is not a constant: it asks for gradients")
def is_a_constant(student):
    if _tensor(_made(student, 3, 2), 3, 2).requires_grad:
        fail("nothing in a mask is learned", expected="requires_grad=False", got="requires_grad=True")


def _on_meta(student, source, new, before):
    """Return the mask on the device meta, or NUMBERS_READ where the code reads numbers, which no tensor has there."""
    try:
        return student.causal_mask(new, before, device="meta")
    except StudentRaised as error:
        raised = error.raised
        reads = COPIES in raised.message and raised.frames and ".tolist(" in source.lines[raised.frames[-1].line - 1]
        if reads or any(words in raised.message for words in NEEDS_NUMBERS):
            return NUMBERS_READ  # the tensors are there, and such code is right on a device that has numbers
        raise


def _elsewhere(new, before):
    """Return where it was right, for code that has a way of its own for this size."""
    if new == 1:
        return "for several new tokens it is the right one"
    return "" if before else "with tokens before the new ones it is the right one"


def _made(student, new, before):
    return student.causal_mask(new, before) if before else student.causal_mask(new)


def _tensor(mask, new, before):
    """Return it, if it is a tensor whose numbers are there to be read."""
    import torch

    if type(mask) is not torch.Tensor:
        missing = "nothing was returned: is a `return` missing?" if mask is None else ""
        fail(missing, expected=f"a tensor [{new}, {before + new}]", got=_word(mask))
    if mask.device.type != "cpu":
        fail("with no device given, it is on torch's own default, the CPU", expected="cpu", got=str(mask.device))
    return mask


def _of_the_shape(mask, new, before):
    """Fail, and say how, unless it is a tensor of the right shape."""
    _tensor(mask, new, before)
    shape, right = list(mask.shape), [new, before + new]
    if shape == right:
        return
    reason = ""
    if shape == right[::-1]:
        reason = "rows and columns are swapped"
    elif len(shape) != 2:
        reason = f"it has {len(shape)} axes, where 2 are asked for"
    elif shape == [new, new]:
        reason = f"num_tokens={before} is not counted: those tokens are looked at too"
    asked = "rows: sequence_length; columns: num_tokens + sequence_length"
    fail(reason, asked, expected=str(right), got=str(shape))


def _numbers(student, new, before):
    """Return the mask as numbers that can be added to scores, or fail with what it is."""
    mask = _made(student, new, before)
    _of_the_shape(mask, new, before)
    if not mask.is_floating_point():
        says = "this mask is added to the scores: 0 lets a token be seen, -inf hides it"
        fail(says, expected="torch.float32", got=str(mask.dtype))
    if bool(mask.isnan().any()):
        says = "0 times inf is nan: fill the hidden places with -inf, do not multiply"
        fail(says, *_rows(mask), expected="0 or -inf", got="nan")
    return mask.detach()


def _fail(mask, visible, row, column, *says):
    import torch

    right = torch.zeros(mask.shape).masked_fill(~visible, float("-inf"))
    fail(
        *says,
        *_rows(mask, right),
        expected=f"{_number(right[row, column])} at [{row}, {column}]",
        got=_number(mask[row, column]),
    )


def _rows(mask, right=None):
    """Return a small mask in words, a row a line, beside the right one."""
    if max(mask.shape) > 4:
        return []
    lines = [f"{' '.join(f'{_number(value):>6}' for value in row)}" for row in mask]
    if right is None:
        return [f"row {index}     got {line}" for index, line in enumerate(lines)]
    wanted = [" ".join(f"{_number(value):>4}" for value in row) for row in right]
    pairs = zip(wanted, lines, strict=True)
    return [f"row {index}     expected {first}    got {line}" for index, (first, line) in enumerate(pairs)]


def _instead_of_zero(mask):
    if set(mask.unique().tolist()) <= {0.0, 1.0}:
        return "1 for seen, 0 for hidden is a mask to multiply with: this one is added"
    return ""


def _instead_of_hidden(value):
    if value == 0:
        return ""
    if value > 0:
        return f"{_number(value)} is added to the score, and hides nothing: -inf does"
    return f"{_number(value)} cannot hide a score of {MOST:,} beside one of -{MOST:,}: -inf can"


def _number(value):
    return f"{float(value):.4g}" if float(value) else "0"  # no -0


def _word(value):
    from autograder.student import type_name

    name = type_name(value)
    return "None" if value is None else f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


_HEAD = """\
import functools
import math

import torch
import torch.nn.functional as F


def causal_mask(sequence_length, num_tokens=0, *, dtype=torch.float32, device=None):
    total = num_tokens + sequence_length
    like = {"dtype": dtype, "device": device}
"""


def _file(body):
    """Return a file whose function has another body."""
    return _HEAD + indent(body, "    ")


_FULL = 'torch.full((sequence_length, total), float("-inf"), **like)'
_ROWS = "    query = torch.arange(num_tokens, num_tokens + sequence_length, device=device)"
_MASK = "torch.zeros(sequence_length, num_tokens + sequence_length"

mistake(
    "own-position-hidden",
    "key > query",
    "key >= query",
    "A token is hidden from itself, so with no cache the first row is -inf throughout. A token sees itself.",
    again=_file(f"return {_FULL}.triu(num_tokens)\n"),
)
mistake(
    "only-the-future-seen",
    "key > query",
    "key <= query",
    "Hidden and seen have changed places: -inf stands where a token may look, and 0 where it may not.",
    again=_file(f"return {_FULL}.tril(num_tokens)\n"),
)
mistake(
    "past-hidden",
    "key > query",
    "key < query",
    "The comparison is turned round: what came before a token is hidden, and what comes after it is seen.",
    again=_file(f"return {_FULL}.tril(num_tokens - 1)\n"),
)
mistake(
    "one-later-token-seen",
    "key > query",
    "key > query + 1",
    "Each token also sees the one right after it, which is what it must predict: the triangle is off by one.",
    again=_file(f"return {_FULL}.triu(num_tokens + 2)\n"),
)
mistake(
    "positions-one-by-one",
    ".unsqueeze(1)  #",
    "  #",
    "Both rows of positions are compared place by place, and their lengths differ. As a column, by unsqueeze(1), each "
    "query meets every key.",
)
mistake(
    "positions-one-by-one-from-the-query",
    ".unsqueeze(1)  #",
    "  #",
    "Both rows of positions are compared place by place, and their lengths differ. As a column, by unsqueeze(1), each "
    "query meets every key.",
    also=[("key > query", "query < key")],
)
mistake(
    "rows-and-columns-exchanged",
    'float("-inf"))',
    'float("-inf")).T',
    "Rows and columns have changed places. A row is a token that looks, a column one that can be looked at.",
    again=_file(
        "query = torch.arange(num_tokens, total, device=device)\n"
        "key = torch.arange(total, device=device)[:, None]\n"
        'return torch.zeros(total, sequence_length, **like).masked_fill(key > query, float("-inf"))\n'
    ),
)
mistake(
    "num-tokens-ignored",
    _ROWS,
    "    query = torch.arange(sequence_length, device=device)",
    "The mask is a square of the new tokens alone. The num_tokens before them have a column each.",
    also=[
        ("key = torch.arange(num_tokens + sequence_length", "key = torch.arange(sequence_length"),
        (_MASK, "torch.zeros(sequence_length, sequence_length"),
    ],
    again=_file('return torch.full((sequence_length, sequence_length), float("-inf"), **like).triu(1)\n'),
)
mistake(
    "triangle-in-the-upper-left",
    _ROWS,
    "    query = torch.arange(sequence_length, device=device)",
    "The triangle starts in the upper left, as if nothing were cached. Row i is the position num_tokens + i.",
    again=_file(f"return {_FULL}.triu(1)\n"),
)
mistake(
    "diagonal-at-num-tokens",
    'return mask.masked_fill(key > query, float("-inf"))',
    'return torch.full_like(mask, float("-inf")).triu(num_tokens or 1)',
    "With tokens in the cache, a token is hidden from itself: the triangle starts one column too early.",
    again=_file(
        "mask = torch.zeros(sequence_length, total, **like)\n"
        "for row in range(sequence_length):\n"
        '    mask[row, row + (num_tokens if num_tokens else 1) :] = float("-inf")\n'
        "return mask\n"
    ),
)
mistake(
    "cached-tokens-hidden",
    "key > query,",
    "(key > query) | (key < num_tokens),",
    "The tokens in the cache are hidden. They come before the new ones, so each new one sees them all.",
    again=_file(
        "mask = torch.full((sequence_length, sequence_length), -torch.inf, **like).triu(1)\n"
        "return F.pad(mask, (num_tokens, 0), value=-torch.inf)\n"
    ),
)
mistake(
    "cached-tokens-at-the-right",
    'return mask.masked_fill(key > query, float("-inf"))',
    'return mask.masked_fill(key > query, float("-inf")).roll(-num_tokens, 1)',
    "The columns of the cached tokens stand to the right of the new ones'. They come first: position 0 is at the left.",
    again=_file(
        "mask = torch.full((sequence_length, sequence_length), -torch.inf, **like).triu(1)\n"
        "return torch.cat([mask, torch.zeros(sequence_length, num_tokens, **like)], dim=1)\n"
    ),
)
mistake(
    "zeros-and-ones-times-inf",
    'mask.masked_fill(key > query, float("-inf"))',
    '(key > query).to(dtype) * float("-inf")',
    "A table of zeros and ones was multiplied by an infinity: 0 times infinity is nan. Choose between two values.",
    again=_file('return torch.triu(torch.ones(sequence_length, total, **like), num_tokens + 1) * float("-inf")\n'),
)
mistake(
    "ones-for-seen",
    'mask.masked_fill(key > query, float("-inf"))',
    "(key <= query).to(dtype)",
    "This is a mask to multiply with, 1 for seen and 0 for hidden. It is added here: 0 for seen, -inf for hidden.",
    again=_file("return torch.ones(sequence_length, total, **like).tril(num_tokens)\n"),
)
mistake(
    "ones-for-hidden",
    'mask.masked_fill(key > query, float("-inf"))',
    "(key > query).to(dtype)",
    "The hidden places are marked with 1, which raises their scores a little. They have to be -inf.",
    again=_file("return torch.ones(sequence_length, total, **like).triu(num_tokens + 1)\n"),
)
mistake(
    "a-table-of-booleans",
    'mask.masked_fill(key > query, float("-inf"))',
    "key > query",
    "The mask says true or false. It is added to scores, so it holds numbers: 0 for seen, -inf for hidden.",
    again=_file("return torch.ones(sequence_length, total, dtype=torch.bool, device=device).triu(num_tokens + 1)\n"),
)
mistake(
    "plus-infinity",
    'float("-inf")',
    'float("inf")',
    "The infinity has no minus, so the hidden tokens get all the weight.",
)
mistake(
    "nothing-hidden",
    'mask.masked_fill(key > query, float("-inf"))',
    "mask",
    "The mask is zeros throughout, and hides nothing. masked_fill changes no tensor: it returns a new one.",
    again=_file("return torch.zeros(sequence_length, total, **like)\n"),
)
mistake(
    "minus-1e-9",
    'float("-inf")',
    "-1e-9",
    "-1e-9 is nearly 0: the minus in its exponent makes it tiny. What hides is a very large negative number, or -inf.",
)
mistake(
    "minus-100",
    'float("-inf")',
    "-100.0",
    "-100 is too weak to hide a large score: scores of a thousand can occur. -inf hides every score.",
)
mistake(
    "too-low-for-float16",
    'float("-inf")',
    "-1e9",
    "The number that hides does not fit into float16. -inf fits into every dtype.",
)
mistake(
    "dtype-ignored",
    "dtype=dtype, device=device)",
    "device=device)",
    "The mask is float32 whatever is asked for. Hand dtype on to the call that makes it.",
    again=_file('return torch.full((sequence_length, total), float("-inf"), device=device).triu(num_tokens + 1)\n'),
)
mistake(
    "float64-unless-told",
    "dtype: torch.dtype = torch.float32",
    "dtype: torch.dtype = torch.float64",
    "With no dtype given the mask is float64. float32 is what it is then, as the line with def has it.",
    again=_file(f"return {_FULL}.triu(num_tokens + 1)\n").replace("torch.float32", "torch.float64"),
)
mistake(
    "dtype-ignored-for-one-token",
    _ROWS,
    "    if sequence_length == 1:\n        return torch.zeros(1, num_tokens + 1, device=device)\n" + _ROWS,
    "For one new token the mask is float32 whatever is asked for. The short way needs the dtype too.",
    again=_file(
        "if sequence_length < 2:\n    return torch.zeros((1, total), device=device)\n"
        f"return {_FULL}.triu(num_tokens + 1)\n"
    ),
)
mistake(
    "dtype-ignored-without-a-cache",
    _ROWS,
    "    if num_tokens == 0:\n"
    '        square = torch.full((sequence_length, sequence_length), float("-inf"), device=device)\n'
    "        return square.triu(1)\n" + _ROWS,
    "With nothing before the new tokens the mask is float32 whatever is asked for. The way of its own needs dtype too.",
    again=_file(
        f"mask = {_FULL}.triu(num_tokens + 1)\nreturn mask if num_tokens else mask.float()\n",
    ),
)
mistake(
    "dtype-lost-on-a-device",
    'return mask.masked_fill(key > query, float("-inf"))',
    'mask = mask.masked_fill(key > query, float("-inf"))\n'
    "    return mask if device is None else mask.float().to(device)",
    "Where a device is asked for, the dtype is lost. Both can be asked for at once.",
    again=_file(
        'mask = torch.full((sequence_length, total), float("-inf")).triu(num_tokens + 1)\n'
        "return mask.to(device or dtype)\n"
    ),
)
mistake(
    "positions-in-float16",
    _ROWS,
    _ROWS.replace("device=device", "dtype=torch.float16, device=device"),
    "The positions are of the type float16, which has not every whole number beyond 2,048. Positions stay integers.",
    also=[
        (
            "key = torch.arange(num_tokens + sequence_length, device=device)",
            "key = torch.arange(num_tokens + sequence_length, dtype=torch.float16, device=device)",
        )
    ],
    again=_file(
        "key = torch.arange(total, device=device).half()\n"
        "return torch.zeros(sequence_length, total, **like).masked_fill(key > key[num_tokens:, None], -torch.inf)\n"
    ),
)
mistake(
    "a-square-of-1024",
    'return mask.masked_fill(key > query, float("-inf"))',
    'return torch.full((1024, 1024), float("-inf"), dtype=dtype, device=device).triu(1)'
    "[num_tokens : num_tokens + sequence_length, : num_tokens + sequence_length]",
    "The mask is cut out of a square of 1,024 tokens, and cut short beyond it. It is as large as is asked for.",
    again=_file(
        "both = 2 * (torch.arange(1024, device=device),)\nrow, column = torch.meshgrid(*both, indexing='ij')\n"
        "mask = torch.zeros(1024, 1024, **like).masked_fill(column > row, -torch.inf)\n"
        "return mask[num_tokens:total, :total]\n"
    ),
)
mistake(
    "positions-in-the-dtype-of-the-mask",
    _ROWS,
    _ROWS.replace("device=device", "dtype=dtype, device=device"),
    "The positions are of the mask's dtype. bfloat16 cannot tell large whole numbers apart: positions stay integers.",
    also=[
        (
            "key = torch.arange(num_tokens + sequence_length, device=device)",
            "key = torch.arange(num_tokens + sequence_length, dtype=dtype, device=device)",
        )
    ],
    again=_file(
        "query, key = (torch.arange(total).to(**like) for _ in range(2))\n"
        "return torch.where(key > query[num_tokens:, None], torch.tensor(-torch.inf, **like), 0.0)\n"
    ),
)
mistake(
    "device-ignored",
    _ROWS,
    "    query = torch.arange(num_tokens, num_tokens + sequence_length)",
    "No tensor is made on the device that is asked for. Hand device on to each call that makes one.",
    also=[
        (
            "key = torch.arange(num_tokens + sequence_length, device=device)",
            "key = torch.arange(num_tokens + sequence_length)",
        ),
        ("dtype=dtype, device=device)", "dtype=dtype)"),
    ],
    again=_file('return torch.full((sequence_length, total), float("-inf"), dtype=dtype).triu(num_tokens + 1)\n'),
)
mistake(
    "device-ignored-for-one-token",
    _ROWS,
    "    if sequence_length == 1:\n        return torch.zeros(1, num_tokens + 1, dtype=dtype)\n" + _ROWS,
    "For one new token the mask is not on the device that is asked for. The short way needs the device too.",
    again=_file(
        "if sequence_length < 2:\n    return torch.zeros((1, total), dtype=dtype)\n"
        f"return {_FULL}.triu(num_tokens + 1)\n"
    ),
)
mistake(
    "device-ignored-without-a-cache",
    _ROWS,
    "    if num_tokens == 0 and sequence_length > 1:\n"
    '        square = torch.full((sequence_length, sequence_length), float("-inf"), dtype=dtype)\n'
    "        return square.triu(1)\n" + _ROWS,
    "With nothing before the new tokens the mask is not on the device that is asked for. That way needs device too.",
    again=_file(f"like['device'] = device if num_tokens else None\nreturn {_FULL}.triu(num_tokens + 1)\n"),
)
mistake(
    "positions-without-the-device",
    _ROWS,
    "    query = torch.arange(num_tokens, num_tokens + sequence_length)",
    "The mask is on the device that is asked for, and the positions are not. torch.arange takes device too.",
    also=[
        (
            "key = torch.arange(num_tokens + sequence_length, device=device)",
            "key = torch.arange(num_tokens + sequence_length)",
        ),
    ],
)
mistake(
    "nothing-returned",
    "    return mask.masked_fill",
    "    mask.masked_fill",
    "The function comes to its end without a return, and so gives None.",
    again=_file(f"mask = {_FULL}\nmask.triu_(num_tokens + 1)\n"),
)
mistake(
    "two-axes-too-many",
    'float("-inf"))',
    'float("-inf"))[None, None]',
    "The mask has axes for the batch and the heads. It needs none: rows and columns alone serve all of them.",
    again=_file(f"return {_FULL}.triu(num_tokens + 1).view(1, 1, sequence_length, total)\n"),
)

variant("where", 'mask.masked_fill(key > query, float("-inf"))', "torch.where(key <= query, mask, -torch.inf)")
variant(
    "columns-by-none",
    ".unsqueeze(1)",
    "[:, None]",
    also=[("key > query", "query < key"), ('float("-inf")', "-torch.inf")],
)
variant("added-outside-the-triangle", "key > query", "~(key <= query)")
variant("lowest-number-of-the-dtype", 'float("-inf")', "torch.finfo(dtype).min")
variant("minus-ten-thousand", 'float("-inf")', "-10000.0")
variant(
    "filled-by-index",
    'return mask.masked_fill(key > query, float("-inf"))',
    "mask[key > query] = -torch.inf\n    return mask",
)
variant.file("triu", _file(f"return torch.triu({_FULL}, diagonal=num_tokens + 1)\n"))
variant.file(
    "logarithm-of-a-triangle", _file("return torch.ones(sequence_length, total, **like).tril(num_tokens).log()\n")
)
variant.file(
    "cell-by-cell",
    _file(
        "mask = torch.zeros((sequence_length, total), **like)\n"
        "for i in range(sequence_length):\n"
        "    for j in range(total):\n"
        "        if j > num_tokens + i:\n"
        "            mask[i, j] = -math.inf\n"
        "return mask\n"
    ),
)
variant.file(
    "nested-lists",
    _file(
        'rows = [[0.0] * (num_tokens + i + 1) + [float("-inf")] * (sequence_length - i - 1)'
        " for i in range(sequence_length)]\n"
        "return torch.tensor(rows).to(device=device, dtype=dtype)\n"
    ),
)
variant.file(
    "positions-as-lists",
    _file(
        "query = torch.arange(num_tokens, total, device=device).tolist()\n"
        "rows = [[0.0 if key <= position else -math.inf for key in range(total)] for position in query]\n"
        "return torch.tensor(rows, **like)\n"
    ),
)
variant.file(
    "padded-square",
    _file(
        "square = torch.nn.Transformer.generate_square_subsequent_mask(sequence_length, **like)\n"
        "return F.pad(square, (num_tokens, 0), value=0.0)\n"
    ),
)
variant.file(
    "zeros-beside-a-square",
    _file(
        "square = torch.full((sequence_length, sequence_length), -math.inf, **like).triu(1)\n"
        "return torch.cat([torch.zeros(sequence_length, num_tokens, **like), square], dim=1)\n"
    ),
)
variant.file(
    "last-rows-of-a-larger-square", _file("return torch.full((total, total), -math.inf, **like).triu(1)[num_tokens:]\n")
)
variant.file(
    "windows-of-one-vector",
    _file(
        "strip = torch.zeros(num_tokens + 2 * sequence_length - 1, **like)\n"
        'strip[total:] = float("-inf")\n'
        "return strip.unfold(0, total, 1).flip(0)\n"
    ),
)
variant.file(
    "remembered",
    _file("return _made(sequence_length, num_tokens, dtype, device)\n")
    + """

@functools.lru_cache(maxsize=None)
def _made(new, old, dtype, device):
    seen = torch.ones(new, old + new, dtype=torch.bool, device=device).tril(old)
    return torch.zeros(new, old + new, dtype=dtype, device=device).masked_fill_(~seen, -math.inf)
""",
)
