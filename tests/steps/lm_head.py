"""Step 11 is judged against Hugging Face's GPT-2 with its head, redrawn; the tie by what it does."""

import math

from autograder.checking import check
from autograder.comparing import close, drawn_normally, equal, fail, load, make, same_gradients

# On the logits of 120 draws, right code is at most 2.4e-6 away, which is 0.004 of the tolerance.
NEAR = {"rtol": 2e-4, "atol": 5e-4}


@check(
    passed="GPT2LMHeadModel has Hugging Face's parameters, under transformer and lm_head",
    failed="GPT2LMHeadModel does not have Hugging Face's parameters, under transformer and lm_head",
)
def has_its_parameters(student, oracle, draw):
    for _ in range(2):
        _pair(student, oracle, draw.config())


@check(
    passed="GPT2LMHeadModel gives Hugging Face's logits",
    failed="GPT2LMHeadModel does not give Hugging Face's logits",
)
def output_matches(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        for seq in (9, 1):
            ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
            expected = _named(theirs(ids))
            known = {
                "each row adds up to 1: the logits come before the softmax": expected.softmax(-1),
                "this is the log_softmax of the logits": expected.log_softmax(-1),
            }
            close(mine(ids), expected, **NEAR, known=known)


@check(
    passed="lm_head and wte share one parameter",
    failed="lm_head and wte do not share one parameter",
)
def is_tied(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    _require_tie(mine, "after load_state_dict", values, draw)
    count = sum(parameter.numel() for _, parameter in mine.named_parameters())
    expected = sum(value.numel() for name, value in theirs.state_dict().items() if name != "lm_head.weight")
    equal(count, expected, says="all parameters, counted once: a copy in the head counts twice")
    fresh = make(student, "GPT2LMHeadModel", student.earlier("config").GPT2Config(**values))
    _require_tie(fresh, "in a fresh model", values, draw)


@check(
    passed="the tie survives a copy of the model and a change of its dtype",
    failed="the tie does not survive a copy of the model, or a change of its dtype",
)
def tie_survives(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    import torch

    _require_tie(mine.copied(), "in a deep copy", values, draw)
    mine.to(torch.float64)
    _require_tie(mine, "after .to(torch.float64)", values, draw)


@check(
    passed="the shared weight gets the gradients of both its uses",
    failed="the shared weight does not get the gradients of both its uses",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=6, label="input_ids")
    back = draw.normal(batch=2, seq=6, vocab_size=values["vocab_size"])
    got, expected = mine.gradients(ids, output_gradient=back), theirs.gradients(ids, back)
    # The shared weight bears the name that was made first.
    shared = {"transformer.wte.weight": got.parameters.get("lm_head.weight")}
    got = got._replace(parameters=shared | got.parameters)
    same_gradients(got, back, parameters=theirs.linear(expected.parameters), rtol=2e-3, atol=5e-3)


@check(
    passed="a fresh model's logits are small: its embeddings are drawn with standard deviation 0.02",
    failed="a fresh model's logits are not small: its embeddings are not drawn with standard deviation 0.02",
)
def starts_near_uniform(student, draw):
    import torch

    values = {**draw.config(), "vocab_size": 97}
    mine = make(student, "GPT2LMHeadModel", student.earlier("config").GPT2Config(**values))
    ids = draw.ids(97, batch=4, seq=12, label="input_ids")
    logits = mine(ids)
    close(logits, _named(torch.zeros(4, 12, 97)), rtol=0, atol=math.inf)  # of the right type and shape
    logits = logits.detach()
    loss = float(torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, 97), ids[:, 1:].reshape(-1)))
    if not abs(loss - 4.575) < 0.5:  # ln 97; an embedding drawn from N(0, 1) and used as the head gives over 20
        fail("the loss of a model that knows nothing", expected="about ln(97) = 4.57", got=f"{loss:.2f}")
    drawn_normally(mine.transformer.wte.weight, 0.02)


def _require_tie(model, when, values, draw):
    """Change one of the two weights, and look at the other."""
    table = draw.normal(values["vocab_size"], values["n_embd"]).to(model.lm_head.weight.dtype)
    model.transformer.wte.weight = table
    close(
        model.lm_head.weight.detach(),
        table,
        rtol=0,
        atol=0,
        says=f"{when}: wte.weight was set to this, and lm_head.weight is not",
    )


def _pair(student, oracle, values):
    config = student.earlier("config").GPT2Config(**values)
    theirs = oracle.lm_head_model(values)
    return load(make(student, "GPT2LMHeadModel", config), theirs.linear_state_dict()), theirs


def _named(logits):
    logits.axes_names = ("batch", "seq", "vocab_size")
    return logits
