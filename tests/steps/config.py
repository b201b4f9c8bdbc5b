"""Step 01 is judged against Hugging Face's configuration, field by field."""

import ast
import re

from autograder.checking import check, mistake, variant
from autograder.comparing import a_class, equal, fail, holds, make
from autograder.student import Absence

FIELDS = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon")
TYPES = {name: "float" if name == "layer_norm_epsilon" else "int" for name in FIELDS}
PLAIN_TYPES = ("int", "float", "bool", "str", "bytes", "complex", "list", "tuple", "dict", "set", "frozenset")
# Seven values that no default has, and that fit together: n_head divides n_embd.
OTHERS = {
    "vocab_size": 97,
    "n_positions": 32,
    "n_embd": 48,
    "n_layer": 2,
    "n_head": 3,
    "n_inner": 80,
    "layer_norm_epsilon": 1e-3,
}
# Each beyond GPT-2's own, and none of them round: for what is limited, padded or rounded.
BEYOND = {
    "vocab_size": 50305,
    "n_positions": 2049,
    "n_embd": 1001,
    "n_layer": 25,
    "n_head": 13,
    "n_inner": 4001,
    "layer_norm_epsilon": 1e-7,
}


@check(
    passed="dataclass is correctly imported from dataclasses",
    failed="dataclass is not imported from dataclasses",
)
def dataclass_is_imported(source):
    holds(source.imports("dataclasses.dataclass"))


@check(
    passed="GPT2Config has the @dataclass decorator",
    failed="GPT2Config does not have the @dataclass decorator",
)
def has_the_decorator(source):
    if source.decorated_by("GPT2Config", "dataclasses.dataclass"):
        return
    called = source.called_on("GPT2Config", "dataclasses.dataclass")
    if called is not None:
        fail("the finished class is handed to dataclass, below it", where=called)
    here = [node for node in source.tree.body if isinstance(node, ast.ClassDef) and node.name == "GPT2Config"]
    anywhere = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef) and node.name == "GPT2Config"]
    if source.definition("GPT2Config") is None or not anywhere:
        fail("no class GPT2Config stands at the top level of the file")
    if len(here) > 1:
        fail(f"the file has {len(here)} classes GPT2Config: the last one counts")
    if here and here[0].decorator_list:
        fail("what stands above the class is not the dataclass of the module dataclasses")
    holds(here or None, "the class GPT2Config does not stand at the top level of the file")
    holds(False)


@check.each(
    FIELDS,
    passed="{item} is correct",
    failed="{item} is incorrect: expected match with Hugging Face model configuration, got {got}",
)
def matches_hugging_face(item, student, oracle):
    config = a_class(student, "GPT2Config")
    mine = config.default(item)
    if isinstance(mine, Absence):
        renamed = _renamed(config.fields()).get(item)
        fail(mine.reason, f"is it your {renamed}, under another name?" if renamed else "", got=mine.got)
    equal(mine, oracle.gpt2_config[item])


def _fields(described):
    return [field.name for field in described.fields if field.state in ("default", "no default")]


def _renamed(described):
    """Return the names that are missing, each with the unknown field that stands at its place."""
    known = {field.name for field in described.fields}
    pairs = zip(FIELDS, _fields(described), strict=False)
    return {wanted: name for wanted, name in pairs if wanted not in known and name not in FIELDS}


@check.undeclared(failed="a field of GPT2Config has no value")
def every_field_has_a_value(source):
    for field in source.fields("GPT2Config"):
        if field.name in FIELDS and not field.has_default:
            fail(f"{field.name} has a type hint, and no value after it", where=field.place)


@check.undeclared(failed="GPT2Config is not what @dataclass made")
def is_what_the_decorator_made(student, source):
    described = a_class(student, "GPT2Config").fields()
    if described.is_dataclass and not described.decorated_itself:
        fail("the fields come from the class it inherits from: decorate GPT2Config itself")
    if not described.is_dataclass and source.decorated_by("GPT2Config", "dataclasses.dataclass"):
        fail("@dataclass stands above the class, and yet GPT2Config is no dataclass: is it, or dataclass, replaced?")


