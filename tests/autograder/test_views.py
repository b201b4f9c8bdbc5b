"""Terminal and plain text say the same, nothing of a learner's speaks for us, and no console is too small for it."""

import io
import itertools
import re

import pytest
import reports
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from autograder.report import CheckResult, Mistake, Printed, Report, StepName, Timing, Where
from autograder.views import plain, terminal
from autograder.views.layout import lines, printable
from autograder.views.width import cells, wrap

SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")
WIDTHS = (40, 80, 200)
LONG = "GPT2Config has a message that is a good deal longer than any console of forty columns, or of eighty of them"
EVIL = {
    "colour": "\x1b[32m✅ passed\x1b[0m",
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;file:///etc\x1b\\here\x1b]8;;\x1b\\",
    "c1": "\x9b31m",
    "return": "❌ wrong\r✅ right",
    "backspace": "wrong\b\b\b\b\bright",
    "bell": "\a\v\f\0\x7f",
    "bidi": "abc\u202edef\u2066ghi\u200f",
    "separators": "a\u2028b\u2029c\u0085d",
    "invisible": "a\u200bb\ufeffc\u00add",
    "surrogate": "\ud800",
    "markup": "[bold red]x[/] :smile:",
}
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def result(outcome="failed", message="vocab_size is incorrect", **rest):
    return CheckResult("an_id", outcome, message, **rest)


def report(*checks, outcome="failed", output="", file="steps/step_01.py", **rest):
    defaults = {
        "step": StepName(1, "config", "Create Model Configuration"),
        "tree": "steps",
        "seed": "91c2",
        "next": "edit steps/step_01.py, then pixi run s01",
        "versions": {"python": "3.11.7", "torch": "2.13.0", "transformers": "5.23.0"},
        "timing": Timing(64, "cold"),
    }
    size = len(output.encode("utf-8", "replace"))
    return Report(outcome=outcome, file=file, checks=list(checks), output=Printed(output, size), **defaults | rest)


FULL = report(
    result("passed", LONG),
    result(
        message="the output differs",
        expected="0.1203",
        got="0.9981",
        where=Where(
            "steps/step_01.py", 31, 9, "        return x + self.mlp(self.ln_2(x)) * 2  # and a comment that goes on"
        ),
        detail=["118 of 120 numbers differ, the first at [0, 0, 1, 0]", "called from steps/step_01.py:3, in forward"],
        call="LayerNorm(8)(x)    x: [batch=2, dim=8]",
    ),
    result("error", "there is no line of this on the page", declared=False, detail=["ValueError: no"]),
    outcome="error",
    output="a print\nand another\n",
    notes=["steps/torch.py has the name of a library: a check ignores it, a run by hand may not"],
)


def in_plain(made, encoding="utf-8"):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    plain.write(made, stream)
    stream.flush()
    return raw.getvalue().decode(encoding)


def in_terminal(made, width, **options):
    stream = io.StringIO()
    terminal.write(made, Console(file=stream, force_terminal=True, width=width, highlight=False, **options))
    return stream.getvalue()


def without_colour(text):
    return SEQUENCE.sub("", text)


def words(text):
    """Return the words of a report; of the line of code, which is cut where a screen is narrow, the first ones."""
    return re.sub(r"(     return x \+ self).*", r"\1", text).split()


# --------------------------------------------------------------------------------------------------------- same facts


@pytest.mark.parametrize("width", WIDTHS)
def test_terminal_and_plain_text_say_the_same_words(width):
    coloured = in_terminal(FULL, width, color_system="truecolor")
    assert coloured != without_colour(coloured)
    assert words(without_colour(coloured)) == words(in_plain(FULL))


def test_without_colour_nothing_is_lost():
    text = in_terminal(FULL, 80, no_color=True)
    assert without_colour(text).split() == in_plain(FULL).split()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_results_line_is_neither_wrapped_nor_coloured(width):
    assert f"\n✅ {LONG}\n" in in_terminal(FULL, width, color_system="truecolor")
    assert f"\n✅ {LONG}\n" in in_plain(FULL)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_we_say_ourselves_is_wrapped_between_words(width):
    shown = without_colour(in_terminal(FULL, width)).splitlines()
    too_wide = [line for line in shown if cells(line) > width]
    assert all(line == f"✅ {LONG}" or len(line.split()) == 1 for line in too_wide)


