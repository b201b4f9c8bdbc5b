"""A warm server's judge says what a cold one says, of the programs that the course knows."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import pytest

from autograder import address
from autograder import course as courses
from autograder.gate.stand import Stand

pytestmark = pytest.mark.skipif(not address.HAS_SERVERS, reason="there is no warm server without fork")

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
READY = [step for step in COURSE.steps if not COURSE.is_planned(step)]

PART = 24  # the others take minutes, and the same way; the workflow has them compared
EACH = int(os.environ.get("AUTOGRADER_EACH", "0"))  # 1 has all of them compared

each_step = pytest.mark.parametrize("step", READY, ids=lambda step: step.slug)


@pytest.mark.timeout(600)
@each_step
def test_a_known_program_gets_one_document(nursery, step):
    """Solution, stub, a part of variants and mistakes: with the runs beside each other, and one after the other.

    Which known mistake it is, is looked for by the same code from the same runs; the next test has it told.
    """
    stand = Stand(COURSE, step, nursery)
    texts = {"the solution": stand.made.solution, "the stub": stand.made.stub}
    others = [*stand.checker.variants, *(mistake.other for mistake in stand.mistakes)]
    texts |= {other.name: stand.text(other) for other in others[:: EACH or PART]}
    for name, text in texts.items():
        cold, warm = stand.judge(text), stand.judge(text, worker="warm")
        assert (cold.timing.worker, warm.timing.worker) == ("cold", "warm")
        assert timeless(warm) == timeless(cold), name


def timeless(report):
    document = msgspec.to_builtins(report)
    del document["timing"]
    return document


@pytest.fixture(scope="module")
def home():
    """Return the environment of a user whose server for this checkout is warm."""
    with tempfile.TemporaryDirectory(prefix="ag-") as runtime:
        environment = {name: value for name, value in os.environ.items() if name != "CI"}
        environment |= {"XDG_RUNTIME_DIR": runtime, "PYTHONUTF8": "1", "INIT_CWD": str(ROOT)}
        server = subprocess.Popen(
            [sys.executable, "-m", "autograder.server", str(ROOT)], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL
        )
        while not list(Path(runtime).glob("*/*.sock")):
            assert server.poll() is None
            time.sleep(0.05)
        yield environment
        server.terminate()
        server.wait(20)


@pytest.mark.timeout(300)
def test_the_server_says_what_a_judge_of_this_process_says(home, nursery, tmp_path):
    """Through the command line, each step's solution, and of every fifth a mistake, which is told by name.

    The server is asked for all of them first: left alone, it would rehearse the next check each time.
    """
    stands = [Stand(COURSE, step, nursery) for step in READY]
    texts = [(stand, stand.made.solution) for stand in stands]
    texts += [(stand, stand.text(stand.mistakes[0].other)) for stand in stands[1::5]]
    documents = [_document(stand.step, text, home, tmp_path) for stand, text in texts]
    for (stand, text), document in zip(texts, documents, strict=True):
        assert document.pop("timing")["worker"] == "warm"
        assert document == json.loads(json.dumps(timeless(stand.reported(text))))


def _document(step, text, home, folder):
    """Return what the command line says of a file, and of the file's name what it says of the step's own."""
    path = folder / f"{step.name}.py"
    path.write_text(text, encoding="utf-8", newline="\n")
    command = ["check", step.task, "--tree", "solutions", "--file", str(path), "--seed", "91c2", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *command], cwd=ROOT, env=home, capture_output=True, check=False
    )
    assert done.stderr == b""
    return json.loads(done.stdout.replace(str(path).encode(), f"steps/{step.name}.py".encode()))