@check.undeclared(failed="GPT2Config's fields are not the seven of this step, in its order")
def has_the_seven_fields_in_order(student):
    described = a_class(student, "GPT2Config").fields()
    names, told = _fields(described), _renamed(described).values()
    extra = [name for name in names if name not in FIELDS and name not in told]
    if extra:
        which = f"a field {extra[0]}" if len(extra) == 1 else f"fields {', '.join(extra[:-1])} and {extra[-1]}"
        fail(f"there {'is' if len(extra) == 1 else 'are'} {which}, which this step does not ask for")
    if sorted(names) == sorted(FIELDS) and names != list(FIELDS):
        first = next(mine for mine, theirs in zip(names, FIELDS, strict=True) if mine != theirs)
        fail(f"{first} is not at its place: the order is {', '.join(FIELDS)}")


@check.undeclared(failed="a type hint does not fit its value")
def type_hints_fit(student, source):
    written = {field.name: field.annotation for field in source.fields("GPT2Config")}
    for field in a_class(student, "GPT2Config").fields().fields:
        wanted, hint = TYPES.get(field.name), field.annotation or written.get(field.name, "")
        if wanted and field.state == "default" and _is_another_type(hint, wanted):
            fail(f"{field.name} is hinted as {hint}: its value is {wanted}", expected=wanted, got=hint)


def _is_another_type(hint, wanted):
    """Return whether a hint is a number, None or a text, or names other types of Python's own, and not this one."""
    try:
        literal = ast.literal_eval(hint)
    except (ValueError, SyntaxError):
        outer = hint.partition("[")[0].rpartition(".")[2].lower()  # typing.List is a list
        named = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", hint))) & set(PLAIN_TYPES)
        return (outer in PLAIN_TYPES and hint != wanted) or (bool(named) and wanted not in named)
    return _is_another_type(literal, wanted) if isinstance(literal, str) else True  # a hint in quotes is one too


@check.undeclared(failed="GPT2Config(…) does not make the configuration that its arguments say")
def makes_instances(student, oracle):
    config = a_class(student, "GPT2Config")
    described, right = config.fields(), oracle.gpt2_config
    if not described.is_dataclass or not described.decorated_itself or sorted(_fields(described)) != sorted(FIELDS):
        return  # told by the lines above
    defaults = {name: config.default(name) for name in FIELDS}
    if any(type(mine) is not type(right[name]) or mine != right[name] for name, mine in defaults.items()):
        return
    first = None
    for given in ({}, *({name: value} for name, value in OTHERS.items()), OTHERS, BEYOND):
        made = make(student, "GPT2Config", **given)
        for name in FIELDS:
            equal(getattr(made, name), {**right, **given}[name])
        first = first or made
    for name in FIELDS:
        says = f"this is {name} of an object that was made before others: each call makes one of its own"
        equal(getattr(first, name), right[name], says=says)


# Most lines say by themselves what was got: the mistakes below are for what they do not say.
FILE = """\
from dataclasses import dataclass


@dataclass
class GPT2Config:
    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int = 3072
    layer_norm_epsilon: float = 1e-5
"""
_POST_INIT = """
    def __post_init__(self):
        self.n_inner = 4 * self.n_embd
"""


def _instead(*edits):
    """Return the whole file with other words in it."""
    text = FILE
    for old, new in edits:
        text = text.replace(old, new)
    return text