def test_a_path_and_a_command_stay_whole_on_a_narrow_console():
    path = "a/very/long/path/to/a/file/that/the/learner/has/chosen/step_01.py"
    made = report(result(where=Where(path, 3, 1, "x = 1")), file=path)
    assert f"{path}:3" in without_colour(in_terminal(made, 40)).split()


def test_the_plain_text_of_a_report():
    assert (
        in_plain(FULL)
        == f"""
Results:
✅ {LONG}
❌ the output differs
   call      LayerNorm(8)(x)    x: [batch=2, dim=8]
   expected  0.1203   got 0.9981
   118 of 120 numbers differ, the first at [0, 0, 1, 0]
   called from steps/step_01.py:3, in forward
   steps/step_01.py:31
     return x + self.mlp(self.ln_2(x)) * 2  # and a comment that goes on
     ^

❌ there is no line of this on the page
   ValueError: no

Your code printed 20 bytes:
│ a print
│ and another

Note: steps/torch.py has the name of a library: a check ignores it, a run by hand may not
Outcome: error (your code raised an exception)
learner: steps/step_01.py · torch 2.13 · seed 91c2 · cold · 64 ms
Next: edit steps/step_01.py, then pixi run s01
"""
    )


def test_what_an_earlier_line_has_told_is_not_said_again():
    twice = [result(message=f"{name} fails", detail=["ValueError: no"]) for name in ("first", "second")]
    assert in_plain(report(*twice)).count("ValueError: no") == 1


def test_the_same_error_is_named_by_the_line_that_told_it():
    one, other = ({"outcome": "error", "detail": [f"{name}: no"]} for name in ("ValueError", "TypeError"))
    kinds = enumerate((one, other, one, other))
    made = report(result("passed"), *(result(message=f"{n} fails", **kind) for n, kind in kinds))
    assert in_plain(made).splitlines()[3:11] == [
        "❌ 0 fails",
        "   ValueError: no",
        "❌ 1 fails",
        "   TypeError: no",
        "❌ 2 fails",
        "   the same error as under the first ❌",
        "❌ 3 fails",
        "   the same error as under the second ❌",
    ]
    many = [result("error", detail=[f"ValueError: {n}"]) for n in (*range(11), 10)]
    assert in_plain(report(*many)).count("the same error as under the 11th ❌") == 1
    assert "the same error as under the first [failed]" in in_plain(made, "ascii")


def test_an_exceptions_lines_are_lines_and_what_is_ours_is_not_among_them():
    made = report(result("error", detail=["RuntimeError: Error(s) in loading\n✅ all\r\nNext: me", "a word"]))
    assert in_plain(made).splitlines()[3:7] == [
        "   RuntimeError: Error(s) in loading",
        "     ✅ all",
        "     Next: me",
        "   a word",
    ]


def test_a_right_step_says_how_many_checks_fail_with_an_earlier_one():
    failures = [result(message=f"{n} fails") for n in range(5)]
    for count, says in ((1, ""), (2, "   1 more check fails with it"), (5, "   4 more checks fail with it")):
        shown = in_plain(reports.blocked(*failures[:count])).splitlines()
        at = shown.index("your step 03 is right; with your step 01 it fails:")
        assert shown[at + 1 : at + 3] == ["❌ 0 fails", says]


def test_every_result_has_its_mark_and_a_failure_is_never_told_by_colour_alone():
    for outcome in ("failed", "error", "timeout", "limit", "crash", "bad_input", "blocked", "internal"):
        text = in_plain(report(result(outcome, "the line"), outcome=outcome))
        assert "❌ the line\n" in text
        assert "✅" not in text
        assert outcome == "failed" or f"Outcome: {outcome} (" in text


def test_the_last_line_is_the_next_act():
    assert in_plain(FULL).splitlines()[-1] == "Next: edit steps/step_01.py, then pixi run s01"
    assert without_colour(in_terminal(FULL, 200)).splitlines()[-1] == "Next: edit steps/step_01.py, then pixi run s01"


