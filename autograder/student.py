"""The learner's module as a checker sees it: `student.LayerNorm(8)(x)` runs in a worker, and plain values come back.

Whatever is not a plain value stays there and is handed out as a proxy. Each call is remembered in words, so that a
failure can say which it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from autograder import values, wire
from autograder.supervisor import Ended, Limits, Output, ProtocolBroken, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autograder.nursery import Kind, Nursery

T = TypeVar("T")
_MODULE = 0
_TEXT = 60


class StudentRaised(Exception):
    """The learner's code raised, while it was loaded (then `call` is empty) or called."""

    def __init__(self, raised: wire.Raised, call: str) -> None:
        super().__init__(f"{raised.type_name}: {raised.message}")
        self.raised = raised
        self.call = call


class Missing(Exception):
    """A name that the step asks for is not there; the text says so, and `name` is it, where a module lacks it."""

    def __init__(self, sentence: str, name: str = "") -> None:
        super().__init__(sentence)
        self.name = name


class Absence(NamedTuple):
    """What is there in place of a default: `got` for the line, and the reason in a sentence."""

    got: str
    reason: str


class Program(NamedTuple):
    """What a worker loads: the step's module last, after the earlier steps that it may import."""

    modules: Sequence[wire.Module]
    ban: wire.Ban
    kind: Kind
    earlier: Mapping[str, str] = {}  # the modules' names by slug


class Desk:
    """The one worker of a run, and a new one when it has ended; with the last call in words."""

    def __init__(self, nursery: Nursery, program: Program, limits: Limits) -> None:
        self._nursery = nursery
        self._program = program
        self._limits = limits
        self._worker: Worker | None = None
        self._said: list[wire.Verb] = []
        self.output = Output(limits.output_bytes)
        self.asked: set[str] = set()
        self.named = ""  # the last name of the learner's module that was asked for
        self.call = ""

    @property
    def filename(self) -> str:
        return self._program.modules[-1].filename

    @property
    def history(self) -> list[wire.Verb]:
        """What was asked since the file was loaded or the last check was over, the last call included."""
        return list(self._said)

    def earlier(self, slug: str) -> str:
        """Return the module's name of an earlier step, and remember that a check asked for it.

        Errors: LookupError, when no earlier step has that slug: the checker's fault.
        """
        if slug not in self._program.earlier:
            raise LookupError(f"no earlier step is called {slug}")
        self.asked.add(slug)
        return self._program.earlier[slug]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.leave()

    def open(self) -> None:
        """Load the learner's file in a new worker, unless one is there.

        Errors: StudentRaised, when the file raised; supervisor.Ended, when it did not come back.
        """
        if self._worker is not None:
            return
        self.call = ""
        self._worker = Worker(self._nursery, self._program.kind, self._limits, self.output)
        load = wire.Load(list(self._program.modules), self._program.ban, seed=0)
        try:
            self._answer(load, self._limits.load_s)
        except StudentRaised:
            self.close()
            raise
        except Ended as ended:
            ended.loading = True
            raise

    def ask(self, verb: wire.Verb, call: str) -> wire.Answer:
        """Return the answer to a verb: a value, an absence or a description."""
        self.open()
        self.call = call
        self._said.append(verb)
        return self._answer(verb, self._limits.call_s)

    def settle(self) -> Ended | None:
        """Ask one last time, so that what was written into our channel out of turn is noticed."""
        if self._worker is None:
            return None
        try:
            self._answer(wire.Release(), self._limits.call_s)
        except Ended as ended:
            return ended
        return None

    def finish(self) -> Ended | None:
        """Ask one last time, then let the worker go."""
        try:
            return self.settle()
        finally:
            self.leave()

    def leave(self) -> None:
        """Let the worker go, without waiting for its end."""
        if self._worker is not None:
            self._worker.finish()
            self._worker = None

    def forget(self) -> None:
        """Let go of every object but the module itself: a check leaves nothing to the next."""
        self._said.clear()
        self.named = ""
        if self._worker is not None:
            self._answer(wire.Release(), self._limits.call_s)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _answer(self, verb: wire.Verb, seconds: float) -> wire.Answer:
        assert self._worker is not None
        try:
            answer = self._worker.ask(verb, seconds)
        except Ended:
            self._worker = None
            raise
        if isinstance(answer, wire.Raised):
            raise StudentRaised(answer, self.call)
        if isinstance(answer, wire.Oversized):
            raise Ended("limit", f"returned a value {answer.what}")
        return answer


