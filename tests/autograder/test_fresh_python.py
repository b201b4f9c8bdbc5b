"""The processes that tests run code in end as Python's own do."""

import pytest


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("print('x')", (0, "x\n", "")),
        ("import sys\nprint('x', file=sys.stderr)\nsys.exit(3)", (3, "", "x\n")),
        ("raise SystemExit", (0, "", "")),
        ("import sys\nassert 'torch' in sys.modules\nprint(sys.argv, __name__)", (0, "['-c'] __main__\n", "")),
    ],
)
def test_it_ends_as_python_does(fresh_python, tmp_path, code, ended):
    assert fresh_python.run(code, tmp_path) == ended


def test_a_warning_is_an_error(fresh_python, tmp_path):
    done = fresh_python.run("import warnings\nwarnings.warn('old', stacklevel=1)", tmp_path)
    assert done.code == 1
    assert done.error.endswith("UserWarning: old\n")


def test_one_run_leaves_nothing_to_the_next_and_finds_the_folder(fresh_python, tmp_path):
    (tmp_path / "mine.py").write_text("x = 1\n", encoding="utf-8")
    code = "import os, mine, torch\nprint(mine.x, torch.rand(1).item())\nmine.x = torch.manual_seed(2)\n"
    assert fresh_python.run(code, tmp_path) == fresh_python.run(code, tmp_path)
    assert fresh_python.run("import mine", tmp_path.parent).code == 1
