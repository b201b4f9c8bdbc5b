"""Step 02 is judged by what its mask does to scores: Hugging Face's mask and torch's say where a token may look."""

from autograder.checking import check
from autograder.comparing import close, equal, fail
from autograder.student import StudentRaised

SIZES = ((3, 0), (2, 1), (1, 4), (5, 0), (4, 4), (1, 0), (2, 3), (3, 7))  # sequence_length, num_tokens
DTYPES = ("float32", "float64", "bfloat16", "float16")
MOST = 1000  # scores are within ±1,000
HIDDEN = -2 * MOST - 14  # against the highest score, beside the lowest: e**-14 is below 1e-6
NEEDS_NUMBERS = ("cannot be called on meta tensors", "raises unimplemented by default")


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
    for new, before in SIZES:
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
    for new, before in SIZES:
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
        for scores, said in zip((worst, *drawn), ("all of ±1,000", "random", "random and large"), strict=True):
            mine = torch.softmax((scores + mask).double(), dim=-1)
            theirs = torch.softmax(scores.masked_fill(~visible, float("-inf")).double(), dim=-1)
            close(mine, theirs, rtol=0, atol=1e-6, says=f"these are the weights for scores that are {said}")


@check(
    passed="causal_mask has the dtype that is asked for, and hides in each of them",
    failed="causal_mask does not have the dtype that is asked for, or does not hide in each of them",
)
def has_the_dtype(student):
    import torch

    plain = _tensor(_made(student, 3, 2), 3, 2)
    equal(plain.dtype, torch.float32, says="with no dtype given, it is float32")
    for name in DTYPES:
        mask = _tensor(student.causal_mask(3, 2, dtype=getattr(torch, name)), 3, 2)
        equal(mask.dtype, getattr(torch, name))
        if mask.shape != plain.shape or not torch.equal(mask == 0, plain == 0):
            fail(f"in {name} it is another mask than with no dtype given")
        weak = mask[(mask != 0) & ~(mask <= HIDDEN)].double().tolist()
        if weak:
            fail(f"in {name} a number in it neither lets through nor hides", expected="0 or -inf", got=_number(weak[0]))


@check(
    passed="causal_mask is made on the device that is asked for",
    failed="causal_mask is not made on the device that is asked for",
)
def has_the_device(student):
    import torch

    try:
        mask = student.causal_mask(3, 2, device="meta")
    except StudentRaised as error:
        if any(words in error.raised.message for words in NEEDS_NUMBERS):
            return  # the tensors are there, and code that reads their numbers is right on a device that has some
        raise
    kind = type(getattr(mask, "device", None))
    got = mask.device.type if kind is torch.device else _word(mask)
    equal(got, "meta", says="hand device on to each call that makes a tensor: torch.arange, torch.zeros …")


@check.undeclared(failed="causal_mask is not a constant: it asks for gradients")
def is_a_constant(student):
    if _tensor(_made(student, 3, 2), 3, 2).requires_grad:
        fail("nothing in a mask is learned", expected="requires_grad=False", got="requires_grad=True")


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
