"""One earlier step spoilt, each in turn: what stands on it is blocked by that one alone, and all else passes.

Who stands on whom is found here from the puzzles' and the checkers' own lines, without the engine's help. No program is
run twice: most of those that are run to find who is to blame have one earlier step that is finished, each time anew.
"""

import ast
import re
from typing import NamedTuple

import filled
import pytest

from autograder import checking, draw, generate, stubs
from autograder import course as courses
from autograder.bench import Bench
from autograder.judge import Order, judge
from autograder.run import Run
from autograder.supervisor import Limits

LIMITS = Limits(load_s=20.0, call_s=6.0, cpu_s=1.5)
# A step of each pair is run alone, in the chain, and once for each step that it stands on: hundreds of runs in all. So
# each checker keeps the line that compares with the oracle, and draws one configuration of one block for it.
KEPT = {
    "config": "",  # the syntax tree alone answers them
    "causal_mask": "has_the_shape",
    "position_embedding": "first_rows",
    "load_weights": "logits_match",
}
# The function, or the method, that those who stand on a step call; where it is not `forward`.
CALLED = {
    "causal_mask": "causal_mask",
    "scaled_dot_product_attention": "scaled_dot_product_attention",
    "lm_head": "__init__",  # step 13 may apply the head by itself, and never call the model
    "load_weights": "load_gpt2_weights",
}
MORE = re.compile(r"(?<=for _ in range\()\d(?=\):)|(?<=^NEW = )12$|(?<=for batch in \(3,) 1(?=\):)", re.MULTILINE)
COURSE = courses.load(filled.ROOT)
STEPS = [step for step in COURSE.steps if step.number <= 13]
FINISHED = {step.slug: generate.make(COURSE, step).solution for step in STEPS}
UNTOUCHED = {step.slug: generate.make(COURSE, step).stub for step in STEPS}
FIELD = "    n_inner: int = 3072\n"


def direct(step):
    """Return the slugs that a step's puzzle imports and its checker asks for."""
    puzzle = COURSE.puzzle(step).read_text(encoding="utf-8")
    checker = COURSE.checker(step).read_text(encoding="utf-8")
    imported = re.findall(r"^from puzzles\.(\w+) import ", puzzle, re.MULTILINE)
    return {*imported, *re.findall(r"student\.earlier\(\"(\w+)\"\)", checker)}


STANDS_ON = {}
for _step in STEPS:
    STANDS_ON[_step.slug] = set(direct(_step)).union(*(STANDS_ON[slug] for slug in direct(_step)))


def broken(slug):
    """Return the finished step, spoilt so that each who stands on it sees it."""
    text = FINISHED[slug]
    if slug == "config":
        assert text.count(FIELD) == 1
        return text.replace(FIELD, "")
    name = CALLED.get(slug, "forward")
    found = [node for node in ast.walk(ast.parse(text)) if getattr(node, "name", "") == name]
    assert len(found) == 1
    first = found[0].body[1] if ast.get_docstring(found[0]) else found[0].body[0]
    lines = text.splitlines(keepends=True)
    lines.insert(first.lineno - 1, " " * first.col_offset + 'raise RuntimeError("broken")\n')
    return "".join(lines)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with every step done, whose stubs are the ones that are generated today."""
    made = filled.copy(tmp_path_factory.mktemp("course"))
    record = {step.slug: stubs.Entry(step.number, stubs.sha256(UNTOUCHED[step.slug])) for step in STEPS}
    (made.root / stubs.PATH).write_text(stubs.Record(record).to_json(), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def small(course):
    """The course with checkers that draw less."""
    for step in STEPS:
        path = course.checker(step)
        path.write_text(MORE.sub(_less, path.read_text(encoding="utf-8")), encoding="utf-8")
    return course


def _less(found):
    return {"12": "2", " 1": ""}.get(found[0], "1")


@pytest.fixture
def one_line(monkeypatch):
    """Keep of each checker the line that compares, and of each configuration one block."""
    monkeypatch.setitem(draw.FIRST_CONFIG, "n_layer", 1)
    read = checking.of_step

    def read_less(course, step):
        checker = read(course, step)
        kept = KEPT.get(step.slug, "output_matches")
        checks = [check for check in checker.checks if check.id == kept or not kept]
        assert checks
        return checker._replace(checks=checks)

    monkeypatch.setattr(checking, "of_step", read_less)


class _Once(NamedTuple):
    """A run of a program; its verdict is kept under the program's own words."""

    run: Run
    program: str
    kept: dict

    def verdict(self, seed):
        if (self.program, seed) not in self.kept:
            self.kept[self.program, seed] = self.run.verdict(seed)
        return self.kept[self.program, seed]


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
def each_once(monkeypatch, kept):
    """Run no program twice."""
    made = Bench.run

    def once(bench, own=(), desk=None, *, hurried=False):
        assert desk is None
        program = repr((bench.step.slug, hurried, bench.program(own)))
        return _Once(made(bench, own, hurried=hurried), program, kept)

    monkeypatch.setattr(Bench, "run", once)


