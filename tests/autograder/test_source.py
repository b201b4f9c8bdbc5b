# ruff: noqa: E501 - the tables have one file a line
"""What the syntax tree tells of a learner's file: right code in any spelling, and wrong code that looks right."""

import ast
import codecs
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.source import MAX_SOURCE_BYTES, Field, Place, Source, SourceError, Use, loops_around, parse

ROOT = Path(__file__).resolve().parents[2]
DATACLASS = "dataclasses.dataclass"
LAYER_NORMS = (
    "torch.nn.LayerNorm",
    "torch.nn.functional.layer_norm",
    "torch.layer_norm",
    "torch.native_layer_norm",
    "torch._refs",
)


def source(text):
    return parse(textwrap.dedent(text).encode(), "steps/step_03.py")


def problem(data):
    with pytest.raises(SourceError) as caught:
        parse(data if isinstance(data, bytes) else data.encode(), "steps/step_01.py")
    assert str(caught.value) == caught.value.message
    return caught.value


def attempt(data):
    try:
        return parse(data, "f.py")
    except SourceError as error:
        return error


def places(uses):
    return [(use.place.line, use.place.column) for use in uses]


# The file itself


@pytest.mark.parametrize(
    ("data", "message", "line", "column", "text"),
    [
        (
            b"#" * (MAX_SOURCE_BYTES + 1),
            "the file has 262,145 bytes; a step's file may have 262,144",
            None,
            None,
            None,
        ),
        (
            "x = 1\n".encode("utf-16"),
            "the file is saved as UTF-16: save it again as UTF-8",
            1,
            None,
            None,
        ),
        (
            b"a = 1\nb = '\0'\n",
            "line 2 holds a NUL byte, so this is not a text: save the file again as UTF-8",
            2,
            None,
            None,
        ),
        (
            "a = 1\r# ä caf\u00e9\n".encode() + b"x = 'caf\xe9'\n",
            "line 3 holds the byte 0xe9, which is not UTF-8: save the file again as UTF-8",
            3,
            9,
            "x = 'caf\ufffd'",
        ),
        (
            codecs.BOM_UTF8 + b"\xff",
            "line 1 holds the byte 0xff, which is not UTF-8: save the file again as UTF-8",
            1,
            1,
            "\ufffd",
        ),
        (
            b"# coding: rot13\nvzcbeg gbepu\n",
            "the file declares the encoding rot13, but a step's file must be UTF-8: delete this line",
            1,
            1,
            "# coding: rot13",
        ),
        (
            b"#!/usr/bin/env python\n# -*- coding: latin-1 -*-\n",
            "the file declares the encoding iso-8859-1, but a step's file must be UTF-8: delete this line",
            2,
            1,
            "# -*- coding: latin-1 -*-",
        ),
        (
            "# coding: ascii\nx = 'é'\n".encode(),
            "the file declares the encoding ascii, but a step's file must be UTF-8: delete this line",
            1,
            1,
            "# coding: ascii",
        ),
        (
            b"# coding: klingon\n",
            "the encoding named here is none that the course reads: delete this line, files are UTF-8",
            1,
            1,
            "# coding: klingon",
        ),
        (
            codecs.BOM_UTF8 + b"# coding: latin-1\n",
            "the encoding named here is none that the course reads: delete this line, files are UTF-8",
            1,
            1,
            "# coding: latin-1",
        ),
        (b"a = 1\nb = = 2\n", "this is not Python: invalid syntax", 2, 5, "b = = 2"),
        (b"x = 1\nreturn x\n", "this is not Python: 'return' outside function", 2, 1, "return x"),
        (
            b"def f():\nx = 1\n",
            "the indentation is not right: expected an indented block after function definition on line 1",
            2,
            1,
            "x = 1",
        ),
        (
            b"if 1:\n        a = 1\n\tb = 2\n",
            "tabs and spaces are mixed in the indentation: use four spaces for each level",
            3,
            None,
            "\tb = 2",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_a_sentence_with_its_place(data, message, line, column, text):
    error = problem(data)
    assert (error.message, error.line, error.text) == (message, line, text)
    if column is not None:
        assert error.column == column


def test_an_error_at_the_end_of_the_file_has_a_line():
    error = problem("x = (1,\n")
    assert (error.message, error.line, error.column) == ("this is not Python: '(' was never closed", 1, 5)


def test_a_number_with_too_many_digits_is_told():
    assert problem("x = " + "1" * 5000).message.startswith("this is not Python: Exceeds the limit (4300 digits)")


@pytest.mark.parametrize("deep", ["(" * 100_000 + ")" * 100_000, "[" * 5_000 + "]" * 5_000])
def test_nested_parentheses_are_too_deep(deep):
    message = "the code is nested too deeply for Python to read: write it with less inside each other"
    assert problem(deep).message == message


DEEP = {
    "sum": "x = " + "a+" * 50_000 + "a",
    "sum that fits": "x = " + "a+" * 800 + "a",
    "sum at the edge": "x = " + "a+" * 2_900 + "a",
    "attributes": "x = a" + ".b" * 50_000,
    "attributes that fit": "import torch as a\nx = a" + ".b" * 2_500,
    "calls": "x = a" + "()" * 2_500,
    "signs": "x = " + "-" * 2_000 + "1",
    "not": "if " + "not " * 1_500 + "a: pass",
    "lambda": "x = " + "lambda: " * 1_500 + "1",
    "lists": "x = " + "[" * 150 + "]" * 150,
    "conditions": "x = " + "a if b else " * 2_000 + "c",
    "elif": "if a: pass\n" + "elif b: x = 1\n" * 1_400,
    "blocks": "".join(" " * i + "if a:\n" for i in range(95)) + " " * 95 + "pass",
    "classes": "".join(" " * i + "class A:\n" for i in range(60)) + " " * 60 + "pass",
    "functions": "".join(" " * i + "def f():\n" for i in range(60)) + " " * 60 + "return f",
    "aliases": "import torch\na0 = torch\n" + "".join(f"a{i + 1} = a{i}\n" for i in range(9_000)),
    "one name": "import torch\n" + "if a: n = torch.x\n" * 9_000,
    "two ways": "import torch as n\n" + "n = n.a if x else n.b\n" * 300,
    "helpers": "".join(f"def f{i}(): return f{i + 1}()\n" for i in range(6_000)),
    "bindings": "".join(f"def f{i}(): return a\na = {i}\n" for i in range(6_000)) + "f1()\n",
}


def ask_everything(found):
    names = ["GPT2Config", "LayerNorm", "x", "n", "f", "f0", "A"]
    for name in names:
        (
            found.definition(name),
            found.fields(name),
            found.decorated_by(name, DATACLASS),
            found.called_on(name, DATACLASS),
        )
    return (
        found.imports(DATACLASS),
        found.calls("torch.nn.Linear"),
        found.calls("a", names),
        found.uses(["torch"], names),
    )


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_a_deep_or_tangled_file_is_answered_or_refused_in_time(text):
    begin = time.monotonic()
    answer = attempt(text.encode())
    if isinstance(answer, SourceError):
        assert answer.message == (
            "the code is nested too deeply for Python to read: write it with less inside each other"
        )
    else:
        ask_everything(answer)
    assert time.monotonic() - begin < 20  # the slowest takes about one second here


@pytest.mark.parametrize(
    "data",
    [
        b"",
        codecs.BOM_UTF8 + b"x = 1\n",
        b"# coding: utf-8\nx = 1\n",
        b"# -*- coding: UTF8 -*-\nx = 1\n",
        codecs.BOM_UTF8 + b"# vim: set fileencoding=utf-8 :\nx = 1\n",
        b"# coding: ascii\nx = 1\n",
        b"x = 1\n\n# coding: rot13\n",
        b"x = 'coding: rot13'\r\n",
        b"# a file of lone returns\r\rx = 1  # coding: rot13\r",
        b"x = 1\n\x0cy = 2",
    ],
)
def test_the_usual_forms_of_a_utf8_file_are_read(data):
    assert isinstance(parse(data, "f.py"), Source)


def test_lines_are_counted_alike_for_every_kind_of_newline():
    for newline in ("\n", "\r\n", "\r"):
        found = parse(newline.join(["# ä", "s = '\u2028\x0b'", "", "é = x = 1"]).encode(), "f.py")
        assert found.definition("x") == Place(4, 1)
        assert found.lines == ["# ä", "s = '\u2028\x0b'", "", "é = x = 1"]


def test_columns_count_characters():
    found = source("import torch\nclass LayerNorm:\n    def f(x): return 'äöü€', torch.layer_norm\n")
    assert places(found.uses(LAYER_NORMS, ["LayerNorm"])) == [(3, 30)]


def test_warnings_of_the_learners_code_do_not_come_out():
    code = "from autograder.source import parse; parse(b'x = \"\\\\d\" is 1\\nassert (x, 1)\\n', 'f.py')"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


def test_the_source_keeps_what_was_read():
    found = parse(b"x = 1\r\n", "steps/step_01.py")
    assert (found.filename, found.text, found.lines) == ("steps/step_01.py", "x = 1\n", ["x = 1", ""])
    assert isinstance(found.tree, ast.Module)


# Imports and decorators

CLASS = "class GPT2Config:\n    n_layer: int = 12\n"


def decorated(imports, decorator="@dataclass", after=""):
    return f"{imports}\n{decorator}\n{CLASS}{after}"


RIGHT = {
    "plain": decorated("from dataclasses import dataclass"),
    "module": decorated("import dataclasses", "@dataclasses.dataclass"),
    "module alias": decorated("import dataclasses as dc", "@dc.dataclass(frozen=True)"),
    "name alias": decorated("from dataclasses import dataclass as d", "@d"),
    "called": decorated("from dataclasses import dataclass", "@dataclass()"),
    "options": decorated(
        "from dataclasses import dataclass, field", "@dataclass(frozen=True, slots=True, kw_only=True)"
    ),
    "star": decorated("from dataclasses import *"),
    "assigned": decorated("import dataclasses\nconfig = dataclasses.dataclass", "@config"),
    "assigned module": decorated("import dataclasses\nd = e = dataclasses", "@e.dataclass"),
    "assigned call": decorated("from dataclasses import dataclass\nfrozen = dataclass(frozen=True)", "@frozen"),
    "tuple": decorated("import dataclasses\ndc, f = dataclasses.dataclass, dataclasses.field", "@dc"),
    "walrus": decorated("import dataclasses", "@(d := dataclasses.dataclass)"),
    "partial": decorated(
        "from dataclasses import dataclass\nimport functools", "@functools.partial(dataclass, frozen=True)"
    ),
    "partial alias": decorated(
        "from dataclasses import dataclass\nfrom functools import partial as p\nd = p(dataclass, eq=True)", "@d"
    ),
    "getattr": decorated("import dataclasses", '@getattr(dataclasses, "dataclass")'),
    "import_module": decorated("import importlib\ndc = importlib.import_module('dataclasses')", "@dc.dataclass"),
    "__import__": decorated("", "@__import__('dataclasses').dataclass"),
    "try": decorated(
        "try:\n    from dataclasses import dataclass\nexcept ImportError:\n    def dataclass(cls): return cls"
    ),
    "try else": decorated(
        "try:\n    import dataclasses\nexcept ImportError:\n    raise\nelse:\n    d = dataclasses.dataclass", "@d"
    ),
    "if else": decorated(
        "import sys\nif sys.version_info > (3, 9):\n    from dataclasses import dataclass\nelse:\n    dataclass = None"
    ),
    "if True": decorated("if True:\n    from dataclasses import dataclass"),
    "with": decorated(
        "import contextlib\nwith contextlib.suppress(ImportError):\n    from dataclasses import dataclass"
    ),
    "else of TYPE_CHECKING": decorated(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    dataclass = None\nelse:\n    from dataclasses import dataclass"
    ),
    "import after a home-made one": decorated("def dataclass(cls): return cls\nfrom dataclasses import dataclass"),
    "home-made one afterwards": decorated(
        "from dataclasses import dataclass", after="def dataclass(cls): return cls\n"
    ),
    "other decorators too": decorated(
        "from dataclasses import dataclass\nfrom typing import final", "@final\n@dataclass"
    ),
    "defined twice": f"class GPT2Config: pass\n{decorated('from dataclasses import dataclass')}",
    "class in an if": "from dataclasses import dataclass\nif True:\n    @dataclass\n    class GPT2Config:\n        n: int = 1\n",
    "undecorated under main": decorated(
        "from dataclasses import dataclass", after="if __name__ == '__main__':\n    class GPT2Config: pass\n"
    ),
    "parameter elsewhere": decorated("from dataclasses import dataclass\ndef f(dataclass):\n    dataclass = 1"),
    "comprehension variable": decorated("from dataclasses import dataclass\nx = [dataclass for dataclass in ()]"),
    "semicolon and parentheses": "from dataclasses import (dataclass,); x = 1\n@(dataclass)\n" + CLASS,
    "module not main": decorated("if __name__ != '__main__':\n    from dataclasses import dataclass"),
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_every_right_spelling_of_a_dataclass_is_accepted(text):
    found = source(text)
    assert found.imports(DATACLASS)
    assert found.decorated_by("GPT2Config", DATACLASS)


NOT_IMPORTED = {
    "nothing": CLASS,
    "comment": "# from dataclasses import dataclass\n",
    "string": "'''\nfrom dataclasses import dataclass\n'''\n",
    "another module": "from attr import dataclass\nimport pydantic.dataclasses\nfrom pydantic.dataclasses import dataclass",
    "another name": "from dataclasses import field, asdict as dataclass",
    "relative": "from .dataclasses import dataclass\nfrom . import dataclasses\nfrom .dataclasses import *",
    "TYPE_CHECKING": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from dataclasses import dataclass",
    "typing.TYPE_CHECKING": "import typing as t\nif t.TYPE_CHECKING:\n    from dataclasses import dataclass",
    "own TYPE_CHECKING": "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from dataclasses import dataclass",
    "if False": "if False:\n    from dataclasses import dataclass\nif 0:\n    import dataclasses",
    "not True": "if not True:\n    import dataclasses",
    "else of True": "if 1:\n    pass\nelse:\n    import dataclasses",
    "while False": "while 0:\n    import dataclasses",
    "main": "if __name__ == '__main__':\n    from dataclasses import dataclass",
    "main, turned": "if '__main__' == __name__ and True:\n    from dataclasses import dataclass",
    "main, negated": "if not __name__ != '__main__':\n    from dataclasses import dataclass",
    "function": "def f():\n    from dataclasses import dataclass",
    "class": "class A:\n    from dataclasses import dataclass",
    "after raise": "raise SystemExit\nfrom dataclasses import dataclass",
    "home-made importer": "def __import__(name): pass\n__import__('dataclasses')",
}


@pytest.mark.parametrize("text", NOT_IMPORTED.values(), ids=NOT_IMPORTED)
def test_what_only_looks_like_an_import_is_none(text):
    assert source(text).imports(DATACLASS) is None


def test_a_type_checking_of_ones_own_that_is_true_is_followed():
    assert source("TYPE_CHECKING = True\nif TYPE_CHECKING:\n    import dataclasses").imports(DATACLASS) == Place(3, 5)


NOT_DECORATED = {
    "nothing": "from dataclasses import dataclass\n" + CLASS,
    "comment": decorated("from dataclasses import dataclass", "# @dataclass"),
    "string": decorated("from dataclasses import dataclass", "'@dataclass'"),
    "home-made function": decorated("def dataclass(cls): return cls"),
    "home-made class": decorated("import dataclasses\nclass dataclass: pass"),
    "home-made after the import": decorated("from dataclasses import dataclass\ndef dataclass(cls): return cls"),
    "assigned": decorated("from dataclasses import dataclass\ndataclass = lambda cls: cls"),
    "deleted": decorated("from dataclasses import dataclass\ndel dataclass"),
    "overwritten by a loop": decorated("from dataclasses import dataclass\n[dataclass] = [print]"),
    "import afterwards": decorated("def dataclass(cls): return cls", after="from dataclasses import dataclass\n"),
    "not imported": decorated(""),
    "another library's": decorated("import dataclasses\nfrom attrs import dataclass"),
    "field": decorated("import dataclasses", "@dataclasses.field"),
    "another class": decorated("from dataclasses import dataclass", "@dataclass\nclass Other: pass\n"),
    "only the first of two": decorated("from dataclasses import dataclass", after=CLASS),
    "inner class": "from dataclasses import dataclass\nclass GPT2Config:\n    @dataclass\n    class GPT2Config: n: int = 1\n",
    "in a function": "from dataclasses import dataclass\ndef f():\n    @dataclass\n    class GPT2Config: n: int = 1\n",
    "called afterwards": f"from dataclasses import dataclass\n{CLASS}GPT2Config = dataclass(GPT2Config)\n",
    "under main": f"from dataclasses import dataclass\n{CLASS}if __name__ == '__main__':\n    @dataclass\n    class GPT2Config: pass",
    "a base class": "from dataclasses import dataclass\nclass GPT2Config(dataclass): pass\n",
    "an attribute of something else": decorated("import dataclasses, other", "@other.dataclass"),
    "partial of something else": decorated("from dataclasses import dataclass\nfrom functools import partial", "@partial(print, dataclass)"),
    "home-made module": decorated("import dataclasses\nclass dataclasses: dataclass = staticmethod(lambda c: c)", "@dataclasses.dataclass"),
}  # fmt: skip


@pytest.mark.parametrize("text", NOT_DECORATED.values(), ids=NOT_DECORATED)
def test_what_only_looks_like_the_decorator_is_none(text):
    assert source(text).decorated_by("GPT2Config", DATACLASS) is None


def test_places_are_those_of_the_import_and_of_the_decorator():
    found = source("import os\n\nfrom dataclasses import dataclass\n@dataclass\n" + CLASS)
    assert found.imports(DATACLASS) == Place(3, 1)
    assert found.decorated_by("GPT2Config", DATACLASS) == Place(4, 2)
    assert found.definition("GPT2Config") == Place(5, 1)


@pytest.mark.parametrize(
    "call",
    ["GPT2Config = dataclass(GPT2Config)", "GPT2Config = dataclass(frozen=True)(GPT2Config)", "dataclass(GPT2Config)"],
)
def test_a_call_in_place_of_the_decorator_is_told(call):
    assert source(f"from dataclasses import dataclass\n{CLASS}{call}\n").called_on("GPT2Config", DATACLASS).line == 4


@pytest.mark.parametrize("call", ["", "print(GPT2Config)", "dataclass(Other)", "def f(): dataclass(GPT2Config)"])
def test_another_call_is_not_in_place_of_the_decorator(call):
    assert source(f"from dataclasses import dataclass\n{CLASS}{call}\n").called_on("GPT2Config", DATACLASS) is None


def test_a_function_has_decorators_too():
    found = source("import torch\n@torch.no_grad()\ndef generate(): pass\n")
    assert found.decorated_by("generate", "torch.no_grad") == Place(2, 2)


# Definitions, fields, calls


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\nx = 2\n", 2),
        ("a, (b, x) = 1, (2, 3)\n", 1),
        ("x: int = 1\n", 1),
        ("if a:\n    def x(): pass\n", 2),
        ("@a\n@b\nclass x: pass\n", 3),
        ("async def x(): pass\n", 1),
        ("x: int\n", None),
        ("import x\n", None),
        ("def f():\n    x = 1\n", None),
        ("class A:\n    x = 1\n", None),
        ("if __name__ == '__main__':\n    x = 1\n", None),
        ("# x = 1\n", None),
    ],
)
def test_the_definition_is_the_last_at_the_top_level(text, line):
    place = source(text).definition("x")
    assert (place and place.line) == line


def test_fields_are_the_annotated_names_in_order():
    found = source("""
        from dataclasses import dataclass, field
        class GPT2Config:
            wrong: str = ""
        @dataclass
        class GPT2Config:
            "n_ctx: int = 1"
            vocab_size: int = 50_257
            n_embd: "dict[str,  int]"
            n_layer = 12
            n_head: int = field(default=12)
            n_inner: int = field(kw_only=True)
            layer_norm_epsilon: dict[
                str, float
            ] = 1e-5
            n_embd: int = 768
            def f(self):
                local: int = 1
        """)
    assert found.fields("GPT2Config") == [
        Field("vocab_size", "int", True, Place(8, 5)),
        Field("n_embd", "int", True, Place(16, 5)),
        Field("n_head", "int", True, Place(11, 5)),
        Field("n_inner", "int", False, Place(12, 5)),
        Field("layer_norm_epsilon", "dict[\n        str, float\n    ]", True, Place(13, 5)),
    ]
    assert found.fields("Missing") == []


def test_calls_are_found_by_what_is_called():
    found = source("""
        import torch
        from torch import nn
        from torch.nn import Linear as L
        def f(): return nn.Linear(1, 2), L(3, 4), torch.nn.Linear
        def g(nn): return nn.Linear(1, 2)
        if __name__ == "__main__":
            nn.Linear(5, 6)
        """)
    assert found.calls("torch.nn.Linear") == [Place(5, 17), Place(5, 34)]
    assert found.calls("torch.nn.Linear", within=["f"]) == found.calls("torch.nn.Linear")
    assert found.calls("torch.nn.Linear", within=["g"]) == []


# Bans

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn, Tensor\n"


def layer_norm(body="return x", *, before="", after="", base="nn.Module", init="pass"):
    return (
        f"{HEAD}{before}\nclass LayerNorm({base}):\n    def __init__(self, dim):\n        {init}\n"
        f"    def forward(self, x):\n        {body}\n{after}\n"
    )


USED = {
    "F": layer_norm("return F.layer_norm(x, x.shape[-1:])"),
    "whole name": layer_norm("return torch.nn.functional.layer_norm(x, (3,))"),
    "torch's own": layer_norm("return torch.layer_norm(x, (3,))"),
    "native": layer_norm("return torch.native_layer_norm(x, (3,), None, None, 1e-5)[0]"),
    "under a name": layer_norm("return torch._refs.native_layer_norm(x)"),
    "module": layer_norm(init="self.norm = nn.LayerNorm(dim)"),
    "base class": layer_norm(base="nn.LayerNorm"),
    "imported name": layer_norm("return f(x)", before="from torch.nn.functional import layer_norm as f"),
    "imported inside": layer_norm("from torch.nn.functional import layer_norm as f; return f(x)"),
    "module imported inside": layer_norm("import torch.nn.functional as G; return G.layer_norm(x)"),
    "star": layer_norm("return layer_norm(x)", before="from torch.nn.functional import *"),
    "star is the class": "from torch.nn import *\n",
    "import is the class": "from torch.nn import LayerNorm\n",
    "alias is the class": "from torch import nn\nLayerNorm = nn.LayerNorm\n",
    "alias": layer_norm(init="self.n = LN(dim)", before="LN = nn.LayerNorm"),
    "chain of aliases": layer_norm(init="self.n = C(dim)", before="a = b = torch.nn\nc = b\nC = c.LayerNorm"),
    "tuple": layer_norm("return f(x)", before="f, g = F.layer_norm, F.gelu"),
    "walrus": layer_norm("return (f := F.layer_norm)(x)"),
    "local alias": layer_norm("n = torch.nn; return n.functional.layer_norm(x)"),
    "either": layer_norm("return (F if x else nn.functional).layer_norm(x)"),
    "getattr": layer_norm("return getattr(F, 'layer_norm')(x)"),
    "builtins.getattr": layer_norm("import builtins; return builtins.getattr(torch.nn, 'LayerNorm')(3)(x)"),
    "import_module": layer_norm("return importlib.import_module('torch.nn').LayerNorm(3)(x)", before="import importlib"),
    "__import__": layer_norm("return __import__('torch').layer_norm(x)"),
    "__import__ fromlist": layer_norm("return __import__('torch.nn.functional', fromlist=['x']).layer_norm(x)"),
    "sys.modules": layer_norm("return sys.modules['torch'].layer_norm(x)", before="import sys"),
    "__dict__": layer_norm("return torch.__dict__['layer_norm'](x), vars(F)['layer_norm'](x)"),
    "partial": layer_norm("return f(x)", before="from functools import partial\nf = partial(F.layer_norm, eps=1)"),
    "helper": layer_norm("return norm(x)", before="def norm(x): return F.layer_norm(x, (3,))"),
    "helper of a helper": layer_norm("return a(x)", after="def a(x): return b(x)\ndef b(x): return F.layer_norm(x)"),
    "helper class": layer_norm(init="self.h = H()", after="class H:\n    def f(self, x): return F.layer_norm(x)"),
    "base with it": layer_norm(base="Base", before="class Base(nn.LayerNorm): pass"),
    "global": layer_norm("return f(x)", before="f = None\ndef set_it():\n    global f\n    f = F.layer_norm"),
    "dictionary": layer_norm("return table['f'](x)", before="table = {}\ntable['f'] = F.layer_norm"),
    "list": layer_norm("return fs[0](x)", before="fs = []\nfs.append(F.layer_norm)"),
    "lambda": layer_norm("return f(x)", before="f = lambda x: F.layer_norm(x)"),
    "default": layer_norm("return x").replace("(self, x)", "(self, x, f=F.layer_norm)"),
    "default module": layer_norm("return g.layer_norm(x)").replace("(self, x)", "(self, x, g=F)"),
    "comprehension": layer_norm("return [F.layer_norm(y) for y in x]"),
    "nested function": layer_norm("\n        def inner(y):\n            return F.layer_norm(y)\n        return inner(x)"),
    "class attribute": layer_norm("return x", after="    f = F.layer_norm"),
    "import in the class": layer_norm("return self.f(x)", after="    from torch.nn.functional import layer_norm as f"),
    "decorator": layer_norm("return x").replace("    def forward", "    @F.layer_norm\n    def forward"),
    "patched": layer_norm(after="LayerNorm.forward = lambda self, x: F.layer_norm(x)"),
    "setattr": layer_norm(after="setattr(LayerNorm, 'forward', F.layer_norm)"),
    "patched through an alias": layer_norm(after="Mine = LayerNorm\nMine.forward = F.layer_norm"),
    "kept in a module": layer_norm("return F.mine(x)", before="F.mine = F.layer_norm"),
    "set in a module": layer_norm("return nn.mine(x)", before="setattr(nn, 'mine', F.layer_norm)"),
    "type.__setattr__": layer_norm(after="type.__setattr__(LayerNorm, 'forward', F.layer_norm)"),
    "mock": layer_norm(after="from unittest import mock\nmock.patch.object(LayerNorm, 'forward', F.layer_norm).start()"),
    "list()": layer_norm("return fs[0](x)", before="fs = list()\nfs.append(F.layer_norm)"),
    "ModuleList": layer_norm("return fs[0](x)", before="fs = nn.ModuleList()\nfs.append(nn.LayerNorm(3))"),
    "patched in an if": layer_norm(after="if torch:\n    LayerNorm.forward = F.layer_norm"),
    "patched by a function": layer_norm(after="def go():\n    LayerNorm.forward = F.layer_norm\ngo()"),
    "patched by a loop": layer_norm(after="for f in [F.layer_norm]:\n    LayerNorm.forward = f"),
    "handed to a patcher": layer_norm(after="def patch(c, f): c.forward = f\npatch(LayerNorm, F.layer_norm)"),
    "registered": layer_norm(
        "return norm(x)",
        before="import functools\n@functools.singledispatch\ndef norm(x): pass\n@norm.register\n"
        "def _(x: Tensor): return F.layer_norm(x)",
    ),
    "perhaps": layer_norm("return f(x)", before="if torch.cuda:\n    f = F.layer_norm\nelse:\n    f = print"),
    "after a failed import": layer_norm("return f(x)", before="try:\n    import apex; f = apex.f\nexcept ImportError:\n    f = F.layer_norm"),
    "assigned later": layer_norm("return f(x)", before="f = print", after="f = F.layer_norm"),
    "taken before it is replaced": layer_norm(
        "return f(x)", before="G = F\ndef make(): return G.layer_norm\nf = make()\nG = None"
    ),
    "loop": layer_norm("\n        g = torch\n        for _ in x:\n            y = g.layer_norm(x)\n            g = F\n        return y", before="torch_ = torch\n"),
    "method not used": layer_norm(after="    def other(self, x): return F.layer_norm(x)"),
    "__getattr__": HEAD + "def __getattr__(name): return nn.LayerNorm\n",
    "async": layer_norm(after="    async def g(self, x):\n        async with F.layer_norm(x) as y: pass"),
    "match": layer_norm("\n        match F.layer_norm(x):\n            case y: return y"),
    "f-string": layer_norm("return f'{F.layer_norm(x)}'"),
    "star arguments": layer_norm("return print(*[F.layer_norm], **{'f': 1})"),
    "TYPE_CHECKING that is true": layer_norm("return f(x)", before="TYPE_CHECKING = True\nif TYPE_CHECKING:\n    f = F.layer_norm"),
    "nonlocal": layer_norm("\n        g = None\n        def h():\n            nonlocal g\n            g = F\n        h()\n        return g.layer_norm(x), F.layer_norm"),
}  # fmt: skip


@pytest.mark.parametrize("text", USED.values(), ids=USED)
def test_every_way_to_use_what_is_forbidden_is_seen(text):
    assert source(text).uses(LAYER_NORMS, ["LayerNorm"])


NOT_USED = {
    "nothing": layer_norm(),
    "unused import": layer_norm(before="from torch.nn.functional import layer_norm\nfrom torch.nn import LayerNorm as L"),
    "comment": layer_norm("return x  # F.layer_norm(x)"),
    "string": layer_norm("return 'F.layer_norm(x)'"),
    "docstring": layer_norm("'''Like torch.nn.LayerNorm.'''"),
    "parameter annotation": layer_norm().replace("(self, x)", "(self, x: nn.LayerNorm) -> F.layer_norm"),
    "variable annotation": layer_norm("y: nn.LayerNorm = x; return y", before="a: nn.LayerNorm = 1", after="    b: nn.LayerNorm"),
    "main": layer_norm(after="if __name__ == '__main__':\n    print(nn.LayerNorm(8), LayerNorm(8))\n    LayerNorm.forward = F.layer_norm"),
    "another function": layer_norm(after="def compare(x): return F.layer_norm(x) - LayerNorm(3)(x)"),
    "another class": layer_norm(before="class Other(nn.LayerNorm): pass", after="class More(LayerNorm):\n    f = F.layer_norm"),
    "comparison at the top": layer_norm(after="x = torch.ones(3)\ntorch.testing.assert_close(LayerNorm(3)(x), nn.LayerNorm(3)(x))"),
    "assertion at the top": layer_norm(after="assert LayerNorm(3)(1) == nn.LayerNorm(3)(1)"),
    "other statements at the top": layer_norm("return torch.sqrt(x)", after="torch.manual_seed(0)\ny = nn.LayerNorm(3)(torch.ones(3))\nprint(F.layer_norm(y))"),
    "a number shared with a comparison": layer_norm("return x + eps", before="eps = 1e-5\ndim = 2 * 4\ndef check(*a): pass", after="check(eps, nn.LayerNorm(dim, eps))"),
    "a list shared with a comparison": layer_norm("return shape", before="shape = [3]", after="print(shape, F.layer_norm(torch.ones(3), shape))"),
    "weights shared with a comparison": layer_norm(after="a, b = LayerNorm(3), nn.LayerNorm(3)\nb.load_state_dict(a.state_dict())\na.load_state_dict(b.state_dict())\na.weight = b.weight"),
    "a test that is called": layer_norm(after="def test():\n    a, b = LayerNorm(3), nn.LayerNorm(3)\n    torch.testing.assert_close(a(1), b(1))\ntest()"),
    "printed beside it": layer_norm(after="print(LayerNorm, nn.LayerNorm)"),
    "input shared with a comparison": layer_norm("return x + zero", before="zero = torch.zeros(3)", after="print(nn.LayerNorm(3)(zero))"),
    "listed beside it": layer_norm(after="NORMS = {'mine': LayerNorm, 'torch': nn.LayerNorm}"),
    "type checking": layer_norm("return f(x)", before="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    f = F.layer_norm\nelse:\n    f = print"),
    "parameter called F": layer_norm("return x").replace("(self, x)", "(self, F)").replace("return x", "return F.layer_norm(F)"),
    "local F": layer_norm("F = self.f; return F.layer_norm(x)"),
    "local torch, assigned later": layer_norm("y = torch.layer_norm; torch = 1"),
    "home-made F": layer_norm("return F.layer_norm(x)", before="class F:\n    def layer_norm(x): return x"),
    "home-made layer_norm": layer_norm("return layer_norm(x)", before="def layer_norm(x): return x"),
    "home-made after the import": layer_norm("return f(x)", before="f = F.layer_norm\ndef f(x): return x"),
    "deleted": layer_norm("return f(x)", before="f = F.layer_norm\ndel f"),
    "a first try above": "from torch import nn\nclass LayerNorm(nn.LayerNorm): pass\n" + layer_norm("super(LayerNorm, self).__init__(); return x"),
    "a helper that was replaced": layer_norm("return n(x)", before="def n(x): return F.layer_norm(x)", after="def n(x): return x"),
    "a method of that name": layer_norm("return self.layer_norm(x)", after="    def layer_norm(self, x): return x"),
    "an attribute of a tensor": layer_norm("return x.layer_norm()"),
    "loop variable": layer_norm("return [F.layer_norm for F in x]"),
    "lambda parameter": layer_norm("return (lambda F: F.layer_norm)(x)"),
    "relative import": layer_norm("return layer_norm(x), f.layer_norm(x)", before="from .nn import layer_norm\nfrom . import torch as f"),
    "another module": layer_norm("return layer_norm(x)", before="from mine import layer_norm, functional as torch"),
    "another of torch": layer_norm("return F.gelu(x), nn.LayerNormal, torch._refsx, F.layer_norm_"),
    "home-made getattr": layer_norm("return getattr(F, 'layer_norm')", before="def getattr(a, b): return a"),
    "dead code": layer_norm("return x\n        return F.layer_norm(x)"),
    "if False": layer_norm("\n        if False:\n            return F.layer_norm(x)\n        return x"),
    "handler variable": layer_norm("\n        try: pass\n        except ValueError as F: F.layer_norm\n        return x"),
    "with variable": layer_norm("\n        with x as F: return F.layer_norm"),
    "class scope is not seen by methods": layer_norm("return g.layer_norm(x)", before="g = print", after="    g = F"),
    "star, but bound": layer_norm("return layer_norm(x)", before="from torch.nn.functional import *\ndef layer_norm(x): return x"),
    "star of another module": layer_norm("return layer_norm(x)", before="from mine import *"),
    "never called patcher": layer_norm(after="def go():\n    LayerNorm.forward = F.layer_norm"),
}  # fmt: skip


@pytest.mark.parametrize("text", NOT_USED.values(), ids=NOT_USED)
def test_what_only_looks_like_a_use_is_none(text):
    assert source(text).uses(LAYER_NORMS, ["LayerNorm"]) == []


def test_uses_stand_in_order_once_each_with_the_forbidden_name():
    found = source("""
        from torch import nn
        import torch.nn.functional as F
        LN = nn.LayerNorm
        class LayerNorm(nn.LayerNorm):
            def forward(self, x):
                return F.layer_norm(x).sum(), torch_norm(x), LN.forward
        def torch_norm(x): return F.layer_norm
        """)
    assert found.uses(LAYER_NORMS, ["LayerNorm"]) == [
        Use("torch.nn.LayerNorm", Place(4, 6)),
        Use("torch.nn.LayerNorm", Place(5, 17)),
        Use("torch.nn.functional.layer_norm", Place(7, 16)),
        Use("torch.nn.LayerNorm", Place(7, 54)),
        Use("torch.nn.functional.layer_norm", Place(8, 27)),
    ]
    assert found.uses(iter(LAYER_NORMS), iter(["torch_norm"])) == [Use("torch.nn.functional.layer_norm", Place(8, 27))]
    assert found.uses(["torch.nn"], ["torch_norm"]) == [Use("torch.nn", Place(8, 27))]
    assert found.uses([], ["LayerNorm"]) == found.uses(LAYER_NORMS, []) == found.uses(LAYER_NORMS, ["missing"]) == []


def test_a_ban_inside_one_function_leaves_the_others_alone():
    found = source(HEAD + "def gelu_new(x): return x\nclass GPT2MLP(nn.Module):\n    act = F.gelu\n")
    assert found.uses(["torch.nn.functional.gelu"], ["gelu_new"]) == []
    assert found.uses(["torch.nn.functional.gelu"], ["gelu_new", "GPT2MLP"]) == [
        Use("torch.nn.functional.gelu", Place(6, 11))
    ]


def test_the_puzzles_pass():
    config = parse((ROOT / "puzzles" / "config.py").read_bytes(), "puzzles/config.py")
    assert config.imports(DATACLASS)
    assert config.decorated_by("GPT2Config", DATACLASS)
    assert [f.name for f in config.fields("GPT2Config")][-1] == "layer_norm_epsilon"
    norm = parse((ROOT / "puzzles" / "layer_norm.py").read_bytes(), "puzzles/layer_norm.py")
    assert norm.uses(LAYER_NORMS, ["LayerNorm"]) == []


def test_two_questions_give_one_answer_in_every_process():
    text = "from autograder.source import parse; s = parse(%r.encode(), 'f'); print(s.uses(['torch'], ['LayerNorm']))"
    answers = set()
    for seed in "0", "1", "2":
        command = [sys.executable, "-c", text % USED["patched by a loop"]]
        env = {"PYTHONHASHSEED": seed}
        run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        answers.add(run.stdout)
    assert len(answers) == 1


# Whatever the file holds

SNIPPETS = [line for text in (*RIGHT.values(), *USED.values(), *NOT_USED.values()) for line in text.splitlines()]
WORDS = """def class lambda if else try except with for while import from as global nonlocal del return yield async await
    match case type x F torch nn ( ) [ ] { } : , . = := * ** @ ; # ' " 1 -> | _ é \0 \ufeff"""
TOKENS = st.sampled_from([*WORDS.split(), "\n", "\n    ", "\t"])


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(TOKENS, max_size=30).map(lambda tokens: " ".join(tokens).encode()),
        st.lists(st.sampled_from(SNIPPETS), max_size=8).map(lambda lines: "\n".join(lines).encode()),
    )
)
def test_any_bytes_are_answered_or_refused(data):
    answer = attempt(data)
    if isinstance(answer, SourceError):
        assert answer.message
        assert answer.line is None or answer.line >= 1
        assert answer.column is None or answer.column >= 1
    else:
        ask_everything(answer)


