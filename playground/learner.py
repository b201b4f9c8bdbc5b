"""The learner's own GPT-2, from their own files; what does not work there is one sentence about one step."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autograder import stubs
from autograder.client import road
from autograder.errors import AutograderError, NotDone
from playground import checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor, nn

    from autograder.course import Course, Step

PARTS = {
    "config": "GPT2Config",
    "lm_head": "GPT2LMHeadModel",
    "load_weights": "load_gpt2_weights",
    "generate": "generate",
}  # puzzle -> what is taken from it


class Place(NamedTuple):
    step: Step
    line: int | None = None


class Learner:
    """The four parts that make GPT-2 talk, taken from ``tree``: ``steps`` is the learner's, ``solutions`` finished."""

    def __init__(self, course: Course, tree: str) -> None:
        self._course, self._tree = course, tree
        self._parts: dict[str, Callable[..., Any]] = {}
        for slug, name in PARTS.items():
            step = course.find(slug)
            with self._answers_for(step):
                module = importlib.import_module(f"{tree}.{step.name}")
                if not hasattr(module, name):
                    raise self._problem(Place(step), f"has no {name}")
                self._parts[slug] = getattr(module, name)

    def build(self, seven: Mapping[str, int | float]) -> nn.Module:
        """Return the model, with the parameters that a GPT-2 of these numbers has."""
        config = self._call("config", **seven)
        model: nn.Module = self._call("lm_head", config)
        self._require_parameters(model, seven)
        return model

    def load(self, folder: Path, seven: Mapping[str, int | float], shown: str) -> nn.Module:
        """Return the model with the weights of the checkpoint in ``folder``."""
        weights = checkpoint.read_weights(folder, shown)
        checkpoint.require_size(seven, weights, shown)
        model = self.build(seven)  # before the weights are read: its making takes more memory for a moment
        checkpoint.require_numbers(weights, shown)
        self.fill(model, weights, seven, shown)
        return model

    def fill(self, model: nn.Module, weights: dict[str, Tensor], seven: Mapping[str, int | float], shown: str) -> None:
        """Copy the weights into the model. Errors: BadCheckpoint in the learner's words, where the file is wrong."""
        step = self._course.find("load_weights")
        wrong = checkpoint.faults(seven, weights)
        try:
            self._call("load_weights", model, weights)
        except NotDone as problem:
            if not (wrong and isinstance(problem.__cause__, ValueError)):
                raise
            words = _shortened(str(problem.__cause__))
            raise checkpoint.BadCheckpoint(f"{shown} does not fit: {words}") from problem.__cause__
        if wrong:
            raise self._problem(self._place(step), f"takes a checkpoint that does not fit: {_shortened(wrong[0])}")

    def generate(self, model: nn.Module, ids: Tensor, max_new_tokens: int) -> Any:
        """Return what the learner's ``generate`` makes of the ids, whatever it is."""
        return self._call("generate", model, ids, max_new_tokens)

    def next_token(self, model: nn.Module, ids: Tensor) -> int:
        """Return the id that the learner's ``generate`` appends."""
        longer = self.generate(model, ids, 1)
        shape, expected = list(getattr(longer, "shape", [])), [1, ids.shape[1] + 1]
        if shape != expected:
            says = f"gives {shape or type(longer).__name__} for one new token, not {expected}"
            raise self._problem(self._place(self._course.find("generate")), says)
        token = int(longer[0, -1])
        if token < 0:
            raise self._problem(self._place(self._course.find("generate")), f"gives the id {token}")
        return token

    def _call(self, slug: str, *arguments: object, **named: object) -> Any:
        with self._answers_for(self._course.find(slug)):
            return self._parts[slug](*arguments, **named)

    @contextlib.contextmanager
    def _answers_for(self, step: Step) -> Iterator[None]:
        """Turn whatever the learner's code raises into a sentence; what it prints does not mix with the text."""
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        except (AutograderError, KeyboardInterrupt):
            raise
        except BaseException as error:  # SystemExit too: a step that ends the process is not finished either
            raise self._explained(error, step) from error

    def _explained(self, error: BaseException, called: Step) -> NotDone:
        if (untouched := self._first_untouched()) is not None:
            return self._problem(untouched, "is not written yet")
        if isinstance(error, ImportError) and (step := self._step_of_module(error.name or "")) is not None:
            if not self._course.stub(step, self._tree).exists():
                return self._problem(Place(step), "is missing")
            return self._problem(Place(step), f"is not finished: {_shortened(str(error)).partition(' from ')[0]}")
        place = self._place_of(error) or self._place(called)
        if isinstance(error, NotImplementedError):
            return self._problem(place, "is not finished")
        said = f": {_shortened(str(error))}" if str(error) else ""
        return self._problem(place, f"stops with {type(error).__name__}{said}")

    def _problem(self, place: Place, says: str) -> NotDone:
        step = place.step
        where = f"{self._tree}/{step.name}.py" + (f":{place.line}" if place.line else "")
        whose = " --tree solutions" if self._tree == "solutions" else ""
        return NotDone(f"{where}: step {step.id}, {step.title}, {says}. Next: `{road()} {step.task}{whose}`")

    def _first_untouched(self) -> Place | None:
        """Return the first of the steps that were loaded that is still the stub as generated: it is the one to do."""
        if self._tree != "steps":
            return None
        for step in self._course.steps:
            if f"{self._tree}.{step.name}" in sys.modules and stubs.is_untouched(self._course, step):
                lines = (stubs.current(self._course.stub(step)) or "").splitlines()
                return Place(step, next((number for number, line in enumerate(lines, 1) if "TODO" in line), None))
        return None

    def _place_of(self, error: BaseException) -> Place | None:
        """Return the innermost line of the learner's that the error came through."""
        if isinstance(error, SyntaxError) and (step := self._step_of_file(error.filename or "")) is not None:
            return Place(step, error.lineno)
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if (step := self._step_of_file(frame.filename)) is not None:
                return Place(step, frame.lineno)
        return None

    def _place(self, step: Step) -> Place:
        """Return where the part that is taken from a step begins."""
        try:
            return Place(step, inspect.getsourcelines(inspect.unwrap(self._parts[step.slug]))[1])
        except (KeyError, TypeError, OSError):  # not loaded, or no class or function
            return Place(step)

    def _step_of_file(self, filename: str) -> Step | None:
        path = Path(filename)
        if path.suffix != ".py" or path.resolve().parent != (self._course.root / self._tree).resolve():
            return None
        return next((step for step in self._course.steps if step.name == path.stem), None)

    def _step_of_module(self, module: str) -> Step | None:
        return next((step for step in self._course.steps if f"{self._tree}.{step.name}" == module), None)

    def _require_parameters(self, model: nn.Module, seven: Mapping[str, int | float]) -> None:
        """Refuse a model that is not whole: an ``__init__`` with its gap left open raises nothing by itself."""
        from torch import nn

        if not isinstance(model, nn.Module):
            raise self._problem(self._place(self._course.find("lm_head")), "is no nn.Module")
        turned = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
        expected = {name: shape[::-1] if name.endswith(turned) else shape for name, shape in checkpoint.shapes(seven)}
        parameters = dict(model.named_parameters(remove_duplicate=False))
        if parameters.get(checkpoint.HEAD) is parameters.get(checkpoint.TABLE):
            parameters.pop(checkpoint.HEAD, None)  # tied, whichever of the two came first
        own = {name: list(parameter.shape) for name, parameter in parameters.items()}
        for name in [*expected, *own]:
            if own.get(name) == expected.get(name):
                continue
            if (untouched := self._first_untouched()) is not None:
                raise self._problem(untouched, "is not written yet")
            has = f"has {name} of {own[name]}" if name in own else f"has no {name}"
            wants = f"a checkpoint has it, of {expected[name]}" if name in expected else "no checkpoint has it"
            raise self._problem(self._owner(model, name), f"{has}; {wants}")

    def _owner(self, model: nn.Module, name: str) -> Place:
        """Return the learner's class that should hold a parameter: the innermost one on the way to it."""
        place, module = self._place(self._course.find("lm_head")), model
        for part in name.split(".")[:-1]:
            child = getattr(module, part, None)
            if child is None:
                break
            module = child
            if (step := self._step_of_module(type(module).__module__)) is not None:
                place = Place(step, inspect.getsourcelines(type(module))[1])
        return place


def _shortened(text: str) -> str:
    """Return a message as a part of one line."""
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:199] + "…"
