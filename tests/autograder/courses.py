"""Small courses for the engine's own tests."""

from pathlib import Path

CONFIG = '''"""The numbers."""

# BEGIN SOLUTION
# STUB: # TODO 1: import dataclass
from dataclasses import dataclass

# END SOLUTION


# BEGIN SOLUTION
# STUB: # TODO 2: decorate the class
@dataclass
# END SOLUTION
class GPT2Config:
    # BEGIN SOLUTION
    # STUB: n_embd: int = None
    n_embd: int = 768
    # END SOLUTION
'''

MASK = '''"""The mask."""

from puzzles.config import GPT2Config


def causal_mask(config: GPT2Config) -> int:
    """Return the width."""
    # BEGIN SOLUTION
    # STUB: # TODO 1: the width   [1 line]
    # STUB: raise NotImplementedError("step {step}: causal_mask")
    return config.n_embd
    # END SOLUTION


def _helper() -> None: ...
'''

TEXT = """# Step {step}: {title}

After step {step:config}; {braces} stay.

<!-- STUB -->

<!-- FAILED -->

<!-- PASSED -->
"""

TITLES = {"config": "Create Model Configuration", "mask": "Causal Mask", "attention": "Multi-Head Attention"}


def toml(titles: dict[str, str]) -> str:
    """Return a course.toml with one part."""
    lines = [f'{slug} = "{title}"' for slug, title in titles.items()]
    return "\n".join(['name = "c"', 'title = "C"', "", '[parts."I. Model"]', *lines]) + "\n"


def make(root: Path) -> Path:
    """Lay a course of three steps in ``root``: two with a puzzle, and attention, which is planned."""
    put(root, "course.toml", toml(TITLES))
    put(root, "puzzles/config.py", CONFIG)
    put(root, "puzzles/mask.py", MASK)
    for slug in ("config", "mask"):
        put(root, f"puzzles/{slug}.md", TEXT)
        put(root, f"puzzles/recorded/{slug}.failed.txt", "❌ no\n")
        put(root, f"puzzles/recorded/{slug}.passed.txt", "✅ yes\n")
    put(root, "pixi.toml", "[tasks]\n# BEGIN GENERATED: steps\n# END GENERATED: steps\n")
    put(root, "pyproject.toml", "[project.scripts]\n# BEGIN GENERATED: steps\n# END GENERATED: steps\n")
    put(root, "README.md", "# C\n\n<!-- BEGIN GENERATED: steps -->\n<!-- END GENERATED: steps -->\n\nmore\n")
    return root


def put(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


MEAN = '''"""The mean."""


def mean(numbers: list[float]) -> float:
    """Return the mean of at least one number."""
    # BEGIN SOLUTION
    # STUB: # TODO 1: the mean   [2 lines]
    # STUB: raise NotImplementedError("step {step}: mean")
    total = sum(numbers)
    return total / len(numbers)
    # END SOLUTION
'''

MEAN_TEXT = """# Step {step}: {title} (`step_{step}.py`)

**Purpose**: One number for many.

## What is a Mean?

The sum, shared out evenly.

## Why a Mean?

It is short.

### Key Concepts:

**Sum**: all of them together.

### Implementation Tasks (`step_{step}.py`):
1. Return the mean

**Implementation**:

<!-- STUB -->

### Validation:

Run `pixi run s{step}`.

<!-- FAILED -->

<!-- PASSED -->

## Hints

1. What do you divide by?
2. By how many there are: `____ / ____`

**Reference**: `puzzles/mean.py`
"""

MEAN_CHECKER = """from statistics import fmean

from autograder.checking import check, equivalent, mistake, variant
from autograder.comparing import equal


@check(passed="mean gives the mean", failed="mean does not give the mean: got {got}")
def matches(student, draw):
    for count in (1, draw.integer(3, 6)):
        numbers = [draw.integer(1, 9) + 0.5 for _ in range(count)]
        equal(student.mean(numbers), fmean(numbers))


mistake("one-too-few", "len(numbers)", "max(len(numbers) - 1, 1)", "It is divided by one too few.")
again = [("total = sum(numbers)", "return sum(numbers)")]
mistake("sum-alone", "total / len(numbers)", "total", "The sum is not divided.", again=again)
variant("a-loop", "total = sum(numbers)", "total = 0.0\\n    for number in numbers:\\n        total += number")
"""


def one_step(root: Path, *, checker: str = MEAN_CHECKER, puzzle: str = MEAN, text: str = MEAN_TEXT) -> Path:
    """Lay a course of one step in ``root``, about the mean of numbers: nothing in it needs torch."""
    put(root, "course.toml", toml({"mean": "The Mean"}))
    put(root, "puzzles/mean.py", puzzle)
    put(root, "puzzles/mean.md", text)
    put(root, "tests/steps/mean.py", checker)
    put(root, "pixi.toml", '[tasks]\ns01 = "python -m autograder check 1"\n')
    return root
