"""How long a check takes as a whole process, beside what a user would pick instead, in one run on one machine.

    python benchmarks/latency.py --runs 5 --steps s01 s03

Of each step, finished in steps/ of a copy of the course and checked once before: `check s03` runs a second after the
file was saved with another text, as who saves, goes to the terminal and types does; `check s03, at once` in the moment
of saving; `check s03 --cold` without the warm server. All commands take turns, so that whatever else the machine is
doing falls on each of them. Prints; judges nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder import course as courses  # noqa: E402 - the root has to be on the path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograder.course import Step

NOTHING = "python -c pass"
TORCH = "import torch"
MODEL = "import torch, …modeling_gpt2"
CHECK = [sys.executable, "-m", "autograder", "check"]
BASELINES = {
    NOTHING: "pass",
    TORCH: "import torch",
    MODEL: "import torch, transformers.models.gpt2.modeling_gpt2",
}
VERBS = ("--help", "hint 1 1", "progress", "history 1", "reset 1 --yes", "undo 1")
VERB_BUDGET_MS = 150
# A warm check's budget is a part of TORCH, a cold one's of MODEL; step 01 imports no torch. The first line's is in
# milliseconds.
WARM_BUDGET, COLD_BUDGET, PLAIN_BUDGET = 0.10, 1.25, 0.20
FIRST_LINE_MS = 100
START_S = 120.0
AT_ONCE = ", at once"
COLD = " --cold"
# What a learner does between two checks takes longer than these: thinks and types, then saves, goes to the terminal.
THINKING_S, TYPING_S = 3.0, 1.0


class Budget(NamedTuple):
    """The part of another row's time that a row may take."""

    part: float
    of: str


class Run(NamedTuple):
    """The whole process, and its first byte of output; in milliseconds."""

    whole_ms: float
    first_ms: float


