"""Runs the learner's file and answers the judge's requests. The only module in which a learner's code runs.

It holds the learner's modules and the objects that came of them, and sends back values. It knows no expected value, no
check and no solution of its step: nothing here could be bent into a pass.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import functools
import importlib
import itertools
import linecache
import random
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from autograder import values, wire
from autograder.worker import ban, fields, words
from autograder.worker.modules import Finder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULE = 0  # the handle of the learner's own module
_BUILTIN_ERRORS = frozenset(
    value for value in vars(builtins).values() if isinstance(value, type) and issubclass(value, BaseException)
)


class Worker:
    """The learner's modules, the objects that the judge holds handles of, and what each verb does with them."""

    def __init__(self) -> None:
        self._objects: list[Any] = []
        self._filenames: frozenset[str] = frozenset()
        self._operator_guard: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        self._within: tuple[str, ...] = ()
        self._net = ban.Net()
        self._seed = 0
        self._roots: dict[int, str] = {}  # by which of the module's names an object was come by

    def answer(self, verb: wire.Verb) -> wire.Answer:
        """Do what a verb asks for. Whatever the learner's code raises is an answer too."""
        try:
            return self._do(verb)
        except values.TooLarge as error:
            return wire.Oversized(str(error))
        except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are a learner's too
            return self._raised(error)

    def _do(self, verb: wire.Verb) -> wire.Answer:
        match verb:
            case wire.Load():
                return self._load(verb)
            case wire.Earlier():
                return wire.Returned(self._packer().pack(importlib.import_module(verb.module)))
            case wire.Keep():
                return wire.Returned(self._refer(self.resolve(verb.value), root=""))
            case wire.Item():
                key = self.resolve(verb.key)
                with self._guarded(verb.target) as target:
                    value = target[key]
                return self._returned(value, verb.target)
            case wire.Items():
                with self._guarded(verb.target) as target:
                    found = list(itertools.islice(target, values.MAX_ITEMS))
                return self._returned(found, verb.target)
            case wire.Copied():
                with self._guarded(verb.target) as target:
                    value = copy.deepcopy(target)
                return self._returned(value, verb.target)
            case wire.RandomState():
                return self._returned(sys.modules["torch"].get_rng_state(), MODULE)
            case wire.Get():
                return self._get(verb)
            case wire.GetEach():
                return self._returned([self._attribute(target, verb.name) for target in verb.targets], MODULE)
            case wire.Put():
                return self._put(verb)
            case wire.Call():
                return self._call(verb)
            case wire.Gradients():
                return self._gradients(verb)
            case wire.Describe():
                with self._guarded(verb.target) as target:
                    return fields.describe(target, self._packer())
            case wire.Release():
                del self._objects[1:]
                self._roots.clear()
                _seed(self._seed)
                return wire.Returned(None)

    def _returned(self, value: Any, source: int) -> wire.Returned:
        return wire.Returned(self._packer(self._roots.get(source, "")).pack(value))

    def _load(self, verb: wire.Load) -> wire.Answer:
        self._filenames = frozenset(module.filename for module in verb.modules)
        for module in verb.modules:
            lines = module.text.splitlines(keepends=True)
            linecache.cache[module.filename] = (len(module.text), None, lines, module.filename)
        sys.meta_path.insert(0, Finder(verb.modules))
        self._seed = verb.seed
        _seed(self._seed)
        if "torch" in sys.modules:
            self._forbid(verb.ban)
        name = verb.modules[-1].names[0]
        self._objects = [importlib.import_module(name)]
        if "torch" in sys.modules:
            self._forbid(verb.ban)  # again, for a torch that the learner's file was the first to import
        _seed(self._seed)  # whatever the file drew
        return wire.Returned(None)

    def _forbid(self, forbidden: wire.Ban) -> None:
        for dotted in forbidden.names:
            ban.replace(dotted, self._net)
        self._operator_guard = ban.operator_guard(frozenset(forbidden.operators))
        self._within = tuple(forbidden.within)

    @contextlib.contextmanager
    def _guarded(self, handle: int) -> Iterator[Any]:
        """Give an object to do something with that may run the learner's code: what is forbidden raises meanwhile."""
        target = self._objects[handle]
        if not self._is_within(handle):
            yield target
            return
        self._net.out = True
        try:
            with self._operator_guard:
                yield target
        finally:
            self._net.out = False

    def _is_within(self, handle: int) -> bool:
        return not self._within or self._roots.get(handle, "") in ("", *self._within)

    def _attribute(self, handle: int, name: str) -> Any:
        with self._guarded(handle) as target:
            return getattr(target, name)

    def _get(self, verb: wire.Get) -> wire.Answer:
        try:
            value = self._attribute(verb.target, verb.name)
        except AttributeError as error:
            if self._frames(error)[0]:
                raise
            return wire.Absent()
        root = verb.name if verb.target == MODULE else self._roots.get(verb.target, "")
        return wire.Returned(self._packer(root).pack(value))

    def _put(self, verb: wire.Put) -> wire.Answer:
        torch, value = sys.modules.get("torch"), self.resolve(verb.value)
        with self._guarded(verb.target) as target:
            present = getattr(target, verb.name, None)
            if torch is not None and isinstance(present, torch.nn.Parameter):
                with torch.no_grad():
                    present.copy_(value)
            else:
                setattr(target, verb.name, value)
        return wire.Returned(None)

    def _call(self, verb: wire.Call) -> wire.Answer:
        args = [self.resolve(arg) for arg in verb.args]
        kwargs = {name: self.resolve(value) for name, value in verb.kwargs.items()}
        with self._guarded(verb.target) as target:
            value = target(*args, **kwargs)
        packer = self._packer(self._roots.get(verb.target, ""))
        return wire.Returned(packer.pack(value), [packer.pack(arg) for arg in args] if verb.keep else [])

    def _gradients(self, verb: wire.Gradients) -> wire.Answer:
        import torch

        args = [self.resolve(arg) for arg in verb.args]
        inputs = [arg.requires_grad_() for arg in args if torch.is_tensor(arg) and arg.is_floating_point()]
        kwargs = {name: self.resolve(value) for name, value in verb.kwargs.items()}
        back = values.tensor(verb.output_gradient)
        with self._guarded(verb.target) as target:
            if isinstance(target, torch.nn.Module):
                target.zero_grad(set_to_none=True)
            output = target(*args, **kwargs)
            # An output of another shape or type has no such gradient: the output itself will tell what is wrong.
            has_gradient = torch.is_tensor(output) and output.requires_grad and not output.is_complex()
            if has_gradient and output.shape == back.shape:
                # Of a sum: a gradient given to backward() makes torch import its symbolic shapes, half a second.
                (output * back).sum().backward()
            parameters = dict(target.named_parameters()) if isinstance(target, torch.nn.Module) else {}
        of_parameters = {name: parameter.grad for name, parameter in parameters.items()}
        return wire.Returned(self._packer().pack((output, [tensor.grad for tensor in inputs], of_parameters)))

    # ------------------------------------------------------------------------------------------------------ values

    def _packer(self, root: str = "") -> values.Packer:
        return values.Packer(functools.partial(self._refer, root=root))

    def resolve(self, value: values.Value) -> Any:
        """Return the Python value, an object of this worker where it is a handle."""
        return values.Unpacker(lambda ref: self._objects[ref.handle]).unpack(value)

    def _refer(self, value: object, *, root: str) -> values.Ref:
        for handle, known in enumerate(self._objects):
            if known is value:
                return values.Ref(handle, words.type_name(value), words.word(value))
        self._objects.append(value)
        self._roots[len(self._objects) - 1] = root
        return values.Ref(len(self._objects) - 1, words.type_name(value), words.word(value))

    # -------------------------------------------------------------------------------------------------- exceptions

    def _raised(self, error: BaseException) -> wire.Raised:
        kind = type(error)
        bases = type.__dict__["__mro__"].__get__(kind)  # not a metaclass's own
        builtin = next((base.__name__ for base in bases if base in _BUILTIN_ERRORS), "BaseException")
        frames, omitted, own = self._frames(error)
        forbidden = words.short(str(error)) if kind is ban.Forbidden else ""
        return wire.Raised(words.type_name(error), builtin, words.message(error), frames, omitted, forbidden, own)

    def _frames(self, error: BaseException) -> tuple[list[wire.Frame], int, bool]:
        frames, own = [], True
        step = vars(BaseException)["__traceback__"].__get__(error)  # not a class's own
        while step is not None:
            code = step.tb_frame.f_code
            own = code.co_filename in self._filenames
            if own:
                frames.append(wire.Frame(code.co_filename, step.tb_lineno or 0, words.short(code.co_name)))
            step = step.tb_next
        half = wire.MAX_STACK // 2
        if len(frames) <= wire.MAX_STACK:
            return frames, 0, own
        return frames[:half] + frames[-half:], len(frames) - wire.MAX_STACK, own


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more."""
    worker = Worker()
    flush = functools.partial(_flush, sys.stdout, sys.stderr)
    while (body := wire.read_frame(requests)) is not None:
        request = wire.decode_request(body)
        answer = worker.answer(request.verb)
        flush()
        try:
            frame = wire.encode(wire.Reply(request.id, answer))
        except values.TooLarge as error:
            frame = wire.encode(wire.Reply(request.id, wire.Oversized(str(error))))
        except (UnicodeEncodeError, msgspec.MsgspecError, TypeError) as error:
            raised = wire.Raised(type(error).__name__, type(error).__name__, words.message(error), [])
            frame = wire.encode(wire.Reply(request.id, raised))
        replies.write(frame)
        replies.flush()


def replay(path: Path) -> None:
    """Answer the requests of a file in the foreground, and say how the last one ended: breakpoint() stops there."""
    with path.open("rb") as stream:
        verbs = [wire.decode_request(body).verb for body in iter(lambda: wire.read_frame(stream), None)]
    worker = Worker()
    stop = sys.breakpointhook
    sys.breakpointhook = lambda *_, **__: None
    for verb in verbs[:-1]:
        worker.answer(verb)
    sys.breakpointhook = stop
    answer = worker.answer(verbs[-1])
    if isinstance(answer, wire.Raised):
        for frame in answer.frames:
            print(f"  {frame.filename}:{frame.line}, in {frame.function}")
        print(f"{answer.type_name}: {answer.message}")
    elif isinstance(answer, wire.Returned):
        value = worker.resolve(answer.value)
        print(f"The call returned {value!r}"[: wire.MAX_TEXT])


def _flush(*streams: Any) -> None:
    for stream in (*streams, getattr(sys, "stdout", None), getattr(sys, "stderr", None)):
        with contextlib.suppress(BaseException):  # the learner may have closed or replaced it: it is theirs
            stream.flush()


def _seed(seed: int) -> None:
    """Begin all random numbers anew: at each check, so that what is fresh is the same beside other checks."""
    random.seed(seed)
    if "torch" in sys.modules:
        # Not torch.manual_seed: it takes a stack trace for each kind of device that is not there, milliseconds.
        sys.modules["torch"].default_generator.manual_seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