class Proxy:
    """An object in the worker. Reading, setting and calling happen there."""

    def __init__(self, desk: Desk, handle: int, type_name: str, words: str) -> None:
        vars(self).update(_desk=desk, _handle=handle, _type_name=type_name, _words=words)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        words = f"{self._words}.{name}" if self._words else name
        if self._handle == _MODULE:
            self._desk.named = name
        answer = self._desk.ask(wire.Get(self._handle, name), words if "(" in words else "")
        if isinstance(answer, wire.Absent):
            if self._handle == _MODULE:
                raise Missing(f"{self._desk.filename} defines no {name}", name)
            raise Missing(f"{self._words} has no {name}")
        return self._value(answer, words)

    def __setattr__(self, name: str, value: Any) -> None:
        self._desk.ask(wire.Put(self._handle, name, _pack(value)), f"{self._words}.{name} = {describe(value)}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        words = _call_words(self._words, args, kwargs)
        return self._value(self._desk.ask(self._call_verb(args, kwargs), words), words)

    def call_keeping(self, *args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        """Call, and return the result with the arguments as they are afterwards."""
        words = _call_words(self._words, args, kwargs)
        answer = _of(wire.Returned, self._desk.ask(self._call_verb(args, kwargs, keep=True), words))
        return self._value(answer, words), [self._unpack(value, words) for value in answer.arguments]

    def gradients(self, *args: Any, output_gradient: Any, **kwargs: Any) -> Gradients:
        """Call with inputs that ask for gradients, and send `output_gradient`, of the output's shape, backwards."""
        words = _call_words(self._words, args, kwargs)
        packed, named = [_pack(arg) for arg in args], {name: _pack(value) for name, value in kwargs.items()}
        verb = wire.Gradients(self._handle, packed, named, values.tensor_of(output_gradient))
        value = self._value(self._desk.ask(verb, words), words)
        match value:
            case (_, list(), dict()):
                return Gradients(*value)
        raise ProtocolBroken

    def __iter__(self) -> Iterator[Any]:
        words = f"{self._words}"
        return iter(self._value(self._desk.ask(wire.Items(self._handle), words), words))

    def item(self, key: Any) -> Any:
        """Return `self[key]`."""
        words = f"{self._words}[{key!r}]"
        return self._value(self._desk.ask(wire.Item(self._handle, _pack(key)), words), words)

    def copied(self) -> Any:
        """Return a deep copy of the object, which stays in the worker."""
        words = f"copy.deepcopy({self._words})"
        return self._value(self._desk.ask(wire.Copied(self._handle), words), words)

    def random_state(self) -> Any:
        """Return the state of the worker's random numbers, a tensor of bytes."""
        return self._value(self._desk.ask(wire.RandomState(), ""), "")

    def fields(self) -> wire.Described:
        """Return the fields of a class: a dataclass's, or those that its annotations would make.

        Errors: Missing, when it is no class.
        """
        answer = _of(wire.Described, self._desk.ask(wire.Describe(self._handle), ""))
        if not answer.is_class:
            raise Missing(f"{self._words} is no class: it is a {self._type_name}")
        return answer

    def default(self, name: str) -> Any:
        """Return the default of a class's field, or the Absence that says why there is none."""
        found = next((field for field in self.fields().fields if field.name == name), None)
        if found is None:
            return Absence("no field", f"{self._words} has no {name}")
        if found.state == "default":
            return self._unpack(found.value, f"{self._words}.{name}")
        if found.state == "no default":
            return Absence("no default", f"{name} has a type hint, and no value after it")
        if found.state == "no type hint":
            return Absence("no field", f"{name} has no type hint: @dataclass makes fields of annotated names alone")
        return Absence("no field", f"{name} is a {found.state}: @dataclass makes no field of one")

    def _call_verb(self, args: Sequence[Any], kwargs: dict[str, Any], *, keep: bool = False) -> wire.Call:
        named = {name: _pack(value) for name, value in kwargs.items()}
        return wire.Call(self._handle, [_pack(arg) for arg in args], named, keep)

    def _value(self, answer: wire.Answer, words: str) -> Any:
        return self._unpack(_of(wire.Returned, answer).value, words)

    def _unpack(self, value: values.Value, words: str) -> Any:
        def proxy(ref: values.Ref) -> Proxy:
            return Proxy(self._desk, ref.handle, ref.type_name, words)

        try:
            return values.Unpacker(proxy).unpack(value)
        except values.Malformed as error:
            raise ProtocolBroken from error


class Gradients(NamedTuple):
    """A call's output, and the gradients of its inputs and of its parameters by name; None where there is none."""

    output: Any
    inputs: list[Any]
    parameters: dict[str, Any]


def _of(kind: type[T], answer: wire.Answer) -> T:
    if not isinstance(answer, kind):  # an answer to another question: no worker of ours gives one
        raise ProtocolBroken
    return answer


class Student(Proxy):
    """The learner's module, and a way to their earlier ones."""

    def keep(self, value: Any) -> Any:
        """Make a value in the worker and return its proxy, so that one object can be given to several calls."""
        return self._value(self._desk.ask(wire.Keep(_pack(value)), ""), f"a {type(value).__name__}")

    def each(self, objects: Sequence[Proxy], name: str) -> list[Any]:
        """Return an attribute of several objects, which is asked for once."""
        found = self._value(self._desk.ask(wire.GetEach([vars(each)["_handle"] for each in objects], name), ""), "")
        if not isinstance(found, list) or len(found) != len(objects):
            raise ProtocolBroken
        return found

    def earlier(self, slug: str) -> Proxy:
        """Return the module of an earlier step: the reference's when the step is judged alone, else the learner's."""
        known: dict[str, Proxy] = vars(self).setdefault("_earlier", {})  # a check's own: it is over when they go
        name = self._desk.earlier(slug)
        if slug not in known:
            module = self._value(self._desk.ask(wire.Earlier(name), ""), "")
            assert isinstance(module, Proxy)
            known[slug] = module
        return known[slug]


def student(desk: Desk) -> Student:
    """Return the proxy of the learner's module."""
    return Student(desk, _MODULE, "module", "")


def type_name(value: object) -> str:
    """Return the name of a value's type, a proxy's as it is in the worker."""
    return str(vars(value)["_type_name"]) if isinstance(value, Proxy) else type(value).__name__


def describe(value: Any) -> str:
    """Return an argument in words: a drawn tensor by its label, another by its shape."""
    if isinstance(value, Proxy):
        words = str(vars(value)["_words"])
        return words if len(words) <= _TEXT else f"{words.partition('(')[0]}(…)"
    if _is_tensor(value):
        return str(getattr(value, "label", "")) or f"a tensor {list(value.shape)}"
    if isinstance(value, dict):
        return "a dict"  # a state dict's repr is thousands of numbers
    text = repr(value)
    return text if len(text) <= _TEXT else f"a {type(value).__name__}"


def _is_tensor(value: object) -> bool:
    return not isinstance(value, Proxy) and hasattr(value, "shape")


def _call_words(words: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    inside = [describe(arg) for arg in args] + [f"{name}={describe(value)}" for name, value in kwargs.items()]
    tensors = {describe(arg): getattr(arg, "axes", None) for arg in (*args, *kwargs.values()) if _is_tensor(arg)}
    shapes = [f"{label}: [{axes}]" for label, axes in tensors.items() if axes]
    before = words.partition("    ")
    return "    ".join([f"{before[0]}({', '.join(inside)})", *shapes])


def _pack(value: Any) -> values.Value:
    def refer(item: object) -> values.Ref:
        if isinstance(item, Proxy):
            return values.Ref(vars(item)["_handle"], vars(item)["_type_name"])
        raise TypeError(f"a {type(item).__name__} cannot be sent to a worker")

    return values.Packer(refer).pack(value)