def timed(command: list[str], standing: Path = ROOT) -> Run:
    """Run a command once, the user standing in a folder. A process without output has its first byte at its end."""
    environment = {**os.environ, "PYTHONUTF8": "1", "HF_HUB_OFFLINE": "1", "INIT_CWD": str(standing)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's second run finds byte code
    environment.pop("CI", None)  # where there is no warm server
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        first = time.perf_counter()
        process.stdout.read()
        process.wait()
    return Run(1000 * (time.perf_counter() - start), 1000 * (first - start))


def checked(step: Step, desk: Path) -> dict[str, Run]:
    """Return the rows of a step whose finished code is checked, edited each time it is checked warm."""
    check = [*CHECK, step.task]
    file = desk / "steps" / f"{step.name}.py"
    name = f"check {step.task}"
    timed(check, desk)
    made = {}
    for row_name, typing_s in ((name, TYPING_S), (f"{name}{AT_ONCE}", 0.0)):
        time.sleep(THINKING_S)
        with file.open("a", encoding="utf-8") as text:
            text.write(f"# saved at {time.time_ns()}\n")
        time.sleep(typing_s)
        made[row_name] = timed(check, desk)
    time.sleep(THINKING_S)  # the server is at work for the next check
    return made | {f"{name}{COLD}": timed([*check, "--cold"], desk)}


@contextmanager
def warmed() -> Iterator[Path]:
    """Give a copy of the course, to be edited, with a warm server; then end the server."""
    with copied() as desk:
        server = [sys.executable, "-m", "autograder", "server"]
        standing = {**os.environ, "INIT_CWD": str(desk)}
        for finished in (desk / "solutions").glob("step_*.py"):
            text = finished.read_text(encoding="utf-8").replace("from solutions.", "from steps.")
            (desk / "steps" / finished.name).write_text(text, encoding="utf-8")
        timed([*CHECK, "1"], desk)
        deadline = time.monotonic() + START_S
        status = [*server, "status"]
        while b"is process" not in subprocess.run(status, cwd=ROOT, env=standing, capture_output=True).stdout:
            if time.monotonic() > deadline:
                sys.exit(f"no warm server was there after {START_S:.0f} seconds")
            time.sleep(0.2)
        yield desk
        subprocess.run([*server, "stop"], cwd=ROOT, env=standing, stdout=subprocess.DEVNULL, check=True)


@contextmanager
def copied() -> Iterator[Path]:
    """Give a copy of the course for as long as it is needed."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        shutil.copy(ROOT / "course.toml", desk)
        for name in ("puzzles", "steps", "solutions", "tests/steps"):
            shutil.copytree(ROOT / name, desk / name)
        yield desk


def medians(timings: dict[str, list[Run]]) -> dict[str, Run]:
    return {name: Run(*map(statistics.median, zip(*runs, strict=True))) for name, runs in timings.items()}


def budget(name: str, plain: set[str]) -> Budget | None:
    """Return what a row may take, None for a baseline."""
    if name in BASELINES:
        return None
    if not name.endswith(COLD):
        return Budget(WARM_BUDGET, TORCH)
    return Budget(PLAIN_BUDGET if name.split()[1] in plain else COLD_BUDGET, MODEL)


def row(name: str, run: Run, base: dict[str, Run], allowed: Budget | None) -> list[str]:
    cells = [name, f"{run.whole_ms:.0f}", *(f"{run.whole_ms / base[other].whole_ms:.2f}" for other in (TORCH, MODEL))]
    if allowed is None:
        return [*cells, "", "", "", ""]
    within = run.whole_ms <= allowed.part * base[allowed.of].whole_ms
    early = run.first_ms <= FIRST_LINE_MS
    of = "torch" if allowed.of == TORCH else "gpt2"
    first = [f"{run.first_ms:.0f}", f"{FIRST_LINE_MS} {'within' if early else 'OVER'}"]
    return [*cells, f"{allowed.part:.2f} {of}", "within" if within else "OVER", *first]


def verbs(runs: int) -> str:
    """Return the table of a learner's other verbs, in a copy of the course: they remember, and write."""
    with copied() as desk:
        (desk / "steps" / "step_01.py").write_text("x = 1\n", encoding="utf-8")
        named = {NOTHING: [sys.executable, "-c", "pass"]}
        named |= {verb: [sys.executable, "-m", "autograder", *verb.split()] for verb in VERBS}
        timings: dict[str, list[Run]] = {name: [] for name in named}
        for counted in range(runs + 1):
            for name, command in named.items():
                run = timed(command, desk)
                if counted:  # the first round leaves the byte code behind
                    timings[name].append(run)
    rows = [["", "ms", "budget"]]
    for name, run in medians(timings).items():
        allowed = (
            "" if name == NOTHING else f"{VERB_BUDGET_MS} {'within' if run.whole_ms <= VERB_BUDGET_MS else 'OVER'}"
        )
        rows.append([name, f"{run.whole_ms:.0f}", allowed])
    return table(rows)


def table(rows: list[list[str]]) -> str:
    """Return the rows in columns, names to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for cells in rows:
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        lines.append("  ".join([cells[0].ljust(widths[0]), *rest]).rstrip())
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of each command (default 5)")
    parser.add_argument("--steps", nargs="*", metavar="STEP", help="s01 s03 …; all that are ready when left out")
    options = parser.parse_args()
    course = courses.load(ROOT)
    ready = [step for step in course.steps if not course.is_planned(step)]
    chosen = [course.find(name) for name in options.steps] if options.steps else ready
    plain = {step.task for step in ready if "torch" not in course.puzzle(step).read_text(encoding="utf-8")}

    timings: dict[str, list[Run]] = {}
    with warmed() as desk:
        for _ in range(max(options.runs, 1)):
            runs = {name: timed([sys.executable, "-c", code]) for name, code in BASELINES.items()}
            for step in chosen:
                runs |= checked(step, desk)
            for name, run in runs.items():
                timings.setdefault(name, []).append(run)

    found = medians(timings)
    head = ["", "ms", "/ torch", "/ gpt2", "budget", "", "first ms", "budget"]
    print(f"Medians of {max(options.runs, 1)}; Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    print(table([head, *(row(name, run, found, budget(name, plain)) for name, run in found.items())]))
    print()
    print(verbs(max(options.runs, 1)))


if __name__ == "__main__":
    main()
