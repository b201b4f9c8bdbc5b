"""Every step that is not planned holds; some through the real command line; their stubs import cleanly."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import checking, generate, record, stubs
from autograder import course as courses
from autograder.evidence import matches
from autograder.gate.stand import SEED, Stand

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
READY = [step for step in COURSE.steps if not COURSE.is_planned(step)]
PYTHON_TALKING = re.compile(r"Traceback|^\s*File \"|\bline \d+, in ", re.MULTILINE)

each_step = pytest.mark.parametrize("step", READY, ids=lambda step: step.slug)
# Through the real command line: one without torch, one with, one that stands on all others. The gate has them all.
some_steps = pytest.mark.parametrize("step", [READY[0], READY[2], READY[-1]], ids=lambda step: step.slug)

FAILED = """\
Running tests for Step 01: Create Model Configuration...

Results:
❌ dataclass is not imported from dataclasses
❌ GPT2Config does not have the @dataclass decorator
❌ vocab_size is incorrect: expected match with Hugging Face model configuration, got None
❌ n_positions is incorrect: expected match with Hugging Face model configuration, got None
❌ n_embd is incorrect: expected match with Hugging Face model configuration, got None
❌ n_layer is incorrect: expected match with Hugging Face model configuration, got None
❌ n_head is incorrect: expected match with Hugging Face model configuration, got None
❌ n_inner is incorrect: expected match with Hugging Face model configuration, got None
❌ layer_norm_epsilon is incorrect: expected match with Hugging Face model configuration, got None
"""
PASSED = """\
Running tests for Step 01: Create Model Configuration...

Results:
✅ dataclass is correctly imported from dataclasses
✅ GPT2Config has the @dataclass decorator
✅ vocab_size is correct
✅ n_positions is correct
✅ n_embd is correct
✅ n_layer is correct
✅ n_head is correct
✅ n_inner is correct
✅ layer_norm_epsilon is correct
"""


@pytest.fixture
def stub(tmp_path):
    """Return a function that writes the untouched stub of a step into a folder of its own."""

    def written(step):
        path = tmp_path / f"{step.name}.py"
        path.write_text(generate.make(COURSE, step).stub, encoding="utf-8", newline="\n")
        return path

    return written


@some_steps
def test_the_solution_passes(run, step):
    done = run("check", step.task, "--tree", "solutions")
    assert (done.returncode, done.stderr) == (0, "")
    assert "✅" in done.stdout
    assert "❌" not in done.stdout


@each_step
def test_a_mistake_shows_each_check_the_same_where_those_that_reject_it_come_first(nursery, step):
    """As they do when it is compared with a learner's file, whose own checks came in order."""
    stand = Stand(COURSE, step, nursery)
    for mistake in stand.mistakes[::20]:
        bench = stand.bench(stand.text(mistake.other))
        in_order, turned = bench.run(), bench.run()
        for _ in in_order.results(SEED):
            pass
        for _ in turned.results(SEED, first=in_order.evidence):
            pass
        assert matches(in_order.evidence, turned.evidence), mistake.name


@some_steps
def test_the_untouched_stub_fails_every_check_with_a_sentence(run, stub, step):
    done = run("check", step.task, "--file", str(stub(step)))
    assert (done.returncode, done.stderr) == (1, "")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("✅", "❌"))]
    declared = [check for check in checking.of_step(COURSE, step).checks if check.declared]
    assert len(lines) == len(declared)
    assert all(line.startswith("❌") for line in lines)
    assert "Outcome:" not in done.stdout  # each has failed, and none was an error
    assert not PYTHON_TALKING.search(done.stdout)


@each_step
def test_the_untouched_stub_imports_cleanly(tmp_path, fresh_python, step):
    """With the finished steps beside it: what a learner has made of theirs is not asked."""
    folder = tmp_path / "steps"
    folder.mkdir()
    for other in READY:
        made = generate.make(COURSE, other)
        text = made.stub if other == step else made.solution.replace("from solutions.", "from steps.")
        (folder / f"{other.name}.py").write_text(text, encoding="utf-8", newline="\n")
    assert fresh_python.run(f"import steps.{step.name}", tmp_path) == (0, "", "")


def test_step_01_prints_the_lines_of_its_contract(run, stub):
    config = COURSE.find("config")
    failed = run("check", "s01", "--file", str(stub(config)))
    passed = run("check", "s01", "--tree", "solutions")
    assert failed.stdout.startswith(f"{FAILED}\n")
    assert passed.stdout.startswith(f"{PASSED}\n")


@pytest.mark.timeout(900)
def test_every_step_holds():
    """Two rooms of the gate: what they say of a step that does not hold is what this fails with."""
    command = [sys.executable, "-m", "autograder", "verify", "--only", "checks", "--only", "words"]
    environment = os.environ | {"PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    told = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("✅")]
    assert sorted(told) == sorted(f"{step.slug}:" for step in READY)


def test_the_runs_that_the_texts_show_are_what_is_printed_now():
    for kept in record.record(COURSE, READY):
        assert kept.path.read_text(encoding="utf-8") == kept.text, f"pixi run record renews {kept.path.name}"


@each_step
def test_an_untouched_desk_is_what_the_puzzle_gives(step):
    """What a learner has written is theirs, and nothing is said of it here."""
    if stubs.is_untouched(COURSE, step):
        assert stubs.current(COURSE.stub(step)) == generate.make(COURSE, step).stub
