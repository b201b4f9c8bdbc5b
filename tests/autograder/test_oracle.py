"""The oracle is independent, awake and precise: what Hugging Face says, redrawn weights, float64 inside."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from autograder import course as courses
from autograder.draw import Draw
from autograder.errors import InternalError
from autograder.oracle import Oracle, answered_by, hugging_face
from autograder.oracle.modules import Reference, shake

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = json.loads(hugging_face.COMMITTED.read_text(encoding="utf-8"))
VALUES = {
    "vocab_size": 50257,
    "n_positions": 1024,
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "n_inner": 3072,
    "layer_norm_epsilon": 1e-5,
}


@pytest.fixture
def draw():
    return Draw("91c2", "a check")


@pytest.fixture
def afresh(monkeypatch, tmp_path):
    """Let each question be asked anew, with a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    hugging_face.gpt2_config.cache_clear()
    yield tmp_path
    hugging_face.gpt2_config.cache_clear()


def installed(monkeypatch, version, sha256):
    monkeypatch.setattr(hugging_face, "fingerprint", lambda: (version, sha256))
    hugging_face.gpt2_config.cache_clear()


# ---------------------------------------------------------------------------------------------------- Hugging Face's

ASK = """
import hashlib, json, sys, torch, transformers
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.models.gpt2 import configuration_gpt2
config = GPT2Config()
data = open(configuration_gpt2.__file__, "rb").read().replace(b"\\r\\n", b"\\n")
ours = json.loads(sys.argv[1])
with torch.device("meta"):
    model = GPT2LMHeadModel(GPT2Config(**ours))
count = sum(parameter.numel() for parameter in model.parameters())
values = {name: getattr(config, name) for name in ours}
print(json.dumps([values, transformers.__version__, hashlib.sha256(data).hexdigest(), count]))
"""


def solutions_config():
    """Return the seven defaults of the solution's GPT2Config."""
    course = courses.load(ROOT)
    path = course.stub(course.find("config"), "solutions")
    spec = importlib.util.spec_from_file_location("solution_of_config", path)
    solution = importlib.util.module_from_spec(spec)
    sys.modules["solution_of_config"] = solution  # where dataclasses looks for the class's module
    spec.loader.exec_module(solution)
    del sys.modules["solution_of_config"]
    return {name: getattr(solution.GPT2Config(), name) for name in hugging_face.FIELDS}


def test_the_configurations_are_what_transformers_says(draw):
    """The last number is what the field calls GPT-2's size: what the solution's seven must add up to."""
    command = [sys.executable, "-c", ASK, json.dumps(solutions_config())]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    values, version, sha256, count = json.loads(said.stdout.splitlines()[-1])
    assert COMMITTED["values"] == values
    assert hugging_face.fingerprint() == (version, sha256)
    assert hugging_face.effective(values) == VALUES  # the numbers that the course's text names
    assert Oracle(draw).gpt2_config == solutions_config() == VALUES
    assert count == 124_439_808


def test_the_numbers_have_the_types_that_step_01_asks_for(draw):
    types = {name: type(value) for name, value in Oracle(draw).gpt2_config.items()}
    assert types == dict.fromkeys(VALUES, int) | {"layer_norm_epsilon": float}


def test_n_inner_is_the_width_that_none_means():
    values = COMMITTED["values"] | {"n_embd": 10}
    assert hugging_face.effective(values)["n_inner"] == 40
    assert hugging_face.effective(values | {"n_inner": 7})["n_inner"] == 7


def test_the_committed_version_answers_without_importing_transformers(afresh, monkeypatch):
    def no_process(*_):
        raise AssertionError("computed")

    monkeypatch.setattr(hugging_face, "compute", no_process)
    installed(monkeypatch, COMMITTED["version"], COMMITTED["sha256"])
    config = hugging_face.gpt2_config()
    assert (config.values, config.version, config.origin) == (VALUES, COMMITTED["version"], "committed")
    assert list(afresh.iterdir()) == []
    found = "import sys; from autograder.oracle import hugging_face as h; h.gpt2_config(); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", found], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "'autograder.oracle.hugging_face'" in loaded
    assert "'transformers'" not in loaded
    assert "'torch'" not in loaded


