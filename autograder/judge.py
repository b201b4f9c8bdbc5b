"""The judge: reads a learner's file, asks the checks of its step, and makes the report. Owns the verdict.

It imports no learner code and believes nothing but values: whatever a worker says, a check compares, and a check that
gave no verdict is `internal`.
"""

from __future__ import annotations

import ast
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autograder import checking, trouble, wire
from autograder.draw import Draw, new_seed
from autograder.report import CheckResult, Printed, Report, StepName, Timing, Where, worst
from autograder.student import Desk, Missing, Program, StudentRaised, student
from autograder.submission import Submission, Unreadable, read, strangers
from autograder.supervisor import Ended, Limits, ProtocolBroken

if TYPE_CHECKING:
    from autograder.checking import Check, Checker
    from autograder.course import Course, Step
    from autograder.nursery import Kind, Nursery
    from autograder.report import Outcome

_MAX_TIMEOUTS = 2


class Order(NamedTuple):
    """What is to be judged: a step, and the file that is in its place when it is not the tree's own."""

    step: Step
    tree: str = "steps"
    file: Path | None = None
    shown: str = ""
    seed: str | None = None
    road: str = "pixi run"
    started: float = 0.0


class Verdict(NamedTuple):
    """What the run of a program gave."""

    checks: list[CheckResult]
    seed: str
    output: Printed


def judge(course: Course, order: Order, nursery: Nursery, limits: Limits | None = None) -> Report:
    """Return the report of a step.

    Errors: CourseError, when the course's own files are broken; InternalError, when no worker can be had.
    """
    started = order.started or time.monotonic()
    path = order.file or course.stub(order.step, order.tree)
    shown = order.shown or f"{order.tree}/{order.step.name}.py"
    kind = _kind(course, order.step)
    nursery.prepare(kind)  # its imports go on beside our own
    checker = checking.read_checker(course.checker(order.step))
    try:
        submission = read(course, path, shown)
    except Unreadable as error:
        verdict = _unreadable(checker, error, order)
    else:
        verdict = _Run(checker, submission, order, nursery, kind, limits or Limits()).verdict()
    outcome = worst([result.outcome for result in verdict.checks])
    return Report(
        step=StepName(order.step.number, order.step.slug, order.step.title),
        outcome=outcome,
        tree=order.tree,
        file=shown,
        seed=verdict.seed,
        checks=verdict.checks,
        output=verdict.output,
        next=_next(course, order, outcome, shown),
        versions=_versions(kind),
        timing=Timing(round((time.monotonic() - started) * 1000), "cold"),
        notes=strangers(path.parent),
    )


