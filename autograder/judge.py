"""The judge: reads a learner's file, has it run alone and in the chain, and makes the report. Owns the verdict.

It imports no learner code and believes nothing but values: whatever a worker says, a check compares, and a check that
gave no verdict is `internal`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec import structs

from autograder import checking, counterexample, instead
from autograder.bench import Bench
from autograder.beside import Beside, Wanted
from autograder.diagnosis import diagnose, told
from autograder.draw import new_seed
from autograder.kinds import import_beside, kind_of
from autograder.report import CheckResult, InTheChain, Printed, Report, StepName, Timing
from autograder.run import Verdict
from autograder.submission import Unreadable, read, strangers
from autograder.supervisor import Limits, calibrated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from autograder import wire
    from autograder.chain import Blame
    from autograder.checking import Check, Checker
    from autograder.course import Course, Step
    from autograder.diagnosis import Known
    from autograder.nursery import Kind, Nursery
    from autograder.report import Outcome
    from autograder.student import Program


class Order(NamedTuple):
    """What is to be judged: a step, and the file that is in its place when it is not the tree's own."""

    step: Step
    tree: str = "steps"
    file: Path | None = None
    shown: str = ""
    seed: str | None = None
    road: str = "pixi run"
    started: float = 0.0
    worker: Literal["cold", "warm"] = "cold"
    beside: Beside | None = None  # a process that makes the run in the chain, where one is ready
    diagnose: bool = True  # say which known mistake it is
    known: Known | None = None  # says what the known mistakes show, where they have been played before
    ran: Callable[[str], Verdict] | None = None  # gives the run alone with a seed, where it has been made before


class Judged(NamedTuple):
    """The report, and what it takes to make the first failing call again: for `check --debug`."""

    report: Report
    data: bytes | None = None  # the file as it was judged: it may have been replaced meanwhile
    program: Program | None = None
    first_failure: Sequence[wire.Verb] = ()
    unfinished: bool = False  # a part of the stub is still to be done


def judge(course: Course, order: Order, nursery: Nursery, limits: Limits | None = None) -> Report:
    """Return the report of a step.

    Errors: CourseError, when the course's own files are broken; InternalError, when no worker can be had.
    """
    return judged(course, order, nursery, limits).report


def judged(course: Course, order: Order, nursery: Nursery, limits: Limits | None = None) -> Judged:
    """Return the report of a step, and its first failing call.

    Errors: as `judge`.
    """
    started = order.started or time.monotonic()
    path = order.file or course.stub(order.step, order.tree)
    shown = order.shown or f"{order.tree}/{order.step.name}.py"
    checker = checking.of_step(course, order.step)
    kind = kind_of(course, order.step, checker)
    blame, program, notes = None, None, strangers(path.parent)
    try:
        submission = read(course, path, shown)
    except Unreadable as error:
        verdict, data = _unreadable(checker, error, order), error.data
    else:
        if kind == "meta" and submission.source.raises("NotImplementedError"):
            kind = "torch"  # a file that is not finished is soon told so
        import_beside(nursery, kind)
        limits = limits or calibrated(Limits())
        bench = Bench(course, order.step, order.tree, checker, submission, nursery, limits, kind)
        program, data = bench.program(), submission.data
        verdict, blame = _verdict(bench, order, nursery, limits)
        if order.diagnose:
            found = diagnose(bench, verdict, order.known, order.ran)
            notes += found.notes
            verdict = told(bench, verdict, found) if found.mistakes else _with_laws(bench, verdict, notes)
        if verdict.outcome == "failed":
            is_own = order.file is None and order.tree == "steps"
            reset = f"{order.road} reset {order.step.task}" if is_own else ""
            notes += filter(None, [instead.sentence(course, order.step, submission.source, reset)])
    report = _report(course, order, verdict, blame, shown, kind, notes, started)
    return Judged(report, data, program, verdict.first_failure, verdict.unfinished)


def timed(found: Judged, started: float) -> Judged:
    """Return what was found before anybody asked, with the time since somebody did."""
    timing = Timing(_since(started), "ahead")
    return found._replace(report=structs.replace(found.report, timing=timing))


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _with_laws(bench: Bench, verdict: Verdict, notes: list[str]) -> Verdict:
    """Say at the first failure which laws the file breaks, where its values were compared and have no known name."""
    compared = [name for name, shown in verdict.evidence.items() if shown.values is not None]
    if verdict.unfinished or not compared or not bench.checker.laws:
        return verdict
    found = counterexample.search(bench, verdict.seed)
    notes += [f"the course itself is at fault here: {note}" for note in found.notes]
    checks = list(verdict.checks)
    at = next(index for index, result in enumerate(checks) if result.outcome != "passed")
    laws = [f"law: {text}" for text in found.broken.values()]
    checks[at] = structs.replace(checks[at], detail=[*checks[at].detail, *laws])
    return verdict._replace(checks=checks)


def _verdict(bench: Bench, order: Order, nursery: Nursery, limits: Limits) -> tuple[Verdict, Blame | None]:
    """Return what the step gives alone, and, where only the chain fails, who is to blame."""
    if order.ran and order.seed:
        return _blamed(bench, order, nursery, limits, order.ran(order.seed), lambda _: None)
    seed = order.seed
    likely = bench.chain.dependencies(bench.checker.asks)
    with contextlib.ExitStack() as stack:
        beside = None
        if order.worker == "warm" and likely:  # cold, both would import the oracle
            seed = seed or new_seed()
            beside = _free(order.beside) or stack.enter_context(Beside(nursery, limits))
            stack.callback(beside.abandon)
            beside.begin(_wanted(bench, likely, seed))

        def made(own: Sequence[Step]) -> Verdict | None:
            return beside.verdict() if beside is not None and own == likely else None

        return _blamed(bench, order, nursery, limits, bench.run().verdict(seed), made)


