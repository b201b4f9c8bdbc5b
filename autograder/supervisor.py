"""The judge's conversation with a worker, under limits: time, memory, processes, output. What breaks one is ended."""

from __future__ import annotations

import secrets
import signal
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from autograder import family, values, wire
from autograder.inbox import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.nursery import Born, Kind, Nursery

_FIRST_LOOK_S = 0.05
_LOOK_S = 0.1
_PEAK_S = 0.002  # what is quicker is looked at when its check is over
_CALIBRATION, _CALIBRATION_S, _SLOWEST = 200_000, 0.008, 10.0  # turns of an empty loop, and what they took
_COULD_NOT_ANSWER = 70  # what a worker exits with when its own code raised: `ancestor.py`
_EXIT_S = 1.0
_MB = 2**20
_GB = 2**30


class Limits(NamedTuple):
    """What a learner's code may use. Processor time is the family's; the wall's clock is there for what sleeps."""

    load_s: float = 60.0
    call_s: float = 30.0
    cpu_s: float = 10.0
    memory_bytes: int = 3 * _GB
    processes: int = 32
    threads: int = 256
    output_bytes: int = 4096


def calibrated(limits: Limits) -> Limits:
    """Return the limits with more time where this machine is slower than the one that they were chosen on."""
    start = time.process_time()
    for _ in range(_CALIBRATION):
        pass
    factor = min(max((time.process_time() - start) / _CALIBRATION_S, 1.0), _SLOWEST)
    load_s, call_s, cpu_s = (round(limit * factor) for limit in (limits.load_s, limits.call_s, limits.cpu_s))
    return limits._replace(load_s=load_s, call_s=call_s, cpu_s=cpu_s)  # whole seconds: a learner reads them


def hurried(limits: Limits) -> Limits:
    """Return the limits with a fifth of the time."""
    return limits._replace(load_s=limits.load_s / 5, call_s=limits.call_s / 5, cpu_s=limits.cpu_s / 5)


class Ended(Exception):
    """The worker is no more: the outcome that this is, and what happened, in words that complete "your code …"."""

    def __init__(
        self, outcome: Literal["timeout", "crash", "limit"], sentence: str, frames: Sequence[wire.Frame] = ()
    ) -> None:
        super().__init__(sentence)
        self.outcome = outcome
        self.sentence = sentence
        self.frames = frames  # where it stood, outermost first; what a worker wrote, and no more than a hint
        self.loading = False  # whether it happened while the learner's file was being imported


class ProtocolBroken(Ended):
    """Something but an answer came through the channel of the answers."""

    def __init__(self) -> None:
        super().__init__("crash", "wrote into the autograder's own channel (protocol)")


class Output:
    """What the learner's code printed: its beginning, its end, and how much there was."""

    def __init__(self, keep_bytes: int) -> None:
        self._keep = keep_bytes
        self._head = b""
        self._tail = b""
        self.bytes = 0

    def add(self, data: bytes) -> None:
        self.bytes += len(data)
        room = self._keep - len(self._head)
        self._head += data[: max(room, 0)]
        self._tail = (self._tail + data[max(room, 0) :])[-self._keep :]

    @property
    def text(self) -> str:
        cut = self.bytes - len(self._head) - len(self._tail)
        middle = f"\n… {cut:,} bytes left out …\n".encode() if cut > 0 else b""
        return (self._head + middle + self._tail).decode("utf-8", "replace")


