"""CONTRIBUTING's worked example, word by word: a step in the middle of the course, certified by the gate."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A step, from nothing to merged\n")[2]
EXAMPLE = EXAMPLE.partition("\n## The loop\n")[0]
FILES = dict(
    re.findall(r"`((?:puzzles|tests)/[\w/]+\.(?:py|md))`.*?\n\n(`{3,}\w+\n.*?\n)`{3,}\n(?=\n\*\*)", EXAMPLE, re.DOTALL)
)
OUTSIDE = re.sub(r"````markdown.*?````", "", EXAMPLE, flags=re.DOTALL)  # in the step's own text they are the learner's
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", OUTSIDE, re.DOTALL) for line in block.splitlines()]
MINE = "# mine\nfrom steps.step_07 import scaled_dot_product_attention as attend\n"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Return a copy of the checkout in which all of it was done, and what each command printed."""
    folder = tmp_path_factory.mktemp("added")
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().splitlines()):
        if (ROOT / name).is_file() and not name.startswith(("models/tiny-gpt2/", "tests/autograder/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "steps" / "step_08.py").write_text(MINE, encoding="utf-8")
    first, *others = COMMANDS
    printed = {first: run(folder, first)}
    for name, block in FILES.items():
        (folder / name).write_text(block.partition("\n")[2], encoding="utf-8")
    return folder, printed | {command: run(folder, command) for command in others}


def run(folder, command):
    """Run a command of the text, as its task does; return what it printed."""
    words = shlex.split(command)
    assert words[:2] == ["pixi", "run"]
    environment = {name: value for name, value in os.environ.items() if name != "INIT_CWD"}
    found = subprocess.run(
        [sys.executable, "-m", "autograder", *words[2:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert found.returncode == 0, f"{command}\n{found.stdout}{found.stderr}"
    return found.stdout


def test_the_example_is_one_command_three_files_and_the_loop():
    assert [shlex.split(command)[2] for command in COMMANDS] == ["new", "record", "record", "generate", "verify"]
    assert list(FILES) == ["puzzles/dropout.py", "puzzles/dropout.md", "tests/steps/dropout.py"]


def test_the_gate_certifies_it_in_the_words_that_the_text_shows(done):
    shown = re.search(r"```text\n(✅ s07 dropout.*?)\n```", EXAMPLE, re.DOTALL)[1]
    assert done[1]["pixi run verify dropout"].splitlines()[0] == shown


def test_later_steps_and_a_learners_own_file_have_followed(done):
    folder, printed = done
    assert "move steps/step_08.py to steps/step_09.py: its imports follow" in printed[COMMANDS[0]]
    followed = (folder / "steps" / "step_09.py").read_text(encoding="utf-8")
    assert followed == MINE.replace("step_07", "step_08")
    assert "Running tests for Step 08: Scaled Dot-Product" in (folder / "steps" / "step_08.md").read_text(
        encoding="utf-8"
    )


def test_the_steps_around_it_hold_as_before(done):
    folder, _ = done
    out = run(folder, "pixi run verify scaled_dot_product_attention --only checks --only words")
    assert out.startswith("✅ s08 scaled_dot_product_attention: checks ")
