"""Step 01: every right spelling passes with its nine lines, every wrong one fails with the line and the reason."""

import textwrap

import filled
import pytest
from conftest import LONG_NUMBERS_ARE_TAKEN
from reading import edited, passed, shown

from autograder.checking import read_checker

FIELDS = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon")
NINE = [
    "✅ dataclass is correctly imported from dataclasses",
    "✅ GPT2Config has the @dataclass decorator",
    "✅ vocab_size is correct",
    "✅ n_positions is correct",
    "✅ n_embd is correct",
    "✅ n_layer is correct",
    "✅ n_head is correct",
    "✅ n_inner is correct",
    "✅ layer_norm_epsilon is correct",
]
NOT_IMPORTED = "❌ dataclass is not imported from dataclasses"
NOT_DECORATED = "❌ GPT2Config does not have the @dataclass decorator"
OTHER_DECORATOR = "   what stands above the class is not the dataclass of the module dataclasses"
NO_CLASS = "   no class GPT2Config stands at the top level of the file"
NOT_SEVEN = "❌ GPT2Config's fields are not the seven of this step, in its order"
NOT_MADE = "❌ GPT2Config(…) does not make the configuration that its arguments say"
BAD_HINT = "❌ a type hint does not fit its value"
COMMA = "   a comma at the end of the line makes a tuple of one"

IMPORT = "from dataclasses import dataclass\n"
DECORATOR = "@dataclass\n"
CLASS = "class GPT2Config:"
BODY = """\
    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int = 3072
    layer_norm_epsilon: float = 1e-5
"""
RIGHT = f"{IMPORT}\n\n{DECORATOR}{CLASS}\n{BODY}"
NUMBERS = (
    "dict(vocab_size=50257, n_positions=1024, n_embd=768, n_layer=12, n_head=12, n_inner=3072, layer_norm_epsilon=1e-5)"
)


def with_(*edits):
    return edited(RIGHT, *edits)


def value(name, got, *below):
    line = f"❌ {name} is incorrect: expected match with Hugging Face model configuration, got {got}"
    return "\n".join([line, *below])


def all_values(got, *below, failed_before=0):
    """The seven lines with the same `got`: the reason stands once, and the others say under which failed line."""
    which = ["first", "second", "third"][failed_before]
    again = [f"   the same error as under the {which} ❌"] if len(below) > 1 else []
    return "\n".join([value(FIELDS[0], got, *below), *(value(name, got, *again) for name in FIELDS[1:])])


def at_line(number, text):
    """The three lines of a place: its file and line, what stands there, and a mark under it."""
    return [f"   steps/step_01.py:{number}", f"     {text}", "     ^"]


def likely(name):
    """The line that tells a known mistake."""
    mistakes = read_checker(filled.ROOT / "tests" / "steps" / "config.py").mistakes
    return next(f"   likely    {mistake.says}" for mistake in mistakes if mistake.name == name)


def says(*parts):
    return "\n".join(parts)


