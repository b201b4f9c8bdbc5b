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