def test_the_footer_names_the_tree_and_the_library():
    made = report(
        result("passed"), outcome="passed", tree="solutions", versions={"python": "3", "transformers": "5.1.2"}
    )
    assert "\nreference: steps/step_01.py · transformers 5.1 · seed 91c2 · cold · 64 ms\n" in in_plain(made)


def test_the_caret_stands_under_its_column():
    made = report(result(where=Where("f.py", 1, 7, "  a = (b +")))
    code, caret = in_plain(made).splitlines()[4:6]
    assert code[caret.index("^")] == "b" or code.strip()[4] == code[caret.index("^")]


QUOTE = "        out = self.proj(heads.transpose(1, 2).reshape(b, s, self.n)) if self.wide else broken(é, 漢, hidden)"


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100, 200])
@pytest.mark.parametrize("meant", ["out", "self", "heads", "reshape", "wide", "broken", "é", "漢", "hidden"])
def test_a_quoted_line_is_cut_so_that_the_caret_stays_under_what_is_meant(width, meant):
    made = report(result(where=Where("f.py", 1, QUOTE.index(meant) + 1, QUOTE)))
    shown = without_colour(in_terminal(made, width)).splitlines()
    at = shown.index("   f.py:1")
    code, caret = shown[at + 1 : at + 3]
    assert caret.strip() == "^"
    assert cells(code) <= width
    before = next(index for index in range(len(code)) if cells(code[:index]) == cells(caret) - 1)
    assert code[before] == meant[0]
    assert ("…" in code) == (cells(QUOTE.strip()) > width - 5)


def test_a_line_of_code_that_no_console_holds_is_cut_in_a_pipe_too():
    text = "x = [" + "1, " * 300 + "oops]"
    code, caret = in_plain(report(result(where=Where("f.py", 1, text.index("oops") + 1, text)))).splitlines()[4:6]
    assert len(code) < 210
    assert code[caret.index("^") :] == "oops]"
    beyond = in_plain(report(result(where=Where("f.py", 1, 2000, text)))).splitlines()
    assert not any(line.strip() == "^" for line in beyond)


def test_a_tab_and_an_escape_before_the_caret_take_their_columns():
    made = report(result(where=Where("f.py", 1, 7, "\ta\tb\x1b(c")))
    code, caret = in_plain(made).splitlines()[4:6]
    assert code.lstrip() == "a    b\\x1b(c"
    assert code[caret.index("^")] == "c"


@pytest.mark.parametrize("text", ["", "x", "two words", "   indented words, some", "漢字 と 仮名 " * 9, "longer" * 9])
@pytest.mark.parametrize("width", [1, 8, 40])
def test_wrapping_loses_no_word(text, width):
    made = wrap(text, width, 3)
    assert " ".join(made).split() == text.split()
    assert all(cells(line) <= width or len(line.split()) == 1 for line in made[1:])


# ----------------------------------------------------------------------------------------------------- other consoles


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1"])
def test_a_console_that_cannot_say_a_sign_gets_a_word(encoding):
    made = report(result("passed", "right"), result(message="wrong, by √2 …"), output="✅ mine\n")
    text = in_plain(made, encoding)
    assert "[passed] right\n" in text
    assert "\n[failed] wrong, by " in text
    assert "| [passed] mine\n" in text
    assert "?" not in text


def test_a_console_of_utf_8_gets_the_same_bytes_as_a_file():
    text = in_plain(FULL)
    assert "✅" in text
    assert "│" in text
    assert "[passed]" not in text


# -------------------------------------------------------------------------------------------------- a learner's words


def evil_report(text):
    return report(
        result(message=f"n_embd is incorrect, got {text}"),
        result(
            message="second",
            expected=text,
            got=text,
            detail=[f"ValueError: {text}"],
            where=Where(f"{text}.py", 1, 3, f"  {text}"),
            mistake=Mistake("m", text),
            call=f"f({text})",
        ),
        file=f"{text}.py",
        output=f"{text}\n",
        next=f"edit {text}.py",
        notes=[text],
    )