mistake(
    "decorator-forgotten",
    "@dataclass\n",
    "",
    "dataclass is imported, and does not stand above GPT2Config. As @dataclass it belongs on the line above the class.",
)
mistake(
    "dataclass-called-afterwards",
    "@dataclass\n",
    "",
    "dataclass(GPT2Config) makes a dataclass too. This step asks for it as @dataclass, on the line above the class.",
    also=[("float = 1e-5", "float = 1e-5\n\n\nGPT2Config = dataclass(GPT2Config)")],
    again=_instead(
        ("from dataclasses import dataclass\n", "import dataclasses\n"),
        ("@dataclass\n", ""),
        ("1e-5", "1e-05\n\n\nGPT2Config = dataclasses.dataclass(frozen=True)(GPT2Config)"),
    ),
)
mistake(
    "import-forgotten",
    "from dataclasses import dataclass\n",
    "",
    "@dataclass is there, and its import is not: Python does not know the name. The import stands at the top.",
    again=_instead(("from dataclasses import dataclass\n", "import typing\n"), ("3072", "4 * 768")),
)
mistake(
    "module-imported-bare-name-used",
    "from dataclasses import dataclass\n",
    "import dataclasses\n",
    "The module dataclasses is imported, and not the name dataclass in it, which the decorator uses.",
    again=_instead(("from dataclasses import dataclass\n", "import typing\nimport dataclasses\n"), ("3072", "4 * 768")),
)
mistake(
    "no-type-hints",
    "vocab_size: int",
    "vocab_size",
    "A name without a type hint is no field of a dataclass. The hints of the stub stay as they are.",
    also=[(f"{name}: {kind}", name) for name, kind in TYPES.items() if name != "vocab_size"],
)
mistake(
    "values-for-type-hints",
    "vocab_size: int = 50257",
    "vocab_size: 50257",
    "No field has a value: what stands after a colon is the hint. A value stands after an equals sign.",
    also=[
        ("n_positions: int = 1024", "n_positions: 1024"),
        ("n_embd: int = 768", "n_embd: 768"),
        ("n_layer: int = 12", "n_layer: 12"),
        ("n_head: int = 12", "n_head: 12"),
        ("n_inner: int = 3072", "n_inner: 3072"),
        ("layer_norm_epsilon: float = 1e-5", "layer_norm_epsilon: 1e-5"),
    ],
    again=re.sub(r" = .*", "", FILE),
)
mistake.file(
    "values-in-init",
    """\
from dataclasses import dataclass


@dataclass
class GPT2Config:
    def __init__(self):
        self.vocab_size = 50257
        self.n_positions = 1024
        self.n_embd = 768
        self.n_layer = 12
        self.n_head = 12
        self.n_inner = 3072
        self.layer_norm_epsilon = 1e-5
""",
    "The class has none of the seven fields: what a function puts on self is none. A field is a line of the class"
    " itself, with a type hint.",
    again="import dataclasses\n\n\n@dataclasses.dataclass\nclass GPT2Config:\n    pass\n",
)
mistake(
    "comma-after-n-head",
    "n_head: int = 12\n",
    "n_head: int = 12,\n",
    "The comma at the end of n_head's line makes a tuple of one number. A field's line ends with its value.",
)
mistake(
    "comma-on-every-line",
    "int = 50257",
    "int = 50257,",
    "The lines end in commas, as in a dictionary or a call: each value is a tuple. A field's line ends with its value.",
    also=[
        ("int = 1024", "int = 1024,"),
        ("int = 768", "int = 768,"),
        ("n_layer: int = 12", "n_layer: int = 12,"),
        ("n_head: int = 12\n", "n_head: int = 12,\n"),
        ("int = 3072", "int = 3072,"),
        ("float = 1e-5", "float = 1e-5,"),
    ],
)
mistake(
    "comma-for-thousands",
    "int = 50257",
    "int = 50,257",
    "A comma between the digits makes a pair of two numbers. Python writes thousands without it, or with _.",
)
mistake(
    "n-inner-none",
    "3072",
    "None",
    "Hugging Face has None for n_inner, and then makes the MLP 4 * n_embd wide. Here the default is that number.",
    again=_instead(("3072", "None"), ("1e-5", f"1e-5\n{_POST_INIT}")),
)
mistake(
    "n-inner-as-wide-as-n-embd",
    "3072",
    "768",
    "n_inner is as wide as n_embd. Inside, GPT-2's MLP is four times as wide.",
)
mistake(
    "n-inner-follows-n-embd",
    "float = 1e-5\n",
    f"float = 1e-5\n{_POST_INIT}",
    "n_inner changes with n_embd when an object is made. Each of the seven numbers stands for itself here.",
    again=_instead(
        ("1e-5", f"1e-5\n{_POST_INIT}"),
        ("        self.n_inner", "        if self.n_inner == 3072 and self.n_embd != 768:\n            self.n_inner"),
    ),
)
mistake(
    "one-object-for-all",
    "float = 1e-5\n",
    "float = 1e-5\n\n    def __new__(cls, *args, **kwargs):\n"
    "        cls.made = getattr(cls, 'made', None) or super().__new__(cls)\n        return cls.made\n",
    "Every call gives the same object, and changes it for all who have it. Each call makes a new one.",
)
mistake(
    "longest-sequence-limited",
    "float = 1e-5\n",
    "float = 1e-5\n\n    def __post_init__(self):\n        self.n_positions = min(self.n_positions, 1024)\n",
    "n_positions is cut down to 1024. Other sizes are for experiments: each number is kept as it is given.",
)
mistake(
    "n-inner-a-float",
    "3072",
    "768 * 8 / 2",
    "n_inner is a float: the operator / always gives one. A width is an int.",
)
mistake(
    "n-head-a-float",
    "n_head: int = 12",
    "n_head: int = 12.0",
    "n_head has a decimal point, or comes from a division with /. A number of heads is an int.",
)
mistake(
    "gpt2-medium",
    "int = 768",
    "int = 1024",
    "These are the numbers of GPT-2 medium. This step asks for the smallest GPT-2, which Hugging Face calls gpt2.",
    also=[
        ("3072", "4096"),
        ("n_layer: int = 12", "n_layer: int = 24"),
        ("n_head: int = 12", "n_head: int = 16"),
    ],
)
mistake(
    "gpt2-large",
    "int = 768",
    "int = 1280",
    "These are the numbers of GPT-2 large. This step asks for the smallest GPT-2, which Hugging Face calls gpt2.",
    also=[
        ("3072", "5120"),
        ("n_layer: int = 12", "n_layer: int = 36"),
        ("n_head: int = 12", "n_head: int = 20"),
    ],
)
mistake(
    "gpt2-xl",
    "int = 768",
    "int = 1600",
    "These are the numbers of GPT-2 XL. This step asks for the smallest GPT-2, which Hugging Face calls gpt2.",
    also=[
        ("3072", "6400"),
        ("n_layer: int = 12", "n_layer: int = 48"),
        ("n_head: int = 12", "n_head: int = 25"),
    ],
)
mistake(
    "padded-vocabulary",
    "50257",
    "50304",
    "50304 is nanoGPT's number: it adds empty rows up to a multiple of 64. The trained weights have none of them.",
)
mistake(
    "last-token-id",
    "50257",
    "50256",
    "50256 is the id of the last token. Ids are counted from 0, so there is one token more.",
)
mistake(
    "width-and-context-exchanged",
    "int = 1024",
    "int = 768",
    "n_positions and n_embd have each other's numbers. n_positions is the longest sequence, n_embd the width.",
    also=[("n_embd: int = 768", "n_embd: int = 1024")],
)
mistake(
    "n-ctx-for-n-positions",
    "n_positions",
    "n_ctx",
    "n_ctx is the name in OpenAI's own code. This course has Hugging Face's, n_positions, and later steps read that.",
)
mistake(
    "block-size-for-n-positions",
    "n_positions",
    "block_size",
    "block_size is nanoGPT's name. This course has Hugging Face's, n_positions, and later steps read that.",
)
mistake(
    "n-embed-for-n-embd",
    "n_embd",
    "n_embed",
    "n_embed has an e too many: later steps read n_embd, as GPT-2's own code and Hugging Face spell it.",
)
mistake(
    "epsilon-ten-times-too-large",
    "1e-5",
    "10e-5",
    "layer_norm_epsilon is 0.0001, ten times too large. In a number like 10e-5 the 10 moves the point once more.",
)
mistake(
    "epsilon-without-its-minus",
    "1e-5",
    "1e5",
    "layer_norm_epsilon is 100,000: the exponent has lost its minus. It is far below one.",
)
mistake.file(
    "decorator-on-the-base",
    _instead(("class GPT2Config", "class Sizes")) + "\n\nclass GPT2Config(Sizes):\n    pass\n",
    "The decorator stands above another class, and GPT2Config inherits the fields from it. Decorate GPT2Config itself.",
    again=_instead(
        ("from dataclasses import dataclass", "import dataclasses"),
        ("@dataclass", "@dataclasses.dataclass()"),
        ("class GPT2Config", "class Base"),
    )
    + '\n\nclass GPT2Config(Base):\n    """GPT-2 small."""\n',
)
mistake(
    "dropout-as-an-eighth-field",
    "float = 1e-5\n",
    "float = 1e-5\n    dropout: float = 0.0\n",
    "dropout is for training, and this model has none. The stub's seven fields are all there are.",
)
mistake(
    "epsilon-hinted-as-int",
    "epsilon: float",
    "epsilon: int",
    "layer_norm_epsilon is a fraction, and its hint says int. The stub's hint, float, fits.",
)