@pytest.mark.parametrize(
    ("version", "sha256"), [("9.9.9", COMMITTED["sha256"]), (COMMITTED["version"], "0" * 64)], ids=["version", "file"]
)
def test_another_version_or_file_is_computed_again_once_and_told(afresh, monkeypatch, version, sha256):
    asked = []

    def compute():
        asked.append(1)
        return COMMITTED["values"] | {"n_layer": 13}

    monkeypatch.setattr(hugging_face, "compute", compute)
    for origin in ("computed", "cache"):
        installed(monkeypatch, version, sha256)
        config = hugging_face.gpt2_config()
        assert (config.values["n_layer"], config.values["n_inner"]) == (13, 3072)
        assert (config.version, config.origin) == (version, origin)
        assert answered_by() == {"version": version, "origin": origin}
    assert asked == [1]
    (kept,) = [path for path in afresh.rglob("*") if path.is_file()]
    assert kept.name == f"gpt2-config-{version}-{sha256[:16]}.json"


def test_what_is_computed_is_asked_of_transformers_itself(afresh, monkeypatch):
    installed(monkeypatch, "9.9.9", "0" * 64)
    config = hugging_face.gpt2_config()
    assert (config.values, config.origin) == (VALUES, "computed")
    assert any(path.is_file() for path in afresh.rglob("gpt2-config-9.9.9-*.json"))


@pytest.mark.parametrize("broken", ["", "{", "[]", "null", '"x"', "{}", '{"n_inner": null}', "\xff"])
def test_a_broken_cache_is_computed_again(afresh, monkeypatch, broken):
    monkeypatch.setattr(hugging_face, "compute", lambda: COMMITTED["values"])
    installed(monkeypatch, "9.9.9", "0" * 64)
    hugging_face.gpt2_config()
    (kept,) = afresh.rglob("gpt2-config-*.json")
    kept.write_bytes(broken.encode("latin-1"))
    installed(monkeypatch, "9.9.9", "0" * 64)
    config = hugging_face.gpt2_config()
    assert (config.values, config.origin) == (VALUES, "computed")
    assert json.loads(kept.read_text()) == COMMITTED["values"]


def test_a_cache_that_cannot_be_written_costs_nothing_else(afresh, monkeypatch):
    (afresh / "file").write_text("")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(afresh / "file"))
    monkeypatch.setattr(Path, "home", lambda: afresh / "file")
    monkeypatch.setattr(hugging_face, "compute", lambda: COMMITTED["values"])
    installed(monkeypatch, "9.9.9", "0" * 64)
    assert hugging_face.gpt2_config().values == VALUES


@pytest.mark.usefixtures("afresh")
def test_without_transformers_the_committed_values_answer_and_say_so(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "transformers" else real(name))
    config = hugging_face.gpt2_config()
    assert (config.values, config.version) == (VALUES, COMMITTED["version"])
    assert config.origin == "committed, transformers not installed"


def test_a_transformers_that_cannot_be_imported_is_said_in_a_sentence(monkeypatch):
    monkeypatch.setattr(hugging_face, "_COMPUTE", "raise ImportError('no GPT-2 in here') # %r")
    with pytest.raises(InternalError, match="transformers cannot be imported: ImportError: no GPT-2 in here"):
        hugging_face.compute()


# ---------------------------------------------------------------------------------------------------------- torch's


class Some(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.LayerNorm(3)])
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(self.layers[1](self.layers[0](x * self.scale)))


def test_shake_changes_every_number_of_every_parameter(draw):
    before = Some()
    after = shake(Some(), draw)
    for (name, old), new in zip(before.state_dict().items(), after.state_dict().values(), strict=True):
        assert not (old == new).any(), name
        assert len(new.unique()) == new.numel(), name
    gain, bias = after.layers[1].weight, after.layers[1].bias
    assert (gain - 1).abs().max() < 1
    assert bias.abs().max() < 1


def test_shake_is_the_draws():
    weights = [shake(nn.Linear(3, 3), Draw(seed, "a")).weight for seed in ("1", "1", "2")]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_reference_computes_in_float64(draw):
    theirs = Oracle(draw).layer_norm(8, 1e-5)
    x = draw.normal(4, 8) * 1e-3 + 100
    wide = x.double()
    mean, variance = wide.mean(-1, keepdim=True), wide.var(-1, keepdim=True, correction=0)
    weight, bias = (theirs.state_dict()[name].double() for name in ("weight", "bias"))
    exact = (wide - mean) / (variance + 1e-5).sqrt() * weight + bias
    assert theirs(x).dtype == torch.float32
    assert torch.equal(theirs(x), exact.float())
    narrow = nn.functional.layer_norm(x, (8,), weight.float(), bias.float(), 1e-5)
    assert (narrow - exact).abs().max() > 1e-5  # the inputs are such that float32 would show
    assert theirs(wide).dtype == torch.float64


