"""Step 13 is judged against Hugging Face's own greedy generation, redrawn: a fresh model repeats two tokens."""

from autograder.checking import check
from autograder.comparing import equal, fail

NEW = 12


@check(
    passed="generate appends what Hugging Face's greedy generation appends",
    failed="generate does not append what Hugging Face's greedy generation appends",
)
def output_matches(student, oracle, draw):
    for batch in (3, 1):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        ids = draw.ids(values["vocab_size"], batch=batch, seq=6, label="input_ids")
        same(student.generate(mine, ids, NEW), theirs.continued(ids, NEW))


@check(
    passed="it appends exactly max_new_tokens, none for 0",
    failed="it does not append exactly max_new_tokens, none for 0",
)
def counts_right(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=4, label="input_ids")
    for count in (0, 1, 5):
        same(student.generate(mine, ids, count), theirs.continued(ids, count) if count else ids)


@check(
    passed="beyond n_positions it looks at the last n_positions tokens",
    failed="beyond n_positions it does not look at the last n_positions tokens",
)
def crops_the_context(student, oracle, draw):
    values = {**draw.config(), "n_positions": 8}
    mine, theirs = _pair(student, oracle, values)
    for seq in (5, 8, 11):
        ids = draw.ids(values["vocab_size"], batch=2, seq=seq, label="input_ids")
        expected = ids
        for _ in range(NEW):
            best = theirs(expected[:, -8:])[:, -1].argmax(dim=-1, keepdim=True)
            expected = _cat(expected, best)
        same(student.generate(mine, ids, NEW), expected)


@check(
    passed="a row that has reached eos_token_id is padded with it, and all rows ended end it",
    failed="a row that has reached eos_token_id is not padded with it, or all rows ended do not end it",
)
def stops_at_the_end(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=3, seq=6, label="input_ids")
    free = theirs.continued(ids, NEW)[:, 6:]
    for row, place in ((0, 2), (1, 0), (2, 5)):
        eos = int(free[row, place])
        same(student.generate(mine, ids, NEW, eos_token_id=eos), theirs.continued(ids, NEW, eos))
    eos = int(free[1, 4])  # now the same with ids 0 and eos exchanged everywhere: 0 is an id like any other
    state = theirs.linear_state_dict()
    for name in ("transformer.wte.weight", "lm_head.weight"):
        state[name][[0, eos]] = state[name][[eos, 0]]
    other = _fresh(student, values, state)
    expected = _exchanged(theirs.continued(ids, NEW, eos), eos)
    same(student.generate(other, _exchanged(ids, eos), NEW, eos_token_id=0), expected, says="eos_token_id is 0 here")
    alone = ids[:1].contiguous()
    eos = int(free[0, 3])
    same(student.generate(mine, alone, NEW, eos_token_id=eos), theirs.continued(alone, NEW, eos))


@check(
    passed="it leaves the ids, each module's mode and the random numbers as they were, and records no gradients",
    failed="it does not leave the ids, each module's mode and the random numbers as they were, or records gradients",
)
def leaves_no_trace(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=5, label="input_ids")
    mine.train()
    mine.transformer.h.eval()
    before = mine.random_state()
    result, (_, after, _) = student.generate.call_keeping(mine, ids, 3)
    same(result[:, :5] if _is_ids(result) else result, ids, says="the prompt comes first")
    same(after, ids, says="these are the ids after the call")
    equal(bool((mine.random_state() == before).all()), True, says="nothing is drawn in greedy generation")
    modes = [mine.training, mine.transformer.training, mine.transformer.h.training, mine.lm_head.training]
    equal(modes, [True, True, False, True], says="training modes of the model, transformer, transformer.h and lm_head")
    equal(result.requires_grad, False)
    mine.eval()
    student.generate(mine, ids, 1)
    equal(mine.training, False, says="the model was in evaluation mode before the call")


def same(mine, theirs, says=""):
    """Fail unless both are the same ids."""
    import torch

    if not _is_ids(mine) or mine.dtype != torch.int64:
        got = f"a tensor of {mine.dtype}, {list(mine.shape)}" if type(mine) is torch.Tensor else _word(mine)
        fail("generate returns the prompt's ids and the new ones", expected="a tensor of torch.int64", got=got)
    if mine.shape != theirs.shape:
        fail("[batch, seq + n]", expected=str(list(theirs.shape)), got=str(list(mine.shape)))
    wrong = (mine != theirs).nonzero()
    if len(wrong):
        row, place = wrong[0].tolist()
        at = f"row {row}, token {place}: the first of {len(wrong)} of {mine.numel()} that differ"
        fail(
            f"{at}{'; ' + says if says else ''}", expected=str(int(theirs[row, place])), got=str(int(mine[row, place]))
        )


def _is_ids(value):
    import torch

    return type(value) is torch.Tensor and value.dim() == 2


def _cat(ids, more):
    import torch

    return torch.cat([ids, more], dim=1)


def _word(value):
    return "None" if value is None else f"a {type(value).__name__}"


def _exchanged(ids, other):
    """Return the ids with 0 and another exchanged."""
    return ids.masked_fill(ids == 0, other).masked_fill(ids == other, 0)


def _pair(student, oracle, values):
    theirs = oracle.lm_head_model(values)
    return _fresh(student, values, theirs.linear_state_dict()), theirs


def _fresh(student, values, state):
    mine = student.earlier("lm_head").GPT2LMHeadModel(student.earlier("config").GPT2Config(**values))
    mine.load_state_dict(state)
    return mine
