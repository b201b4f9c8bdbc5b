"""`pixi run gpt2`: checkpoints load through step 12 as Hugging Face loads them, text streams, bad input is a sentence.

The models here are small. The full-size one, 124M numbers and half a gigabyte on disk, is loaded by
benchmarks/generate.py, side by side with Hugging Face's own loading.
"""

import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import RepositoryNotFoundError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

import gpt2
from autograder import course as courses
from autograder import stubs
from benchmarks import generate as benchmark
from playground import checkpoint, hub, text
from playground.learner import Learner

PROMPT = "The import system"
TINY = {"n_positions": 24, "n_embd": 32, "n_layer": 2, "n_head": 4}


def make(folder: Path, **sizes: int) -> GPT2LMHeadModel:
    """Return a model with random weights, saved with a byte-level tokenizer: all bytes, and few merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([PROMPT, "Python has an import statement"] * 3, trainer)
    torch.manual_seed(7)
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    model = GPT2LMHeadModel(GPT2Config(**{"vocab_size": tokenizer.get_vocab_size(), **ends, **TINY, **sizes})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.2)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return (folder, Hugging Face's model); the folder is not to be changed."""
    folder = tmp_path_factory.mktemp("saved")
    return folder, make(folder)


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    """Leave this process as it is: the small models of this file ask for one thread, and the benchmark sets it."""
    before = torch.get_num_threads()
    monkeypatch.setattr(os, "environ", os.environ.copy())
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folder(saved, tmp_path):
    """Return a copy of the saved folder, to be spoilt."""
    return Path(shutil.copytree(saved[0], tmp_path / "spoilt"))


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Return a function that runs gpt2.py in this process: exit code, standard output, standard error."""
    monkeypatch.setenv("INIT_CWD", str(tmp_path))
    monkeypatch.delenv("PIXIW", raising=False)

    def runs(*arguments, stdin=b"", tree="solutions"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = gpt2.main(["--tree", tree, *map(str, arguments)])
        except SystemExit as ended:
            code = ended.code
        return SimpleNamespace(code=code, **capsys.readouterr()._asdict())

    return runs


def refused(result, says, code=2):
    assert result.code == code, result.err
    assert says in result.err
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("gpt2: ")
    assert "Traceback" not in result.err


def loaded(folder):
    return gpt2.load(gpt2.parse(["--tree", "solutions", "--model", str(folder)]), str(folder), PROMPT).model


def same_logits(folder, theirs):
    ids = torch.randint(theirs.config.vocab_size, (2, 17), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        # Both compute in float32; their sums are ordered differently, which was seen to cost 2e-6 of the largest logit.
        expected = theirs(ids).logits
        torch.testing.assert_close(loaded(folder)(ids), expected, rtol=0, atol=3e-5 * expected.abs().max().item())


def greedy(folder, model, prompt, new_tokens):
    ids = torch.tensor([Tokenizer.from_file(str(folder / "tokenizer.json")).encode(prompt).ids])
    mask = torch.ones_like(ids)
    longer = model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=new_tokens, pad_token_id=0)
    return Tokenizer.from_file(str(folder / "tokenizer.json")).decode(longer[0].tolist())


# Checkpoints


def test_the_logits_are_hugging_faces(saved):
    same_logits(*saved)


def test_a_wider_deeper_model_loads(tmp_path):
    sizes = {"vocab_size": 5003, "n_positions": 128, "n_embd": 192, "n_layer": 5, "n_head": 6, "n_inner": 400}
    same_logits(tmp_path, make(tmp_path, **sizes))


def test_a_sharded_checkpoint_loads(saved, folder):
    (folder / "model.safetensors").unlink()
    saved[1].save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    same_logits(folder, saved[1])


@pytest.mark.parametrize("zipped", [True, False], ids=["bin", "bin-before-torch-1.6"])
def test_an_old_bin_with_mask_buffers_loads(saved, folder, zipped):
    state = dict(saved[1].state_dict())
    for layer in range(TINY["n_layer"]):
        size = TINY["n_positions"]
        state[f"transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, size, size, dtype=torch.uint8).tril()
        state[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    same_logits(folder, saved[1])


def test_a_sharded_bin_loads(saved, folder):
    state = saved[1].transformer.state_dict()
    names = list(state)
    shards = {"pytorch_model-00001-of-00002.bin": names[:9], "pytorch_model-00002-of-00002.bin": names[9:]}
    for shard, held in shards.items():
        torch.save({name: state[name].clone() for name in held}, folder / shard)
    (folder / "model.safetensors").unlink()
    where = {name: shard for shard, held in shards.items() for name in held}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": where}))
    same_logits(folder, saved[1])


def test_names_without_the_prefix_load(saved, folder):
    save_file({name: tensor.clone() for name, tensor in saved[1].transformer.state_dict().items()},
              folder / "model.safetensors")  # fmt: skip
    same_logits(folder, saved[1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_loads_into_float32(folder, dtype):
    weights = {name: tensor.to(dtype) for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors")
    model = loaded(folder)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert torch.equal(model.transformer.wte.weight, weights["transformer.wte.weight"].float())


def test_the_weights_are_mapped_and_what_is_written_to_them_stays_in_this_process(folder):
    before = (folder / "model.safetensors").read_bytes()
    weights = checkpoint.read_weights(folder, "folder")
    for tensor in weights.values():
        tensor.zero_()
    assert (folder / "model.safetensors").read_bytes() == before


def test_the_names_and_shapes_are_hugging_faces(saved):
    own = {name: list(value.shape) for name, value in saved[1].state_dict().items() if name != "lm_head.weight"}
    assert dict(checkpoint.shapes(checkpoint.read_settings(saved[0], "saved").seven)) == own


def test_what_a_config_leaves_out_is_hugging_faces_default(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    settings, theirs = checkpoint.read_settings(tmp_path, "here"), GPT2Config()
    expected = {name: getattr(theirs, name) for name in checkpoint.SEVEN} | {"n_inner": 4 * theirs.n_embd}
    assert settings == (expected, {theirs.eos_token_id})


# Text


def test_the_greedy_text_is_hugging_faces(saved, run):
    result = run("--model", saved[0], "--max-new-tokens", 30, PROMPT)  # beyond n_positions from the 24th token on
    reach = TINY["n_positions"] - len(Tokenizer.from_file(str(saved[0] / "tokenizer.json")).encode(PROMPT).ids)
    theirs = greedy(*saved, PROMPT, reach)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(theirs.removesuffix("\ufffd"))
    assert len(result.out) > len(theirs)
    assert run("--model", saved[0], "--max-new-tokens", reach, PROMPT).out == theirs + "\n"


def test_the_text_ends_at_the_end_of_text_token(saved, folder, run):
    ids = torch.tensor([Tokenizer.from_file(str(folder / "tokenizer.json")).encode(PROMPT).ids])
    third = saved[1].generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=3)[0, -1].item()
    for name in ("config.json", "generation_config.json"):
        values = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(values | {"eos_token_id": [third]}))
    expected = run("--model", folder, "--max-new-tokens", 2, PROMPT).out
    assert run("--model", folder, "--max-new-tokens", 9, PROMPT).out == expected


def test_no_new_tokens_give_the_prompt_back(saved, run):
    assert run("--model", saved[0], "--max-new-tokens", 0, "The", "import", "system").out == PROMPT + "\n"


def test_a_prompt_comes_from_a_pipe_too(saved, run):
    for data in (f"{PROMPT}\n", f"\ufeff{PROMPT}\r\n"):
        assert run("--model", saved[0], "--max-new-tokens", 0, stdin=data.encode()).out == PROMPT + "\n"


def test_a_chat_goes_on_until_an_empty_line_and_after_a_bad_one(saved, run):
    lines = b"The\n\xff\nPython\n\nmore\n"
    result = run("--model", saved[0], "--max-new-tokens", 0, "--chat", "first", stdin=lines)
    assert result.out == "first\nThe\nPython\n"
    refused(result, "the prompt is not UTF-8 text: its byte 1 is 0xff")


def test_a_chat_ends_with_its_input(saved, run):
    assert run("--model", saved[0], "--max-new-tokens", 0, "--chat", stdin=b"The").out == "The\n"


@pytest.mark.parametrize("said", ["héllo 🦊 日本語", "a\u0301\n\t", "👩‍👩‍👧", "\ufffd at the end \ufffd"])
def test_only_whole_characters_are_streamed(saved, said):
    tokenizer = text.load(saved[0], "saved")
    ids = tokenizer.encode(said).ids
    assert len(ids) >= len(said)
    pieces = list(text.continuation(tokenizer, tokenizer.encode("é: ").ids, ids))
    assert "".join(pieces) == said
    assert len(pieces) > 1
    if "\ufffd" not in said:
        assert pieces == [piece for piece in pieces if "\ufffd" not in piece]


def test_bytes_that_are_no_character_are_shown_once_that_is_sure(saved):
    tokenizer = text.load(saved[0], "saved")
    fox = tokenizer.encode("🦊").ids
    a = tokenizer.encode("a").ids
    pieces = list(text.continuation(tokenizer, a, [*fox[:3], *a, *fox[:2]]))
    assert pieces == ["\ufffda", "\ufffd"]


def test_a_tokenizer_in_two_files_is_the_same(saved, folder):
    whole = text.load(folder, "folder")
    whole.model.save(str(folder))
    (folder / "tokenizer.json").unlink()
    parts = text.load(folder, "folder")
    for said in (PROMPT, "héllo 🦊<|endoftext|>a  b\n"):
        assert parts.encode(said).ids == GPT2Tokenizer.from_pretrained(saved[0])(said)["input_ids"]
        assert parts.decode(parts.encode(said).ids) == said.replace("<|endoftext|>", "")


# Bad input


def weights_with(folder, change):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / "model.safetensors")


def config_with(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def set_first(name, value):
    def change(weights):
        weights[name].view(-1)[0] = value

    return change


def sharded_without_one(folder):
    shutil.copy(folder / "model.safetensors", folder / "model-00001-of-00002.safetensors")
    where = dict.fromkeys(load_file(folder / "model.safetensors"), "model-00001-of-00002.safetensors")
    (folder / "model.safetensors").unlink()
    where["transformer.ln_f.bias"] = "model-00002-of-00002.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))


def index_that_leaves_the_folder(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"transformer.wte.weight": "../other"}}')


def bin_of(folder, held):
    (folder / "model.safetensors").unlink()
    torch.save(held, folder / "pytorch_model.bin")


def cut(name):
    def change(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])

    return change


def cut_bin(folder):
    bin_of(folder, load_file(folder / "model.safetensors"))
    cut("pytorch_model.bin")(folder)


LN, WTE = "transformer.h.1.ln_2.bias", "transformer.wte.weight"
SPOILT = {
    "missing tensor": (lambda f: weights_with(f, lambda w: w.pop(LN)), f"does not fit: {LN} is missing"),
    "extra tensor": (
        lambda f: weights_with(f, lambda w: w.update({"transformer.rotary": torch.ones(2)})),
        "does not fit: transformer.rotary is unexpected",
    ),
    "wrong shape": (
        lambda f: weights_with(f, lambda w: w.update({LN: torch.ones(31)})),
        f"does not fit: {LN} is [31], not [32]",
    ),
    "many wrong": (lambda f: config_with(f, n_layer=9), "does not fit: transformer.h.2."),
    "another head": (
        lambda f: weights_with(f, lambda w: w.update({"lm_head.weight": w[WTE] + 1})),
        f"does not fit: lm_head.weight differs from {WTE}",
    ),
    "out of proportion": (lambda f: config_with(f, n_layer=10**9), "config.json describes 12,7"),
    "NaN": (lambda f: weights_with(f, set_first(LN, float("nan"))), f"broken weights: '{LN}' holds NaN or infinity"),
    "infinity": (lambda f: weights_with(f, set_first(WTE, float("-inf"))), f"'{WTE}' holds NaN or infinity"),
    "integers": (lambda f: weights_with(f, lambda w: w.update({LN: torch.ones(32).int()})), f"'{LN}' is of int32"),
    "truncated": (cut("model.safetensors"), "model.safetensors is cut off, or no safetensors file"),
    "truncated bin": (cut_bin, "pytorch_model.bin is cut off, or holds more than tensors"),
    "bin of no tensors": (lambda f: bin_of(f, [1, 2]), "pytorch_model.bin holds no table of tensors"),
    "bin of other things": (lambda f: bin_of(f, {"epoch": 3}), "holds 'epoch', which is no plain tensor"),
    "missing shard": (sharded_without_one, "model-00002-of-00002.safetensors is missing: model.safetensors.index.json"),
    "strange shard": (index_that_leaves_the_folder, "names '../other', which is no file beside it"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "has no weights: a model.safetensors or a"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "has no tokenizer: a tokenizer.json, or vocab.json"),
    "broken tokenizer": (cut("tokenizer.json"), "tokenizer.json cannot be read as a tokenizer"),
    "no config": (lambda f: (f / "config.json").unlink(), "is no checkpoint: there is no config.json in it"),
    "broken config": (cut("config.json"), "config.json cannot be read as JSON"),
    "config is a list": (lambda f: (f / "config.json").write_text("[]"), "config.json is not a JSON object"),
    "config is Latin-1": (lambda f: (f / "config.json").write_bytes(b'{"a": "\xe9"}'), "cannot be read as JSON"),
    "another model": (lambda f: config_with(f, model_type="llama"), "is not a GPT-2: its model_type is 'llama'"),
    "another activation": (
        lambda f: config_with(f, activation_function="relu"),
        "has activation_function 'relu', and this course's GPT-2 has 'gelu_new'",
    ),
    "untied": (lambda f: config_with(f, tie_word_embeddings=False), "has tie_word_embeddings False"),
    "scaled by layer": (
        lambda f: config_with(f, scale_attn_by_inverse_layer_idx=True),
        "has scale_attn_by_inverse_layer_idx True",
    ),
    "heads": (lambda f: config_with(f, n_head=5), "has n_embd 32, which is no multiple of n_head 5"),
    "no number": (lambda f: config_with(f, n_embd="wide"), "has n_embd 'wide', which is no whole number"),
    "below zero": (lambda f: config_with(f, n_layer=-2), "has n_layer -2, which is not above zero"),
    "other tokenizer": (
        lambda f: config_with(f, vocab_size=9),
        "the tokenizer gives the id",
    ),
}  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_spoilt_checkpoint_gets_one_sentence(folder, run, spoil):
    change, says = SPOILT[spoil]
    change(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    result = run("--model", folder, PROMPT)
    refused(result, says)
    assert result.out == ""
    assert len(result.err) < 600
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


PICKLES = {
    "torch": (torch.save, lambda path: torch.load(path, weights_only=False)),
    "bare": (lambda held, path: path.write_bytes(pickle.dumps(held)), lambda path: pickle.loads(path.read_bytes())),  # noqa: S301
}


@pytest.mark.parametrize("kind", PICKLES)
def test_a_pickle_that_would_run_code_is_not_run(folder, run, tmp_path, kind):
    write, read = PICKLES[kind]
    path, marker = folder / "pytorch_model.bin", tmp_path / "executed"
    (folder / "model.safetensors").unlink()
    write({WTE: Malicious(marker)}, path)
    result = run("--model", folder, PROMPT)
    refused(result, "pytorch_model.bin is cut off, or holds more than tensors, which could run code: it was not loaded")
    assert not marker.exists()
    read(path)
    assert marker.exists()  # the file does what the name of this test says


BAD_PROMPTS = {
    "empty": ([""], b"", "the prompt is empty"),
    "blank": (["  \n"], b"", "the prompt is empty"),
    "empty pipe": ([], b"", "the prompt is empty"),
    "empty line": ([], b"\n", "the prompt is empty"),
    "too long": (["no " * 40], b"", "tokens, and the model has 24 positions"),
    "endless": ([], b"a" * 1_100_000, "the prompt is too long: more than 1,048,576 bytes"),
    "Latin-1": ([], "die Größe".encode("latin-1"), "the prompt is not UTF-8 text: its byte 7 is 0xf6"),
    "lone surrogate": (["a\udcff"], b"", "the prompt is not UTF-8 text"),
    "no number": (["--max-new-tokens", "many", "a"], b"", "'many' is no number of tokens"),
    "negative": (["--max-new-tokens", "-3", "a"], b"", "'-3' is no number of tokens: 0 or more"),
    "unknown option": (["--temprature", "1"], b"", "`pixi run gpt2 --help` shows how"),
}


@pytest.mark.parametrize("case", BAD_PROMPTS)
def test_a_bad_prompt_or_option_gets_one_sentence(saved, run, case):
    arguments, stdin, says = BAD_PROMPTS[case]
    result = run("--model", saved[0], *arguments, stdin=stdin)
    refused(result, says)
    assert result.out == ""


def test_a_model_that_is_nowhere_gets_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.setattr(gpt2, "ROOT", tmp_path)
    (tmp_path / "file.bin").write_bytes(b"")
    refused(run(PROMPT), "models/tiny-gpt2 is missing: `pixi run train-tiny` makes it")
    refused(run("--model", "file.bin", PROMPT), "file.bin is a file: --model takes the folder")
    refused(run("--model", "./no/such/folder", PROMPT), "./no/such/folder is no folder here, and cannot be a name")
    refused(run("--model", "", PROMPT), "--model needs a folder or a name")


# The hub, without a network


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return a cache of Hugging Face's, empty, on a machine without a network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_a_name_without_cache_and_network_says_what_works_offline(run, cache, monkeypatch):
    monkeypatch.setenv("PIXIW", "1")
    offline = "the hub cannot be reached: `./pixiw run gpt2` without --model, or with --model FOLDER, works offline"
    refused(run("--model", "openai-community/gpt2", PROMPT), offline)
    assert not cache.exists()


def test_a_name_in_the_cache_needs_no_network(run, cache, saved):
    repository = cache / "models--nobody--small"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    shutil.copytree(saved[0], repository / "snapshots" / ("0" * 40))
    assert run("--model", "nobody/small", "--max-new-tokens", 0, PROMPT).out == PROMPT + "\n"
    (repository / "snapshots" / ("0" * 40) / "model.safetensors").unlink()  # as an interrupted download leaves it
    refused(run("--model", "nobody/small", PROMPT), "the hub cannot be reached")


@pytest.fixture
def online(cache, saved, monkeypatch):  # noqa: ARG001 the cache is empty
    """Return the calls of a hub that holds the saved folder, and more."""
    calls = []
    names = [*(path.name for path in saved[0].iterdir()), "pytorch_model.bin", "tf_model.h5", "vocab.json", "README.md"]
    siblings = [SimpleNamespace(rfilename=name, size=3_000_000) for name in names]
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: SimpleNamespace(siblings=siblings))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda _, name: str(saved[0] / name))

    def snapshot_download(name, *, allow_patterns):
        calls.append((name, allow_patterns))
        return str(saved[0])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return calls


def test_only_what_is_needed_is_downloaded(run, online):
    result = run("--model", "nobody/small", "--max-new-tokens", 0, PROMPT)
    assert (result.code, result.out) == (0, PROMPT + "\n")
    assert result.err == "Downloading nobody/small: 12 MB, once.\n"
    needed = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"]
    assert online == [("nobody/small", needed)]


def test_another_kind_of_model_is_refused_before_its_weights_are_downloaded(run, online, folder, monkeypatch):
    config_with(folder, model_type="llama")
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda _, name: str(folder / name))
    refused(run("--model", "nobody/llama", PROMPT), "nobody/llama is not a GPT-2: its model_type is 'llama'")
    assert online == []


@pytest.mark.usefixtures("cache")
def test_a_name_that_the_hub_does_not_have_is_said_so(run, monkeypatch):
    def model_info(*_, **__):
        raise RepositoryNotFoundError("404", response=SimpleNamespace(headers={}, request=None))

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    refused(run("--model", "nobody/none", PROMPT), "nobody/none is no folder here, and no model on the hub that you")


def test_a_sharded_model_on_the_hub_is_downloaded_with_all_its_shards():
    shards = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
    index = "model.safetensors.index.json"
    files = {"config.json", index, *shards, "vocab.json", "merges.txt", "pytorch_model.bin", "model-best.h5"}
    assert hub.wanted("a/b", files) == {"config.json", index, *shards, "vocab.json", "merges.txt"}


# The learner's own files


@pytest.fixture
def desk(tmp_path, monkeypatch, course):
    """Return the steps/ of a course of its own, all of them done; `steps.step_NN` means these."""
    root = tmp_path / "course"
    (root / "steps").mkdir(parents=True)
    shutil.copy(course.root / "course.toml", root)
    for path in (course.root / "solutions").glob("step_*.py"):
        done = path.read_text(encoding="utf-8").replace("from solutions.", "from steps.")
        (root / "steps" / path.name).write_text(done, encoding="utf-8")
    monkeypatch.setattr(gpt2, "ROOT", root)
    monkeypatch.setattr(sys, "path", [str(root), *(path for path in sys.path if Path(path) != course.root)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    forget = lambda: [sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "steps"]  # noqa: E731
    forget()
    yield lambda slug: root / "steps" / f"{course.find(slug).name}.py"
    forget()


def edit(path, old, new):
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new), encoding="utf-8")


def line_of(path, words):
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if words in line)


def test_the_learners_files_are_the_default(saved, desk, monkeypatch, capsys):
    edit(desk("generate"), "argmax", "argmin")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert gpt2.main(["--model", str(saved[0]), "--max-new-tokens", "5", PROMPT]) == 0
    own = capsys.readouterr().out
    assert gpt2.main(["--tree", "solutions", "--model", str(saved[0]), "--max-new-tokens", "5", PROMPT]) == 0
    assert own != capsys.readouterr().out
    assert own.startswith(PROMPT)


STOPS = 'raise NotImplementedError("later")  #'
UNFINISHED = {
    "gap": ("attention", "batch, seq, n_embd =", STOPS, "is not finished"),
    "loading": ("load_weights", "given = {}", STOPS, "is not finished"),
    "crash": ("mlp", "return", "return 1 / 0 +", "stops with ZeroDivisionError: division by zero"),
    "exit": ("generate", "modes =", "raise SystemExit(0)  #", "stops with SystemExit: 0"),
    "syntax": ("causal_mask", "def causal_mask(", "def causal_mask((", "stops with SyntaxError: "),
    "import": ("block", "from torch import", "from torhc import", "stops with ModuleNotFoundError: No module named"),
    "no class": ("lm_head", "class GPT2LMHeadModel", "class Other", "has no GPT2LMHeadModel"),
    "no function": ("causal_mask", "def causal_mask(", "def mask(", "is not finished: cannot import name 'causal"),
    "no part": ("model", "self.ln_f = ", "last = ", "has no transformer.ln_f.weight; a checkpoint has it, of [32]"),
    "no layer": ("block", "self.mlp = ", "mlp = ", "has no transformer.h.0.mlp.c_fc.weight; a checkpoint has it, of"),
    "untied": ("lm_head", "self.lm_head.weight =", "tied =", "has lm_head.weight of [288, 32]; no checkpoint has it"),
    "no tensor": ("generate", "return input_ids", "return None", "gives NoneType for one new token, not [1, 4]"),
    "no token": ("generate", "return input_ids", "return input_ids - 1000", "gives the id -"),
}  # fmt: skip
AT_THE_EDIT = ("gap", "loading", "crash", "exit", "syntax", "import")


@pytest.mark.parametrize("case", UNFINISHED)
def test_an_unfinished_step_is_named_with_its_place_and_its_command(saved, desk, run, course, case):
    slug, old, new, says = UNFINISHED[case]
    edit(desk(slug), old, new)
    result = run("--model", saved[0], "--max-new-tokens", 3, PROMPT, tree="steps")
    step = course.find(slug)
    refused(result, f": step {step.id}, {step.title}, {says}", code=1)
    assert f"steps/{step.name}.py:" in result.err
    assert result.err.endswith(f". Next: `pixi run {step.task}`\n")
    if case in AT_THE_EDIT:
        assert f"steps/{step.name}.py:{line_of(desk(slug), new)}: " in result.err


def test_a_missing_step_is_named(saved, desk, run, course):
    step = course.find("layer_norm")
    desk("layer_norm").unlink()
    result = run("--model", saved[0], PROMPT, tree="steps")
    refused(result, f"steps/{step.name}.py: step {step.id}, {step.title}, is missing. Next: ", code=1)


def test_the_first_untouched_stub_is_the_one_to_do(saved, desk, run, course):
    """A gap in an __init__ raises nothing where it is: another file stumbles over it."""
    step = course.find("model")
    before = desk("model").read_text(encoding="utf-8").partition("        super().__init__()\n")
    stub = "".join(before[:2]) + "        # TODO 1: the parts\n"
    desk("model").write_text(stub, encoding="utf-8")
    ours = {"model": stubs.Entry(step.number, stubs.sha256(stub))}
    (gpt2.ROOT / stubs.PATH).write_text(stubs.Record(ours).to_json())
    place = f"steps/{step.name}.py:{line_of(desk('model'), 'TODO')}"
    result = run("--model", saved[0], PROMPT, tree="steps")
    refused(result, f"{place}: step {step.id}, {step.title}, is not written yet. Next: `pixi run {step.task}`", code=1)


def test_a_wrong_checkpoint_that_the_learners_step_takes_is_told_as_the_steps_fault(folder, desk, run):
    weights_with(folder, lambda weights: weights.update({"transformer.rotary": torch.ones(2)}))
    edit(desk("load_weights"), "if wrong:", "if False:")
    result = run("--model", folder, PROMPT, tree="steps")
    refused(result, "takes a checkpoint that does not fit: transformer.rotary is unexpected. Next: ", code=1)


def test_a_right_checkpoint_that_the_learners_step_refuses_is_told_as_the_steps_fault(saved, desk, run, course):
    edit(desk("load_weights"), "if wrong:", 'if wrong.append("all of it") is None:')
    result = run("--model", saved[0], PROMPT, tree="steps")
    refused(result, f"{course.find('load_weights').title}, stops with ValueError: all of it. Next: ", code=1)


def test_a_head_that_was_made_first_is_tied_too(saved, desk):
    head = "        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)\n"
    edit(desk("lm_head"), head, "")
    edit(desk("lm_head"), "        self.transformer =", f"{head}        self.transformer =")
    model = Learner(courses.load(gpt2.ROOT), "steps").build(checkpoint.read_settings(saved[0], "saved").seven)
    assert next(iter(model.named_parameters()))[0] == "lm_head.weight"


def test_what_a_step_prints_does_not_mix_with_the_text(saved, desk, run):
    edit(desk("generate"), "    modes =", "    print('here')\n    modes =")
    result = run("--model", saved[0], "--max-new-tokens", 1, PROMPT, tree="steps")
    assert "here" not in result.out
    assert result.err == "here\n"


def test_debug_shows_where_it_came_from(saved, desk, run):
    edit(desk("mlp"), "return", "return 1 / 0 +")
    result = run("--model", saved[0], "--debug", PROMPT, tree="steps")
    assert result.code == 1
    assert "ZeroDivisionError" in result.err.partition("Traceback")[2]


# Whole processes


def command(*arguments):
    return [sys.executable, str(gpt2.ROOT / "gpt2.py"), *map(str, arguments)]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a whole console, this test's own too")
def test_ctrl_c_ends_the_line_and_nothing_else(saved):
    endless = command("--tree", "solutions", "--model", saved[0], "--max-new-tokens", 1_000_000, PROMPT)
    with subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout.read(len(PROMPT) + 20).startswith(PROMPT.encode())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert out.endswith(b"\n")
    assert err == b""


def test_a_wrong_word_is_answered_before_torch_is_imported(folder, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('torch was imported')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "INIT_CWD": str(tmp_path), "NO_COLOR": "1"}
    (folder / "tokenizer.json").unlink()
    done = subprocess.run(command("--model", "spoilt", PROMPT), env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"gpt2: spoilt has no tokenizer: ")


def test_without_its_packages_it_says_how_to_run_it(saved, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    result = run("--model", saved[0], PROMPT)
    assert result.code == 1
    assert result.err.endswith(": run this as `pixi run gpt2`, or `./pixiw run gpt2`.\n")


def test_help_has_examples(run):
    result = run("--help")
    assert result.code == 0
    assert 'pixi run gpt2 --tree solutions "The import system"' in result.out
    assert max(map(len, gpt2.EXAMPLES.splitlines())) <= 80


def test_the_benchmark_runs(capsys):
    assert benchmark.main(["--quick"]) == 0
    tokens, loading = capsys.readouterr().out.split("\n\n")[1:3]
    assert tokens.splitlines()[1].split()[-1] == "yes"  # the same ids as Hugging Face's
    assert loading.startswith("loading: tiny")
