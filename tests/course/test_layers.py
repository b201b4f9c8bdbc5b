"""The direction of imports: it holds, and each contract notices when it does not."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What may be imported; the contract of that name has to forbid all the rest.
ALONE = {
    "worker": {"worker", "wire", "values"},
    "wire": {"wire", "values"},
    "views": {"views", "report", "progress", "errors", "files", "course", "pack"},
    "source": {"source", "names", "flow", "bindings"},
    "course": {"course", "errors", "pack", "root"},
    "oracle": {"oracle", "draw", "errors"},
}
# An import for each contract to catch: the file, and the line that is added to it.
FORBIDDEN = {
    "layers": ("report.py", "from autograder import judge"),
    "no_code_in_data": ("worker/fields.py", "import pickle"),
    "worker": ("worker/ban.py", "from autograder import course"),
    "wire": ("wire.py", "from autograder.errors import UsageError"),
    "views": ("views/plain.py", "def later():\n    from autograder import judge"),
    "source": ("flow.py", "from autograder import report"),
    "course": ("course.py", "import typing\nif typing.TYPE_CHECKING:\n    from autograder import report"),
    "oracle": ("oracle/modules.py", "from autograder import student"),
}


def contracts():
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    prefix = "importlinter:contract:"
    return {name.removeprefix(prefix): parser[name] for name in parser.sections() if name.startswith(prefix)}


@pytest.fixture
def lint(tmp_path):
    """Return a function that runs the linter over a copy of the engine, and gives its exit code and who is broken."""
    shutil.copy(ROOT / ".importlinter", tmp_path)
    shutil.copytree(ROOT / "autograder", tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, str(ROOT / "tests" / "lint_imports.py")]

    def linted():
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)
        assert "Contracts: " in done.stdout, done.stdout + done.stderr
        return done.returncode, set(re.findall(r"^(.+) BROKEN$", done.stdout, re.MULTILINE)), done.stdout

    return linted


def test_the_direction_of_imports_holds(lint):
    code, broken, output = lint()
    assert (code, broken) == (0, set()), output


def test_every_contract_catches_an_import_that_it_forbids(lint, tmp_path):
    for name, line in FORBIDDEN.values():
        with (tmp_path / "autograder" / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    code, broken, output = lint()
    assert code == 1
    assert broken == {contract["name"] for contract in contracts().values()}, output


def test_a_module_without_a_place_is_noticed(lint, tmp_path):
    (tmp_path / "autograder" / "newcomer.py").write_text('"""New."""\n', encoding="utf-8")
    code, broken, output = lint()
    assert (code, broken) == (1, {contracts()["layers"]["name"]})
    assert "autograder.newcomer" in output


def test_every_contract_has_an_import_that_it_catches():
    assert set(FORBIDDEN) == set(contracts()) == {"layers", "no_code_in_data", *ALONE}


@pytest.mark.parametrize("name", ALONE)
def test_what_imports_little_may_import_nothing_else(name):
    found = (ROOT / "autograder").iterdir()
    modules = {path.stem for path in found if path.suffix == ".py" or (path / "__init__.py").is_file()} - {"__init__"}
    forbidden = contracts()[name]["forbidden_modules"].split()
    assert {module.removeprefix("autograder.") for module in forbidden} == modules - ALONE[name]
