"""A copy of the course in which the learner has done every step: a test there depends on no checkout's steps/."""

import shutil
from pathlib import Path

from autograder import course as courses

ROOT = Path(__file__).resolve().parents[2]


def copy(folder, **texts):
    """Return the course in `folder`, steps/ filled from solutions/, but for the texts that are given by slug."""
    for name in ("puzzles", "solutions", "tests/steps"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "steps").mkdir()
    shutil.copy(ROOT / "course.toml", folder)
    shutil.copy(ROOT / "steps" / ".generated.json", folder / "steps")
    course = courses.load(folder)
    for step in course.steps:
        finished = course.stub(step, "solutions")
        if finished.is_file():
            text = finished.read_text(encoding="utf-8").replace("from solutions.", "from steps.")
            write(course, step.slug, texts.get(step.slug, text))
    return course


def write(course, slug, text):
    """Write a step's file as a learner would; none where the text is None."""
    path = course.stub(course.find(slug))
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_bytes(text.encode())
