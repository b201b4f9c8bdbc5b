"""The benchmark prints its table; how fast this machine is, no test asks."""

import importlib.util
import re
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def latency(monkeypatch):
    """The benchmark, with a process that does nothing in place of the slow imports."""
    spec = importlib.util.spec_from_file_location("latency", ROOT / "benchmarks" / "latency.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "BASELINES", dict.fromkeys(module.BASELINES, "pass"))
    monkeypatch.setattr(module, "THINKING_S", 0.1)
    monkeypatch.setattr(module, "TYPING_S", 0.1)
    with tempfile.TemporaryDirectory(prefix="ag-") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        yield module


def test_the_benchmark_prints_a_row_a_command(latency, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["latency.py", "--runs", "1", "--steps", "s01"])
    latency.main()
    first, second = capsys.readouterr().out.split("\n\n")
    rows = first.splitlines()[2:]
    names = ["python -c pass", "import torch", "import torch, …modeling_gpt2"]
    names += ["check s01", "check s01, at once", "check s01 --cold"]
    assert [re.split(r"\s{2,}", row)[0] for row in rows] == names
    assert [re.split(r"\s{2,}", row)[0] for row in second.splitlines()[1:]] == ["python -c pass", *latency.VERBS]
    assert all(re.search(r" \d+ +150 (within|OVER)$", row) for row in second.splitlines()[2:])
    rest = r" +(within|OVER) +\d+ +100 (within|OVER)$"
    for row in rows[-3:-1]:
        assert re.search(r"s01(, at once)? +\d+ +\d+\.\d\d +\d+\.\d\d +0\.10 torch" + rest, row)
    assert re.search(r"--cold +\d+ +\d+\.\d\d +\d+\.\d\d +0\.20 gpt2" + rest, rows[-1])


def test_the_budgets_are_those_of_the_design(latency):
    base = {latency.TORCH: latency.Run(1000, 0), latency.MODEL: latency.Run(4000, 0)}
    warm, plain, cold = (
        latency.budget(name, {"s01"}) for name in ("check s03", "check s01 --cold", "check s03 --cold")
    )
    assert latency.budget("check s03, at once", {"s01"}) == warm
    assert (warm, plain, cold) == ((0.10, latency.TORCH), (0.20, latency.MODEL), (1.25, latency.MODEL))
    assert latency.budget(latency.TORCH, {"s01"}) is None
    assert latency.row("check s03", latency.Run(100, 100), base, warm)[1:] == [
        *("100", "0.10", "0.03", "0.10 torch", "within", "100", "100 within")
    ]
    assert latency.row("check s03", latency.Run(101, 101), base, warm)[4:] == ["0.10 torch", "OVER", "101", "100 OVER"]
    assert latency.row("check s03", latency.Run(5001, 9), base, cold)[4:] == ["1.25 gpt2", "OVER", "9", "100 within"]


def test_what_is_timed_is_the_whole_process_and_its_first_byte(latency):
    code = "import time; time.sleep(0.2); print(1, flush=True); time.sleep(0.2)"
    run = latency.timed([sys.executable, "-c", code])
    assert 200 <= run.first_ms <= run.whole_ms
    assert run.whole_ms >= 400