NO_FIELDS = says(
    value(FIELDS[0], "no field", likely("values-in-init"), f"   GPT2Config has no {FIELDS[0]}"),
    *(value(name, "no field", f"   GPT2Config has no {name}") for name in FIELDS[1:]),
)
RIGHT_ONES = {
    "as the solution has it": RIGHT,
    "the module under another name": with_(
        (IMPORT, "import dataclasses as dc\n"), (DECORATOR, "@dc.dataclass(frozen=True)\n")
    ),
    "a star import": with_((IMPORT, "from dataclasses import *\n")),
    "slots": with_((DECORATOR, "@dataclass(slots=True)\n")),
    "frozen, slots, kw_only": with_((DECORATOR, "@dataclass(frozen=True, slots=True, kw_only=True)\n")),
    "order and hash": with_((DECORATOR, "@dataclass(order=True, unsafe_hash=True)\n")),
    "no eq": with_((DECORATOR, "@dataclass(eq=False)\n")),
    "the decorator as a partial": with_(
        (IMPORT, f"{IMPORT}from functools import partial\n"), (DECORATOR, "@partial(dataclass, frozen=True)\n")
    ),
    "the decorator kept under a name": with_(
        (IMPORT, f"{IMPORT}\nrecord = dataclass(frozen=True)\n"), (DECORATOR, "@record\n")
    ),
    "another decorator above": with_(
        (IMPORT, f"{IMPORT}\n\ndef known(cls):\n    return cls\n"), (DECORATOR, f"@known\n{DECORATOR}")
    ),
    "field(default=…)": with_((IMPORT, f"{IMPORT[:-1]}, field\n"), ("= 768", "= field(default=768, repr=False)")),
    "default_factory": with_(
        (IMPORT, f"import dataclasses\n{IMPORT}"), ("= 3072", "= dataclasses.field(default_factory=lambda: 4 * 768)")
    ),
    "KW_ONLY": with_((IMPORT, f"{IMPORT[:-1]}, KW_ONLY\n"), (f"{CLASS}\n", f"{CLASS}\n    _: KW_ONLY\n")),
    "epsilon as a power": with_(("1e-5", "10**-5")),
    "constants above": with_(("= 768", "= WIDTH"), ("3072", "4 * WIDTH"), (IMPORT, f"{IMPORT}\nWIDTH = 768\n")),
    "a docstring": with_((f"{CLASS}\n", f'{CLASS}\n    """GPT-2 small."""\n\n')),
    "comments": with_(("= 768", "= 768  # the width, not n_embed"), (IMPORT, f"# TODO 1: from dataclass\n{IMPORT}")),
    "future annotations": f"from __future__ import annotations\n\n{RIGHT}",
    "helpers, prints and uses": f"""{RIGHT}

def head_dim(config):
    return config.n_embd // config.n_head


print("❌ vocab_size is incorrect", head_dim(GPT2Config()))
medium = GPT2Config(n_embd=1024, n_layer=24, n_head=16, n_inner=4096)
assert medium.n_embd == 1024
""",
    "a main block": f'{RIGHT}\n\nif __name__ == "__main__":\n    import transformers\n\n    raise SystemExit(1)\n',
    "methods, a property, a class inside": f"""{RIGHT}
    @property
    def head_dim(self):
        return self.n_embd // self.n_head

    @classmethod
    def medium(cls):
        return cls(n_embd=1024)

    def __repr__(self):
        return "GPT2Config"

    class Meta:
        name = "gpt2"
""",
    "ClassVar": with_(
        (IMPORT, f"{IMPORT}from typing import ClassVar\n"),
        (f"{CLASS}\n", f'{CLASS}\n    model_type: ClassVar[str] = "gpt2"\n'),
    ),
    "ClassVar in a text": "from __future__ import annotations\n\nfrom typing import ClassVar\n"
    + with_((f"{CLASS}\n", f'{CLASS}\n    model_type: ClassVar[str] = "gpt2"\n')),
    "a constant of the class": with_((f"{CLASS}\n", f'{CLASS}\n    model_type = "gpt2"\n')),
    "__post_init__ that looks": f"""{RIGHT}
    def __post_init__(self):
        if self.n_embd % self.n_head:
            raise ValueError("n_head must divide n_embd")
""",
    "Final": with_((IMPORT, f"{IMPORT}from typing import Final\n"), (": int", ": Final[int]"), (": float", ": Final")),
    "Annotated": with_(
        (IMPORT, f"{IMPORT}from typing import Annotated\n"), ("n_embd: int", 'n_embd: Annotated[int, "width"]')
    ),
    "hints in quotes": with_((": int", ': "int"'), (": float", ": 'float'")),
    "a union": with_(("n_inner: int", "n_inner: int | None")),
    "Any": with_((IMPORT, f"{IMPORT}from typing import Any\n"), (": int", ": Any")),
    "a base class of the learner's": with_((DECORATOR, f"class Base:\n    pass\n\n\n{DECORATOR}")).replace(
        CLASS, "class GPT2Config(Base):"
    ),
    "some fields from a decorated base": edited(
        RIGHT,
        ("    n_layer: int", f"\n\n{DECORATOR}class GPT2Config(Sizes):\n    n_layer: int"),
        (CLASS, "class Sizes:"),
    ),
    "Windows line ends": RIGHT.replace("\n", "\r\n"),
    "a byte order mark": f"\ufeff{RIGHT}",
    "tabs": RIGHT.replace("    ", "\t"),
}

