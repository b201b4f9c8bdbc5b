"""Step 01 is judged against Hugging Face's configuration, field by field."""

import ast

from autograder.checking import check
from autograder.comparing import a_class, equal, fail, holds, make

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
        fail(
            "dataclass(GPT2Config) makes a dataclass too; this step asks for it as @dataclass above the class",
            where=called,
        )
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
    equal(mine, oracle.gpt2_config[item], says=_reason(item, mine, config))


def _reason(item, mine, config):
    """Return what a learner who wrote this on purpose should know."""
    if renamed := _renamed(config.fields()).get(item):
        return f"is it your {renamed}, under another name?"
    if item != "n_inner" or mine is not None:
        return ""
    others = [config.default(name) for name in FIELDS if name != "n_inner"]
    if None in others:  # not yet filled in
        return ""
    return "Hugging Face has None here, and then makes the MLP 4 * n_embd wide: write that number"


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
    """Return whether a hint is a number, None or a text, or names another of Python's own types."""
    try:
        literal = ast.literal_eval(hint)
    except (ValueError, SyntaxError):
        return hint.partition("[")[0] in PLAIN_TYPES and hint != wanted
    return literal != wanted  # a hint in quotes is one too


@check.undeclared(failed="GPT2Config(…) does not make the configuration that its arguments say")
def makes_instances(student, oracle):
    config = a_class(student, "GPT2Config")
    described, right = config.fields(), oracle.gpt2_config
    if not described.is_dataclass or not described.decorated_itself or sorted(_fields(described)) != sorted(FIELDS):
        return  # told by the lines above
    defaults = {name: config.default(name) for name in FIELDS}
    if any(type(mine) is not type(right[name]) or mine != right[name] for name, mine in defaults.items()):
        return
    for given in ({}, {"n_layer": 2}, OTHERS):
        made = make(student, "GPT2Config", **given)
        for name in FIELDS:
            equal(getattr(made, name), {**right, **given}[name])