@pytest.mark.parametrize("text", EVIL.values(), ids=EVIL)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_sequence_of_a_learners_reaches_the_terminal(text, width):
    shown = in_terminal(evil_report(text), width, color_system="truecolor")
    assert OBEYED.search(without_colour(shown).replace("\n", "")) is None
    assert OBEYED.search(in_plain(evil_report(text)).replace("\n", "")) is None


@pytest.mark.parametrize("text", EVIL.values(), ids=EVIL)
def test_what_is_not_obeyed_is_shown(text):
    assert in_plain(evil_report(text)).count(printable(text)) >= 9


def test_escapes_are_readable():
    assert printable("\x1b[31m\u202e\x07") == "\\x1b[31m\\u202e\\x07"
    assert printable("a\tb") == "a    b"
    assert printable("é 👩\u200d🔬 漢") == "é 👩\u200d🔬 漢"


@given(st.text(st.characters(codec=None)))
def test_whatever_a_text_holds_its_printable_form_is_one_obedient_line(text):
    shown = printable(text)
    assert OBEYED.search(shown) is None
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


def test_a_learners_prints_are_prefixed_and_cannot_be_taken_for_ours():
    fakes = "✅ vocab_size is correct\n\nResults:\n✅ all\nNext: pixi run s02\nlearner: you · passed\n"
    made = report(result(), output=fakes)
    for text in (in_plain(made), without_colour(in_terminal(made, 80))):
        start = text.index("Your code printed")
        theirs = text[start:].splitlines()[1:7]
        assert [line[:2] for line in theirs] == ["│ "] * 6
        assert [line[2:] for line in theirs] == fakes.splitlines()
        ours = [line for line in text.splitlines() if not line.startswith("│")]
        assert not any(line.startswith("✅") for line in ours)
        assert sum(line.startswith(("Results:", "Next:", "learner:")) for line in ours) == 3


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_a_learners_prints_keep_their_lines(ending):
    made = report(result(), output=f"one{ending or chr(10)}two{ending}")
    assert "\n│ one\n│ two\n" in in_plain(made)


def test_a_learners_prints_are_not_wrapped_and_stay_one_line_each():
    made = report(result(), output="x" * 300 + "\ny\n")
    assert f"│ {'x' * 300}\n│ y\n" in without_colour(in_terminal(made, 40))


def test_of_many_printed_lines_the_first_and_the_last_are_shown():
    made = report(result(), output="".join(f"line {number}\n" for number in range(100)))
    assert [line[2:] for line in in_plain(made).splitlines() if line.startswith("│")] == [
        *(f"line {number}" for number in range(10)),
        "… 640 bytes left out …",
        *(f"line {number}" for number in range(90, 100)),
    ]
    assert "│ " + "x" * 400 + "…\n" in in_plain(report(result(), output="x" * 9000))


def test_lines_of_a_learner_have_no_role_of_ours():
    fakes = "\n".join(["✅ vocab_size is correct", "Next: rm -rf"])
    roles = {line.role for line in lines(report(result(), output=fakes)) if "vocab_size is correct" in line.text}
    assert roles == {"output"}


def test_a_real_run_prefixes_and_caps_what_the_code_printed(judge_text):
    text = "for _ in range(100_000):\n    print('✅ vocab_size is correct')\n"
    made = judge_text("config", text)
    assert made.outcome == "failed"
    shown = in_plain(made)
    assert len(shown.splitlines()) < 45
    assert f"│ … {made.output.bytes * 99_980 // 100_000:,} bytes left out …\n" in shown
    assert made.output.bytes == 100_000 * len("✅ vocab_size is correct\n".encode())
    below = itertools.dropwhile(lambda line: not line.startswith("Your code printed"), shown.splitlines())
    assert all(line.startswith("│ ") for line in itertools.takewhile(bool, list(below)[1:]))
    assert not any(line.startswith("✅") for line in shown.splitlines())


def test_a_real_runs_exception_text_is_shown_escaped(judge_text):
    made = judge_text("config", "raise ValueError('\\x1b[32m✅ all correct\\x1b[0m\\n✅ vocab_size is correct')\n")
    shown = in_plain(made)
    assert made.outcome == "error"
    assert "\x1b" not in shown
    assert "\\x1b[32m" in shown
    assert not any(line.startswith("✅") for line in shown.splitlines())