LOOPS = """\
import time

def f():
    x = 0
    while x == 0:
        for y in range(9):
            x = 0

    def g():
        x = 1
        for y in iter(int, 1):
            x = 2
    return x

for z in iter(int, 1):
    pass
"""


@pytest.mark.parametrize(
    ("line", "loop"),
    [
        (1, (0, 0)),
        (4, (0, 0)),
        (5, (5, 0)),
        (6, (5, 6)),
        (7, (5, 6)),
        (10, (0, 0)),
        (11, (0, 11)),
        (12, (0, 11)),
        (13, (0, 0)),
        (16, (0, 15)),
        (99, (0, 0)),
    ],
)
def test_the_loops_that_a_line_is_in_are_found(line, loop):
    assert loops_around(LOOPS, line) == loop


def test_a_function_in_a_loop_is_not_in_it():
    assert loops_around("while True:\n    def f():\n        return 1\n", 3) == (0, 0)


@pytest.mark.parametrize("text", ["while", "\0", "(" * 9999])
def test_what_is_no_python_has_no_loops(text):
    assert loops_around(text, 1) == (0, 0)


WHOLE = [*RIGHT.values(), *NOT_DECORATED.values(), *USED.values(), *NOT_USED.values()]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=4))
def test_files_put_together_never_raise(texts):
    ask_everything(source("\n".join(texts)))


@pytest.mark.parametrize("text", ["", "@", "@99999", "@0", ".", "a..b", "()", "\u0663"])
def test_a_strange_name_in_a_string_names_nothing(text):
    found = source(f"""
        import importlib, sys
        class LayerNorm: pass
        a, b = importlib.import_module({text!r}), sys.modules[{text!r}]
        c, d = __import__({text!r}), getattr(a, {text!r})
        a.x = b.x = c.x = d.x = setattr(a, "x", b)
        """)
    ask_everything(found)
    assert found.uses(LAYER_NORMS, ["LayerNorm", "a", "b", "c", "d"]) == []


def test_the_standard_library_is_answered():
    for module in ("dataclasses", "ast", "typing", "argparse", "tarfile"):
        path = Path(sys.modules["ast"].__file__).with_name(f"{module}.py")
        ask_everything(parse(path.read_bytes(), module))