def test_a_reference_gives_the_gradients_of_autograd(draw):
    module = shake(nn.LayerNorm(5), draw)
    theirs = Reference(module)
    x, back = draw.normal(batch=2, dim=5), draw.normal(batch=2, dim=5)
    got = theirs.gradients(x, back)
    twin, inside = nn.LayerNorm(5).double(), x.double().requires_grad_()
    twin.load_state_dict(theirs.state_dict())
    twin(inside).backward(back.double())
    assert torch.equal(got.inputs[0], inside.grad.float())
    assert got.inputs[0].axes_names == ("batch", "dim")
    for name, parameter in twin.named_parameters():
        assert torch.equal(got.parameters[name], parameter.grad.float())
    assert torch.equal(got.output, theirs(x))


def test_a_reference_is_in_evaluation_mode_and_gives_away_copies(draw):
    theirs, x = Reference(shake(Some(), draw).train()), draw.normal(2, 3)
    assert torch.equal(theirs(x), theirs(x))
    before = theirs(x)
    theirs.state_dict()["scale"].zero_()
    assert torch.equal(theirs(x), before)
    assert {value.dtype for value in theirs.state_dict().values()} == {torch.float32}


def test_a_reference_that_is_asked_again_answers_the_same_and_tells_inputs_apart(draw):
    theirs = Reference(shake(nn.LayerNorm(4), draw))
    x, back = draw.normal(2, 4), draw.normal(2, 4)
    first, slope = theirs(x).clone(), theirs.gradients(x, back).parameters["weight"].clone()
    theirs(x).zero_()  # what is given away is nobody's memory
    theirs.gradients(x, back).parameters["weight"].zero_()
    assert torch.equal(theirs(x), first)
    assert torch.equal(theirs.gradients(x, back).parameters["weight"], slope)
    other = x.clone()
    other[1, 2] += 1
    assert not torch.equal(theirs(other), first)
    assert theirs(x.double()).dtype == torch.float64
    assert theirs(x.view(2, 2, 2)[..., :1].expand(2, 2, 4)).shape == (2, 2, 4)


@pytest.mark.parametrize("seed", ["91c2", "0b1e", "7a33"])
def test_greedy_generation_is_hugging_faces_own(seed):
    draw = Draw(seed, "a check")
    values = draw.config()
    theirs = Oracle(draw).lm_head_model(values)
    ids = draw.ids(values["vocab_size"], batch=3, seq=6)

    def own(count, eos):
        module = theirs._module  # noqa: SLF001 - Hugging Face's, whose `generate` is too slow for a check
        module.generation_config.eos_token_id = eos
        settings = {"do_sample": False, "pad_token_id": 0 if eos is None else eos}
        return module.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, **settings)

    free = theirs.continued(ids, 12)
    assert free.dtype == torch.int64
    assert torch.equal(free, own(12, None))
    for eos in {*free[:, 6].tolist(), *free[:, 9].tolist(), *ids[:, 3].tolist()}:
        assert torch.equal(theirs.continued(ids, 12, eos), own(12, eos))


def test_a_window_is_what_the_model_sees(draw):
    values = draw.config()
    theirs = Oracle(draw).lm_head_model(values)
    ids = draw.ids(values["vocab_size"], batch=2, seq=6)
    expected = ids
    for _ in range(8):
        best = theirs(expected[:, -7:])[:, -1].argmax(dim=-1, keepdim=True)
        expected = torch.cat([expected, best], dim=1)
    assert torch.equal(theirs.continued(ids, 8, window=7), expected)
    assert torch.equal(theirs.continued(ids, 0), ids)


def test_references_of_one_configuration_keep_their_own_weights(draw):
    values = draw.config()
    oracle = Oracle(draw)
    one, other = oracle.block(values), oracle.block(values)
    x, back = draw.normal(2, 5, values["n_embd"]), draw.normal(2, 5, values["n_embd"])
    weights, first = one.state_dict(), one(x).clone()
    assert not torch.equal(other(x), first)
    y = draw.normal(2, 5, values["n_embd"])
    again = one(y).clone()
    slope = one.gradients(y, back).parameters["mlp.c_fc.weight"]
    third = oracle.block(values)
    third(y)
    one._answers.clear()  # noqa: SLF001 - what it remembers is no proof that its weights are still its own
    assert torch.equal(one(x), first)
    assert torch.equal(one(y), again)
    assert torch.equal(one.gradients(y, back).parameters["mlp.c_fc.weight"], slope)
    for name, value in one.state_dict().items():
        assert torch.equal(value, weights[name])
        assert not torch.equal(value, other.state_dict()[name])
