"""What lies around the course: editor, CI, container, the words for AI assistants. All of it names what there is."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml  # not a dependency of ours: transformers brings it, through huggingface-hub, wherever these tests can run

ROOT = Path(__file__).resolve().parents[2]
PIXI = tomllib.loads((ROOT / "pixi.toml").read_text(encoding="utf-8"))
TABLES = {"default": PIXI["tasks"], **{name: each.get("tasks", {}) for name, each in PIXI["feature"].items()}}
FEATURE_OF = {task: feature for feature, tasks in TABLES.items() for task in tasks}
OLDEST, NEWEST = "3.11", "3.14"  # a test of pixiw compares its own with pyproject.toml's requires-python

EDITOR = sorted((ROOT / ".vscode").glob("*.json"))
CONTAINER = ROOT / ".devcontainer" / "devcontainer.json"
WORKFLOW = ROOT / ".github" / "workflows" / "course.yml"
COPILOT = ROOT / ".github" / "copilot-instructions.md"
WORDS = [ROOT / "AGENTS.md", ROOT / "CLAUDE.md", COPILOT]
FILES = [*EDITOR, CONTAINER, WORKFLOW, *WORDS]
RUN = re.compile(r"(?:\./|\.\\)?(?:pixiw(?:\.cmd)?|pixi) run (?:-e (?P<environment>\w+) )?(?P<task>[\w-]+)")

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def read(path):
    return path.read_text(encoding="utf-8")


def strict_json(path):
    return json.loads(read(path))


@each_file
def test_every_command_is_a_task(path):
    named = {found["task"] for found in RUN.finditer(read(path)) if found["task"] != "NAME"}
    assert named <= set(FEATURE_OF), path.name


@each_file
def test_no_path_of_a_machine_and_no_host(path):
    text = read(path)
    assert not re.search(r"(?i)/(?:root|home|users|tmp|work)/|[a-z]:\\", text)
    assert "://" not in text


# VS Code


TASKS = strict_json(ROOT / ".vscode" / "tasks.json")["tasks"]
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task["label"])


@each_task
def test_an_editors_task_is_a_task_of_pixi_toml(task):
    assert (task["command"], task["windows"]["command"]) == ("./pixiw", ".\\pixiw.cmd")
    assert task["args"][0] == "run"
    assert task["args"][1] in PIXI["tasks"]


@each_task
def test_an_editors_task_passes_options_that_the_verb_has(task, run):
    options = [word for word in task["args"] if word.startswith("-")]
    if options:
        shown = run(task["args"][1], "--help").stdout
        assert [option for option in options if option not in shown] == []


def test_the_open_files_name_is_that_of_its_step_whichever_of_its_files_it_is(course):
    step = course.find("layer_norm")
    for path in (course.stub(step), course.stub(step).with_suffix(".md"), course.puzzle(step), course.checker(step)):
        assert course.find(path.stem) == step


def test_the_check_of_the_open_step_is_the_build_task():
    assert [task["label"] for task in TASKS if isinstance(task.get("group"), dict)] == ["Check this step"]
    labels = [task["label"] for task in TASKS]
    assert len(labels) == len(set(labels))


# The container


def test_the_container_has_a_python_that_the_course_runs_on():
    container = strict_json(CONTAINER)
    version = re.fullmatch(r"python:3\.(\d+)-\w+", container["image"])
    assert version
    assert int(OLDEST[2:]) <= int(version[1]) <= int(NEWEST[2:])
    assert "secrets" not in container


# The workflow


COURSE = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
JOBS = COURSE["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
SYSTEMS = {"ubuntu-latest", "macos-latest", "windows-latest"}


def commands(job, *, windows):
    """Return what a job runs on Windows, or elsewhere."""
    skipped = "runner.os != 'Windows'" if windows else "runner.os == 'Windows'"
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step and skipped not in step.get("if", "")]


def test_both_roads_run_on_all_systems():
    assert set(JOBS) == {"pixi", "pixiw", "gate"}
    assert all(0 < job["timeout-minutes"] <= 90 for job in JOBS.values())
    for road in ("pixi", "pixiw"):
        assert set(JOBS[road]["strategy"]["matrix"]["os"]) == SYSTEMS
        assert JOBS[road]["strategy"]["fail-fast"] is False


@pytest.mark.parametrize("windows", [True, False])
def test_each_road_runs_the_tests_and_a_finished_step(windows):
    pixiw = "pixiw" if windows else "./pixiw"
    solved = "run s01 --tree solutions"
    assert commands("pixiw", windows=windows) == [f"{pixiw} run test", f"{pixiw} run lint", f"{pixiw} {solved}"]
    assert commands("pixi", windows=windows) == ["pixi run -e dev test", f"pixi {solved}"]


def test_the_whole_gate_is_run_and_all_that_a_test_takes_a_part_of():
    compared = "tests/course/test_warm_and_cold.py"
    assert commands("gate", windows=False) == ["./pixiw run verify", f"./pixiw run test {compared}"]
    assert [step["env"] for step in JOBS["gate"]["steps"] if "env" in step] == [{"AUTOGRADER_EACH": "1"}]
    assert "AUTOGRADER_EACH" in read(ROOT / compared)


def test_the_oldest_and_the_newest_python_are_tried():
    matrix = JOBS["pixiw"]["strategy"]["matrix"]
    assert matrix["python"] == [OLDEST]
    assert matrix["include"] == [{"os": "ubuntu-latest", "python": NEWEST}]
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    assert project["requires-python"] == f">={OLDEST},<3.{int(NEWEST[2:]) + 1}"


def test_a_task_is_in_the_environment_that_is_named_and_that_one_is_installed():
    installed = [step["with"]["environments"] for step in STEPS if "setup-pixi" in step.get("uses", "")]
    for command in commands("pixi", windows=False):
        found = RUN.match(command)
        environment = found["environment"] or "default"
        assert environment in installed[0].split()
        assert FEATURE_OF[found["task"]] in {"default", *PIXI["environments"][environment].get("features", [])}


def test_the_workflow_may_only_read_and_knows_no_secret():
    assert COURSE["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in JOBS.values())
    assert "secrets" not in read(WORKFLOW)
    assert COURSE["concurrency"]["cancel-in-progress"] is True
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_every_action_is_pinned():
    for step in STEPS:
        assert "run" in step or re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+)*", step["uses"])


def test_nothing_from_outside_becomes_part_of_a_command():
    assert [step["run"] for step in STEPS if "${{" in step.get("run", "")] == []


def test_the_cache_is_of_one_python_and_of_the_files_that_pixiw_installs_from():
    (key,) = [step["with"]["key"] for step in STEPS if step.get("uses", "").startswith("actions/cache@")]
    assert "steps.python.outputs.python-version" in key
    assert "hashFiles('constraints.txt', 'pyproject.toml')" in key
    assert " " not in re.sub(r"\$\{\{.*?\}\}", "", key)


# AI assistants


def test_every_assistant_is_sent_to_the_same_page():
    for path in WORDS[1:]:
        assert len(read(path).splitlines()) == 1
        assert "AGENTS.md" in read(path)
    assert "](../AGENTS.md)" in read(COPILOT)


def test_the_page_names_files_that_are_there():
    named = set(re.findall(r"`([\w/.-]+(?:/|\.md|\.toml))`", read(ROOT / "AGENTS.md")))
    assert {"puzzles/", "solutions/", "tests/steps/", "CONTRIBUTING.md"} <= named
    assert [name for name in named if "XX" not in name and not (ROOT / name).exists()] == []


def test_everything_here_is_kept_by_git():
    done = subprocess.run(
        ["git", "check-ignore", *(str(path.relative_to(ROOT)) for path in FILES)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "", done.stderr
