"""Step 10 is judged against Hugging Face's stack of blocks, redrawn."""

from autograder.checking import check, close, equal, load, raises


@check(
    passed="GPT2Model has Hugging Face's parameters, under wte, wpe, h and ln_f, each block its own",
    failed="GPT2Model does not have Hugging Face's parameters, under wte, wpe, h and ln_f, each block its own",
)
def has_its_parameters(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        expected = sum(value.numel() for value in theirs.state_dict().values())
        got = sum(parameter.numel() for _, parameter in mine.named_parameters())
        equal(got, expected, says="all parameters, counted once: one block used n_layer times has too few")


@check(
    passed="GPT2Model gives Hugging Face's hidden states",
    failed="GPT2Model does not give Hugging Face's hidden states",
)
def output_matches(student, oracle, draw):
    for _ in range(3):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        for seq in (9, 1, values["n_positions"]):
            ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
            close(mine(ids), theirs(ids), rtol=1e-4, atol=2e-4)


@check(
    passed="past_length shifts the positions, and nothing else",
    failed="past_length does not shift the positions, and nothing else",
)
def shifts_positions(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    for seq, past in ((5, 3), (1, 7), (4, values["n_positions"] - 4)):
        ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
        close(mine(ids, past), theirs(ids, past), rtol=1e-4, atol=2e-4)


@check(
    passed="more than n_positions positions raise a ValueError",
    failed="more than n_positions positions do not raise a ValueError",
)
def refuses_beyond(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    limit = values["n_positions"]
    for seq, past in ((limit + 1, 0), (3, limit - 2)):
        ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
        raises(lambda ids=ids, past=past: mine(ids, past), "ValueError", says=f"n_positions is {limit}")


@check(
    passed="changing a token leaves the outputs before it as they were, and other rows of the batch too",
    failed="changing a token changes the outputs before it, or other rows of the batch",
)
def is_causal(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=3, seq=9, label="input_ids")
    first = mine(ids)
    changed = ids.clone()
    changed[0, 5:] = (changed[0, 5:] + 1) % values["vocab_size"]
    again = mine(changed)
    close(
        again[0, :5],
        first[0, :5],
        rtol=1e-5,
        atol=1e-5,
        says="tokens 5 to 8 of row 0 were changed: outputs 0 to 4 of row 0",
    )
    close(again[1:], first[1:], rtol=1e-5, atol=1e-5, says="row 0 was changed: these are the other rows")


@check(
    passed="gradients reach every parameter, the embeddings included",
    failed="gradients do not reach every parameter, the embeddings included",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=6, label="input_ids")
    back = draw.normal(batch=2, seq=6, n_embd=values["n_embd"])
    got, expected = mine.gradients(ids, output_gradient=back), theirs.gradients(ids, back)
    for name, value in theirs.linear(expected.parameters).items():
        close(got.parameters.get(name), value, rtol=1e-3, atol=2e-3, says=f"this is the gradient of {name}")


@check(
    passed="GPT2Model gives the same in training and in evaluation",
    failed="GPT2Model does not give the same in training and in evaluation",
)
def has_no_dropout(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=6, label="input_ids")
    first = mine(ids)
    mine.eval()
    close(mine(ids), first, rtol=0, atol=0)


def _pair(student, oracle, values):
    config = student.earlier("config").GPT2Config(**values)
    theirs = oracle.model(values)
    return load(student.GPT2Model(config), theirs.linear_state_dict()), theirs
