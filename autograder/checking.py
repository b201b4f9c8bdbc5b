"""What a checker declares: `check`, `check.each`, `check.undeclared`, `forbids`; `mistake`, `variant`,
`equivalent`, `cancelled`.

A checker is a file of functions that ask by name for what they need: `student`, `oracle`, `draw`, `source`, and `item`
where there are several. A check passes by returning and fails by a word of `comparing`; anything else that it raises of
its own is a fault of the course. Beside the checks stand the programs that they are judged by: mistakes, which must
fail and are told by name, variants, which must pass, and what mutants of the solution are no mistakes at all.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib.abc
import importlib.util
import inspect
import re
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from autograder.errors import CourseError
from autograder.files import read_text
from autograder.wire import Ban

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autograder.course import Course, Step


_EARLIER = re.compile(r"\.earlier\(\s*[\"'](\w+)")
_RESOURCES = ("student", "oracle", "draw", "source")


class Forbids(NamedTuple):
    """What a step forbids, and the names in whose code it does."""

    names: tuple[str, ...]
    ban: Ban
    within: tuple[str, ...]


class Check(NamedTuple):
    """One line of a step's report, or, when it is not declared, a line that is there only when it fails."""

    id: str
    passed: str
    failed: str
    run: Callable[..., None] | None
    wants: tuple[str, ...]
    item: Any = None
    declared: bool = True
    forbids: Forbids | None = None

    @property
    def static(self) -> bool:
        """Whether the syntax tree alone answers it."""
        return self.forbids is None and not set(self.wants) & {"student", "oracle", "draw"}


class Other(NamedTuple):
    """Another program than the solution: edits of it, or a whole file, both with imports from `puzzles`."""

    name: str
    line: int  # of its declaration
    edits: tuple[tuple[str, str], ...] = ()
    whole: str = ""


class Mistake(NamedTuple):
    """A program that must fail, and the sentence for a learner whose own gives the same."""

    other: Other
    says: str
    again: Other | None = None  # the same mistake in other words

    @property
    def name(self) -> str:
        return self.other.name


class Equivalent(NamedTuple):
    """A change of the solution that changes nothing that the step promises, and why."""

    other: Other
    because: str


class Cancelled(NamedTuple):
    """A mistake of this step that one of an earlier step's undoes: together they give right numbers."""

    mistake: str
    slug: str
    earlier: str
    line: int


class Law(NamedTuple):
    """What holds of right code whatever its weights: `make` gives what it is tried on, `broken` says how it fails."""

    name: str
    make: Callable[..., Any]
    wants: tuple[str, ...]
    broken: Callable[..., str | None]


class Checker(NamedTuple):
    """The checks of a step, in the order of their lines, and the programs that they are judged by."""

    path: Path
    checks: list[Check]
    mistakes: list[Mistake]
    variants: list[Other]
    equivalents: list[Equivalent]
    cancelled: list[Cancelled]
    laws: list[Law]
    asks: frozenset[str] = frozenset()  # the earlier steps that its text names; a check may come by others
    on_meta: bool = False  # whether its own code names the device "meta": then workers are made ready for that

    @property
    def ban(self) -> Ban:
        """All that the step forbids, for the second net at run time."""
        bans = [check.forbids.ban for check in self.checks if check.forbids]
        return Ban(
            [name for ban in bans for name in ban.names],
            [name for ban in bans for name in ban.operators],
            [name for ban in bans for name in ban.within],
        )


_reading: contextvars.ContextVar[Checker] = contextvars.ContextVar("the checker that is being read")