def _free(beside: Beside | None) -> Beside | None:
    return beside if beside is not None and beside.is_free else None


def _wanted(bench: Bench, own: Sequence[Step], seed: str) -> Wanted:
    submission = bench.submission
    root, slugs = os.fsencode(bench.course.root), [step.slug for step in own]
    return Wanted(root, bench.step.slug, bench.tree, submission.shown, submission.data, slugs, seed)


def _blamed(
    bench: Bench,
    order: Order,
    nursery: Nursery,
    limits: Limits,
    alone: Verdict,
    made: Callable[[Sequence[Step]], Verdict | None],
) -> tuple[Verdict, Blame | None]:
    """Return what a step gives alone, and what the chain adds; `made` gives a run that another process has made."""
    needed = bench.chain.dependencies(alone.asked)
    if not needed:
        return alone, None

    def run(own: Sequence[Step], hurried: bool) -> Verdict:
        return made(own) or bench.run(own, hurried=hurried).verdict(alone.seed)

    def is_right(step: Step) -> bool:
        return _is_right(bench, step, order, nursery, limits)

    if alone.outcome == "passed":
        return alone, bench.chain.blame(needed, run, is_right)
    if alone.outcome == "error" and run(needed, False).outcome == "passed":
        return _leans(alone, needed), None
    return alone, None


def _is_right(later: Bench, step: Step, order: Order, nursery: Nursery, limits: Limits) -> bool:
    """Return whether an earlier step of the learner's passes by itself, in a worker of the kind that is there."""
    course = later.course
    try:
        submission = read(course, course.stub(step, order.tree), step.name)
    except Unreadable:
        return False
    checker = checking.of_step(course, step)
    bench = Bench(course, step, order.tree, checker, submission, nursery, limits, later.kind)
    return bench.run().verdict(order.seed).outcome == "passed"


def _leans(alone: Verdict, needed: Sequence[Step]) -> Verdict:
    """Say at the first failure that the file runs with the learner's own earlier steps only."""
    names = " and ".join(f"step {step.id}" for step in needed)
    says = f"with your own {names} it passes: it leans on something there that no step's text promises"
    first = next(index for index, result in enumerate(alone.checks) if result.outcome == "error")
    checks = list(alone.checks)
    checks[first] = structs.replace(checks[first], detail=[*checks[first].detail, says])
    return alone._replace(checks=checks)


def _report(
    course: Course,
    order: Order,
    verdict: Verdict,
    blame: Blame | None,
    shown: str,
    kind: Kind,
    notes: list[str],
    started: float,
) -> Report:
    outcome = "blocked" if blame is not None else verdict.outcome
    return Report(
        step=StepName(order.step.number, order.step.slug, order.step.title),
        outcome=outcome,
        tree=order.tree,
        file=shown,
        seed=verdict.seed,
        checks=verdict.checks,
        output=verdict.output,
        next=_next(course, order, outcome, shown, blame),
        versions=_versions(kind),
        timing=Timing(_since(started), order.worker),
        notes=notes,
        blocked_by=[step.slug for step in blame.steps] if blame else [],
        chain=InTheChain(blame.verdict.outcome, blame.verdict.checks) if blame else None,
        blamed=[f"step {step.id}" for step in blame.steps] if blame else [],
    )


def _unreadable(checker: Checker, error: Unreadable, order: Order) -> Verdict:
    def result(check: Check) -> CheckResult:
        got = "a file that cannot be read" if error.where is None else "a syntax error"
        message = checking.untried(check, got)
        return CheckResult(check.id, "bad_input", message, got=got, where=error.where, detail=[error.sentence])

    declared = [check for check in checker.checks if check.declared]
    return Verdict([result(check) for check in declared], order.seed or new_seed(), Printed("", 0))


def _next(course: Course, order: Order, outcome: Outcome, shown: str, blame: Blame | None) -> str:
    task = order.step.task
    if outcome == "internal":
        return f"{order.road} doctor"
    if blame is not None:
        return f"{order.road} {blame.steps[0].task}"
    again = f"{order.road} {task}"
    if order.file is not None or order.tree != "steps":
        return again
    if outcome in ("failed", "error"):
        return f"edit {shown}, then {again}; or {order.road} hint {task}"
    if outcome != "passed":
        return f"edit {shown}, then {again}"
    later = [step for step in course.steps if step.number > order.step.number and not course.is_planned(step)]
    ended = next((number for number, steps in course.ready_parts().items() if steps[-1] == order.step), None)
    if ended is not None and len(course.steps) > 1:  # in a single step there is nothing to hunt through
        further = f"; or go on with {order.road} {later[0].task}" if later else ""
        return f"{order.road} bug{ended}: all of it with one mistake, for you to find{further}"
    return f"{order.road} {later[0].task}" if later else "this was the last step: all there is, you have written"


def _versions(kind: Kind) -> dict[str, str]:
    from autograder.versions import installed

    names = ["transformers"] if kind == "plain" else ["torch", "transformers"]
    return {"python": ".".join(map(str, sys.version_info[:3]))} | installed(names)