class _Run:
    """One run of one program through all checks of its step."""

    def __init__(
        self, checker: Checker, submission: Submission, order: Order, nursery: Nursery, kind: Kind, limits: Limits
    ) -> None:
        self._checker = checker
        self._submission = submission
        self._seed = order.seed
        name = order.step.name
        names = [f"{tree}.{name}" for tree in ("steps", "solutions")]
        module = wire.Module(names, submission.shown, submission.source.text)
        self._desk = Desk(nursery, Program([module], checker.ban, kind), limits)
        self._unfinished = False
        self._answered = False
        self._timeouts = 0
        self._forbidden_call: trouble.Trouble | None = None

    def verdict(self) -> Verdict:
        loading = self._load()
        seed = self._seed or new_seed()  # drawn after the learner's code was loaded
        results: dict[str, CheckResult] = {}
        for check in self._checker.checks:
            if check.forbids is None:
                result = self._check(check, loading, seed)
                if result is not None:
                    results[check.id] = result
        broken = self._desk.finish()
        if isinstance(broken, ProtocolBroken):
            results = {name: self._broken(result, broken) for name, result in results.items()}
        for check in self._checker.checks:
            if check.forbids is not None:
                results[check.id] = self._forbids(check, loading)
        return Verdict(self._lines(results), seed, Printed(self._desk.output.text, self._desk.output.bytes))

    def _lines(self, results: dict[str, CheckResult]) -> list[CheckResult]:
        """Return a result for every declared check, and for the others those that tell something new."""
        declared = [check for check in self._checker.checks if check.declared]
        lines = [results.get(check.id) or _no_verdict(check) for check in declared]
        told = {_reasons(line) for line in lines}
        others = [result for result in results.values() if not result.declared and _reasons(result) not in told]
        return lines + others

    def _load(self) -> trouble.Trouble | None:
        if all(check.static for check in self._checker.checks):
            return None
        try:
            self._desk.open()
        except StudentRaised as error:
            return trouble.of_exception(error)
        except Ended as ended:
            return trouble.of_ended(ended, "")
        return None

    def _check(self, check: Check, loading: trouble.Trouble | None, seed: str) -> CheckResult | None:
        """Return a check's result; None for an undeclared one that did not run, or passed."""
        if loading is not None and not check.static:
            return self._troubled(check, loading) if check.declared else None
        if self._timeouts >= _MAX_TIMEOUTS and not check.static:
            says = ("not tried: your code did not come back from the calls before",)
            return self._troubled(check, trouble.Trouble("timeout", "a time-out", says)) if check.declared else None
        result = self._ask(check, seed)
        return result if check.declared or result.outcome != "passed" else None

    def _ask(self, check: Check, seed: str) -> CheckResult:
        assert check.run is not None
        try:
            check.run(**self._resources(check, seed))
            if not check.static:
                self._desk.forget()
        except checking.Failed as failed:
            self._answered = self._answered or failed.compared
            return self._failed(check, failed)
        except Missing as missing:
            return self._troubled(check, trouble.Trouble("failed", "nothing of that name", (str(missing),)))
        except StudentRaised as error:
            return self._troubled(check, trouble.of_exception(error))
        except Ended as ended:
            self._timeouts += ended.outcome == "timeout"
            return self._troubled(check, trouble.of_ended(ended, self._desk.call))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - what a checker raises is the course's fault
            return self._internal(check, error)
        self._answered = self._answered or not check.static
        return CheckResult(check.id, "passed", check.passed, declared=check.declared)

    def _resources(self, check: Check, seed: str) -> dict[str, Any]:
        draw = Draw(seed, check.id)
        made: dict[str, Any] = {}
        for want in check.wants:
            if want == "student":
                made[want] = student(self._desk)
            elif want == "oracle":
                from autograder.oracle import Oracle

                made[want] = Oracle(draw)
            elif want == "draw":
                made[want] = draw
            elif want == "source":
                made[want] = self._submission.source
            else:
                made[want] = check.item
        return made

    # ------------------------------------------------------------------------------------------------------ results

    def _failed(self, check: Check, failed: checking.Failed) -> CheckResult:
        found = failed.found
        told = "{got}" in check.failed  # then the line itself says what was got, and does not give the answer away
        where = None
        if failed.where is not None:
            where = self._where(failed.where.line, failed.where.column)
        return CheckResult(
            check.id,
            "failed",
            checking.fill(check.failed, got=found.got),
            expected=None if told else found.expected or None,
            got=found.got or None,
            where=where,
            detail=list(found.detail),
            call=None if check.static else self._desk.call or None,
            declared=check.declared,
        )

    def _troubled(self, check: Check, what: trouble.Trouble) -> CheckResult:
        self._unfinished = self._unfinished or what.unfinished
        if what.got.startswith("a call of"):
            self._forbidden_call = what
        where = self._where(what.frame.line) if what.frame is not None else None
        return CheckResult(
            check.id,
            what.outcome,
            checking.fill(check.failed, got=what.got),
            got=what.got,
            where=where,
            detail=list(what.detail),
            call=what.call,
            declared=check.declared,
        )

    def _internal(self, check: Check, error: BaseException) -> CheckResult:
        line = _line_in(error, self._checker.path)
        place = f"{self._checker.path.name}:{line}" if line else self._checker.path.name
        says = f"the course itself is at fault, not your code: {place}: {type(error).__name__}: {error}"
        return CheckResult(
            check.id, "internal", checking.fill(check.failed, got="no verdict"), detail=[says], declared=check.declared
        )

    def _broken(self, result: CheckResult, broken: Ended) -> CheckResult:
        check = next(check for check in self._checker.checks if check.id == result.id)
        if check.static or result.outcome != "passed":
            return result
        return self._troubled(check, trouble.of_ended(broken, ""))

    def _forbids(self, check: Check, loading: trouble.Trouble | None) -> CheckResult:
        rule = check.forbids
        assert rule is not None
        uses = self._submission.source.uses(rule.names, rule.within)
        if uses:
            found = uses[0]
            says = [f"{found.dotted} is what this step is about: write it yourself"]
            where = self._where(found.place.line, found.place.column)
            return CheckResult(
                check.id, "failed", checking.fill(check.failed, got=found.dotted), detail=says, where=where
            )
        if self._forbidden_call is not None:
            return self._troubled(check, self._forbidden_call)
        if loading is not None:
            return self._troubled(check, loading)
        if self._unfinished or not self._answered:
            says = ["this counts once your code has run"]
            return CheckResult(check.id, "failed", checking.fill(check.failed, got="nothing yet"), detail=says)
        return CheckResult(check.id, "passed", check.passed)

    def _where(self, line: int, column: int = 1) -> Where:
        lines = self._submission.source.lines
        text = lines[line - 1].rstrip("\r\n") if 0 < line <= len(lines) else ""
        return Where(self._submission.shown, line, column, text[:200])


