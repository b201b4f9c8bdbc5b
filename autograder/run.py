"""One run of one program through all checks of its step: what each check found, in the order of the report's lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs

from autograder import checking, comparing, difference, returns, trouble
from autograder.draw import Draw, new_seed
from autograder.evidence import Evidence
from autograder.report import QUOTED, CheckResult, Outcome, Printed, Where, worst
from autograder.source import loops_around
from autograder.student import Desk, Missing, StudentRaised, student
from autograder.supervisor import Ended, Limits, ProtocolBroken

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Mapping, Sequence

    from autograder import wire
    from autograder.checking import Check, Checker
    from autograder.nursery import Nursery
    from autograder.source import Source
    from autograder.student import Program


class Verdict(NamedTuple):
    """What the run of a program gave; `asked` are the earlier steps that the checks asked for, by slug."""

    checks: list[CheckResult]
    seed: str
    output: Printed
    asked: frozenset[str] = frozenset()
    first_failure: Sequence[wire.Verb] = ()
    evidence: Mapping[str, Evidence] = {}  # of the checks that did not pass
    unfinished: bool = False

    @property
    def outcome(self) -> Outcome:
        return worst([result.outcome for result in self.checks])


class Run:
    """One run of one program through all checks of its step."""

    def __init__(
        self,
        checker: Checker,
        program: Program,
        source: Source,
        texts: Mapping[str, Sequence[str]],
        nursery: Nursery,
        limits: Limits,
        desk: Desk | None = None,
    ) -> None:
        """Make ready; `desk` is one that is lent, of the same program, for several runs one after another."""
        self._checker = checker
        self._source = source
        self._texts = texts  # the lines of each file of the program, by the name that it bears in a traceback
        self._shown = program.modules[-1].filename
        self._references = {
            module.filename for module in program.modules[:-1] if module.filename.startswith("solutions/")
        }
        self._is_lent = desk is not None
        self._desk = desk or Desk(nursery, program, limits)
        self._unfinished = False
        self._obstacles: set[tuple[str, ...]] = set()  # what kept checks from their own question
        self._answered = False
        self._timed_out = False
        self._forbidden_call: trouble.Trouble | None = None
        self._first_failure: Sequence[wire.Verb] = ()
        self.evidence: dict[str, Evidence] = {}  # of the checks that did not pass so far, by id

    def verdict(self, seed: str | None) -> Verdict:
        """Ask every check; draw a seed when none is given."""
        loading = self._load()
        seed = seed or new_seed()  # drawn after the learner's code was loaded
        results = {result.id: result for result in self._asked(self._checker.checks, loading, seed)}
        broken = self._desk.settle() if self._is_lent else self._desk.finish()
        if isinstance(broken, ProtocolBroken):
            results = {name: self._broken(result, broken) for name, result in results.items()}
        results |= {result.id: result for result in self._forbidden(loading)}
        printed = Printed(self._desk.output.text, self._desk.output.bytes)
        return Verdict(
            self._lines(results),
            seed,
            printed,
            frozenset(self._desk.asked),
            self._first_failure,
            self.evidence,
            self._unfinished,
        )

    def results(self, seed: str, first: Collection[str] = ()) -> Generator[CheckResult]:
        """Yield what each check finds, as it comes; `first` are asked before the others. Whoever has enough stops."""
        try:
            loading = self._load()
            yield from self._asked(sorted(self._checker.checks, key=lambda check: check.id not in first), loading, seed)
            yield from self._forbidden(loading)
        finally:
            if not self._is_lent:
                self._desk.leave()

    def _asked(self, checks: Sequence[Check], loading: trouble.Trouble | None, seed: str) -> Iterator[CheckResult]:
        for check in checks:
            result = self._check(check, loading, seed) if check.forbids is None else None
            if result is not None:
                yield result

    def _forbidden(self, loading: trouble.Trouble | None) -> Iterator[CheckResult]:
        """Yield what is found of the bans, which count only once all other checks have run the code."""
        for check in self._checker.checks:
            if check.forbids is not None:
                result = self._forbids(check, loading)
                if result.outcome != "passed":
                    self.evidence[check.id] = Evidence(result.outcome, (result.got, *result.detail))
                yield result

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
            return trouble.of_exception(error, self._references)._replace(untried=True)
        except Ended as ended:
            return self._ended(ended, "")._replace(untried=True)
        return None

    def _check(self, check: Check, loading: trouble.Trouble | None, seed: str) -> CheckResult | None:
        """Return a check's result; None for an undeclared one that did not run, or passed."""
        if loading is not None and not check.static:
            return self._troubled(check, loading) if check.declared else None
        if self._timed_out and not check.static:  # once is enough to wait for
            says = ("your code did not come back from the call before",)
            untried = trouble.Trouble("timeout", "a time-out", says, untried=True)
            return self._troubled(check, untried) if check.declared else None
        result = self._ask(check, seed)
        if result.outcome != "passed" and not self._first_failure:
            self._first_failure = self._desk.history
        return result if check.declared or result.outcome != "passed" else None

    def _ask(self, check: Check, seed: str) -> CheckResult:
        assert check.run is not None
        try:
            if not check.static and self._desk.history:  # of a check that failed: what it left is not for this one
                self._desk.forget()
            check.run(**self._resources(check, seed))
            if not check.static:
                self._desk.forget()
        except comparing.Failed as failed:
            self._answered = self._answered or failed.compared
            return self._failed(check, failed)
        except Missing as missing:
            near = self._source.nearly(missing.name)
            more = (f"it defines {near}: the name has to be the same, letter by letter",) if near else ()
            says = (str(missing), *more)
            return self._troubled(check, trouble.Trouble("failed", "nothing of that name", says))
        except StudentRaised as error:
            return self._troubled(check, trouble.of_exception(error, self._references))
        except Ended as ended:
            self._timed_out = self._timed_out or ended.outcome == "timeout"
            return self._troubled(check, self._ended(ended, self._desk.call))
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
                made[want] = self._source
            else:
                made[want] = check.item
        return made

    # ------------------------------------------------------------------------------------------------------ results

    def _failed(self, check: Check, failed: comparing.Failed) -> CheckResult:
        found = failed.found
        words = (failed.says,) if failed.values else (found.expected, found.got, *found.detail)
        self.evidence[check.id] = Evidence("failed", words, failed.values)
        obstacle = (found.expected, found.got, *found.detail)
        is_known = obstacle in self._obstacles and not failed.compared and not check.static
        self._obstacles.add(obstacle)
        told = "{got}" in check.failed  # then the line itself says what was got, and does not give the answer away
        where = None
        if failed.where is not None:
            where = self._where(failed.where.line, failed.where.column)
        return CheckResult(
            check.id,
            "failed",
            checking.untried(check, found.got)
            if is_known or failed.untried
            else checking.fill(check.failed, got=found.got),
            expected=None if told else found.expected or None,
            got=self._own_names(found.got) or None,
            where=where,
            detail=[self._own_names(text) for text in found.detail if self._is_so(text)],
            call=None if check.static else _call(failed.call or self._desk.call),
            near=self._near(check),
            declared=check.declared,
        )

    def _troubled(self, check: Check, what: trouble.Trouble) -> CheckResult:
        self._unfinished = self._unfinished or what.unfinished
        # The rest is frames and advice; what Python suggests hangs on other names, and the words of a raise on taste.
        said = [re.sub(r"[.?] Did you .*\?$", "", text) for text in what.detail[:1]]
        self.evidence[check.id] = Evidence(what.outcome, (what.got, *([] if self._is_own_raise(what) else said)))
        if what.got.startswith("a call of"):
            self._forbidden_call = what
        where = self._where(what.frame.line, file=what.frame.filename) if what.frame is not None else None
        return CheckResult(
            check.id,
            what.outcome,
            checking.untried(check, what.got) if what.untried else checking.fill(check.failed, got=what.got),
            got=what.got,
            where=where,
            detail=[self._own_names(text) for text in what.detail],
            call=_call(what.call),
            near=self._near(check),
            declared=check.declared,
        )

    def _ended(self, ended: Ended, call: str) -> trouble.Trouble:
        names = {name.encode("ascii", "backslashreplace").decode("ascii"): name for name in self._texts}
        frames = [
            structs.replace(frame, filename=names[frame.filename])
            for frame in ended.frames
            if frame.filename in names and 0 < frame.line <= len(self._texts[names[frame.filename]])
        ]
        up_to = self._up_to_the_loop(frames) if ended.outcome == "timeout" else frames
        return trouble.of_ended(ended, call, up_to, self._references)

    def _up_to_the_loop(self, frames: Sequence[wire.Frame]) -> Sequence[wire.Frame]:
        """Return the frames up to the loop that may not end: the innermost `while`, else a `for` at the end of them."""
        around = [loops_around("".join(self._texts[frame.filename]), frame.line) for frame in frames]
        for at in reversed(range(len(frames))):
            line = around[at].while_line
            if line:
                return [*frames[:at], structs.replace(frames[at], line=line)]
        line = around[-1].for_line if around else 0
        return [*frames[:-1], structs.replace(frames[-1], line=line)] if line else frames

    def _is_own_raise(self, what: trouble.Trouble) -> bool:
        """Return whether the file itself raised, in words that are its author's."""
        frame = what.frame if what.outcome == "error" else None
        return frame is not None and frame.filename == self._shown and self._source.raises_on(frame.line)

    def _internal(self, check: Check, error: BaseException) -> CheckResult:
        line = _line_in(error, self._checker.path)
        place = f"{self._checker.path.name}:{line}" if line else self._checker.path.name
        says = f"the course itself is at fault, not your code: {place}: {type(error).__name__}: {error}"
        self.evidence[check.id] = Evidence("internal", (f"{place}: {type(error).__name__}: {error}",))
        message = checking.fill(check.failed, got="no verdict")
        return CheckResult(check.id, "internal", message, detail=[says], declared=check.declared)

    def _broken(self, result: CheckResult, broken: Ended) -> CheckResult:
        check = next(check for check in self._checker.checks if check.id == result.id)
        if check.static or result.outcome != "passed":
            return result
        return self._troubled(check, trouble.of_ended(broken, ""))

    def _forbids(self, check: Check, loading: trouble.Trouble | None) -> CheckResult:
        rule = check.forbids
        assert rule is not None
        uses = self._source.uses(rule.names, rule.within)
        if uses:
            found = uses[0]
            says = [f"{found.dotted} is what this step does without: write it yourself"]
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
            return CheckResult(check.id, "failed", checking.untried(check, "nothing yet"), detail=says)
        return CheckResult(check.id, "passed", check.passed)

    def _near(self, check: Check) -> Where | None:
        """Return the place of the field, or of the definition, that a check asked for; None when it is not there."""
        name = self._desk.named
        place = self._source.definition(name) if name else None
        for field in self._source.fields(name) if name and check.item else ():
            if field.name == check.item:
                place = field.place
        return self._where(place.line, place.column) if place is not None else None

    def _is_so(self, text: str) -> bool:
        """Return whether a sentence is true of this file: that a `return` is missing is not, where None is returned."""
        return text != difference.RETURN_MISSING or returns.is_missing(self._source.tree, self._desk.call)

    def _own_names(self, text: str) -> str:
        """Return a text in which an earlier step bears the name by which the learner's file imports it."""
        return text if self._shown.startswith("solutions/") else re.sub(r"\bsolutions\.(?=step_\d)", "steps.", text)

    def _where(self, line: int, column: int = 1, file: str | None = None) -> Where:
        file = file or self._shown
        lines = self._texts.get(file, ())
        text = lines[line - 1].rstrip("\r\n") if 0 < line <= len(lines) else ""
        return Where(file, line, column, text[:QUOTED])


def _call(words: str | None) -> str | None:
    """Return a call in words; where what the code was given is read afterwards, what is read."""
    read = re.fullmatch(r"a (dict|list)(?:\[(.+)\])?", words or "")
    if not read:
        return words or None
    return f"{read[2]} in the {read[1]} that was given" if read[2] else f"the {read[1]} that was given"


def _no_verdict(check: Check) -> CheckResult:
    return CheckResult(check.id, "internal", check.failed, detail=["no verdict was given"])


def _reasons(result: CheckResult) -> tuple[str, ...]:
    return (result.outcome, result.expected or "", *result.detail)


def _line_in(error: BaseException, path: Path) -> int | None:
    line, step = None, error.__traceback__
    while step is not None:
        if Path(step.tb_frame.f_code.co_filename) == path:
            line = step.tb_lineno
        step = step.tb_next
    return line
