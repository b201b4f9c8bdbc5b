"""The ladder of hints is the numbered list of a step's text."""

import re

import courses
import pytest

from autograder import course as loading
from autograder import hints
from autograder.errors import CourseError
from autograder.hints import ladder

LADDER = """# Step {step}

```markdown
## Hints

1. Not this one.
```

## Hints

Words above the list.

1. What follows step {step:config}?
2. It goes on
   in the next line,
and in a lazy one.

   A second paragraph:

   - an item
   - item two
     goes on

3) Some code:

   ```python
   x = ____
       y
   1. no item
   ```

   and {title}.

## What You Can Now Do

1. Not this one either.
"""


@pytest.fixture
def root(tmp_path):
    return courses.make(tmp_path)


def hints_of(root, text):
    courses.put(root, "puzzles/mask.md", text)
    course = loading.load(root)
    return ladder(course, course.find("mask"))


def problem(root, text):
    with pytest.raises(CourseError) as caught:
        hints_of(root, text)
    return str(caught.value)


def test_hints_are_the_items_of_the_list(root):
    found = hints_of(root, LADDER)
    assert [hint.text for hint in found] == [
        "What follows step 01?",
        "It goes on in the next line, and in a lazy one.\n\nA second paragraph:\n\n- an item\n- item two goes on",
        "Some code:\n\n    x = ____\n        y\n    1. no item\n\nand Causal Mask.",
    ]
    assert [hint.line for hint in found] == [13, 14, 24]


def test_windows_newlines_change_nothing(root):
    before = hints_of(root, LADDER)
    path = root / "puzzles" / "mask.md"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    course = loading.load(root)
    assert ladder(course, course.find("mask")) == before


def test_a_text_without_hints_is_the_courses_fault(root):
    says = 'puzzles/mask.md:3: has no "## Hints": a numbered list under this heading is needed'
    assert problem(root, "# Step\n\n### Hints\n") == says
    says = 'puzzles/mask.md:3: has no hint under "## Hints": each is an item of a numbered list'
    assert problem(root, "# Step\n\n## Hints\n\n- one\n\n## More\n\n1. no\n") == says
    assert (
        problem(root, "## Hints\n\n1. {step:mush}\n") == "puzzles/mask.md:3: {step:mush}: course.toml has no step mush"
    )


def test_a_text_that_is_not_there_or_no_text_is_the_courses_fault(root):
    course = loading.load(root)
    (root / "puzzles" / "mask.md").write_bytes(b"\xff")
    with pytest.raises(CourseError) as caught:
        ladder(course, course.find("mask"))
    assert str(caught.value) == "puzzles/mask.md: is not UTF-8: save it as UTF-8"
    (root / "puzzles" / "mask.md").unlink()
    with pytest.raises(CourseError) as caught:
        ladder(course, course.find("mask"))
    assert str(caught.value) == "puzzles/mask.md: is missing: it holds the text of step 02, and its hints"


def test_every_step_of_the_course_has_a_ladder(course):
    for step in course.steps:
        if not course.is_planned(step):
            assert len(ladder(course, step)) >= 3, step.slug


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Look up [`torch.cat`](https://a.b/c_d.html#e-f).", "Look up `torch.cat`.\n  https://a.b/c_d.html#e-f"),
        ("[one](u) and [two](v) and [one](u)", "one and two and one\n  u\n  v"),
        ("see [it](https://a.b/c_(d))", "see it\n  https://a.b/c_(d)"),
        ("it is **not** so, and *this* is", "it is not so, and this is"),
        ("2 * x * 3 and x**2 and `a ** b` and `**kwargs`", "2 * x * 3 and x**2 and `a ** b` and `**kwargs`"),
        ("`[a](b)` is code, `nn.Linear(____, ____)` too", "`[a](b)` is code, `nn.Linear(____, ____)` too"),
        ("code:\n\n    x = [a](b) * **c**", "code:\n\n    x = [a](b) * **c**"),
        ("<https://a.b/c>", "https://a.b/c"),
        ("", ""),
    ],
)
def test_a_screen_shows_a_hint_without_marks_and_its_addresses_whole(text, shown):
    assert hints.plain(text) == shown


def test_no_hint_of_the_course_shows_a_mark(course):
    for step in course.steps:
        if course.is_planned(step):
            continue
        for hint in hints.ladder(course, step):
            prose = re.sub(r"`[^`]*`", "", hints.plain(hint.text))
            assert not re.search(r"\]\(|\*\*", prose)
            assert all(" " not in line.strip() for line in prose.splitlines() if "http" in line)
