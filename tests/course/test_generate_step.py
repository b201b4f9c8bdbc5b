"""Step 13's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

OUT, COUNT, CROP, END, PROMPT, TRACE = (
    "output_matches",
    "counts_right",
    "crops_the_context",
    "stops_at_the_end",
    "passes_over_the_prompts",
    "leaves_no_trace",
)
ALL = [OUT, COUNT, CROP, END, TRACE]
VALUES = [OUT, COUNT, CROP, END]
HIDDEN = "hidden_states = model.transformer(input_ids[:, -n_positions:])"
LOGITS = "logits = model.lm_head(hidden_states[:, -1])"
BOTH = f"{HIDDEN}\n        {LOGITS}"
BEST = "logits.argmax(dim=-1)"
LOOP = "for _ in range(max_new_tokens):"
EVAL = "    model.eval()\n"
BACK = "    for module, mode in modes:\n        module.training = mode\n"
PAD = "            next_ids = next_ids.masked_fill(ended, eos_token_id)\n"
ENDED = "ended = ended | (next_ids == eos_token_id)"
STOP = "        if ended.all():\n            break\n"
JOIN = "torch.cat([input_ids, next_ids.unsqueeze(1)], dim=1)"
RETURN = "    return input_ids"
WRONG = {
    # SYLLABUS.md's own
    "the first position": ([("hidden_states[:, -1]", "hidden_states[:, 0]")], VALUES, ""),
    "the second position": ([("hidden_states[:, -1]", "hidden_states[:, 1]")], VALUES, ""),
    "the first row for all": ([(BEST, "logits[:1].argmax(dim=-1).expand(len(input_ids))")], VALUES, ""),
    "argmax without dim": ([(BEST, "logits.argmax().expand(len(input_ids))")], ALL, "IndexError: "),
    "the new token alone": ([(HIDDEN, "hidden_states = model.transformer(input_ids[:, -1:])")], VALUES, ""),
    "no crop": ([("input_ids[:, -n_positions:]", "input_ids")], [CROP], "ValueError: "),
    "cropped from the left end": ([("-n_positions:]", ":n_positions]")], [CROP], ""),
    "eos ignored": ([(PAD, ""), (ENDED, "pass")], [END], ""),
    "stopped at the first eos": ([("ended.all()", "ended.any()")], [END], ""),
    "one too few": ([(LOOP, "for _ in range(max_new_tokens - 1):")], VALUES, "[4, 8]"),
    "one too many": ([(LOOP, "for _ in range(max_new_tokens + 1):")], VALUES, ""),
    # more that people write
    "a batch of one goes on": ([(STOP, STOP.replace("ended.all()", "len(input_ids) > 1 and ended.all()"))], [END], ""),
    "an eos that is the whole prompt ends": (
        [(PAD, f"            ended = ended | (input_ids[:, 0] == eos_token_id)\n{PAD}")],
        [PROMPT],
        "is all of every row's prompt",
    ),
    "the last norm left in evaluation": (
        [("in model.modules()]", "in model.modules() if module is not model.transformer.ln_f]")],
        [TRACE],
        "after generate, ln_f.training is False and was True",
    ),
    "dropout alone in evaluation": (
        [(EVAL, "    for m in model.modules():\n        m.eval() if isinstance(m, torch.nn.Dropout) else None\n")],
        ["runs_in_evaluation"],
        "it drops only in training",
    ),
    "dropout taken away": (
        [(EVAL, f"{EVAL}    for module in model.modules():\n        module.p = 0.0\n")],
        ["runs_in_evaluation"],
        "the p of a dropout",
    ),
    "weights rounded on the way": (
        [(EVAL, f"{EVAL}    model.half().float()\n")],
        [TRACE],
        "transformer.wte.weight, after generate",
    ),
    "the last but one position": ([("hidden_states[:, -1]", "hidden_states[:, -2]")], VALUES, ""),
    "argmin": ([(BEST, "logits.argmin(dim=-1)")], VALUES, ""),
    "argmax over the batch": ([(BEST, "logits.argmax(dim=0)")], ALL, ""),
    "sampled": ([(BEST, "torch.multinomial(logits.softmax(-1), 1).squeeze(1)")], ALL, ""),
    "new tokens in front": ([(JOIN, "torch.cat([next_ids.unsqueeze(1), input_ids], dim=1)")], ALL, ""),
    "joined along the batch": ([(JOIN, "torch.cat([input_ids, next_ids.unsqueeze(1)], dim=0)")], ALL, "RuntimeError: "),
    "the new ids alone": (
        [
            (f"    {EVAL.strip()}\n", f"    {EVAL.strip()}\n    start = input_ids.shape[1]\n"),
            (RETURN, "    return input_ids[:, start:]"),
        ],
        ALL,
        "",
    ),
    "a crop that is kept": ([(HIDDEN, f"input_ids = input_ids[:, -n_positions:]\n        {HIDDEN}")], [CROP], ""),
    "cropped one shorter": ([("-n_positions:]", "-(n_positions - 1) :]")], [CROP], ""),
    "1024 positions": ([("model.transformer.wpe.weight.shape[0]", "1024")], [CROP], "ValueError: "),
    "n_embd for n_positions": ([("wpe.weight.shape[0]", "wpe.weight.shape[1]")], [OUT, CROP], ""),
    "no padding": ([(PAD, "")], [END], ""),
    "padded with 0": ([("masked_fill(ended, eos_token_id)", "masked_fill(ended, 0)")], [END], ""),
    "no stop": ([(STOP, "")], [END], ""),
    "stopped before the last eos is appended": (
        [(STOP, ""), (f"        input_ids = {JOIN}\n", STOP + f"        input_ids = {JOIN}\n")],
        [END],
        "",
    ),
    "an eos in the prompt ends": (
        [
            (
                "torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)",
                "(input_ids == (-1 if eos_token_id is None else eos_token_id)).any(dim=1)",
            ),
            (STOP, "        if eos_token_id is not None and ended.all():\n            break\n"),
        ],
        [PROMPT],
        "",
    ),
    "eos 0 is taken for none": (
        [("if eos_token_id is not None:", "if eos_token_id:")],
        [END],
        "row 0 writes 0 as new token 1",
    ),
    "the mode left": ([(BACK, "")], [TRACE], "each module's mode as it was"),
    "always training afterwards": ([(BACK, "    model.train()\n")], [TRACE], "each module's mode as it was"),
    "one mode for all": (
        [
            ("modes = [(module, module.training) for module in model.modules()]", "mode = model.training"),
            (BACK, "    model.train(mode)\n"),
        ],
        [TRACE],
        "each module's mode as it was",
    ),
    "random numbers drawn": (
        [(LOOP, "torch.manual_seed(0)\n    " + LOOP)],
        [TRACE],
        "greedy generation draws nothing",
    ),
    "ids changed": (
        [(RETURN, "    given[:, 0] = 0\n    return input_ids"), (EVAL, EVAL + "    given = input_ids\n")],
        [COUNT, TRACE],
        "max_new_tokens is 0",
    ),
    "gradients switched on": (
        [
            ("@torch.no_grad()\n", ""),
            (EVAL, EVAL + "    torch.set_grad_enabled(False)\n"),
            (RETURN, "    torch.set_grad_enabled(True)\n    return input_ids"),
        ],
        [TRACE],
        "they are switched on",
    ),
    "a while loop until the last column is eos": (
        [
            (
                LOOP,
                (
                    "ends = eos_token_id if eos_token_id is not None else -1\n"
                    "    while max_new_tokens > 0 and not (input_ids[:, -1] == ends).all():\n"
                    "        max_new_tokens -= 1"
                ),
            ),
            (STOP, ""),
        ],
        [PROMPT],
        "nothing is appended",
    ),
    "0 ends it by default": (
        [("eos_token_id: int | None = None", "eos_token_id: int | None = 0")],
        [COUNT],
        "50256 and 0 are ids like any other",
    ),
    "floats": ([(RETURN, "    return input_ids.float()")], ALL, "the numbers have another type"),
    "a list": ([(RETURN, "    return input_ids.tolist()")], ALL, "a list"),
    "nothing comes back": ([(RETURN, "    input_ids")], ALL, "None"),
    "the first row alone": ([(RETURN, "    return input_ids[0]")], ALL, "1 axis, where 2 are expected"),
    "no window with an end": (
        [("[:, -n_positions:]", "[:, -n_positions if eos_token_id is None else 0 :]")],
        [CROP],
        "ValueError: ",
    ),
    "the first window with an end": (
        [("[:, -n_positions:]", "[:, -n_positions:] if eos_token_id is None else input_ids[:, :n_positions]")],
        [CROP],
        "n_positions is 3, and 4 tokens are new; no row writes ",
    ),
    "the head in the model's mode": (
        [(BACK, f"{BACK}    model.lm_head.training = model.training\n")],
        [TRACE],
        "lm_head.training is ",
    ),
    "later blocks left in evaluation mode": (
        [(BACK, f"{BACK}    model.transformer.h[1:].eval()\n")],
        [TRACE],
        "h.1.training is False",
    ),
}
RIGHT = {
    "ended made anew": [(ENDED, "ended = next_ids == eos_token_id")],  # a padded row's next id is eos
    "the model's own call": [(BOTH, "logits = model(input_ids[:, -n_positions:])[:, -1]")],
    "torch.max": [(BEST, "logits.max(dim=-1).indices")],
    "topk": [(BEST, "logits.topk(1).indices[:, 0]")],
    "softmax first": [(BEST, "logits.softmax(-1).argmax(-1)")],
    "hstack": [(JOIN, "torch.hstack([input_ids, next_ids[:, None]])")],
    "gradients switched off, and given back": [
        ("@torch.no_grad()\n", ""),
        (EVAL, EVAL + "    recorded = torch.is_grad_enabled()\n    torch.set_grad_enabled(False)\n"),
        (RETURN, "    torch.set_grad_enabled(recorded)\n    return input_ids"),
    ],
    "two rows at a time": [
        ("model.transformer(input", "torch.cat([*map(model.transformer, input"),
        ("-n_positions:])", "-n_positions:].split(2))])"),
    ],
    "torch.where": [("next_ids.masked_fill(ended, eos_token_id)", "torch.where(ended, eos_token_id, next_ids)")],
    "a while loop": [(LOOP, "end = input_ids.shape[1] + max_new_tokens\n    while input_ids.shape[1] < end:")],
    "modes by name": [
        (
            "modes = [(module, module.training) for module in model.modules()]",
            "modes = {name: module.training for name, module in model.named_modules()}",
        ),
        (BACK, "    for name, module in model.named_modules():\n        module.training = modes[name]\n"),
    ],
    "try and finally": [
        (
            BACK + RETURN,
            (
                "    try:\n        return input_ids\n    finally:\n"
                "        for each, mode in modes:\n            each.training = mode"
            ),
        )
    ],
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    report = judge_text("generate", edited.text("generate", *edits), diagnose=False)  # names are the gate's to prove
    assert lines[0] in edited.failed(report)
    assert says in edited.said(report)


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    report = judge_text("generate", edited.text("generate", *RIGHT[name]))
    assert report.outcome == "passed", edited.said(report)
