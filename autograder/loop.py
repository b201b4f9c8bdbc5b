"""What a warm server does as long as it lives: takes requests, has a judge answer each, and looks after both.

It reads no file of a learner; what it forks reads course and steps anew each time. Nothing but standard library runs
here, so that nothing that a check does can hold up another.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import address, fingerprint, snapshot
from autograder.fork import forked, has_ended
from autograder.guest import Guest
from autograder.spare import Spare
from autograder.watch import Watch

if TYPE_CHECKING:
    from autograder.address import Request
    from autograder.client import Warmth

_IDLE_S = 15 * 60.0
_BEAT_S = 1.0
_QUIET_S = 0.7
_WATCH_S = 0.2  # how often it looks whether a file has changed, where it is not told,
_SOON_S = 5 * 60.0  # so long after a check, and each _BEAT_S after that
_LOOK_S = 20.0  # how often it looks whether it is still of use
_GRACE_S = 5.0  # for a judge whose client has gone to end what it started
_AT_ONCE = 2 * (os.cpu_count() or 1)


class Loop:
    """The loop: takes requests, forks judges, tells clients that their judge lives, and ends when it is of no use."""

    def __init__(
        self, root: str, path: Path, listener: socket.socket, warmth: Warmth, made_of: str, last: Request | None
    ) -> None:
        self._root = root
        self._path = path
        self._listener = listener
        self._warmth = warmth
        self._made_of = made_of
        self._started = time.monotonic()
        self._busy_until = self._looked = self._beaten = self._started
        self._requests = 0
        self._guests: list[Guest] = []
        self._waiting: deque[Guest] = deque()
        self._ending = False
        self._spare: Spare | None = None
        self._may_have_spare = True
        self._leaving: list[int] = []
        self._last = last
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = os.pipe()
        self._watch = Watch()

    def serve(self) -> None:
        """Answer until nobody asks any more, or what we were started from is not what is there now."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._terminated)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until a spare judge listens to it
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        if self._watch.number is not None:
            self._selector.register(self._watch.number, selectors.EVENT_READ)
        try:
            while not (self._ending and not self._guests):
                for key, _ in self._selector.select(self._pause_s()):
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj == self._woken:
                        os.read(self._woken, 4096)
                    elif key.fileobj == self._watch.number:
                        self._watch.clear()
                    else:
                        self._listen(key.data)
                self._reap()
                self._start_waiting()
                self._look_after()
        finally:
            self._end()
            self._drop_spare()

    def _pause_s(self) -> float:
        """Return how long nothing need be looked at: not long while somebody is likely to save a file."""
        is_watching = not self._guests and time.monotonic() - self._busy_until < _SOON_S
        return _WATCH_S if is_watching else _BEAT_S

    # ------------------------------------------------------------------------------------------------------- clients

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            channel, _ = self._listener.accept()
            channel.setblocking(False)
            guest = Guest(channel)
            self._guests.append(guest)
            self._selector.register(channel, selectors.EVENT_READ, guest)

    def _listen(self, guest: Guest) -> None:
        try:
            data, terminal, _, _ = socket.recv_fds(guest.channel, 65536, 3)
        except BlockingIOError:
            return
        except OSError:
            data, terminal = b"", []
        guest.terminal += terminal
        guest.heard += data
        if not data:
            self._selector.unregister(guest.channel)
            guest.gone_since = time.monotonic()
            if guest.judge:
                _signal(guest.judge, signal.SIGINT)
            else:
                self._leave(guest)
        elif guest.request is None:
            self._read(guest)
        elif not guest.judge and guest not in self._waiting:
            self._requests += 1
            self._waiting.append(guest)

    def _read(self, guest: Guest) -> None:
        try:
            guest.request = address.read(guest.heard)
        except ValueError:
            self._dismiss(guest, "cold")
            return
        match guest.request:
            case None:
                return
            case address.Request(verb="status"):
                age_s = time.monotonic() - self._started
                self._dismiss(guest, f"{os.getpid()} {age_s:.0f} {self._requests}")
            case address.Request(verb="stop"):
                self._end()
                self._dismiss(guest, "stopping")
            case _ if not self._fits(guest.request) or len(guest.terminal) != 3:
                self._dismiss(guest, "cold")
            case _:
                guest.say("taken")  # and begin at its word: a client that has given up makes the check itself

    def _fits(self, request: Request) -> bool:
        """Return whether a check by this server is the same as one in the process that asks."""
        if request.root != self._root:
            return False
        if self._ending or request.python != address.python() or fingerprint.made_of() != self._made_of:
            self._end()
            return False
        return True

    def _dismiss(self, guest: Guest, word: str) -> None:
        guest.say(word)
        self._selector.unregister(guest.channel)
        self._leave(guest)

    def _leave(self, guest: Guest) -> None:
        guest.close()
        self._guests.remove(guest)
        if guest in self._waiting:
            self._waiting.remove(guest)

    # -------------------------------------------------------------------------------------------------------- judges

    def _start_waiting(self) -> None:
        while self._waiting and sum(bool(guest.judge) for guest in self._guests) < _AT_ONCE:
            guest = self._waiting.popleft()
            guest.judge = self._given(guest) or self._fork(guest)
            if guest.request is not None and guest.request.verb == "check":
                self._last = guest.request
            guest.let_go_of_terminal()

    def _given(self, guest: Guest) -> int:
        """Return the spare judge, which now works for this guest; 0 where there is none."""
        spare = self._spare
        if spare is None or guest.request is None:
            return 0
        if spare.is_at_work() and not self._is_at(guest.request):  # and for who knows how long
            self._drop_spare()
            return 0
        if not spare.give(guest.request, [guest.channel.fileno(), *guest.terminal]):  # it has been killed
            self._drop_spare()
            return 0
        self._spare = None
        return spare.judge

    def _is_at(self, request: Request) -> bool:
        """Return whether the check that the spare judge makes is the one that is asked for, of what is there now."""
        is_the_same = self._last is not None and request.is_of_the_same_check_as(self._last)
        return is_the_same and self._spare is not None and self._spare.seen == snapshot.times(Path(self._root))

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.end()
            self._leaving.append(spare.judge)

    def _fork(self, guest: Guest) -> int:
        """Return the process of a judge for this guest; 0 when there can be none, and the guest was told so."""
        request = guest.request
        assert request is not None

        def run() -> None:
            self._leave_to_judge(guest)
            from autograder import served

            served.answer(request, guest.channel, guest.terminal, self._warmth)

        try:
            return forked(run)
        except OSError:  # no more processes, or no more memory
            self._dismiss(guest, "cold")
            return 0

    def _fork_spare(self) -> None:
        ours, theirs = socket.socketpair()
        for tree in ("steps", "solutions"):
            self._watch.look_at(Path(self._root) / tree)
        seen = snapshot.times(Path(self._root))

        def run() -> None:
            ours.close()
            self._leave_to_judge(None)
            from autograder import standby

            standby.wait(theirs, self._last, self._warmth)

        with theirs:
            try:
                self._spare = Spare(forked(run), ours, seen)
            except OSError:  # then each judge is forked when it is asked for
                ours.close()

    def _leave_to_judge(self, guest: Guest | None) -> None:
        """Be a judge's process: let go of all that is the loop's."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        self._selector.close()
        self._watch.close()
        self._listener.close()
        for other in self._guests:
            if other is not guest:
                other.close()

    def _reap(self) -> None:
        for guest in [guest for guest in self._guests if guest.judge]:
            try:
                pid, status = os.waitpid(guest.judge, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                pid, status = guest.judge, 0
            if not pid:
                continue
            if os.WIFSTOPPED(status):  # nobody would wake it
                _signal(pid, signal.SIGKILL)
                continue
            guest.judge = 0
            self._may_have_spare = True
            if guest.gone_since is None:
                self._selector.unregister(guest.channel)
            self._leave(guest)

    def _look_after(self) -> None:
        """Say that judges live, end those that do not end, and look whether this server is still of use."""
        now = time.monotonic()
        if now - self._beaten >= _BEAT_S:
            self._beaten = now
            for guest in self._guests:
                if guest.gone_since is None and guest.request is not None:
                    guest.say("beat")
                elif guest.judge and guest.gone_since is not None and now - guest.gone_since > _GRACE_S:
                    _signal(guest.judge, signal.SIGKILL)
        if self._guests:
            self._busy_until = now
            return
        self._leaving = [judge for judge in self._leaving if not has_ended(judge)]
        if not self._ending and now - self._busy_until > _QUIET_S:  # not beside a check
            self._look_after_spare()
        if now - self._looked > _LOOK_S:
            self._looked = now
            if now - self._busy_until > _IDLE_S or not self._is_of_use():
                self._end()

    def _look_after_spare(self) -> None:
        """Have a judge ready, which has made the check that was asked for last of the files that are there now."""
        spare = self._spare
        if spare is None:
            if self._may_have_spare:
                self._fork_spare()
        elif has_ended(spare.judge):
            spare.channel.close()
            self._spare, self._may_have_spare = None, False  # what killed it is still there
        elif self._last is not None and not spare.is_at_work():
            seen = snapshot.times(Path(self._root))
            if seen != spare.seen:
                spare.tell(seen)

    def _is_of_use(self) -> bool:
        is_there = Path(self._root).is_dir() and self._path.exists()
        return is_there and self._warmth.nursery.is_whole() and fingerprint.made_of() == self._made_of

    def _terminated(self, *_: object) -> None:
        self._end()
        for guest in self._guests:
            if guest.judge:
                _signal(guest.judge, signal.SIGINT)

    def _end(self) -> None:
        """Take no more requests: the next client finds nobody here."""
        if not self._ending:
            self._ending = True
            with contextlib.suppress(OSError):
                self._path.unlink()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)
