"""Step 12 is judged with Hugging Face's own models: loaded by the learner's function, the logits are theirs."""

from autograder.checking import check
from autograder.comparing import close, equal, fail, raises


@check(
    passed="loaded with Hugging Face's weights, the model gives Hugging Face's logits",
    failed="loaded with Hugging Face's weights, the model does not give Hugging Face's logits",
)
def logits_match(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        _load(student, mine, theirs.checkpoint())
        _same_logits(mine, theirs, values, draw)


@check(
    passed="names without the prefix, and a file without the head, load too",
    failed="names without the prefix, or a file without the head, do not load",
)
def takes_other_names(student, oracle, draw):
    values = draw.config()
    for bare in (True, False):
        mine, theirs = _pair(student, oracle, values)
        given = {name: value for name, value in theirs.checkpoint().items() if name != "lm_head.weight"}
        if bare:
            given = {name.removeprefix("transformer."): value for name, value in given.items()}
        _load(student, mine, given)
        _same_logits(mine, theirs, values, draw)
    mine, theirs = _pair(student, oracle, values)
    mixed = {name.removeprefix("transformer."): value for name, value in theirs.checkpoint().items()}
    _load(student, mine, mixed)
    _same_logits(mine, theirs, values, draw)


@check(
    passed="the mask buffers of old files are passed over",
    failed="the mask buffers of old files are not passed over",
)
def passes_over_buffers(student, oracle, draw):
    import torch

    values = draw.config()
    theirs = oracle.lm_head_model(values)
    given = dict(theirs.checkpoint())
    size = values["n_positions"]
    for layer in range(values["n_layer"]):
        given[f"transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, size, size).tril()
        given[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    bare = {name.removeprefix("transformer."): value for name, value in given.items()}
    for each in (given, bare):
        mine = _fresh(student, values)
        _load(student, mine, each)
        _same_logits(mine, theirs, values, draw)


@check(
    passed="a tensor that is missing, unexpected or of another shape is a ValueError that names it, all at once",
    failed="a tensor that is missing, unexpected or of another shape is not a ValueError that names it, all at once",
)
def names_what_is_wrong(student, oracle, draw):
    import torch

    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    missing, strange, bent = "transformer.h.1.ln_2.bias", "transformer.h.0.attn.rotary", "transformer.wpe.weight"
    given = dict(theirs.checkpoint())
    del given[missing]
    given[strange] = torch.ones(3)
    given[bent] = torch.ones(values["n_positions"] + 1, values["n_embd"])
    before = mine.state_dict()
    message = raises(lambda: _load(student, mine, given), "ValueError", says="three tensors are wrong here")
    for name in (missing, strange, bent):
        if name.removeprefix("transformer.") not in message:
            fail("one message names all that is wrong", expected=f"{name} in the message", got=message[:200])
    for name, value in mine.state_dict().items():
        close(value, before[name].detach(), rtol=0, atol=0, says=f"{name} was changed, although the file is refused")
    square = dict(theirs.checkpoint())
    del square["transformer.h.0.mlp.c_fc.bias"]
    raises(lambda: _load(student, mine, square), "ValueError", says="h.0.mlp.c_fc.bias is missing here")


@check(
    passed="a head that differs from the token table is a ValueError",
    failed="a head that differs from the token table is not a ValueError",
)
def refuses_another_head(student, oracle, draw):
    import torch

    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    given = dict(theirs.checkpoint())
    given["lm_head.weight"] = given["lm_head.weight"].clone()
    first = given["lm_head.weight"][0, 0]
    given["lm_head.weight"][0, 0] = torch.nextafter(first, first + 1)
    raises(
        lambda: _load(student, mine, given),
        "ValueError",
        says="lm_head.weight differs from wte.weight in one number, by one bit",
    )


@check(
    passed="the weights are copied, and the head stays tied",
    failed="the weights are not copied, or the head does not stay tied",
)
def copies_and_keeps_the_tie(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    given = theirs.checkpoint()
    kept = student.keep(given)
    equal(student.load_gpt2_weights(mine, kept), None, says="the function returns nothing: it changes the model")
    name = "transformer.h.0.attn.c_attn.weight"
    mine.transformer.wte.weight = draw.normal(values["vocab_size"], values["n_embd"])
    layer = mine.transformer.h.item(0).attn.c_attn
    layer.weight = draw.normal(3 * values["n_embd"], values["n_embd"])
    mine.transformer.ln_f.weight = draw.normal(values["n_embd"])
    for each in (name, "transformer.wte.weight", "transformer.ln_f.weight"):
        close(
            kept.item(each),
            given[each],
            rtol=0,
            atol=0,
            says=f"the model was changed, and with it the file's {each.removeprefix('transformer.')}",
        )
    table, head = mine.transformer.wte.weight.detach(), mine.lm_head.weight.detach()
    close(head, table, rtol=0, atol=0, says="wte.weight was changed, and lm_head.weight is not: they are no longer one")
    trained = [name for name, parameter in mine.named_parameters() if not parameter.requires_grad]
    equal(trained, [], says="these no longer ask for gradients")


def _load(student, model, given):
    student.load_gpt2_weights(model, given)


def _same_logits(mine, theirs, values, draw):
    ids = draw.ids(values["vocab_size"], batch=2, seq=9, label="input_ids")
    close(mine(ids), theirs(ids), rtol=2e-4, atol=5e-4)


def _pair(student, oracle, values):
    return _fresh(student, values), oracle.lm_head_model(values)


def _fresh(student, values):
    return student.earlier("lm_head").GPT2LMHeadModel(student.earlier("config").GPT2Config(**values))
