"""The first thing that differs is the one that is told: nothing, type, shape, dtype, device, nan and inf, values."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.difference import Difference, exact, near, show
from autograder.student import Absence


def named(tensor, *axes):
    tensor.axes_names = axes
    return tensor


THEIRS = named(torch.arange(1.0, 7.0).reshape(2, 3), "batch", "dim")
ONE_OFF = THEIRS.clone()
ONE_OFF[1, 0] += 0.5
WITH_NAN = THEIRS.clone()
WITH_NAN[0, 1] = math.nan
WITH_BOTH = WITH_NAN.clone()
WITH_BOTH[1, 1:] = -math.inf
RAGGED = THEIRS * torch.tensor([1.0, -1.0, 2.0])

NEAR = {
    "nothing": (None, "a tensor [batch=2, dim=3]", "None", "nothing was returned: is a `return` missing?"),
    "a list": ([1.0], "a tensor [batch=2, dim=3]", "a list"),
    "an integer": (3, "a tensor [batch=2, dim=3]", "an int"),
    "a tuple of it": ((THEIRS,), "a tensor [batch=2, dim=3]", "a tuple"),
    "a size": (THEIRS[:, :2], "[batch=2, dim=3]", "[2, 2]", "dim is 2, not 3"),
    "two sizes": (torch.zeros(4, 5), "[batch=2, dim=3]", "[4, 5]", "batch is 4, not 2", "dim is 5, not 3"),
    "swapped": (THEIRS.T, "[batch=2, dim=3]", "[3, 2]", "the same sizes in another order: are two axes swapped?"),
    "flat": (THEIRS.flatten(), "[batch=2, dim=3]", "[6]", "1 axis, where 2 are expected"),
    "more axes": (THEIRS[None], "[batch=2, dim=3]", "[1, 2, 3]", "3 axes, where 2 are expected"),
    "a scalar": (torch.tensor(1.0), "[batch=2, dim=3]", "[]", "0 axes, where 2 are expected"),
    "a dtype": (THEIRS.double(), "torch.float32", "torch.float64", "the numbers have another type"),
    "integers": (THEIRS.int(), "torch.float32", "torch.int32", "the numbers have another type"),
    "a device": (THEIRS.to("meta"), "a tensor on the CPU", "one on meta"),
    "nan": (WITH_NAN, "2", "nan", "1 nan of 6 numbers, the first at [0, 1]"),
    "nan and inf": (WITH_BOTH, "2", "nan", "1 nan and 2 inf of 6 numbers, the first at [0, 1]"),
    "one number": (ONE_OFF, "4", "4.5", "1 of 6 numbers differs, at [1, 0]"),
    "many": (RAGGED, "2", "-2", "4 of 6 numbers differ, the first at [0, 1]"),
    "a factor": (
        THEIRS * 0.5,
        *("1", "0.5", "all 6 numbers differ, the first at [0, 0]", "every number is 0.5 times what is expected"),
    ),
    "a sign": (
        -THEIRS,
        *("1", "-1", "all 6 numbers differ, the first at [0, 0]", "every number is -1 times what is expected"),
    ),
    "a shift": (
        THEIRS + 0.25,
        *("1", "1.25", "all 6 numbers differ, the first at [0, 0]", "every number is off by 0.25"),
    ),
    "zeros": (THEIRS * 0, "1", "0", "all 6 numbers differ, the first at [0, 0]", "every number is 0"),
}


def difference(mine, theirs=THEIRS, *, rtol=1e-4, atol=1e-4, **options):
    return near(mine, theirs, rtol=rtol, atol=atol, **options)


@pytest.mark.parametrize(
    ("mine", "expected", "got", "detail"), [(a, b, c, tuple(d)) for a, b, c, *d in NEAR.values()], ids=NEAR
)
def test_a_tensor_that_differs_is_told_in_words(mine, expected, got, detail):
    assert difference(mine) == Difference(expected, got, detail)


# Each has the fault of its name, and all of those that come after it.
ORDER = {
    "shape": (torch.full((2, 2), math.nan, dtype=torch.float64), "[2, 2]"),
    "dtype": (torch.full((2, 3), math.nan, dtype=torch.float64), "torch.float64"),
    "device": (torch.full((2, 3), math.nan, device="meta"), "one on meta"),
    "nan": (torch.full((2, 3), math.nan), "nan"),
    "values": (torch.full((2, 3), 9.0), "9"),
}


@pytest.mark.parametrize(("mine", "got"), ORDER.values(), ids=ORDER)
def test_what_comes_first_in_the_order_is_told_first(mine, got):
    assert difference(mine).got == got


@pytest.mark.parametrize("mine", [THEIRS, THEIRS + 5e-5, THEIRS * (1 + 5e-5), THEIRS.clone().requires_grad_()])
def test_what_is_within_the_tolerance_is_no_difference(mine):
    assert difference(mine) is None


@given(
    st.floats(-100, 100), st.floats(0, 1), st.floats(0, 1), st.floats(-3, 3).filter(lambda by: abs(abs(by) - 1) > 1e-3)
)
def test_a_number_passes_up_to_the_tolerance_and_not_beyond(number, rtol, atol, by):
    allowed = atol + rtol * abs(number)
    theirs = torch.tensor([number], dtype=torch.float64)
    found = near(theirs + by * allowed, theirs, rtol=rtol, atol=atol)
    if abs(by) < 1:
        assert found is None
    elif allowed > 1e-9:
        assert found is not None


def test_the_tolerance_is_relative_to_the_oracles_number():
    assert difference(torch.tensor([2.0]), torch.tensor([1.0]), rtol=0.6, atol=0) is not None
    assert difference(torch.tensor([1.0]), torch.tensor([2.0]), rtol=0.6, atol=0) is None


def test_no_dtype_is_judged_where_any_is_right():
    assert difference(THEIRS.double(), any_dtype=True) is None
    assert difference(ONE_OFF.half(), any_dtype=True).detail == ("1 of 6 numbers differs, at [1, 0]",)


def test_complex_numbers_are_told_where_any_dtype_is_right():
    assert difference(THEIRS.to(torch.complex64), any_dtype=True) == Difference("real numbers", "complex ones")


def test_a_single_number_has_no_index():
    assert difference(torch.tensor(2.0), torch.tensor(1.0)) == Difference("1", "2")
    assert difference(torch.tensor(math.inf), torch.tensor(1.0)).detail == ("1 inf of 1 numbers, the only number",)


def test_whole_numbers_are_told_to_the_last_digit():
    found = difference(torch.tensor([7, 50256]), torch.tensor([7, 50257]), rtol=0, atol=0)
    assert (found.expected, found.got) == ("50257", "50256")


def test_axes_without_names_are_numbered():
    assert difference(torch.zeros(2, 4), torch.zeros(2, 3)) == Difference("[2, 3]", "[2, 4]", ("axis 1 is 4, not 3",))


def test_empty_tensors_are_equal():
    assert difference(torch.empty(0, 3), torch.empty(0, 3)) is None


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_an_oracle_that_is_not_finite_is_no_learners_fault(number):
    with pytest.raises(ValueError, match="the oracle's numbers are not finite"):
        difference(THEIRS, torch.tensor([number]))


# -------------------------------------------------------------------------------------------------------- plain values

EXACT = {
    "a number": (11, 12, "12", "11"),
    "none": (None, 12, "12", "None"),
    "a float": (12.0, 12, "12", "12.0", "a float, where an int is asked for"),
    "a truth": (True, 1, "1", "True", "a bool, where an int is asked for"),
    "a text": ("12", 12, "12", "'12'", "a str, where an int is asked for: quotes make a text"),
    "a comma": ((12,), 12, "12", "(12,)", "a comma at the end of the line makes a tuple of one"),
    "another tuple": ((13,), 12, "12", "(13,)", "a tuple, where an int is asked for"),
    "absent": (Absence("no field", "n_embd has no type hint"), 768, "768", "no field", "n_embd has no type hint"),
    "a tensor": (torch.zeros(2, 3), 1, "1", "a tensor [2, 3]", "a Tensor, where an int is asked for"),
    "a long text": ("x" * 99, "y", "'y'", f"'{'x' * 78}…"),
    "an endless number": (10**5000, 12, "12", "an int too long to print"),
    "an item": ([1, 2.0], [1, 2], "[1, 2]", "[1, 2.0]"),
    "a length": ([1], [1, 2], "[1, 2]", "[1]"),
}


@pytest.mark.parametrize(
    ("mine", "theirs", "expected", "got", "detail"),
    [(a, b, c, d, tuple(e)) for a, b, c, d, *e in EXACT.values()],
    ids=EXACT,
)
def test_a_plain_value_that_differs_is_told_in_words(mine, theirs, expected, got, detail):
    assert exact(mine, theirs) == Difference(expected, got, detail)


@pytest.mark.parametrize(
    "value",
    [
        1,
        True,
        None,
        "ü",
        1.5,
        math.nan,
        -math.inf,
        b"x",
        [1, [2.0]],
        (1, None),
        {"a": [1]},
        {1, 2.5},
        {frozenset({1}): ()},
    ],
    ids=repr,
)
def test_equal_plain_values_do_not_differ(value):
    assert exact(value, value) is None


def test_the_order_of_a_dictionary_does_not_matter():
    assert exact({"a": 1, "b": 2}, {"b": 2, "a": 1}) is None


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        *(([1], (1,)), ([True], [1]), ((1.0,), (1,)), ({"a": 1.0}, {"a": 1}), ({True: 1}, {1: 1}), ({1.0}, {1})),
        *(({frozenset({True})}, {frozenset({1})}), ({1}, frozenset({1})), ({"a": 1, "b": 2}, {"a": 1}), ({2}, {1})),
    ],
    ids=repr,
)
def test_equal_means_the_same_types_inside_containers_too(mine, theirs):
    assert exact(mine, theirs) is not None
    assert exact(theirs, mine) is not None


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=8))
def test_a_value_in_print_is_one_short_line(value):
    text = show(value)
    assert len(text) <= 80
    assert text.isprintable()