UNHINTED = "has no type hint: @dataclass makes fields of annotated names alone"
# In each: the program, and all that a learner reads below "Results:" but the ✅ lines.
WRONG_ONES = {
    "nothing in the file": (
        "",
        says(
            NOT_IMPORTED,
            NOT_DECORATED,
            NO_CLASS,
            all_values("nothing of that name", "   steps/step_01.py defines no GPT2Config"),
        ),
    ),
    "one without a type hint": (
        with_(("n_head: int", "n_head")),
        value("n_head", "no field", f"   n_head {UNHINTED}"),
    ),
    "no decorator and no import": (with_((DECORATOR, ""), (IMPORT, "")), says(NOT_IMPORTED, NOT_DECORATED)),
    "no import": (
        with_((IMPORT, "")),
        says(
            NOT_IMPORTED,
            likely("import-forgotten"),
            NOT_DECORATED,
            OTHER_DECORATOR,
            all_values(
                "NameError",
                "   NameError: name 'dataclass' is not defined",
                "   steps/step_01.py:3",
                "     @dataclass",
                failed_before=2,
            ),
        ),
    ),
    "the module imported, the bare name used": (
        with_((IMPORT, "import dataclasses\n")),
        says(
            NOT_DECORATED,
            likely("module-imported-bare-name-used"),
            OTHER_DECORATOR,
            all_values(
                "NameError",
                "   NameError: name 'dataclass' is not defined. Did you mean: 'dataclasses'?",
                "   steps/step_01.py:4",
                "     @dataclass",
                failed_before=1,
            ),
        ),
    ),
    "commas everywhere": (
        RIGHT.replace("\n    ", ",\n    ").replace(f"{CLASS},", CLASS).replace("1e-5\n", "1e-5,\n"),
        says(
            value(
                "vocab_size", "(50257,)", likely("comma-on-every-line"), COMMA, *at_line(6, "vocab_size: int = 50257,")
            ),
            value("n_positions", "(1024,)", COMMA),
            value("n_embd", "(768,)", COMMA),
            value("n_layer", "(12,)", COMMA),
            value("n_head", "(12,)"),  # what stands two lines above is not said again
            value("n_inner", "(3072,)", COMMA),
            value("layer_norm_epsilon", "(1e-05,)", COMMA),
        ),
    ),
    "a float": (
        with_(("n_head: int = 12", "n_head: int = 12.0")),
        value(
            "n_head",
            "12.0",
            likely("n-head-a-float"),
            "   a float, where an int is asked for",
            *at_line(10, "n_head: int = 12.0"),
        ),
    ),
    "a text": (
        with_(("768", '"768"')),
        value("n_embd", "'768'", "   a str, where an int is asked for: quotes make a text"),
    ),
    "epsilon as a text": (
        with_(("1e-5", '"1e-5"')),
        value("layer_norm_epsilon", "'1e-5'", "   a str, where a float is asked for: quotes make a text"),
    ),
    "True": (
        with_(("n_layer: int = 12", "n_layer: int = True")),
        value("n_layer", "True", "   a bool, where an int is asked for"),
    ),
    "two more fields, the first without a value": (
        with_((f"{CLASS}\n", f"{CLASS}\n    name: str\n")) + "    bias: bool = True\n",
        says(NOT_SEVEN, "   there are fields name and bias, which this step does not ask for"),
    ),
    "a field missing": (
        with_(("    n_inner: int = 3072\n", "")),
        value("n_inner", "no field", "   GPT2Config has no n_inner"),
    ),
    "n_embed for n_embd": (
        with_(("n_embd", "n_embed")),
        value(
            "n_embd",
            "no field",
            likely("n-embed-for-n-embd"),
            "   GPT2Config has no n_embd",
            "   is it your n_embed, under another name?",
            *at_line(8, "n_embed: int = 768"),
        ),
    ),
    "another order": (
        with_(("    n_layer: int = 12\n    n_head: int = 12\n", "    n_head: int = 12\n    n_layer: int = 12\n")),
        says(
            NOT_SEVEN,
            "   n_head is not at its place: the order is vocab_size, n_positions, n_embd, n_layer, n_head, n_inner,"
            " layer_norm_epsilon",
        ),
    ),
    "a home-made dataclass": (
        with_((IMPORT, "def dataclass(cls):\n    return cls\n")),
        says(NOT_IMPORTED, NOT_DECORATED, OTHER_DECORATOR),
    ),
    "a home-made dataclass over the imported one": (
        with_((IMPORT, f"{IMPORT}\n\ndef dataclass(cls):\n    return cls\n")),
        says(NOT_DECORATED, OTHER_DECORATOR),
    ),
    "a dataclass in comments": (
        with_((IMPORT, f"# {IMPORT}"), (DECORATOR, f"# {DECORATOR}")),
        says(NOT_IMPORTED, NOT_DECORATED),
    ),
    "a dataclass in texts": (
        with_((IMPORT, f'"""{IMPORT}"""\n'), (DECORATOR, '"@dataclass"\n')),
        says(NOT_IMPORTED, NOT_DECORATED),
    ),
    "an import that never happens": (
        with_((IMPORT, f"if False:\n    {IMPORT}else:\n    def dataclass(cls):\n        return cls\n")),
        says(NOT_IMPORTED, NOT_DECORATED, OTHER_DECORATOR),
    ),
    "dataclass called afterwards": (
        with_((DECORATOR, "")) + "\n\nGPT2Config = dataclass(GPT2Config)\n",
        says(
            NOT_DECORATED,
            likely("dataclass-called-afterwards"),
            "   the finished class is handed to dataclass, below it",
            "   steps/step_01.py:14",
            "     GPT2Config = dataclass(GPT2Config)",
            "                  ^",
        ),
    ),
    "make_dataclass": (
        (
            f"from dataclasses import make_dataclass\n\nVALUES = {NUMBERS}\nGPT2Config = make_dataclass(\n"
            '    "GPT2Config", [(name, type(value), value) for name, value in VALUES.items()]\n)\n'
        ),
        says(NOT_IMPORTED, NOT_DECORATED, NO_CLASS),
    ),
    "another epsilon": (with_(("1e-5", "1e-6")), value("layer_norm_epsilon", "1e-06")),
    "None for n_inner on purpose": (
        with_(("3072", "None")),
        value("n_inner", "None", likely("n-inner-none"), *at_line(11, "n_inner: int = None")),
    ),
    "half filled in": (
        with_(("= 12\n", "= None\n"), ("3072", "None"), ("1e-5", "None")),
        says(
            value("n_layer", "None"),
            value("n_head", "None"),
            value("n_inner", "None"),
            value("layer_norm_epsilon", "None"),
        ),
    ),
    "ClassVar": (
        with_((IMPORT, f"{IMPORT}from typing import ClassVar\n"), ("n_head: int", "n_head: ClassVar[int]")),
        value("n_head", "no field", "   n_head is a ClassVar: @dataclass makes no field of one"),
    ),
    "a list for a hint": (
        with_(("n_embd: int", "n_embd: list[int]")),
        says(BAD_HINT, "   expected  int   got list[int]", "   n_embd is hinted as list[int]: its value is int"),
    ),
    "the value for a hint": (
        with_(("n_embd: int = 768", "n_embd: 768 = 768")),
        says(BAD_HINT, "   expected  int   got 768", "   n_embd is hinted as 768: its value is int"),
    ),
    "the first without a value": (
        with_((" = 50257", "")),
        value("vocab_size", "no default", "   vocab_size has a type hint, and no value after it"),
    ),
    "no decorator, and one without a value": (
        with_((" = 768", ""), (DECORATOR, "")),
        says(NOT_DECORATED, value("n_embd", "no default", "   n_embd has a type hint, and no value after it")),
    ),
    "__post_init__ that changes a value": (
        f"{RIGHT}\n    def __post_init__(self):\n        self.n_inner += 1\n",
        says(NOT_MADE, "   call      GPT2Config().n_inner", "   expected  3072   got 3073"),
    ),
    "__post_init__ that ties n_inner to n_embd": (
        f"{RIGHT}\n    def __post_init__(self):\n        self.n_inner = 4 * self.n_embd\n",
        says(
            NOT_MADE,
            likely("n-inner-follows-n-embd"),
            "   call      GPT2Config(n_embd=48).n_inner",
            "   expected  3072   got 192",
            *at_line(15, "self.n_inner = 4 * self.n_embd"),
        ),
    ),
    "inside a function": (
        "def make():\n" + textwrap.indent(RIGHT, "    "),
        says(
            NOT_IMPORTED,
            NOT_DECORATED,
            NO_CLASS,
            all_values("nothing of that name", "   steps/step_01.py defines no GPT2Config"),
        ),
    ),
    "made by a function": (
        "def make():\n" + textwrap.indent(RIGHT, "    ") + "    return GPT2Config\n\n\nGPT2Config = make()\n",
        says(NOT_IMPORTED, NOT_DECORATED, "   the class GPT2Config does not stand at the top level of the file"),
    ),
    "inside `if False`": (
        "if False:\n" + textwrap.indent(RIGHT, "    "),
        says(
            NOT_IMPORTED,
            NOT_DECORATED,
            NO_CLASS,
            all_values("nothing of that name", "   steps/step_01.py defines no GPT2Config"),
        ),
    ),
    "an instance": (
        f"{RIGHT}\n\nGPT2Config = GPT2Config()\n",
        all_values("a GPT2Config", "   GPT2Config is an object of type GPT2Config, not a class"),
    ),
    "a function": (
        f"{IMPORT}\n\ndef GPT2Config():\n    return {NUMBERS}\n",
        says(
            NOT_DECORATED,
            NO_CLASS,
            all_values("a function", "   GPT2Config is an object of type function, not a class"),
        ),
    ),
    "a dictionary": (
        f"{IMPORT}\nGPT2Config = {NUMBERS}\n",
        says(NOT_DECORATED, NO_CLASS, all_values("a dict", "   GPT2Config is an object of type dict, not a class")),
    ),
    "a model as pydantic has them": (
        with_(
            (
                IMPORT,
                f"{IMPORT}\n\nclass BaseModel:\n    def __init__(self, **values):\n        vars(self).update(values)\n",
            ),
            *((DECORATOR, ""), (CLASS, "class GPT2Config(BaseModel):")),
        ),
        says(NOT_DECORATED, likely("decorator-forgotten"), *at_line(9, "class GPT2Config(BaseModel):")[:2]),
    ),
    "__getattr__ that knows the answers": (
        (
            f"{IMPORT}\nGOOD = {NUMBERS}\n\n\n@dataclass\nclass GPT2Config:\n"
            "    def __getattr__(self, name):\n        return GOOD[name]\n"
        ),
        NO_FIELDS,
    ),
    "a metaclass that knows the answers": (
        (
            f"{IMPORT}\nGOOD = {NUMBERS}\n\n\nclass Meta(type):\n    def __getattr__(cls, name):\n"
            "        if name not in GOOD:\n            raise AttributeError(name)\n        return GOOD[name]\n\n\n"
            "@dataclass\nclass GPT2Config(metaclass=Meta):\n    pass\n"
        ),
        NO_FIELDS,
    ),
    "a value that equals everything": (
        with_(
            (
                IMPORT,
                f"{IMPORT}\n\nclass Yes:\n    __hash__ = None\n\n    def __eq__(self, other):\n        return True\n",
            ),
            ("768", "field(default_factory=Yes)"),
        ).replace("import dataclass\n", "import dataclass, field\n"),
        value("n_embd", "a Yes", "   a Yes, where an int is asked for"),
    ),
    "a subclass of int": (
        with_((IMPORT, f"{IMPORT}\n\nclass Width(int):\n    pass\n"), ("768", "Width(768)")),
        value("n_embd", "a Width", "   a Width, where an int is asked for"),
    ),
    "numpy's integer": (
        with_((IMPORT, f"import numpy as np\n{IMPORT}"), ("768", "np.int64(768)")),
        value("n_embd", "an int64", "   an int64, where an int is asked for"),
    ),
    "a number too long to print": (
        with_(("50257", "10**5000")),
        value("vocab_size", "an int too long to print") if LONG_NUMBERS_ARE_TAKEN else None,
    ),
    "dataclasses.fields replaced": (
        (
            f"import dataclasses\n{with_(('768', '769'))}\n\nGOOD = {NUMBERS}\n"
            "dataclasses.fields = lambda of: tuple(dataclasses.field(default=value) for value in GOOD.values())\n"
        ),
        value("n_embd", "769"),
    ),
    "dataclasses.dataclass replaced": (
        f"import dataclasses\n\ndataclasses.dataclass = lambda cls: cls\n{RIGHT}",
        says(
            "❌ GPT2Config is not what @dataclass made",
            "   @dataclass stands above the class, and yet GPT2Config is no dataclass: is it, or dataclass, replaced?",
        ),
    ),
    "the fields forged afterwards": (
        with_(("768", "769")) + f"\n\nfor name, value in {NUMBERS}.items():\n"
        "    GPT2Config.__dataclass_fields__[name].default = value\n",
        says(NOT_MADE, "   call      GPT2Config().n_embd", "   expected  768   got 769"),
    ),
    "an undecorated class put in its place": (
        f"{RIGHT}\n\nclass Plain:\n{BODY}\n\nGPT2Config = Plain\n",
        says(
            "❌ GPT2Config is not what @dataclass made",
            "   @dataclass stands above the class, and yet GPT2Config is no dataclass: is it, or dataclass, replaced?",
        ),
    ),
    "a second class below": (
        f"{RIGHT}\n\n{CLASS}\n{BODY}",
        says(NOT_DECORATED, "   the file has 2 classes GPT2Config: the last one counts"),
    ),
    "the decorator on another class": (
        with_((DECORATOR, f"{DECORATOR}class Other:\n    pass\n\n\n")),
        says(NOT_DECORATED, likely("decorator-forgotten"), *at_line(9, CLASS)[:2]),
    ),
    "an __init__ of its own that takes one argument": (
        f"{RIGHT}\n    def __init__(self, n_layer=12):\n        self.n_layer = n_layer\n",
        None,
    ),
    "no __init__": (with_((DECORATOR, "@dataclass(init=False)\n")), None),
    "attributes that answer anything": (
        f"{RIGHT}\n    def __getattribute__(self, name):\n        return 1\n",
        says(NOT_MADE, "   call      GPT2Config().vocab_size", "   expected  50257   got 1"),
    ),
    "a class that makes no objects": (
        (
            f"{IMPORT}\n\nclass Meta(type):\n    def __call__(cls, **values):\n        return 3\n\n\n"
            f"{DECORATOR}class GPT2Config(metaclass=Meta):\n{BODY}"
        ),
        says(
            NOT_MADE,
            "   call      GPT2Config()",
            "   expected  an object   got 3",
            "   GPT2Config returns a plain value, not an object",
        ),
    ),
    "question marks": (
        with_(("50257", "?")),
        says(
            "❌ not tried yet: dataclass is correctly imported from dataclasses",
            "   this is not Python: invalid syntax",
            "   steps/step_01.py:6",
            "     vocab_size: int = ?",
            "                       ^",
            "❌ not tried yet: GPT2Config has the @dataclass decorator",
            all_values("a syntax error"),
        ),
    ),
    "transformers asked": (
        f"import transformers\n{with_(('50257', 'transformers.GPT2Config().vocab_size'))}",
        all_values(
            "ModuleNotFoundError",
            "   ModuleNotFoundError: your code is compared with Hugging Face's, so transformers is not there while it"
            " runs",
            "   steps/step_01.py:1",
            "     import transformers",
        ),
    ),
}


