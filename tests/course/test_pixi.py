"""pixi.toml holds what pixi asks of it, without pixi: rules for its traps, its own parser, and its own shell.

The traps are pixi 0.77's. py-rattler is pixi's parser of specifications, and deno's binary carries pixi's task shell.
"""

import ast
import copy
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import deno
import pytest
import rattler
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler.exceptions import InvalidMatchSpecError

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = tomllib.loads((ROOT / "pixi.toml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"torch": "pytorch"}  # PyPI's name -> conda's, where they differ
POSIX = pytest.mark.skipif(os.name == "nt", reason="the probe in python's place is a script with a shebang")

Rule = Callable[[dict], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Make a test of a function that takes a parsed manifest and yields what is wrong with it."""
    RULES[function.__name__] = function
    return function


def features(manifest: dict) -> dict[str, dict]:
    return {"default": manifest, **manifest.get("feature", {})}


def tasks(manifest: dict) -> Iterator[tuple[str, str, dict]]:
    """Yield (feature, name, task), every task as a table."""
    for feature, table in features(manifest).items():
        for name, task in table.get("tasks", {}).items():
            yield feature, name, task if isinstance(task, dict) else {"cmd": task}


def commands(manifest: dict) -> list[str]:
    return sorted({task["cmd"] for _, _, task in tasks(manifest) if isinstance(task.get("cmd"), str)})


def specification(given: str | dict) -> str:
    return given if isinstance(given, str) else given.get("version", "*")


# Tasks


@rule
def every_command_is_one_process_started_with_python(manifest):
    for _, name, task in tasks(manifest):
        command = task.get("cmd", "python .")
        # Quotes, $, &, |, ;, <, >, *, ~, brackets and backslashes all mean something to some shell.
        if not isinstance(command, str) or not re.fullmatch(r"python( [\w./=:,@+-]+)+", command, re.ASCII):
            yield f"{name}: {command}"


@rule
def no_command_is_a_template(manifest):
    for _, name, task in tasks(manifest):
        if "{{" in str(task.get("cmd")) or "{%" in str(task.get("cmd")):
            yield name


@rule
def no_task_has_typed_args(manifest):
    yield from (name for _, name, task in tasks(manifest) if "args" in task)


@rule
def no_task_is_cached(manifest):
    yield from (name for _, name, task in tasks(manifest) if {"inputs", "outputs"} & set(task))


@rule
def no_alias_drops_a_learners_arguments(manifest):
    for feature, name, task in tasks(manifest):
        if "cmd" not in task and (feature == "default" or len(task.get("depends-on", [])) < 2):
            yield f"{name}: repeat the command"


@rule
def a_task_depends_on_tasks_that_exist(manifest):
    names = {name for _, name, _ in tasks(manifest)}
    for _, name, task in tasks(manifest):
        yield from (f"{name}: {other}" for other in task.get("depends-on", []) if other not in names)


@rule
def a_task_name_lives_in_exactly_one_feature(manifest):
    names = [name for _, name, _ in tasks(manifest)]
    yield from sorted({name for name in names if names.count(name) > 1})


@rule
def every_task_has_a_description(manifest):
    yield from (name for _, name, task in tasks(manifest) if not task.get("description"))


@rule
def a_task_has_no_other_keys(manifest):
    """./pixiw knows cmd and depends-on, and would leave out what env, cwd or a platform's own task ask for."""
    for _, name, task in tasks(manifest):
        yield from (f"{name}: {key}" for key in set(task) - {"cmd", "depends-on", "description"})
    for feature, table in features(manifest).items():
        yield from (f"{feature}: target.{key}" for key in table.get("target", {}))


@rule
def every_command_has_what_it_runs(manifest):
    for command in commands(manifest):
        words = command.split()[1:]
        if words[:2] == ["-m", "autograder"]:
            if words[2:] and not re.search(rf"(?m)^\W*{re.escape(words[2])}\b", autograders_help()):
                yield f"{command}: no such verb"
        elif words[:1] == ["-m"]:
            if not runs_as_main(words[1]):
                yield f"{command}: this module does nothing when python -m runs it"
        elif not words or not (ROOT / words[0]).is_file():
            yield f"{command}: no such file"


@cache
def autograders_help() -> str:
    command = [sys.executable, "-m", "autograder", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout if done.returncode == 0 else ""


def runs_as_main(module: str) -> bool:
    """Return whether a module has a __main__, or asks for its own name: one without does nothing, with exit code 0."""
    try:
        if find_spec(module).submodule_search_locations:
            return find_spec(f"{module}.__main__") is not None
        source = Path(find_spec(module).origin).read_text(encoding="utf-8")
    except (ImportError, AttributeError):
        return False
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(ast.parse(source)))


# The workspace


@rule
def no_key_is_deprecated(manifest):
    if "project" in manifest:
        yield "[project] is [workspace] now"
    for feature, table in features(manifest).items():
        if "system-requirements" in table:
            yield f"{feature}: system-requirements"
    for _, name, task in tasks(manifest):
        if "depends_on" in task:
            yield f"{name}: depends_on"


@rule
def a_pixi_that_is_too_old_is_refused(manifest):
    found = re.fullmatch(r">=(\d+\.\d+)", manifest.get("workspace", {}).get("requires-pixi", ""))
    if not found or Version(found[1]) < Version("0.68"):
        yield "requires-pixi has to be >=0.68, whose lock format is the seventh"


@rule
def exclude_newer_is_a_full_timestamp(manifest):
    given = manifest.get("workspace", {}).get("exclude-newer")
    if not isinstance(given, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", given):
        yield f"exclude-newer = {given!r}"
    elif datetime.fromisoformat(given).utcoffset() is None:
        yield f"exclude-newer = {given!r} has no zone"


@rule
def the_workspace_is_for_every_system_we_promise(manifest):
    workspace = manifest.get("workspace", {})
    if workspace.get("channels") != ["conda-forge"]:
        yield "channels"
    missing = {"linux-64", "linux-aarch64", "osx-arm64", "win-64"} - set(map(str, workspace.get("platforms", [])))
    yield from sorted(missing)


@rule
def environments_and_features_match(manifest):
    used = {"default"}
    for name, environment in manifest.get("environments", {}).items():
        listed = environment if isinstance(environment, list) else environment.get("features", [])
        used |= set(listed)
        yield from (f"{name}: no feature {feature}" for feature in listed if feature not in features(manifest))
    yield from (f"no environment has the feature {feature}" for feature in features(manifest) if feature not in used)


@rule
def activated_variables_are_plain(manifest):
    """A dollar or a percent sign is expanded by some shells, and never by ./pixiw."""
    for table in features(manifest).values():
        if set(table.get("activation", {})) - {"env"}:
            yield "activation: ./pixiw knows env alone"
        for name, value in table.get("activation", {}).get("env", {}).items():
            if not isinstance(value, str) or re.search("[$%]", value):
                yield f"{name} = {value}"


# Dependencies


@rule
def condas_torch_is_pytorch(manifest):
    for feature, table in features(manifest).items():
        if "torch" in table.get("dependencies", {}):
            yield f"{feature}: conda's package is pytorch"
        if {"torch", "pytorch"} & set(table.get("pypi-dependencies", {})):
            yield f"{feature}: torch comes from conda-forge"


@rule
def every_conda_specification_parses_strictly(manifest):
    for table in features(manifest).values():
        for name, given in table.get("dependencies", {}).items():
            try:
                rattler.MatchSpec(f"{name} {specification(given)}", strict=True)
            except InvalidMatchSpecError as error:
                yield f"{name}: {error}"


@rule
def pixi_and_pyproject_ask_for_the_same(manifest):
    """A feature's dependencies are the extra of its name; the default feature's are the project's own."""
    extras = {"default": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    ours = {feature: asked_by_pixi(table) for feature, table in features(manifest).items()}
    for feature in {*extras, *(feature for feature, asked in ours.items() if asked)}:
        theirs = {}
        for requirement in map(Requirement, extras.get(feature, [])):
            name = canonicalize_name(requirement.name)
            theirs[CONDA_NAMES.get(name, name)] = requirement.specifier
        asked = ours.get(feature, {})
        for name in {*theirs, *asked}:
            if theirs.get(name) != asked.get(name):
                yield f"{feature}: {name}: pixi.toml {asked.get(name)}, pyproject.toml {theirs.get(name)}"


def asked_by_pixi(table: dict) -> dict[str, SpecifierSet | str]:
    asked = {}
    for name, given in {**table.get("dependencies", {}), **table.get("pypi-dependencies", {})}.items():
        try:
            asked[name] = SpecifierSet(specification(given).removeprefix("*"))
        except ValueError:
            asked[name] = specification(given)
    asked.pop("python", None)
    return asked


@rule
def pixis_python_is_one_of_pyprojects(manifest):
    for feature, table in features(manifest).items():
        python = specification(table.get("dependencies", {}).get("python", "" if feature == "default" else "3.12.*"))
        if not re.fullmatch(r"3\.\d+\.\*", python) or f"{python[:-2]}.0" not in SpecifierSet(
            PROJECT["requires-python"]
        ):
            yield f"{feature}: python = {python!r}"


@pytest.mark.parametrize("name", RULES)
def test_the_manifest_keeps_the_rule(name):
    assert list(RULES[name](MANIFEST)) == []


# What each rule has to catch: where, and what stands there instead (None: nothing). `A|B` reads as a path of keys.
MISTAKES = [
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", "python -m a && python -m b"),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", "python -m autograder ${STEP}"),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", "python -c 'print(1)'"),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", 'python "a b.py"'),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", "python a.py | more"),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", "python a.py > out"),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", "python puzzles/*.py"),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", "[ -f a ]"),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", "pytest"),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", "python3 a.py"),
    ("every_command_is_one_process_started_with_python", "tasks|check|cmd", ["python", "a.py"]),
    ("every_command_is_one_process_started_with_python", "tasks|new", "echo new"),
    ("no_command_is_a_template", "tasks|check|cmd", "python -m autograder check {{ step }}"),
    ("no_command_is_a_template", "feature|dev|tasks|test|cmd", "python {% if a %}"),
    ("no_task_has_typed_args", "tasks|check|args", ["step"]),
    ("no_task_is_cached", "tasks|check|inputs", ["steps/*.py"]),
    ("no_task_is_cached", "tasks|check|outputs", ["out"]),
    ("no_alias_drops_a_learners_arguments", "tasks|hugging-face-model", {"depends-on": ["huggingface"]}),
    ("no_alias_drops_a_learners_arguments", "feature|dev|tasks|pytest", {"depends-on": ["test"]}),
    ("a_task_depends_on_tasks_that_exist", "feature|dev|tasks|lint|depends-on", ["ruff-check", "mypy"]),
    ("a_task_name_lives_in_exactly_one_feature", "feature|dev|tasks|check", "python -m autograder check"),
    ("every_task_has_a_description", "tasks|check|description", None),
    ("every_task_has_a_description", "tasks|new", "python a.py"),
    ("a_task_has_no_other_keys", "tasks|check|cwd", "steps"),
    ("a_task_has_no_other_keys", "tasks|check|env", {"A": "1"}),
    ("a_task_has_no_other_keys", "target", {"win-64": {"tasks": {}}}),
    ("every_command_has_what_it_runs", "tasks|huggingface|cmd", "python huggingface.py"),
    ("every_command_has_what_it_runs", "tasks|check|cmd", "python -m autograder chekc"),
    ("every_command_has_what_it_runs", "tasks|check|cmd", "python -m autogarder check"),
    ("every_command_has_what_it_runs", "feature|dev|tasks|test|cmd", "python -m importlinter lint"),
    ("every_command_has_what_it_runs", "feature|dev|tasks|test|cmd", "python -m importlinter.api"),
    ("no_key_is_deprecated", "project", {"name": "x"}),
    ("no_key_is_deprecated", "system-requirements", {"cuda": "12"}),
    ("no_key_is_deprecated", "feature|dev|system-requirements", {"libc": "2.28"}),
    ("no_key_is_deprecated", "feature|dev|tasks|lint|depends_on", ["test"]),
    ("a_pixi_that_is_too_old_is_refused", "workspace|requires-pixi", None),
    ("a_pixi_that_is_too_old_is_refused", "workspace|requires-pixi", ">=0.9"),
    ("exclude_newer_is_a_full_timestamp", "workspace|exclude-newer", "2026-11-20"),
    ("exclude_newer_is_a_full_timestamp", "workspace|exclude-newer", "7d"),
    ("exclude_newer_is_a_full_timestamp", "workspace|exclude-newer", None),
    ("the_workspace_is_for_every_system_we_promise", "workspace|platforms", ["linux-64", "osx-arm64"]),
    ("the_workspace_is_for_every_system_we_promise", "workspace|channels", ["defaults"]),
    ("environments_and_features_match", "environments|dev", ["dve"]),
    ("environments_and_features_match", "environments|dev", None),
    ("activated_variables_are_plain", "activation|env|HERE", "$PIXI_PROJECT_ROOT"),
    ("activated_variables_are_plain", "activation|scripts", ["setup.sh"]),
    ("condas_torch_is_pytorch", "dependencies|torch", ">=2.8,<3"),
    ("condas_torch_is_pytorch", "pypi-dependencies", {"torch": ">=2.8,<3"}),
    ("every_conda_specification_parses_strictly", "dependencies|numpy", ">=2,<<3"),
    ("every_conda_specification_parses_strictly", "feature|dev|dependencies|ruff", {"version": "~>1"}),
    ("pixi_and_pyproject_ask_for_the_same", "dependencies|numpy", ">=1,<3"),
    ("pixi_and_pyproject_ask_for_the_same", "dependencies|numpy", "*"),
    ("pixi_and_pyproject_ask_for_the_same", "dependencies|numpy", None),
    ("pixi_and_pyproject_ask_for_the_same", "dependencies|scipy", ">=1,<2"),
    ("pixi_and_pyproject_ask_for_the_same", "dependencies|pytorch", ">=2.9,<3"),
    ("pixi_and_pyproject_ask_for_the_same", "feature|dev|dependencies|pytest", None),
    ("pixi_and_pyproject_ask_for_the_same", "feature|dev|pypi-dependencies|deno", ">=2,<3"),
    ("pixi_and_pyproject_ask_for_the_same", "feature|new", {"dependencies": {"scipy": ">=1"}}),
    ("pixis_python_is_one_of_pyprojects", "dependencies|python", "3.10.*"),
    ("pixis_python_is_one_of_pyprojects", "dependencies|python", None),
]


@pytest.mark.parametrize(("name", "where", "value"), MISTAKES, ids=[f"{where}={value}" for _, where, value in MISTAKES])
def test_a_mistake_is_caught(name, where, value):
    manifest = copy.deepcopy(MANIFEST)
    *above, last = where.split("|")
    table = manifest
    for key in above:
        table = table.setdefault(key, {})
    if value is None:
        del table[last]
    else:
        table[last] = value
    assert set(RULES[name](manifest)) - set(RULES[name](MANIFEST)) != set()


def test_every_rule_has_a_mistake_that_it_catches():
    assert {name for name, _, _ in MISTAKES} == set(RULES)


# constraints.txt


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_constraints_are_exact_pins_in_order():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==\d[\w.]*", line)] == []  # no +cpu, no ranges
    names = [line.split("==")[0] for line in lines]
    assert names == sorted(set(names))


def test_constraints_satisfy_pyproject():
    for requirement in map(Requirement, chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())):
        assert pins()[canonicalize_name(requirement.name)] in requirement.specifier, str(requirement)


def test_constraints_satisfy_pixi():
    pinned = {CONDA_NAMES.get(name, name): version for name, version in pins().items()}
    for table in features(MANIFEST).values():
        for name, given in table.get("dependencies", {}).items():
            if name != "python":
                asked = rattler.VersionSpec(specification(given))
                assert asked.matches(rattler.Version(pinned[name])), f"{name} {given}: {pinned[name]}"


def test_git_ignores_what_the_two_roads_leave():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".pixi/", ".venv/", ".autograder/"} <= set(ignored)
    assert "pixi.lock" in ignored or (ROOT / "pixi.lock").exists()


# pixi's own shell: what it makes of each command


@pytest.fixture(scope="session")
def shell(tmp_path_factory):
    """Return a function that runs a line in pixi's task shell, at a root, from a subfolder, with a probe as python."""
    root = tmp_path_factory.mktemp("shell")
    (root / "below").mkdir()
    probe = root / "bin" / "python"
    probe.parent.mkdir()
    body = "import json, os, sys\nprint(json.dumps([os.getcwd(), sys.argv[1:]]))\nsys.exit(int(os.environ['CODE']))\n"
    probe.write_text(f"#!{sys.executable}\n{body}")
    probe.chmod(0o755)
    environment = {
        "PATH": f"{probe.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(root),
        "DENO_DIR": str(root / "cache"),
        "DENO_NO_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
        # Were it to look for the network, it would find this closed door.
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }

    def run(line: str, *words: str, code: int = 0) -> subprocess.CompletedProcess:
        command = [deno.find_deno_bin(), "task", "--cwd", str(root), "--eval", line, *words]
        own = {**environment, "CODE": str(code)}
        return subprocess.run(command, cwd=root / "below", env=own, capture_output=True, text=True, check=False)

    run.root = root
    return run


@POSIX
@pytest.mark.parametrize("command", commands(MANIFEST))
def test_pixis_shell_runs_the_command_at_the_root_with_the_users_words(shell, command):
    done = shell(command, "--json", "two words", "ü")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [str(shell.root), [*command.split()[1:], "--json", "two words", "ü"]]


@POSIX
@pytest.mark.parametrize("code", [0, 1, 2, 3, 130])
def test_pixis_shell_passes_exit_codes_through(shell, code):
    assert shell(commands(MANIFEST)[0], code=code).returncode == code


def test_every_command_parses_in_pixis_shell(shell):
    for command in commands(MANIFEST):
        assert shell(f"exit 0\n{command}").returncode == 0, command


@pytest.mark.parametrize("line", ["python -m autograder (", 'python "a', "python a &&"])
def test_pixis_shell_refuses_what_it_cannot_parse(shell, line):
    done = shell(f"exit 0\n{line}")
    assert done.returncode == 1
    assert "Error parsing script" in done.stderr


def test_the_linter_reads_every_checker_and_no_desk():
    command = [sys.executable, "-m", "ruff", "check", "--show-files", "."]
    read = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    shown = {Path(line).relative_to(ROOT).as_posix() for line in read}
    assert {path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/steps/*.py")} <= shown
    assert not [name for name in shown if name.startswith(("steps/", "solutions/"))]
