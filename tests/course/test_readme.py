"""Every command in the README's ```bash blocks exists and, where it is cheap, does what the README says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROADS = (["pixi", "run"], ["./pixiw", "run"])
# Not ours to run: they fetch the course and enter it; test_an_update_loses_nothing runs the update's.
SKIPPED = re.compile(r"(git clone|cd) \S+|git (add steps|commit -m my-steps|pull --no-rebase -X ours)")
# Tasks that say themselves whether they worked: on a learner's own files, a check may well fail.
CHECKED = {"check": {0, 1}, "doctor": {0}}
CHECKED |= {name: {0} for name in ("hint", "progress", "history", "solution", "reset", "generate", "bundle", "server")}
CHECKED["undo"] = {0, 1}
CHECKED["bug1"] = {0}  # in a checkout of its own it is written first
# Run by other tests, by CI, or too slow here: that the task exists, and takes these words, is all that is asked.
EXISTS = {"huggingface", "hugging-face-model", "record", "verify", "report", "new", "test", "lint", "gpt2"}


def blocks(text):
    """Yield the lines of the README's bash blocks, without comments and prompts."""
    for block in re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            command = line.removeprefix("$ ").partition(" #")[0].strip()
            if command and not command.startswith("#"):
                yield command


def tasks():
    manifest = tomllib.loads((ROOT / "pixi.toml").read_text(encoding="utf-8"))
    tables = [manifest, *manifest.get("feature", {}).values()]
    return {name: task for table in tables for name, task in table.get("tasks", {}).items()}


def read(command):
    """Return the name of a command's task and the words after it; None for a line that is not ours.

    Errors: AssertionError, when it is no command that this project knows.
    """
    if SKIPPED.fullmatch(command):
        return None
    words = shlex.split(command)
    assert words[:2] in ROADS, f"the README has a command that nobody knows: {command}"
    name = words[2]
    assert name in tasks(), f"{command}: pixi.toml has no task {name}"
    assert name in EXISTS or name in CHECKED or re.fullmatch(r"s\d\d", name), (
        f"{command}: is it cheap to run? Say so here"
    )
    return name, words[3:]


COMMANDS = list(dict.fromkeys(blocks((ROOT / "README.md").read_text(encoding="utf-8"))))
# Once a task and its words: both roads lead to the same command.
RUN = {tuple(command.split()[2:]): command for command in COMMANDS if command.split()[:2] in ROADS}


def test_the_readme_shows_the_two_commands():
    assert {"pixi run s01", "./pixiw run s01"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_is_a_task(command):
    known = read(command)
    assert known is None or known[0] not in EXISTS or known[0] in {"gpt2", "new"} or known[1] == []


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Return a copy of the checkout: what a verb remembers or writes there is no learner's."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().splitlines()):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


CHEAP = [command for words, command in RUN.items() if words[0] not in EXISTS and words[:2] != ("bug1", "--new")]


@pytest.mark.parametrize("command", CHEAP)
def test_a_command_of_the_readme_does_what_it_says(command, checkout):
    name, words = read(command)
    python, *rest = tasks()[name]["cmd"].split()
    assert python == "python"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "INIT_CWD"))}
    command = [sys.executable, *rest, *words]
    done = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode in CHECKED.get(name, CHECKED["check"]), done.stdout + done.stderr
    assert done.stdout or done.stderr
    assert "Traceback" not in done.stderr


def test_an_update_loses_nothing(tmp_path):
    """The README's lines for an update, typed in a clone in which a step was edited that the update changes too."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = next(list(blocks(f"```bash{block}```\n")) for block in text.split("```bash") if "git pull" in block)
    lines = [line for line in lines if line.startswith("git ")]
    assert len(lines) == 3
    upstream, clone = tmp_path / "upstream", tmp_path / "clone"
    upstream.mkdir()
    git(upstream, "init", "-q", "-b", "main")
    (upstream / "steps").mkdir()
    for name in ("step_01.py", "step_03.py"):
        (upstream / "steps" / name).write_text("a = 1\nb = None  # TODO\nc = 3\n", encoding="utf-8")
    (upstream / "steps" / "step_01.md").write_text("old\n", encoding="utf-8")
    commit(upstream, "one")
    git(tmp_path, "clone", "-q", str(upstream), "clone")
    mine = "a = 1\nb = 'mine'\nc = 3\n"
    (clone / "steps" / "step_01.py").write_text(mine, encoding="utf-8")
    for name in ("step_01.py", "step_03.py"):
        (upstream / "steps" / name).write_text("a = 1\nb = None  # TODO 1: better words\nc = 3\n", encoding="utf-8")
    (upstream / "steps" / "step_01.md").write_text("new\n", encoding="utf-8")
    commit(upstream, "two")
    for line in lines:
        git(clone, *line.split()[1:])
    assert (clone / "steps" / "step_01.py").read_text(encoding="utf-8") == mine
    assert "better words" in (clone / "steps" / "step_03.py").read_text(encoding="utf-8")
    assert (clone / "steps" / "step_01.md").read_text(encoding="utf-8") == "new\n"


def commit(folder, message):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def git(folder, *words):
    who = ["-c", "user.name=A Learner", "-c", "user.email=learner@example.org", "-c", "core.editor=true"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```bash\npip install gpt2\n```\n", "a command that nobody knows: pip install gpt2"),
        ("```bash\npixi run s99\n```\n", "pixi.toml has no task s99"),
        ("```bash\n$ ./pixiw run chekc 1  # a comment\n```\n", "pixi.toml has no task chekc"),
        ("```bash\ngit clone a && rm -rf b\n```\n", "a command that nobody knows"),
        ("```bash\npixi run types\n```\n", "is it cheap to run"),
    ],
)
def test_a_command_that_is_none_is_noticed(text, message):
    (command,) = blocks(text)
    with pytest.raises(AssertionError, match=re.escape(message)):
        read(command)


def test_lines_that_are_not_ours_are_skipped():
    lines = list(blocks("text\n```bash\ngit clone REPOSITORY\ncd gpt2\n\n# a comment\n```\n```text\nnot this\n```\n"))
    assert lines == ["git clone REPOSITORY", "cd gpt2"]
    assert [read(line) for line in lines] == [None, None]