@pytest.mark.parametrize("name", RIGHT_ONES)
def test_a_right_spelling_passes_with_the_nine_lines(judge_text, name):
    report = judge_text("config", RIGHT_ONES[name])
    assert shown(report) == ""
    assert passed(report) == NINE
    assert report.outcome == "passed"


@pytest.mark.parametrize("name", WRONG_ONES)
def test_a_wrong_one_fails_with_its_line_and_its_reason(judge_text, name):
    text, expected = WRONG_ONES[name]
    report = judge_text("config", text)
    assert report.outcome not in ("passed", "internal")
    if expected is not None:
        assert shown(report) == expected


def test_a_colon_in_place_of_the_equals_sign_is_found(judge_text):
    """Python itself speaks of the order of arguments, in words that differ from version to version."""
    report = judge_text("config", with_(("n_embd: int = 768", "n_embd: 768")))
    assert passed(report) == NINE[:2]
    assert shown(report).endswith(
        "❌ a field of GPT2Config has no value\n"
        "   n_embd has a type hint, and no value after it\n"
        "   steps/step_01.py:8\n"
        "     n_embd: 768\n"
        "     ^"
    )


def test_an_init_of_its_own_is_called_with_every_field(judge_text):
    report = judge_text("config", WRONG_ONES["an __init__ of its own that takes one argument"][0])
    assert passed(report) == NINE
    assert shown(report).startswith(NOT_MADE)


def test_a_fake_module_does_not_help(judge_text):
    fake = "import sys, types\n\nfake = types.ModuleType('dataclasses')\nfake.dataclass = lambda cls: cls\n"
    report = judge_text("config", f"{fake}sys.modules['dataclasses'] = fake\n{RIGHT}")
    assert report.outcome not in ("passed", "internal")


def test_init_var_is_no_field(judge_text):
    report = judge_text("config", with_((IMPORT, f"{IMPORT[:-1]}, InitVar\n"), ("n_head: int", "n_head: InitVar[int]")))
    assert shown(report).startswith(value("n_head", "no field"))
    assert "InitVar: @dataclass makes no field of one" in shown(report)
