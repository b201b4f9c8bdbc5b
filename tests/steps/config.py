"""Step 01 is judged against Hugging Face's configuration, field by field."""

from autograder.checking import check, equal, fail, holds

FIELDS = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon")
TYPES = {name: "float" if name == "layer_norm_epsilon" else "int" for name in FIELDS}
PLAIN_TYPES = ("int", "float", "bool", "str", "bytes", "complex", "list", "tuple", "dict", "set")


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
    called = source.called_on("GPT2Config", "dataclasses.dataclass")
    if source.decorated_by("GPT2Config", "dataclasses.dataclass") is None and called is not None:
        fail(
            "dataclass(GPT2Config) makes a dataclass too; this step asks for it as @dataclass above the class",
            where=called,
        )
    if source.definition("GPT2Config") is None:
        fail("no class of that name stands at the top level of the file")
    holds(source.decorated_by("GPT2Config", "dataclasses.dataclass"))


@check.each(
    FIELDS,
    passed="{item} is correct",
    failed="{item} is incorrect: expected match with Hugging Face model configuration, got {got}",
)
def matches_hugging_face(item, student, oracle):
    mine = student.GPT2Config.default(item)
    equal(mine, oracle.gpt2_config[item], says=_reason(item, mine, student))


def _reason(item, mine, student):
    """Return what a learner who wrote this on purpose should know."""
    if item != "n_inner" or mine is not None:
        return ""
    others = [student.GPT2Config.default(name) for name in FIELDS if name != "n_inner"]
    if all(other is None for other in others):  # the stub, untouched
        return ""
    return "Hugging Face has None here, and then makes the MLP 4 * n_embd wide: write that number"


@check.undeclared(failed="GPT2Config is not what @dataclass made")
def is_decorated_itself(student):
    described = student.GPT2Config.fields()
    if described.is_dataclass and not described.decorated_itself:
        fail("the fields come from the class it inherits from: decorate GPT2Config itself")


@check.undeclared(failed="GPT2Config's fields are not the seven of this step, in its order")
def has_the_seven_fields_in_order(student):
    described = student.GPT2Config.fields()
    names = [field.name for field in described.fields if field.state in ("default", "no default")]
    extra = [name for name in names if name not in FIELDS]
    missing = [name for name in FIELDS if name not in names]
    if extra:
        instead = f"; {missing[0]} is missing: is it that, under another name?" if missing else ""
        fail(f"there is a field {extra[0]}, which this step does not ask for{instead}")
    if not missing and names != list(FIELDS):
        first = next(mine for mine, theirs in zip(names, FIELDS, strict=True) if mine != theirs)
        fail(f"{first} is not at its place: the order is {', '.join(FIELDS)}")


@check.undeclared(failed="a type hint does not fit its value")
def type_hints_fit(student):
    for field in student.GPT2Config.fields().fields:
        wanted = TYPES.get(field.name)
        if wanted and field.state == "default" and field.annotation in PLAIN_TYPES and field.annotation != wanted:
            fail(
                f"{field.name} is hinted as {field.annotation}: its value is {wanted}",
                expected=wanted,
                got=field.annotation,
            )


@check.undeclared(failed="GPT2Config(…) does not make the configuration that its arguments say")
def makes_instances(student, oracle):
    described = student.GPT2Config.fields()
    names = [field.name for field in described.fields if field.state == "default"]
    if not described.is_dataclass or not described.decorated_itself or sorted(names) != sorted(FIELDS):
        return  # told by the lines above
    defaults = {name: student.GPT2Config.default(name) for name in FIELDS}
    if any(defaults[name] != oracle.gpt2_config[name] for name in FIELDS):
        return
    plain, smaller = student.GPT2Config(), student.GPT2Config(n_layer=2)
    for name in FIELDS:
        equal(getattr(plain, name), defaults[name], says=f"this is {name} of GPT2Config()")
        expected = 2 if name == "n_layer" else defaults[name]
        equal(getattr(smaller, name), expected, says=f"this is {name} of GPT2Config(n_layer=2)")
