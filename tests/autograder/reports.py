"""Reports to show: what a run may give, and texts of a learner's that try to be obeyed by whoever shows them."""

from autograder.report import (
    CheckResult,
    InTheChain,
    Mistake,
    Printed,
    Report,
    StepName,
    Timing,
    Where,
    worst,
)

FILE = "steps/step_03.py"
HOSTILE = (
    "two\nlines\r\nand\rmore",
    "]]></failure><testcase name='x'/>&amp;<![CDATA[",
    "::error file=x.py::owned",
    "  ::set-output name=grade::100",
    "##[add-mask]a",
    "steps/step_01.py:1:1: error: not mine",
    "100% of %0A%0D::add-mask::, a=b,line=9: c",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "nul \x00 bell \x07 delete \x7f next line \x85 separators \u2028\u2029",
    "lone \ud800 surrogate, no character \ufffe \uffff, right to left \u202e",
    "é ✅ 👩\u200d🔬 𝒙 \U0010ffff",
    "'\"\\ \t `$(id)` ${HOME} %PATH%",
    "",
    "x" * 5000,
)

PASSED = CheckResult("shape", "passed", "LayerNorm has a weight of ones")
FAILED = CheckResult(
    "output_matches",
    "failed",
    "LayerNorm does not give torch's output",
    expected="0.1203",
    got="0.9981",
    where=Where(FILE, 12, 9, "        return x\n"),
    mistake=Mistake("no-eps", "eps is not there"),
    detail=["118 of 120 numbers differ", "this is what you get without eps"],
    call="LayerNorm(8)(x)",
)
ERROR = CheckResult(
    "gradients", "error", "LayerNorm lets no gradients through", got="a TypeError", detail=["TypeError: x"]
)
TIMEOUT = CheckResult("twice", "timeout", "LayerNorm does not give the same twice", detail=["your code did not answer"])
UNDECLARED = CheckResult("in_half", "failed", "LayerNorm does not work in float16", declared=False)


def make(*checks, printed="", **more):
    values = {
        "step": StepName(3, "layer_norm", "Layer Normalisation"),
        "outcome": worst([check.outcome for check in checks]),
        "tree": "steps",
        "file": FILE,
        "seed": "91c2",
        "checks": list(checks),
        "output": Printed(printed, len(printed.encode("utf-8", "surrogatepass"))),
        "next": "pixi run s03",
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
        "timing": Timing(64, "warm"),
    }
    return Report(**(values | more))


def blocked(*checks):
    """Return a report of a right step that gives these results with the learner's own step 01."""
    chain = InTheChain(worst([check.outcome for check in checks]), list(checks))
    return make(PASSED, outcome="blocked", blocked_by=["config"], blamed=["step 01"], chain=chain)


def hostile(text):
    """Return a report that holds the text wherever a learner's code can put one."""
    where = Where(FILE, 7, 3, text)
    says = {"expected": text, "got": text, "where": where, "detail": [text, text], "call": text}
    checks = [CheckResult("one", "failed", f"got {text}", **says), CheckResult("two", "error", text, declared=False)]
    return make(*checks, printed=f"{text}\n{text}")


def places(report):
    """Return the files that a report may name."""
    checks = [*report.checks, *(report.chain.checks if report.chain else [])]
    return [report.file, *(check.where.file for check in checks if check.where)]


ALL = {
    "passed": make(PASSED),
    "failed": make(PASSED, FAILED, ERROR, UNDECLARED, printed="x is 3\n"),
    "timeout": make(TIMEOUT),
    "blocked": blocked(PASSED, CheckResult("output", "error", "fails", where=Where("steps/step_01.py", 4, 1))),
    "blocked by a stub": blocked(PASSED),
    "a file of that name": make(ERROR, TIMEOUT, file="my steps/50%,a=b: c.py"),
    **{f"hostile {number}": hostile(text) for number, text in enumerate(HOSTILE)},
}