class Worker:
    """One worker, one request at a time."""

    def __init__(self, ancestors: Nursery, kind: Kind, limits: Limits, output: Output) -> None:
        self._limits = limits
        self._nursery = ancestors
        self._born: Born = ancestors.worker(kind, limits.memory_bytes, output.add)
        self._family = self._born.family
        self._inbox = self._born.inbox
        self._base_bytes = family.peak_bytes(self._family.pid)
        self._over = False

    def ask(self, verb: wire.Verb, seconds: float) -> wire.Answer:
        """Return the worker's answer.

        Errors: Ended, after which there is no worker; values.TooLarge, when the request itself is over a cap.
        """
        number = secrets.randbits(62)  # what was sent before cannot bear it
        frame = wire.encode(wire.Request(number, verb))
        self._born.outbox.send(frame)
        start = time.monotonic()
        body = self._wait(seconds)
        try:
            reply = wire.decode_reply(body)
        except values.Malformed as error:
            raise self._end_of_protocol() from error
        if reply.id != number or not wire.is_answer(verb, reply.answer):
            raise self._end_of_protocol()
        self._born.outbox.settle(1.0)
        if isinstance(verb, wire.Release) or time.monotonic() - start > _PEAK_S:
            self._judge_peak()
        return reply.answer

    def finish(self) -> None:
        """Let a worker go that has answered all it was asked, without waiting for its end."""
        if not self._over:
            self._over = True
            self._nursery.dismiss(self._born)

    def close(self) -> None:
        """Kill the worker and all that it started, and wait for the last of its output."""
        if not self._over:
            self._over = True
            self._nursery.end(self._born)

    # ------------------------------------------------------------------------------------------------------- waiting

    def _wait(self, seconds: float) -> bytes:
        start = time.monotonic()
        base_cpu_s: float | None = None
        pause = min(_FIRST_LOOK_S, seconds)
        while True:
            try:
                body = self._inbox.frame(pause)
            except Silent:
                used = family.usage(self._family)
                if base_cpu_s is None:
                    base_cpu_s = max(used.cpu_s - (time.monotonic() - start), 0.0)
                self._judge_usage(used)
                self._judge_peak()
                self._judge_time(used.cpu_s - base_cpu_s, time.monotonic() - start, seconds)
                if self._nursery.on_wait is not None:
                    self._nursery.on_wait(time.monotonic() - start, self._limits.cpu_s)
                pause = _LOOK_S
                continue
            except values.Malformed as error:
                raise self._end_of_protocol() from error
            if body is None:
                raise self._end_of_stream()
            return body

    def _judge_usage(self, used: family.Usage) -> None:
        limits = self._limits
        if used.processes > limits.processes:
            raise self._stop("limit", f"started more than {limits.processes} processes")
        if used.threads > limits.threads:
            raise self._stop("limit", f"started more than {limits.threads} threads")
        counted = used.memory_bytes
        if counted > limits.memory_bytes and used.processes > 1:
            counted = family.shared_once_bytes(self._family.processes())
        if counted > limits.memory_bytes:
            raise self._stop("limit", f"used >{_size(limits.memory_bytes)} of memory")

    def _judge_time(self, cpu_s: float, wall_s: float, seconds: float) -> None:
        limits = self._limits
        if cpu_s > limits.cpu_s:
            raise self._stop("timeout", f"was still computing after {_seconds(limits.cpu_s)} of processor time")
        if wall_s > seconds:
            raise self._stop("timeout", f"had not come back after {_seconds(seconds)}")

    def _judge_peak(self) -> None:
        peak = family.peak_bytes(self._family.pid)
        if peak and self._base_bytes and peak - self._base_bytes > self._limits.memory_bytes:
            self._judge_usage(family.usage(self._family))  # threads take address space: then it is their number
            raise self._stop("limit", f"used >{_size(self._limits.memory_bytes)} of memory")

    # -------------------------------------------------------------------------------------------------------- ending

    def _stop(self, outcome: Literal["timeout", "limit"], sentence: str) -> Ended:
        stack = self._born.stack
        frames = stack.asked(self._family) if stack is not None else []
        self.close()
        return Ended(outcome, sentence, frames)

    def _crashed(self, sentence: str) -> Ended:
        stack = self._born.stack
        frames = stack.left() if stack is not None else []
        self.close()
        return Ended("crash", sentence, frames)

    def _end_of_protocol(self) -> Ended:
        self.close()
        return ProtocolBroken()

    def _end_of_stream(self) -> Ended:
        code = self._family.exit_code(_EXIT_S)
        if code is None:
            return self._crashed("closed the channel that its answers travel on")
        if code == _COULD_NOT_ANSWER:
            return self._crashed("broke the process that it runs in, so that no answer came")
        if code < 0:
            return self._crashed(f"was ended by the signal {_signal_name(-code)}")
        return self._crashed(f"ended its own process (exit code {code}) before it answered")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / _GB:g} GB" if size_bytes >= _GB else f"{size_bytes / _MB:.0f} MB"


def _seconds(seconds: float) -> str:
    return f"{seconds:g} seconds"