class _Loader(importlib.abc.ExecutionLoader):
    """Runs a text under a file's name, for tracebacks too, whether or not the file is there."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002  (importlib names it)
        return str(self._path)

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        return self._text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return _compiled(self._text, str(self._path))


def _names_meta(code: CodeType) -> bool:
    return any(each == "meta" or (isinstance(each, CodeType) and _names_meta(each)) for each in code.co_consts)


@functools.lru_cache(maxsize=64)
def _compiled(text: str, filename: str) -> CodeType:
    return compile(text, filename, "exec", dont_inherit=True)


def of_step(course: Course, step: Step) -> Checker:
    """Return the checker of a step.

    Errors: as `read_checker`.
    """
    return read_checker(course.checker(step), course.read)


def read_checker(path: Path, read: Callable[[Path], str] = read_text) -> Checker:
    """Return the checks that a checker's file declares.

    Args:
        path: where it lies, or would lie if the course were not packed.
        read: gives its text.

    Errors: CourseError, with file and line, when it is missing, raises, or declares none.
    """
    try:
        text = read(path)
    except (FileNotFoundError, IsADirectoryError):
        raise CourseError("the checker is missing", path) from None
    except UnicodeDecodeError:
        raise CourseError("the checker is not UTF-8: save it as UTF-8", path) from None
    checker = Checker(path, [], [], [], [], [], [], frozenset(_EARLIER.findall(text)))
    loader = _Loader(path, text)
    spec = importlib.util.spec_from_loader(f"checker_{path.stem}", loader, origin=str(path))
    assert spec is not None
    with _declaring(checker):
        try:
            loader.exec_module(importlib.util.module_from_spec(spec))
        except CourseError as error:
            error.line = error.line or _line_of(error, path)
            raise
        except (Exception, SystemExit) as error:
            line = _line_of(error, path)
            raise CourseError(f"the checker raises {type(error).__name__}: {error}", path, line) from error
    if not any(check.declared for check in checker.checks):
        raise CourseError("the checker declares no check", path)
    return checker._replace(on_meta=_names_meta(_compiled(text, str(path))))


@contextlib.contextmanager
def _declaring(checker: Checker) -> Iterator[None]:
    token = _reading.set(checker)
    try:
        yield
    finally:
        _reading.reset(token)


def _line_of(error: BaseException, path: Path) -> int | None:
    lines = (
        [frame.lineno for frame in inspect.getinnerframes(error.__traceback__) if Path(frame.filename) == path]
        if error.__traceback__
        else []
    )
    return lines[-1] if lines else getattr(error, "lineno", None)


# ------------------------------------------------------------------------------------------------------- declarations


class _CheckWord:
    """`@check(passed=…, failed=…)`, `@check.each(items, …)`, `@check.undeclared(failed=…)`."""

    def __call__(self, *, passed: str, failed: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Declare one line: `passed` and `failed` are its words, `{got}` in `failed` is what was got."""

        def declare(run: Callable[..., None]) -> Callable[..., None]:
            _add(Check(run.__name__, passed, failed, run, _wants(run)))
            return run

        return declare

    def each(
        self, items: Sequence[str], *, passed: str, failed: str
    ) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Declare a line an item, `{item}` in the words."""

        def declare(run: Callable[..., None]) -> Callable[..., None]:
            for item in items:
                lines = (passed.replace("{item}", item), failed.replace("{item}", item))
                _add(Check(f"{run.__name__}[{item}]", lines[0], lines[1], run, _wants(run), item))
            return run

        return declare

    def undeclared(self, *, failed: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Declare a check without a line of its own: shown only when it ran and failed."""

        def declare(run: Callable[..., None]) -> Callable[..., None]:
            _add(Check(run.__name__, "", failed, run, _wants(run), declared=False))
            return run

        return declare


check = _CheckWord()


def forbids(*names: str, within: Sequence[str], passed: str, failed: str, operators: Sequence[str] = ()) -> None:
    """Declare a line that fails when `within`, or what it is built on, uses one of the dotted names.

    Args:
        names: `torch.nn.LayerNorm`; a name also covers what lies under it.
        within: the learner's names in whose code it is forbidden.
        passed, failed: the line's words; `{got}` in `failed` is the name that was used.
        operators: torch's operators (`aten.native_layer_norm`) that raise at run time, whoever calls them.
    """
    rule = Forbids(names, Ban(list(names), list(operators), list(within)), tuple(within))
    _add(Check("forbids", passed, failed, None, (), forbids=rule))