def _no_verdict(check: Check) -> CheckResult:
    return CheckResult(check.id, "internal", check.failed, detail=["no verdict was given"])


def _reasons(result: CheckResult) -> tuple[str, ...]:
    return (result.outcome, result.expected or "", *result.detail)


def _unreadable(checker: Checker, error: Unreadable, order: Order) -> Verdict:
    def result(check: Check) -> CheckResult:
        got = "a file that cannot be read" if error.where is None else "a syntax error"
        message = checking.fill(check.failed, got=got)
        return CheckResult(check.id, "bad_input", message, got=got, where=error.where, detail=[error.sentence])

    declared = [check for check in checker.checks if check.declared]
    return Verdict([result(check) for check in declared], order.seed or new_seed(), Printed("", 0))


def _kind(course: Course, step: Step) -> Kind:
    """Return what a worker of this step has imported beforehand: torch, where the finished step imports it."""
    tree = ast.parse(course.puzzle(step).read_bytes())
    roots = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    roots |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return "torch" if any(name.partition(".")[0] == "torch" for name in roots) else "plain"


def _next(course: Course, order: Order, outcome: Outcome, shown: str) -> str:
    task = order.step.task
    if outcome == "internal":
        return f"{order.road} doctor"
    if outcome != "passed" or order.file is not None or order.tree != "steps":
        again = f"{order.road} {task}"
        return f"edit {shown}, then {again}" if outcome != "passed" and order.file is None else again
    later = [step for step in course.steps if step.number > order.step.number and not course.is_planned(step)]
    return f"{order.road} {later[0].task}" if later else "this was the last step: all there is, you have written"


def _versions(kind: Kind) -> dict[str, str]:
    from autograder.versions import installed

    names = ["transformers"] if kind == "plain" else ["torch", "transformers"]
    return {"python": ".".join(map(str, sys.version_info[:3]))} | installed(names)


def _line_in(error: BaseException, path: Path) -> int | None:
    line, step = None, error.__traceback__
    while step is not None:
        if Path(step.tb_frame.f_code.co_filename) == path:
            line = step.tb_lineno
        step = step.tb_next
    return line
