"""A word of a check that is given what it is not for says so: it is the checker's fault, and no learner's."""

import pytest
import torch

from autograder.comparing import equal, raises


def test_equal_is_not_for_tensors():
    with pytest.raises(TypeError, match=r"equal is for plain values: close\(mine, theirs, rtol=0, atol=0\)"):
        equal(torch.ones(2), torch.ones(2))


@pytest.mark.parametrize("wrong", [(ValueError, lambda: None), (lambda: None, ValueError), ("ValueError",)])
def test_raises_takes_a_call_and_a_name(wrong):
    with pytest.raises(
        TypeError, match=r"raises takes a function without arguments, and the exception\'s name: raises\("
    ):
        raises(*wrong)
