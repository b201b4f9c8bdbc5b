"""A step alone and in the chain: who is blamed for what, in the real course and in one of three tiny steps."""

import json
import re

import filled
import pytest

from autograder import course as courses
from autograder import stubs
from autograder.bench import Bench
from autograder.judge import Order, judge
from autograder.report import EXIT_CODES
from autograder.supervisor import Limits, hurried
from autograder.views import document, layout

LIMITS = Limits(load_s=20.0, call_s=6.0, cpu_s=1.0)
COURSE = courses.load(filled.ROOT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.fixture
def course(whole):
    """The course with every step done; each test changes steps/ as it likes."""
    for slug in ("config", "mlp"):
        filled.write(whole, slug, finished(slug))
    return whole


def finished(slug):
    name = COURSE.find(slug).name
    text = (filled.ROOT / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    return text.replace("from solutions.", "from steps.")


def check(course, nursery, slug="mlp", **order):
    return judge(course, Order(course.find(slug), seed="91c2", **order), nursery, LIMITS)


def said(report):
    return "\n".join(line.text for line in layout.lines(report))


CONFIG = finished("config")
LOOP = "        while True:\n            pass\n\n    def unused("
# name: the learner's step 01, and what is said of it with a right step 04
BROKEN = {
    "missing": (None, "steps/step_01.py is not there"),
    "a syntax error": (
        CONFIG.replace("n_embd: int = 768", "n_embd: int = = 768"),
        "this is not Python: invalid syntax\n   steps/step_01.py:11\n     n_embd: int = = 768",
    ),
    "a NUL byte": (CONFIG + "\0", "holds a NUL byte, so this is not a text"),
    "a field too few": (
        CONFIG.replace("    n_inner: int = 3072\n", ""),
        "got an unexpected keyword argument 'n_inner'",
    ),
    "no dataclass": (CONFIG.replace("@dataclass\n", ""), "TypeError: GPT2Config() takes no arguments"),
    "another name": (CONFIG.replace("GPT2Config", "Config"), "cannot import name 'GPT2Config'"),
    "empty": ("", "cannot import name 'GPT2Config'"),
    "a loop without end": (
        "while True:\n    pass\n",
        "while the file was being imported",
    ),
    "sys.exit": (
        CONFIG + "\nimport sys\n\nsys.exit(0)\n",
        "your code called sys.exit: a step returns its values\n   steps/step_01.py:19",
    ),
    "os._exit": ("import os\n\nos._exit(0)\n", "ended its own process (exit code 0)"),
    "an exception": (CONFIG + "\nraise ValueError('boom')\n", "ValueError: boom"),
    "an import of step 04": (
        "from steps.step_04 import GPT2MLP\n" + CONFIG,
        "(most likely due to a circular import)",
    ),
    "an import of a file that is not there": (
        "from .helpers import dataclass\n" + CONFIG,
        "helpers is not part of this check: a step may import earlier steps",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_right_step_is_blocked_by_a_broken_earlier_one(course, nursery, name):
    text, says = BROKEN[name]
    filled.write(course, "config", text)
    report = check(course, nursery)
    assert (report.outcome, report.blocked_by, report.blamed) == ("blocked", ["config"], ["step 01"])
    assert EXIT_CODES[report.outcome] == 1
    assert {result.outcome for result in report.checks} == {"passed"}
    assert report.next == "pixi run s01"
    told = said(report)
    head, _, chain = told.partition("\nyour step 04 is right; with your step 01 it fails:\n❌ ")
    assert head.count("✅") == len(report.checks)
    assert says in chain
    assert "solutions/" not in told


def test_the_untouched_stub_blocks_and_is_named(nursery, course):
    stub = (filled.ROOT / "steps" / ".generated.json").read_text(encoding="utf-8")
    text = re.sub(r"= \d[^\n]*", "= None", CONFIG.replace("@dataclass\n", ""))
    entry = stubs.Record({**stubs.read(course.root).entries, "config": stubs.Entry(1, stubs.sha256(text))})
    (course.root / stubs.PATH).write_text(entry.to_json(), encoding="utf-8")
    filled.write(course, "config", text)
    report = check(course, nursery)
    (course.root / stubs.PATH).write_text(stub, encoding="utf-8")
    assert (report.outcome, report.blocked_by) == ("blocked", ["config"])
    assert "steps/step_01.py is still the stub that it was at the beginning" in said(report)


def test_a_hang_in_the_chain_is_blocked_and_no_timeout(course, nursery):
    hangs = CONFIG + "\n    def __post_init__(self):\n        while True:\n            pass\n"
    filled.write(course, "config", hangs)
    report = check(course, nursery)
    assert (report.outcome, report.chain.outcome) == ("blocked", "timeout")
    assert "call      GPT2Config(vocab_size=97" in said(report)
    assert re.search(r"\n   steps/step_01.py:\d+\n +while True:\n", said(report))
    assert "called from steps/step_04.py" not in said(report)


def test_a_hang_in_the_chain_is_waited_for_once_and_looked_for_with_less_patience(course, nursery, monkeypatch):
    made, run = [], Bench.run

    def recorded(bench, own=(), desk=None, *, hurried=False):
        made.append((len(own), hurried))
        return run(bench, own, desk, hurried=hurried)

    monkeypatch.setattr(Bench, "run", recorded)
    for slug in ("causal_mask", "scaled_dot_product_attention", "attention", "block"):
        filled.write(course, slug, finished(slug))
    line = "        batch, seq, n_embd = hidden_states.shape\n"
    assert line in finished("attention")
    filled.write(
        course, "attention", finished("attention").replace(line, f"        while True:\n            pass\n{line}")
    )
    report = check(course, nursery, "block")
    filled.write(course, "attention", finished("attention"))
    assert (report.outcome, report.blocked_by) == ("blocked", ["attention"])
    alone, chain, *others = made
    assert (alone, chain) == ((0, False), (6, False))
    assert others == [(1, True)] * 6
    assert hurried(LIMITS) == Limits(load_s=4.0, call_s=1.2, cpu_s=0.2)
    told = said(report)
    assert "called from steps/step_09.py" in told
    assert re.search(r"\n   steps/step_08.py:\d+\n +while True:\n   \d more checks fail with it\n", told)


def test_who_is_slow_and_right_is_not_blamed_for_a_hang(course, nursery, monkeypatch):
    """In a hurry all seem to hang; those who do not are cleared with all of the patience."""
    for slug in ("causal_mask", "scaled_dot_product_attention", "attention", "block"):
        filled.write(course, slug, finished(slug))
    filled.write(course, "attention", finished("attention").replace("def forward(", "def forward(self, *_):\n" + LOOP))
    made, run = [], Bench.run

    def slow(bench, own=(), desk=None, *, hurried=False):
        made.append((len(own), hurried))
        return run(bench, bench.chain.dependencies(()) if hurried else own, desk, hurried=hurried)

    monkeypatch.setattr(Bench, "run", slow)
    report = check(course, nursery, "block")
    filled.write(course, "attention", finished("attention"))
    assert (report.outcome, report.blocked_by) == ("blocked", ["attention"])
    assert made[2:] == [(1, True)] * 6 + [(1, False)] * 6


# What a step may do, and the step after cannot live with: the step that is blocked, the earlier one's edits, its own,
# and what its learner is told.
ALLOWED = {
    "a table of torch's, as it is born": (
        "lm_head",
        "model",
        [("TokenEmbedding(config.vocab_size, config.n_embd)", "nn.Embedding(config.vocab_size, config.n_embd)")],
        [],
        "wte is an nn.Embedding, whose numbers are larger: nn.init.normal_(self.wte.weight, std=0.02) draws them anew",
        ("        self.h =", "        nn.init.normal_(self.wte.weight, std=0.02)\n        self.h ="),
    ),
    "the head before the stack": (
        "load_weights",
        "lm_head",
        [
            ("        self.transformer = GPT2Model(config)\n", ""),
            (
                "        self.lm_head.weight =",
                "        self.transformer = GPT2Model(config)\n        self.lm_head.weight =",
            ),
        ],
        [
            ("    named = model.named_parameters(remove_duplicate=False)\n", ""),
            (
                "own = {name: parameter for name, parameter in named if name != HEAD}",
                "own = dict(model.named_parameters())",
            ),
        ],
        "step 11 makes lm_head before transformer, so named_parameters() has no transformer.wte.weight",
        None,  # the finished step is what it says
    ),
}


def _edited(slug, edits):
    text = finished(slug)
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("name", ALLOWED)
def test_what_a_step_may_do_and_blocks_the_next_is_told_with_what_to_do(course, nursery, name):
    slug, earlier, edits, own_edits, says, mend = ALLOWED[name]
    filled.write(course, earlier, _edited(earlier, edits))
    filled.write(course, slug, _edited(slug, own_edits))
    assert check(course, nursery, earlier).outcome == "passed"
    report = check(course, nursery, slug)
    if mend is not None:
        filled.write(course, earlier, _edited(earlier, [*edits, mend]))
        assert check(course, nursery, slug).outcome == "passed"
    for changed in (earlier, slug):
        filled.write(course, changed, finished(changed))
    assert (report.outcome, report.blocked_by) == ("blocked", [earlier])
    assert says in said(report)


def test_wrong_defaults_that_no_run_shows_block_nothing(course, nursery):
    filled.write(course, "config", re.sub(r"= \d+", "= 7", CONFIG))
    report = check(course, nursery)
    assert (report.outcome, report.blocked_by, report.chain) == ("passed", [], None)
    assert "step 01" not in said(report)


@pytest.mark.parametrize("name", ["missing", "a syntax error", "no dataclass", "an exception"])
def test_a_wrong_step_hears_nothing_of_the_earlier_one(course, nursery, name):
    filled.write(course, "config", BROKEN[name][0])
    filled.write(course, "mlp", finished("mlp").replace("0.5 * x", "x"))
    report = check(course, nursery)
    assert (report.outcome, report.blocked_by, report.chain) == ("failed", [], None)
    text = document.encode(report) + said(report)
    assert [word for word in ("step 01", "step_01", "s01", "GPT2Config()") if word in text] == []


def test_a_step_that_raises_by_itself_hears_nothing_of_the_earlier_one(course, nursery):
    filled.write(course, "config", "")
    filled.write(course, "mlp", finished("mlp").replace("config.n_embd", "config.width"))
    report = check(course, nursery)
    assert (report.outcome, report.blocked_by, report.chain) == ("error", [], None)
    text = document.encode(report) + said(report)
    assert "has no attribute 'width'" in text
    assert [word for word in ("step 01", "step_01", "s01") if word in text] == []


LEANING = {
    "a name": (CONFIG + "\nWIDTH = 4\n", "import GPT2Config", "import WIDTH, GPT2Config"),
    "a field": (CONFIG + "    width: int = 0\n", "super().__init__()", "super().__init__()\n        config.width"),
}


@pytest.mark.parametrize("name", LEANING)
def test_a_step_that_leans_on_what_no_contract_promises_is_told_so(course, nursery, name):
    config, old, new = LEANING[name]
    filled.write(course, "config", config)
    filled.write(course, "mlp", finished("mlp").replace(old, new))
    report = check(course, nursery)
    assert (report.outcome, report.blocked_by, report.chain) == ("error", [], None)
    says = "with your own step 01 it passes: it leans on something there that no step's text promises"
    assert said(report).count(says) == 1


def test_both_right_is_passed_without_a_word(course, nursery):
    report = check(course, nursery)
    assert (report.outcome, report.blocked_by, report.blamed, report.chain) == ("passed", [], [], None)
    assert "step 01" not in said(report)


@pytest.mark.parametrize(
    "line",
    [
        "from steps.step_01 import GPT2Config",
        "from solutions.step_01 import GPT2Config",
        "from .step_01 import GPT2Config",
        "from . import step_01",
        "import steps.step_01 as config",
        "",
    ],
)
def test_each_way_of_importing_is_seen(course, nursery, line):
    text = finished("mlp").replace("from steps.step_01 import GPT2Config", line).replace("config: GPT2Config", "config")
    filled.write(course, "mlp", text)
    filled.write(course, "config", CONFIG.replace("@dataclass\n", ""))
    assert check(course, nursery).blocked_by == ["config"]


def test_the_tree_of_solutions_is_a_chain_of_its_own(course, nursery):
    filled.write(course, "config", "")
    filled.write(course, "mlp", "")
    assert check(course, nursery, tree="solutions").outcome == "passed"


def test_a_file_is_judged_with_the_other_steps_of_the_tree(course, nursery, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(finished("mlp"), encoding="utf-8")
    filled.write(course, "mlp", "")
    assert check(course, nursery, file=mine, shown="mine.py").outcome == "passed"
    filled.write(course, "config", CONFIG.replace("@dataclass\n", ""))
    report = check(course, nursery, file=mine, shown="mine.py")
    assert (report.outcome, report.blocked_by) == ("blocked", ["config"])
    assert check(course, nursery, file=mine, shown="mine.py", tree="solutions").outcome == "passed"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("from steps.step_09 import Block", "step_09 is not part of this check: a step may import earlier steps"),
        ("from steps.step_04 import gelu_new", "(most likely due to a circular import)"),
        ("from steps.step_05 import TokenEmbedding", "step_05 is not part of this check"),
    ],
)
def test_a_later_step_and_the_step_itself_cannot_be_imported(course, nursery, line, says):
    filled.write(course, "mlp", finished("mlp").replace("import math\n", f"import math\n{line}\n"))
    report = check(course, nursery)
    assert (report.outcome, report.blocked_by, report.chain) == ("error", [], None)
    assert says in said(report)
    assert "steps/step_04.py:5" in said(report) or "steps/step_04.py:4" in said(report)


def test_the_document_names_who_blocks_and_what_the_chain_gave(course, nursery):
    filled.write(course, "config", CONFIG.replace("@dataclass\n", ""))
    told = json.loads(document.encode(check(course, nursery)))
    assert (told["outcome"], told["blocked_by"], told["next"]) == ("blocked", ["config"], "pixi run s01")
    assert {result["outcome"] for result in told["checks"]} == {"passed"}
    assert told["chain"]["outcome"] == "error"
    assert [result["id"] for result in told["chain"]["checks"]] == [result["id"] for result in told["checks"]]


# ------------------------------------------------------------------------- a course of three steps: c on b on a, b on a

A = '''"""One more."""


def one(x):
    # BEGIN SOLUTION
    # STUB: raise NotImplementedError("step {step}: one")
    return x + 1
    # END SOLUTION
'''
B = '''"""Two more."""

from puzzles.a import one


def two(x):
    # BEGIN SOLUTION
    # STUB: raise NotImplementedError("step {step}: two")
    return one(one(x))
    # END SOLUTION


def four(x):
    # BEGIN SOLUTION
    # STUB: raise NotImplementedError("step {step}: four")
    return two(two(x))
    # END SOLUTION
'''
C = '''"""Three more."""

from puzzles.a import one
from puzzles.b import two


def three(x):
    # BEGIN SOLUTION
    # STUB: raise NotImplementedError("step {step}: three")
    return one(two(x))
    # END SOLUTION
'''
CHECKER = """from autograder.checking import check
from autograder.comparing import equal

"""
LINE = """
@check(passed="{name} adds {number}", failed="{name} does not add {number}")
def adds_{number}(student):
    equal(student.{name}(5), {total})
"""
CHECKERS = {"a": (("one", 1),), "b": (("two", 2), ("four", 4)), "c": (("three", 3),)}
OWN_A = "def one(x):\n    return x + 1\n"
OWN_B = (
    "from steps.step_01 import one\n\n\ndef two(x):\n    return one(one(x))\n\n\ndef four(x):\n    return two(two(x))\n"
)
OWN_C = "from steps.step_01 import one\nfrom steps.step_02 import two\n\n\ndef three(x):\n    return one(two(x))\n"


@pytest.fixture
def tiny(tmp_path, nursery):
    """Return a function that judges step c of a course with the learner's a, b and c."""
    root = tmp_path / "tiny"
    for folder in ("puzzles", "tests/steps", "steps"):
        (root / folder).mkdir(parents=True)
    (root / "course.toml").write_text('name = "t"\ntitle = "T"\n\n[parts.P]\na = "A"\nb = "B"\nc = "C"\n')
    for slug, text in (("a", A), ("b", B), ("c", C)):
        (root / "puzzles" / f"{slug}.py").write_text(text)
        lines = [LINE.format(name=name, number=number, total=5 + number) for name, number in CHECKERS[slug]]
        (root / "tests" / "steps" / f"{slug}.py").write_text(CHECKER + "\n".join(lines))
    course = courses.load(root)
    (root / stubs.PATH).write_text(stubs.Record({"a": stubs.Entry(1, stubs.sha256(STUB_A))}).to_json())

    def judged(a=OWN_A, b=OWN_B, c=OWN_C, slug="c"):
        for name, text in (("a", a), ("b", b), ("c", c)):
            filled.write(course, name, text)
        return check(course, nursery, slug)

    return judged


STUB_A = 'def one(x):\n    raise NotImplementedError("step 01: one")\n'
WRONG_A = OWN_A.replace("x + 1", "x + 2")
WRONG_B = OWN_B.replace("one(one(x))", "one(one(x)) + 1")
CANCELS_B = OWN_B.replace("one(one(x))", "one(one(x)) - 3")  # with WRONG_A three adds 3 again
NOISY_A = OWN_A + "\n\nEXTRA = 1\n"  # right by itself
LEANS_B = OWN_B.replace("import one", "import *").replace("(one(x))", "(one(x)) + globals().get('EXTRA', 0)")
WRONG_FOUR = ("two(two(x))", "two(two(x)) + 1")


@pytest.mark.parametrize(
    ("own", "blocked_by"),
    [
        ({"a": WRONG_A}, ["a"]),
        ({"b": WRONG_B}, ["b"]),
        ({"a": WRONG_A, "b": WRONG_B}, ["a", "b"]),
        ({"a": None}, ["a"]),
        ({"b": None}, ["b"]),
        ({"a": None, "b": "def two(:\n"}, ["a", "b"]),
        ({"a": STUB_A}, ["a"]),
        ({"a": STUB_A, "b": WRONG_B}, ["a", "b"]),
        # Neither fails in its trial: all that do not pass by themselves, or else all.
        ({"a": NOISY_A, "b": LEANS_B}, ["a", "b"]),
        ({"a": NOISY_A, "b": LEANS_B.replace(*WRONG_FOUR)}, ["b"]),
        ({"a": "import sys\n\nprint(sys.exit)\n\n" + WRONG_A}, ["a"]),
    ],
    ids=lambda value: "-".join(value),
)
def test_those_are_blamed_with_whom_it_fails(tiny, own, blocked_by):
    report = tiny(**own)
    assert (report.outcome, report.blocked_by) == ("blocked", blocked_by)
    assert {result.outcome for result in report.checks} == {"passed"}
    numbers = " and ".join(f"step {'abc'.index(slug) + 1:02d}" for slug in blocked_by)
    assert f"your step 03 is right; with your {numbers} it fails:" in said(report)
    assert report.next == f"pixi run s{'abc'.index(blocked_by[0]) + 1:02d}"


def test_the_step_between_is_blocked_too(tiny):
    assert tiny(a=WRONG_A, slug="b").blocked_by == ["a"]
    assert tiny(a=WRONG_A, slug="a").outcome == "failed"


def test_errors_of_earlier_steps_that_cancel_block_nothing(tiny):
    assert tiny(a=WRONG_A, b=CANCELS_B).outcome == "passed"
    assert tiny(b=CANCELS_B).blocked_by == ["b"]
    assert tiny(a=WRONG_A, b=CANCELS_B, slug="b").outcome == "failed"


def test_an_error_of_its_own_that_an_earlier_one_cancels_does_not_pass(tiny):
    report = tiny(a=WRONG_A, b=WRONG_B, c=OWN_C.replace("one(two(x))", "one(two(x)) - 4"))
    assert (report.outcome, report.blocked_by, report.chain) == ("failed", [], None)


def test_an_untouched_stub_that_is_imported_alone_blocks(tiny):
    report = tiny(a=STUB_A, c="from steps.step_01 import one\n\n\ndef three(x):\n    return x + 3\n")
    assert (report.outcome, report.blocked_by, report.chain.outcome) == ("blocked", ["a"], "passed")
    told = said(report)
    assert "your step 03 is right; with your step 01 it passes too, but step 01 is still the untouched stub" in told


def test_what_is_not_imported_is_not_judged(tiny):
    report = tiny(a="", b="", c="def three(x):\n    return x + 3\n")
    assert (report.outcome, report.blocked_by) == ("passed", [])


def test_what_an_earlier_step_imports_counts(tiny):
    text = "from steps.step_02 import two\n\n\ndef three(x):\n    return two(x) + 1\n"
    assert tiny(a=WRONG_A, c=text).blocked_by == ["a"]