variant(
    "the-module-imported",
    "from dataclasses import dataclass\n",
    "import dataclasses\n",
    also=[("@dataclass\n", "@dataclasses.dataclass\n")],
)
variant(
    "another-name-for-the-decorator",
    "import dataclass\n",
    "import dataclass as record\n",
    also=[("@dataclass\n", "@record(frozen=True)\n")],
)
variant("the-decorator-called", "@dataclass\n", "@dataclass()\n")
variant("frozen-with-slots", "@dataclass\n", "@dataclass(frozen=True, slots=True)\n")
variant("by-keyword-alone", "@dataclass\n", "@dataclass(kw_only=True)\n")
variant(
    "numbers-in-other-words",
    "50257",
    "50_257",
    also=[("1024", "2**10"), ("3072", "4 * 768"), ("1e-5", "0.00001")],
)
variant("n-inner-from-n-embd", "3072", "4 * n_embd")
variant("hints-in-quotes", "vocab_size: int", 'vocab_size: "int"', also=[("n_inner: int", 'n_inner: "int | None"')])
variant(
    "base-with-some-of-the-fields",
    "@dataclass\n",
    "@dataclass\nclass Sizes:\n    vocab_size: int = 50257\n    n_positions: int = 1024\n\n\n@dataclass\n",
    also=[
        ("class GPT2Config:\n    vocab_size: int = 50257\n    n_positions: int = 1024\n", "class GPT2Config(Sizes):\n")
    ],
)
variant(
    "a-field-with-its-default",
    "import dataclass\n",
    "import dataclass, field\n",
    also=[("= 3072", "= field(default=3072, repr=False)"), ("= 1e-5", "= field(default_factory=lambda: 1e-5)")],
)
variant.file(
    "postponed-hints",
    "from __future__ import annotations\n\n"
    + _instead(
        ("= 768", "= WIDTH"),
        ("import dataclass\n", "import asdict, dataclass\nfrom typing import ClassVar, Final\n\nWIDTH: Final = 768\n"),
        ("GPT2Config:\n", 'GPT2Config:\n    """GPT-2 small."""\n\n    model_type: ClassVar[str] = "gpt2"\n'),
    )
    + """
    @property
    def head_dim(self):
        return self.n_embd // self.n_head

    def __post_init__(self):
        if self.n_embd % self.n_head:
            raise ValueError("n_head must divide n_embd")


if __name__ == "__main__":
    print(asdict(GPT2Config()))
""",
)
