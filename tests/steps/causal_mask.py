"""Step 02 is judged by what its mask does to scores: Hugging Face's mask and torch's say where a token may look."""

from autograder.checking import check, close, equal, fail

SIZES = ((5, 0), (1, 4), (2, 3), (4, 4), (1, 0), (3, 7))  # sequence_length, num_tokens
DTYPES = ("float32", "float64", "bfloat16", "float16")


@check(
    passed="causal_mask has one row for each new token and one column for each token there is",
    failed="causal_mask does not have one row for each new token and one column for each token there is",
)
def has_the_shape(student):
    import torch

    for new, before in SIZES:
        mask = _made(student, new, before)
        if mask is None or type(mask) is not torch.Tensor or list(mask.shape) != [new, before + new]:
            got = f"[{', '.join(map(str, mask.shape))}]" if type(mask) is torch.Tensor else _word(mask)
            fail(
                "rows: sequence_length; columns: num_tokens + sequence_length",
                expected=f"[{new}, {before + new}]",
                got=got,
            )


@check(
    passed="each token sees itself and all tokens before it",
    failed="a token does not see itself and all tokens before it",
)
def lets_the_past_be_seen(student, oracle):
    for new, before in SIZES:
        mask = _tensor(student, new, before)
        visible = oracle.visible(new, before)
        seen = _visible(mask)
        for row, column in (visible & ~seen).nonzero().tolist():
            fail(
                _where(mask, row, column, new, before), expected="0: it may look there", got=_number(mask[row, column])
            )


@check(
    passed="no token sees one that comes after it",
    failed="a token sees one that comes after it",
)
def hides_the_future(student, oracle):
    for new, before in SIZES:
        mask = _tensor(student, new, before)
        visible = oracle.visible(new, before)
        seen = _visible(mask)
        for row, column in (seen & ~visible).nonzero().tolist():
            says = _where(row, column, new, before)
            fail(says, expected="-inf: hidden", got=_number(mask[row, column]))


@check(
    passed="softmax(scores + mask) gives hidden tokens weight 0, and each row adds up to 1",
    failed="softmax(scores + mask) does not give hidden tokens weight 0 in rows that add up to 1",
)
def acts_on_scores(student, oracle, draw):
    import torch

    for new, before in SIZES:
        visible = oracle.visible(new, before)
        for scale in (1.0, 300.0):
            scores = draw.normal(query=new, key=before + new, std=scale, label="scores").clamp(-1000, 1000)
            mine = torch.softmax(scores + _tensor(student, new, before), dim=-1)
            theirs = torch.softmax(scores.masked_fill(~visible, float("-inf")), dim=-1)
            close(mine, theirs, rtol=0, atol=1e-6, says=f"for sequence_length={new}, num_tokens={before}")


@check(
    passed="causal_mask has the dtype that is asked for, and hides in each of them",
    failed="causal_mask does not have the dtype that is asked for, or does not hide in each of them",
)
def has_the_dtype(student, oracle):
    import torch

    equal(_tensor(student, 3, 2).dtype, torch.float32, says="with no dtype given, it is float32")
    for name in DTYPES:
        dtype = getattr(torch, name)
        mask = student.causal_mask(3, 2, dtype=dtype)
        equal(getattr(mask, "dtype", None), dtype)
        scores = torch.full((3, 5), 1000.0, dtype=dtype)
        weights = torch.softmax((scores + mask).double(), dim=-1)
        visible = oracle.visible(3, 2)
        if not bool(torch.isfinite(weights).all()) or float(weights[~visible].max()) > 1e-6:
            fail("a hidden token gets weight, or a row is nan, against scores of 1,000", expected="weight 0", got=name)


@check(
    passed="causal_mask is made on the device that is asked for",
    failed="causal_mask is not made on the device that is asked for",
)
def has_the_device(student):
    mask = student.causal_mask(3, 2, device="meta")
    got = getattr(getattr(mask, "device", None), "type", None)
    equal(got, "meta", says='causal_mask(3, 2, device="meta"): every tensor that it is made of needs the device')


def _made(student, new, before):
    return student.causal_mask(new, before) if before else student.causal_mask(new)


def _tensor(student, new, before):
    """Return the mask in numbers that can be added to scores of the right shape, or fail with what it is."""
    import torch

    mask = _made(student, new, before)
    if type(mask) is not torch.Tensor:
        fail("the mask is a tensor of numbers, to be added to the scores", expected="a tensor", got=_word(mask))
    if mask.dtype in (torch.bool, torch.int64, torch.int32):
        fail("a mask that is added to scores is made of floats", expected="torch.float32", got=str(mask.dtype))
    if list(mask.shape) != [new, before + new]:
        fail("the shape is wrong", expected=f"[{new}, {before + new}]", got=str(list(mask.shape)))
    if bool(torch.isnan(mask).any()):
        fail("0 times inf is nan: fill the hidden places, do not multiply them", expected="0 or -inf", got="nan")
    return mask


def _visible(mask):
    """Return where attention remains: what is added there is next to nothing beside the row's largest."""
    return mask > -1000


def _where(row, column, new, before):
    return f"causal_mask({new}, {before}) at [{row}, {column}]: position {before + row} looks at position {column}"


def _number(value):
    return f"{float(value):g}"


def _word(value):
    return "None" if value is None else f"a {type(value).__name__}"
