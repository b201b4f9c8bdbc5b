"""The proofs of all steps, a process a core side by side; each room's proofs come as they are done."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autograder import course as courses
from autograder.errors import CourseError
from autograder.gate import cancelling, ends, itself, laws, mutants, naming, seeds, transcripts, words
from autograder.gate.proof import Fault, Proof
from autograder.gate.stand import Stand
from autograder.kinds import import_beside, kinds_of
from autograder.nursery import CAN_FORK, Nursery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autograder.course import Course, Step

_PARTS = 4  # a long proof is cut, so that the processes end at the same time


class Task(NamedTuple):
    """One proof of one step, or a part of it."""

    slug: str
    room: str
    part: int = 0


class Room(NamedTuple):
    """What a proof is called, how it is done, and in how many parts."""

    name: str
    prove: Callable[..., Proof]
    parts: int = 1


ROOMS = (
    Room("checks", ends.prove),
    Room("words", words.prove),
    Room("mistakes", naming.prove),
    Room("variants", naming.prove_variants),
    Room("mutants", mutants.prove, _PARTS),
    Room("seeds", seeds.prove),
    Room("pairs", naming.prove_pairs),
    Room("laws", laws.prove),
    Room("transcripts", transcripts.prove),
    Room("cancelling", cancelling.prove),
    Room("itself", itself.prove),
)
NAMES = tuple(room.name for room in ROOMS)


def tasks(steps: Sequence[Step], rooms: Sequence[str]) -> list[Task]:
    """Return all that is to be done, the last steps first: they take longest."""
    wanted = [room for room in ROOMS if room.name in rooms]
    return [
        Task(step.slug, room.name, part) for step in reversed(steps) for room in wanted for part in range(room.parts)
    ]


def prove(course: Course, work: Sequence[Task], processes: int | None = None) -> Iterator[tuple[Task, Proof]]:
    """Yield each proof as it is done.

    Errors: CourseError, when the course's own files are broken.
    """
    count = min(processes or os.cpu_count() or 1, len(work))
    with Nursery() as nursery:
        if count <= 1:
            stands: dict[str, Stand] = {}
            for task in work:
                yield task, _proof(course, task, nursery, stands)
            return
        with _pool(course, work, count, nursery) as pool:
            waiting = {pool.submit(_prove_there, group): group for group in _groups(work, count)}
            try:
                for done in as_completed(waiting):
                    yield from zip(waiting[done], done.result(), strict=True)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _pool(course: Course, work: Sequence[Task], count: int, nursery: Nursery) -> ProcessPoolExecutor:
    """Return the processes: where there is fork, with the libraries that were imported once, and the same ancestors."""
    if not CAN_FORK:
        return ProcessPoolExecutor(count, get_context("spawn"), _begin, (str(course.root), None))
    import_beside(nursery, *kinds_of(course, [course.find(slug) for slug in {task.slug for task in work}]))
    gc.collect()
    gc.freeze()
    return ProcessPoolExecutor(count, get_context("fork"), _begin, (str(course.root), nursery))


def _groups(work: Sequence[Task], count: int) -> list[list[Task]]:
    """Return the tasks that one process does one after another: a step's, for what is known of it is then known."""
    slugs = list(dict.fromkeys(task.slug for task in work))
    if len(slugs) < 2 * count:  # too few to keep all of them busy
        return [[task] for task in work]
    return [[task for task in work if task.slug == slug] for slug in slugs]


def _proof(course: Course, task: Task, nursery: Nursery, stands: dict[str, Stand]) -> Proof:
    gc.collect()
    gc.freeze()  # the libraries are no rubbish: looking through them for some takes a sixth of a run
    room = next(room for room in ROOMS if room.name == task.room)
    try:
        if task.slug not in stands:
            stands[task.slug] = Stand(course, course.find(task.slug), nursery)
        stand = stands[task.slug]
        return room.prove(stand, task.part, room.parts) if room.parts > 1 else room.prove(stand)
    except CourseError as error:
        place = ":".join(str(part) for part in (_relative(course, error.path), error.line) if part is not None)
        return Proof(task.room, 0, 1, [Fault(place, error.message, "Mend it, and run verify again")])


def _relative(course: Course, path: str | None) -> str:
    if path is None:
        return "course.toml"
    found = Path(path)
    return found.relative_to(course.root).as_posix() if found.is_relative_to(course.root) else path


# ------------------------------------------------------------------------------------ in a process of the pool


class _There(NamedTuple):
    course: Course
    nursery: Nursery
    stands: dict[str, Stand]


_there: list[_There] = []


def _begin(root: str, shared: Nursery | None) -> None:
    import threading
    from multiprocessing.util import Finalize

    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    nursery = shared.lent() if shared is not None else Nursery()
    Finalize(None, nursery.close, exitpriority=100)  # a pool's process that was forked calls nothing of atexit
    _there.append(_There(courses.load(Path(root)), nursery, {}))


def _end_with_the_parent() -> None:
    """Wait for the end of the process that started this one, and end: a pool's process would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _prove_there(group: Sequence[Task]) -> list[Proof]:
    here = _there[0]
    return [_proof(here.course, task, here.nursery, here.stands) for task in group]