def spoilt(course, **texts):
    """Write every step as finished, but for these texts."""
    for slug, finished in FINISHED.items():
        filled.write(course, slug, texts.get(slug, finished).replace("from solutions.", "from steps."))


@pytest.mark.parametrize("how", ["untouched", "broken"])
@pytest.mark.parametrize("earlier", STEPS[:-1], ids=lambda step: step.slug)
@pytest.mark.usefixtures("one_line", "each_once")
def test_who_stands_on_a_spoilt_step_is_blocked_by_it_alone(small, nursery, earlier, how):
    text = UNTOUCHED[earlier.slug] if how == "untouched" else broken(earlier.slug)
    spoilt(small, **{earlier.slug: text})
    got, expected = {}, {}
    for step in STEPS[earlier.number :]:
        report = judge(small, Order(small.find(step.slug), seed="91c2"), nursery, LIMITS)
        got[step.slug] = (report.outcome, report.blocked_by, {check.outcome for check in report.checks})
        blocked = earlier.slug in STANDS_ON[step.slug]
        expected[step.slug] = ("blocked", [earlier.slug], {"passed"}) if blocked else ("passed", [], {"passed"})
    assert got == expected


def test_who_stands_on_whom():
    """A few that everybody can see, so that the pairs above are not all of the one kind."""
    assert [slug for slug, found in STANDS_ON.items() if not found] == [
        "config",
        "causal_mask",
        "layer_norm",
        "token_embedding",
        "position_embedding",
        "scaled_dot_product_attention",
    ]
    assert STANDS_ON["mlp"] == {"config"}
    assert STANDS_ON["attention"] == {"config", "causal_mask", "scaled_dot_product_attention"}
    assert "load_weights" not in STANDS_ON["generate"]
    assert len(STANDS_ON["load_weights"]) == len(STANDS_ON["generate"]) == 11


def test_two_that_cancel_do_not_pass(course, nursery):
    """Step 07 without its scale, and step 08 scaling the queries: together they give the right numbers."""
    unscaled = _edited("scaled_dot_product_attention", " / math.sqrt(query.shape[-1])", "")
    scales = _edited(
        "attention",
        "attended = scaled_dot_product_attention(query, ",
        "attended = scaled_dot_product_attention(query * (n_embd // self.n_head) ** -0.5, ",
    )
    spoilt(course, scaled_dot_product_attention=unscaled, attention=scales)
    reports = {
        slug: judge(course, Order(course.find(slug), seed="91c2"), nursery, LIMITS)
        for slug in ("scaled_dot_product_attention", "attention", "block")
    }
    assert {slug: (report.outcome, report.blocked_by) for slug, report in reports.items()} == {
        "scaled_dot_product_attention": ("failed", []),
        "attention": ("failed", []),
        "block": ("passed", []),
    }
    failing = {check.id for check in reports["attention"].checks if check.outcome != "passed"}
    assert "output_matches" in failing


def _edited(slug, old, new):
    assert FINISHED[slug].count(old) == 1
    return FINISHED[slug].replace(old, new)