class _MistakeWord:
    """`mistake(name, old, new, says)`, `mistake.file(name, text, says)`."""

    def __call__(
        self,
        name: str,
        old: str,
        new: str,
        says: str,
        *,
        also: Sequence[tuple[str, str]] = (),
        again: Sequence[tuple[str, str]] | str = (),
    ) -> None:
        """Declare an edit of the solution that people really make, and what a learner is told who made it.

        Args:
            name: words with dashes, by which reports and transcripts call it.
            old, new: the edit; `old` stands in the finished code exactly once.
            says: a sentence or two: what is so, and what is asked for instead.
            also: further edits that belong to it.
            again: the same mistake in other words, as edits of the finished code or as a whole file.
        """
        _add_mistake(Other(name, _caller(), ((old, new), *also)), says, again)

    def file(self, name: str, text: str, says: str, *, again: Sequence[tuple[str, str]] | str = ()) -> None:
        """Declare a whole file that is a mistake, for what no small edit can say."""
        _add_mistake(Other(name, _caller(), whole=text), says, again)


class _VariantWord:
    """`variant(name, old, new)`, `variant.file(name, text)`."""

    def __call__(self, name: str, old: str, new: str, *, also: Sequence[tuple[str, str]] = ()) -> None:
        """Declare an edit of the solution that is another right way; the words are those of `mistake`."""
        _add_variant(Other(name, _caller(), ((old, new), *also)))

    def file(self, name: str, text: str) -> None:
        """Declare a whole file that is another right way."""
        _add_variant(Other(name, _caller(), whole=text))


mistake = _MistakeWord()
variant = _VariantWord()


def equivalent(old: str, new: str, because: str) -> None:
    """Declare a mutant of the solution that is right as well, by the edit that makes it, and say why."""
    checker = _reading.get()
    name = f"equivalent {len(checker.equivalents) + 1}"
    checker.equivalents.append(Equivalent(Other(name, _caller(), ((old, new),)), because))


def cancelled(mistake: str, slug: str, earlier: str) -> None:
    """Declare that a mistake of this step and one of an earlier step give right numbers together, by their names."""
    _reading.get().cancelled.append(Cancelled(mistake, slug, earlier, _caller()))


def add_law(name: str, make: Callable[..., Any], broken: Callable[..., str | None]) -> None:
    """Declare that a law holds of what `make` returns; `law` has the words for it."""
    laws = _reading.get().laws
    above = sum(law.make is not make for law in laws)  # of several over one function the lowest is declared first
    laws.insert(above, Law(name, make, _wants(make), broken))


def _caller() -> int:
    """Return the line of the checker that a word stands in."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return frame.f_lineno if frame is not None else 1


def _add_mistake(other: Other, says: str, again: Sequence[tuple[str, str]] | str) -> None:
    checker = _reading.get()
    _refuse_second(other, [known.other for known in checker.mistakes], "mistakes")
    name = f"{other.name}, again"
    in_other_words = (
        Other(name, other.line, whole=again) if isinstance(again, str) else Other(name, other.line, tuple(again))
    )
    checker.mistakes.append(Mistake(other, says, in_other_words if again else None))


def _add_variant(other: Other) -> None:
    checker = _reading.get()
    _refuse_second(other, checker.variants, "variants")
    checker.variants.append(other)


def _refuse_second(new: Other, known: Sequence[Other], kind: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", new.name):
        raise CourseError(f'a name is lower-case words with dashes, not "{new.name}"', _reading.get().path, new.line)
    if new.name in [other.name for other in known]:
        raise CourseError(f"two {kind} are called {new.name}", _reading.get().path, new.line)


def _add(new: Check) -> None:
    checker = _reading.get()
    if any(known.id == new.id for known in checker.checks):
        raise CourseError(f"two checks are called {new.id}", checker.path)
    checker.checks.append(new)


def _wants(run: Callable[..., None]) -> tuple[str, ...]:
    wants = tuple(inspect.signature(run).parameters)
    unknown = [name for name in wants if name not in (*_RESOURCES, "item")]
    if unknown:
        path, line = Path(run.__code__.co_filename), run.__code__.co_firstlineno
        known = ", ".join(_RESOURCES)
        raise CourseError(f"{run.__name__} asks for {unknown[0]}: a check can ask for {known} and item", path, line)
    return wants


def untried(check: Check, got: str) -> str:
    """Return the line of a check that could ask nothing yet: what it asks for, and not how that is failed."""
    return fill(check.failed, got=got) if "{got}" in check.failed else f"not tried yet: {check.passed}"


def fill(text: str, **words: str) -> str:
    """Return a line's words with `{got}` and the like filled in; other braces stay."""
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)
