"""What a worker does before anybody wants it leaves nothing behind, and changes nothing that it is asked later."""

import gc
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from autograder import wire
from autograder.nursery import CAN_FORK, Nursery
from autograder.student import Desk, Program, student
from autograder.supervisor import Limits
from autograder.worker import exercise

ROOT = Path(__file__).resolve().parents[2]
DRAWS = """
import torch
from torch import nn

FIRST = torch.rand(3)

def drawn():
    return torch.rand(3), nn.Linear(3, 2).weight.detach()

def modes():
    return torch.is_grad_enabled(), torch.get_num_threads(), torch.get_default_dtype() == torch.float32
"""


def of_torch():
    gc.collect()
    return [type(each) for each in gc.get_objects() if isinstance(each, torch.nn.Module | torch.Tensor)]


def test_it_leaves_nothing_behind():
    exercise.run()
    state = torch.get_rng_state()
    before = of_torch()
    exercise.run()
    assert of_torch() == before
    assert not torch.equal(torch.get_rng_state(), state)  # so a worker begins its random numbers anew afterwards
    assert torch.is_grad_enabled()


def test_it_imports_no_torch():
    code = "import sys; from autograder.worker import exercise; exercise.run(); print('torch' in sys.modules)"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout == "False\n"


@pytest.mark.skipif(not CAN_FORK, reason="this system has no fork")
def test_a_worker_that_has_waited_gives_what_one_gives_that_has_not():
    module = wire.Module(["steps.step_01"], "steps/step_01.py", DRAWS)

    def answered(nursery):
        with Desk(nursery, Program([module], wire.Ban(), "torch"), Limits()) as desk:
            mine = student(desk)
            return mine.FIRST, *mine.drawn(), *mine.modes()

    with Nursery() as nursery:
        found = [answered(nursery) for _ in range(2)]
        time.sleep(2.0)  # longer than a worker waits before it does anything
        found += [answered(nursery) for _ in range(2)]
    for other in found[1:]:
        assert all(
            torch.equal(torch.as_tensor(one), torch.as_tensor(two)) for one, two in zip(found[0], other, strict=True)
        )
