"""Step 12's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

LOGITS, OTHER, BUFFERS, NAMED, HEAD, COPIES = (
    "logits_match",
    "takes_other_names",
    "passes_over_buffers",
    "names_what_is_wrong",
    "refuses_another_head",
    "copies_and_keeps_the_tie",
)
LOADS = [LOGITS, OTHER, BUFFERS]
FIRST = '"attn.c_attn.weight", '
TURN = "tensor.t() if name.endswith(TRANSPOSED) and tensor.dim() == 2 else tensor"
FULL = "name if name.startswith(PREFIX) or name == HEAD else PREFIX + name"
SKIP = "        if name.endswith(BUFFERS):\n            continue\n"
DIFFERS = "if head is not None and TABLE in given and not torch.equal(head, given[TABLE]):"
MISSING = '    wrong += [f"{name} is missing" for name in own if name not in given]\n'
STRANGE = '    wrong += [f"{name} is unexpected" for name in given if name not in own]\n'
RAISE = '    if wrong:\n        raise ValueError("; ".join(wrong))\n'
COPY = "            parameter.copy_(given[name])\n"
WRONG = {
    # SYLLABUS.md's own
    "attn.c_proj not turned": ([('"attn.c_proj.weight", ', "")], LOADS, ""),
    "every matrix turned": ([("name.endswith(TRANSPOSED) and ", "")], [*LOADS, COPIES], "ValueError: "),
    "strict=False": (
        [
            (RAISE, ""),
            (
                "            parameter.copy_(given[name])\n",
                "            if name in given and given[name].shape == parameter.shape:\n    " + COPY,
            ),
        ],
        [NAMED, HEAD],
        "h.0.mlp.c_fc.bias is missing here",
    ),
    "c_attn not turned": (
        [(FIRST, "")],
        [*LOADS, COPIES],
        "transformer.h.0.attn.c_attn.weight is [48, 144], not [144, 48]",
    ),
    "no copy": (
        [(COPY, "            parameter.data = given[name]\n")],
        [COPIES],
        "the model was changed, and with it the file's h.0.attn.c_attn.weight",
    ),
    "one bias is not copied": (
        [
            (
                COPY,
                (
                    "            if name.endswith('c_attn.bias'):\n                parameter.data = given[name]\n"
                    f"            else:\n    {COPY}"
                ),
            )
        ],
        [COPIES],
        "the model was changed, and with it the file's h.0.attn.c_attn.bias",
    ),
    "the frozen ones left as they were": (
        [(COPY, f"            if parameter.requires_grad:\n    {COPY}")],
        [COPIES],
        "wpe.weight, which was frozen, after loading",
    ),
    "a part set to evaluation": (
        [(RAISE, RAISE + "    model.transformer.h.eval()\n")],
        [COPIES],
        "h was in training mode before loading",
    ),
    "missing matrices passed over": (
        [
            (
                MISSING,
                MISSING.replace("if name not in given", "if name not in given and not name.endswith(TRANSPOSED)"),
            ),
            (COPY, f"            if name in given:\n    {COPY}"),
        ],
        [NAMED],
        "the file has a block less than the model",
    ),
    "a missing position table passed over": (
        [
            (MISSING, MISSING.replace("if name not in given", "if name not in given and 'wpe' not in name")),
            (COPY, f"            if name in given:\n    {COPY}"),
        ],
        [NAMED],
        "tensors are missing here",
    ),
    "more blocks passed over": (
        [(STRANGE, STRANGE.replace("not in own", "not in own and not name.startswith(PREFIX + 'h.2.')"))],
        [NAMED],
        "the file has a block more than the model",
    ),
    "a shorter head taken": (
        [(DIFFERS, DIFFERS.replace("given[TABLE])", "given[TABLE][: len(head)])"))],
        [HEAD],
        "lm_head.weight has a row less than wte.weight",
    ),
    "a shorter position table filled up": (
        [
            (
                MISSING,
                "    for name, own_one in own.items():\n"
                "        if 'wpe' in name and name in given and len(given[name]) < len(own_one):\n"
                "            given[name] = torch.cat([given[name], own_one.detach()[len(given[name]) :]])\n" + MISSING,
            )
        ],
        [NAMED],
        "wpe.weight has a row too few here",
    ),
    "the head by itself": (
        [
            (
                COPY,
                COPY
                + "        if head is not None:\n            model.lm_head.weight = torch.nn.Parameter(head.clone())\n",
            )
        ],
        [COPIES],
        "wte.weight was changed, and lm_head.weight is not",
    ),
    "149 names": (
        [("head = given.pop(HEAD, None)", "head = given.get(HEAD)")],
        [*LOADS, COPIES],
        "lm_head.weight is unexpected",
    ),
    # more that people write
    "nothing turned": ([(TURN, "tensor")], [*LOADS, COPIES], "ValueError: "),
    "reshaped, not turned": ([("tensor.t() if", "tensor.reshape(tensor.shape[::-1]) if")], LOADS, ""),
    "buffers not passed over": ([(SKIP, "")], [BUFFERS], "transformer.h.0.attn.bias is unexpected"),
    "attn.bias without its dot": (
        [('".attn.bias", ', '"attn.bias", ')],
        [*LOADS, COPIES],
        "transformer.h.0.attn.c_attn.bias is missing",
    ),
    "masked_bias forgotten": (
        [('(".attn.bias", ".attn.masked_bias")', '(".attn.bias",)')],
        [BUFFERS],
        "transformer.h.0.attn.masked_bias is unexpected",
    ),
    "the prefix needed": ([(FULL, "name")], [OTHER, BUFFERS], "ValueError: "),
    "the prefix always": ([(FULL, "PREFIX + name")], [*LOADS, NAMED, COPIES], "ValueError: "),
    "no prefix expected": (
        [(FULL, "name if name == HEAD or not name.startswith(PREFIX) else name[12:]")],
        [*LOADS, NAMED, COPIES],
        "ValueError: ",
    ),
    "the head needed": (
        [("head = given.pop(HEAD, None)", "head = given.pop(HEAD)")],
        [OTHER],
        "KeyError: 'lm_head.weight'",
    ),
    "the first fault alone": ([('"; ".join(wrong)', "wrong[0]")], [NAMED], "six tensors are unexpected here"),
    "missing passed over": (
        [(MISSING, ""), (COPY, "            if name in given:\n    " + COPY)],
        [NAMED],
        "h.0.mlp.c_fc.bias is missing here",
    ),
    "unexpected passed over": ([(STRANGE, "")], [NAMED], "score.weight is unexpected here"),
    "shapes not compared": (
        [("given[name].shape != parameter.shape", "False")],
        [NAMED],
        "wpe.weight has a row too many here",
    ),
    "a KeyError": ([("raise ValueError", "raise KeyError")], [NAMED, HEAD], "KeyError: "),
    "printed, not raised": (
        [('raise ValueError("; ".join(wrong))', "print(wrong)\n        return")],
        [NAMED, HEAD],
        "h.0.mlp.c_fc.bias is missing here",
    ),
    "changed before it is refused": (
        [
            (RAISE, ""),
            (COPY, "            if name in given and given[name].shape == parameter.shape:\n    " + COPY + RAISE),
        ],
        [NAMED],
        "was changed, although the file is refused",
    ),
    "another head taken": ([(DIFFERS, "if False:")], [HEAD], "one message, with lm_head.weight in it"),
    "a head that is near": ([("torch.equal(", "torch.allclose(")], [HEAD], "differs from wte.weight in one number"),
    "a last block forgotten": (
        [
            (
                "own.items():\n            parameter",
                "own.items():\n            if '.h.1.' in name:\n                continue\n            parameter",
            )
        ],
        LOADS,
        "",
    ),
    "biases forgotten": (
        [
            (
                "own.items():\n            parameter",
                "own.items():\n            if name.endswith('bias'):\n                continue\n            parameter",
            )
        ],
        LOADS,
        "",
    ),
    "frozen": (
        [(COPY, COPY + "            parameter.requires_grad_(False)\n")],
        [COPIES],
        "was not frozen before loading",
    ),
    "the model comes back": ([(COPY, COPY + "    return model\n")], [COPIES], "the function returns nothing"),
    "the file emptied": (
        [
            ("state_dict.items()", "list(state_dict.items())"),
            ("        given[full", "        del state_dict[name]\n        given[full"),
        ],
        [COPIES],
        "",
    ),
    "the table's name decides for all": (
        [(FULL, "PREFIX + name if name != HEAD and 'wte.weight' in state_dict else name")],
        [OTHER],
        "weights that load",
    ),
    "half precision taken over": (
        [(COPY, "            parameter.data = given[name].clone()\n")],
        [COPIES],
        "ln_f.weight, after a file of float16",
    ),
    "rounded": (
        [(COPY, "            parameter.copy_(given[name].half())\n")],
        LOADS,
        "all tensors have nearly the file's numbers",
    ),
    "recorded gradients": (
        [("    with torch.no_grad():\n", "    if True:\n")],
        [*LOADS, COPIES],
        "RuntimeError: a leaf Variable",
    ),
    "nothing loaded": ([(COPY, "            pass\n")], LOADS, ""),
    "turned whatever its axes": (
        [(TURN, TURN.replace("tensor.t()", "tensor.mT").replace(" and tensor.dim() == 2", ""))],
        [NAMED],
        "h.1.attn.c_attn.weight has one axis here",
    ),
    "other parameters in the blocks": (
        [
            (
                COPY,
                (
                    "            path, _, leaf = name.rpartition('.')\n"
                    "            if '.h.' in name:\n"
                    "                grad = parameter.requires_grad\n"
                    "                new = torch.nn.Parameter(given[name].clone(), requires_grad=grad)\n"
                    "                setattr(model.get_submodule(path), leaf, new)\n"
                    f"            else:\n    {COPY}"
                ),
            )
        ],
        [COPIES],
        "the model has other parameters now",
    ),
    "the file's dtype where it is turned": (
        [
            (
                COPY,
                (
                    "            if name.endswith(TRANSPOSED):\n"
                    f"                parameter.data = given[name].clone()\n            else:\n    {COPY}"
                ),
            )
        ],
        [COPIES],
        "h.0.attn.c_attn.weight, after a file of float16",
    ),
    "frozen ones of the blocks woken": (
        [(COPY, f"{COPY}        model.transformer.h.requires_grad_(True)\n")],
        [COPIES],
        "h.0.ln_2.weight was frozen before loading",
    ),
    "the model's mode for all": (
        [
            (
                "    with torch.no_grad():\n",
                "    was = model.training\n    model.eval()\n    model.train(was)\n    with torch.no_grad():\n",
            )
        ],
        [COPIES],
        "h.0.mlp was in evaluation mode before loading",
    ),
    "whatever is masked passed over": (
        [("if name.endswith(BUFFERS)", "if name.endswith(BUFFERS) or 'masked' in name")],
        [NAMED],
        "six tensors are unexpected here",
    ),
}
RIGHT = {
    ".T": [("tensor.t() if", "tensor.T if")],
    "transpose and contiguous": [("tensor.t() if", "tensor.transpose(0, 1).contiguous() if")],
    ".data.copy_": [
        ("    with torch.no_grad():\n", "    if True:\n"),
        (COPY, COPY.replace("parameter.", "parameter.data.")),
    ],
    "load_state_dict at the end": [
        (
            "    with torch.no_grad():\n        for name, parameter in own.items():\n" + COPY,
            "    model.load_state_dict({**given, HEAD: given[TABLE]})\n",
        )
    ],
    "load_state_dict, not strict": [
        (
            "    with torch.no_grad():\n        for name, parameter in own.items():\n" + COPY,
            "    model.load_state_dict(given, strict=False)\n",
        )
    ],
    "names from the state dict": [("    own = {", "    named = model.state_dict().items()\n    own = {")],
    "a regular expression": [
        ("import torch\n", "import re\n\nimport torch\n"),
        (SKIP, "        if re.search(r'\\.attn\\.(masked_)?bias$', name):\n            continue\n"),
    ],
    "removeprefix": [(FULL, "name if name == HEAD else PREFIX + name.removeprefix(PREFIX)")],
    "turned by its shape, in the right layers": [
        ("name.endswith(TRANSPOSED)", "'.h.' in '.' + name and 'ln' not in name and name.endswith('weight')")
    ],
    "many lines in the message": [('"; ".join', '"\\n".join')],
    "a kind of ValueError": [
        (
            'raise ValueError("; ".join(wrong))',
            'class WrongFile(ValueError):\n            pass\n        raise WrongFile("; ".join(wrong))',
        )
    ],
    "cloned first": [("given[full_name] = tensor", "tensor = tensor.clone()\n        given[full_name] = tensor")],
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    text = edited.text("load_weights", *edits)
    report = judge_text("load_weights", text, diagnose=False)  # names are the gate's to prove
    assert lines[0] in edited.failed(report)
    assert says in edited.said(report)


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    report = judge_text("load_weights", edited.text("load_weights", *RIGHT[name]))
    assert report.outcome == "passed", edited.said(report)
