"""models/tiny-gpt2 loads without a network, has learned what its record says, and its training can be interrupted."""

import json
import math
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import GPT2LMHeadModel, GPT2Tokenizer

from models import baselines, corpus, folder, page, train_tiny
from models.trainer import Settings, Tokens, bits, train

MODELS = Path(folder.__file__).parent
RECORD = json.loads(train_tiny.RECORD.read_text(encoding="utf-8"))
EXCERPT = (folder.FOLDER / folder.HELD_OUT).read_text(encoding="utf-8")
TOY = Settings(
    vocab_size=40, n_positions=8, n_embd=8, n_layer=1, n_head=2, n_inner=16, batch_size=2, steps=6, warmup_steps=2,
    evaluate_every=2,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the toys are too small for two
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def shipped():
    return folder.load()


# The folder


def test_the_configuration_is_the_recorded_one(shipped):
    config, settings = shipped[0].config, RECORD["settings"]
    assert settings == asdict(Settings())
    for name in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner"):
        assert getattr(config, name) == settings[name], name
    assert config.model_type == "gpt2"
    assert config.activation_function == "gelu_new"
    assert config.layer_norm_epsilon == 1e-5
    assert sum(weight.numel() for weight in shipped[0].parameters()) == RECORD["parameters"]


def test_the_folder_is_two_to_six_megabytes():
    assert 2e6 <= folder.size_bytes() <= 6e6


def test_the_checkpoint_has_the_names_that_save_pretrained_gives_and_float32(shipped):
    expected = {name for name in shipped[0].state_dict() if name != "lm_head.weight"}
    with safe_open(folder.FOLDER / "model.safetensors", framework="pt") as file:
        assert set(file.keys()) == expected
        assert {file.get_tensor(name).dtype for name in expected} == {torch.float32}


def test_the_head_is_tied_to_the_token_embedding(shipped):
    model = shipped[0]
    assert model.lm_head.weight is model.transformer.wte.weight


@pytest.mark.parametrize("text", ["The import system", "a  b\n\tc\r\n", "héllo 🦊 日本語 \u0301", " x", "\x00\x7f", ""])
def test_the_tokenizer_gives_every_text_back(shipped, text):
    for tokenizer in (shipped[1], GPT2Tokenizer.from_pretrained(folder.FOLDER, local_files_only=True)):
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
        assert all(0 < token < RECORD["settings"]["vocab_size"] for token in ids)


def test_end_of_text_is_one_token_and_the_only_special_one(shipped):
    model, tokenizer = shipped
    assert tokenizer(corpus.END_OF_TEXT)["input_ids"] == [0]
    assert tokenizer.all_special_ids == [0]
    assert len(tokenizer) == model.config.vocab_size
    assert model.config.eos_token_id == model.generation_config.eos_token_id == 0


# What it has learned


def test_the_held_out_excerpt_costs_what_the_record_says_and_less_than_the_bigram(shipped):
    model, tokenizer = shipped
    size = corpus.byte_count(EXCERPT)
    expected = RECORD["excerpt"]["bits_per_byte"]
    loss = bits(model, [[0, *tokenizer(EXCERPT)["input_ids"]]]) / size
    assert size == RECORD["excerpt"]["bytes"]
    # Another processor's order of additions moves a loss of about 1 by less than 1e-5; another model's by 1e-2.
    assert loss == pytest.approx(expected["tiny-gpt2"], abs=1e-3)
    assert loss < 0.9 * expected["bigram of the same tokens"]


def test_the_model_is_well_below_the_bigram_and_the_compressors():
    losses = dict(RECORD["bits_per_byte"])
    model, _ = losses.pop("tiny-gpt2"), losses.pop("trigram of the same tokens")
    assert model < 0.95 * min(losses.values())


def test_the_record_holds_for_the_text_where_python_carries_the_same(shipped):
    split = corpus.split_topics()
    if split.sha256 != RECORD["text"]["sha256"]:
        pytest.skip("this Python carries another text")
    tokenizer = corpus.train_tokenizer(list(split.training.values()), RECORD["settings"]["vocab_size"])
    assert tokenizer.get_vocab() == shipped[1].get_vocab()
    assert split.held_out[split.excerpt] == EXCERPT
    tokens = train_tiny.tokenized(split, tokenizer)
    assert train_tiny.text_record(split, tokens) == RECORD["text"]
    bigram = baselines.NGram(tokens.training, 2, 2000, baselines.best_strength(tokens.training, 2, 2000))
    loss = bigram.bits(tokens.held_out) / tokens.held_out_bytes
    assert loss == pytest.approx(RECORD["bits_per_byte"]["bigram of the same tokens"], abs=1e-9)


def test_greedy_text_is_the_recorded_one(shipped):
    assert folder.sample(*shipped, greedy=True) == RECORD["sample"]["greedy"]


# The page


def test_readme_and_picture_show_the_record():
    readme = (MODELS / "README.md").read_text(encoding="utf-8")
    assert page.with_figures(readme, RECORD) == readme
    assert page.loss_curve(RECORD) == (MODELS / "loss.svg").read_text(encoding="utf-8")
    for name, loss in RECORD["bits_per_byte"].items():
        assert re.search(rf"^\| {re.escape(name)} +\| +{loss:.3f} \|$", readme, re.MULTILINE), name


# How it was measured


def test_no_training_paragraph_stands_in_a_held_out_topic():
    quoted = "The same eight words and more of them, as they stand in both of the two topics."
    own = "Words of this topic's own, that no other topic has, and enough of them to make a run."
    held = next(name for name in map(str, range(99)) if corpus.is_held_out(name))
    kept = [name for name in map(str, range(99)) if not corpus.is_held_out(name)][:2]
    reflowed = quoted.replace(" and ", "\n   and ")
    split = corpus.split_topics({held: quoted, kept[0]: f"{own}\n\n{reflowed}", kept[1]: f"Note:\n\n{own}"})
    assert split.held_out == {held: f"{quoted}\n"}
    assert split.training == {kept[0]: f"{own}\n", kept[1]: "Note:\n"}


def test_a_paragraph_is_a_line_code_keeps_its_lines_and_grammar_goes():
    text = (
        "Title\n*****\n\nOne line\nand another.\n\n   for x in y:\n       pass\n\n   rule ::= a\n            | b\n\n\n"
    )
    assert corpus.one_line_a_paragraph(text) == "Title\nOne line and another.\n   for x in y:\n       pass\n"


def test_an_n_gram_model_gives_probabilities():
    model = baselines.NGram([[0, 1, 2, 1, 2, 2], [0, 2, 1]], 3, 4, 0.7)
    for context in ((), (1,), (0, 2), (3, 3)):
        assert math.fsum(model.probability(context, token) for token in range(4)) == pytest.approx(1)
    assert model.probability((1,), 2) > model.probability((2,), 2)


def test_bits_count_every_token_but_the_first_once():
    model = GPT2LMHeadModel.from_pretrained(folder.FOLDER, local_files_only=True)
    for weight in model.parameters():
        torch.nn.init.zeros_(weight)  # every token has the same probability
    for length in (1, 2, 128, 256, 257, 300):
        assert bits(model, [[0] * length]) == pytest.approx((length - 1) * math.log2(2000), rel=1e-5)


# Training


@pytest.fixture
def toy_tokens():
    generator = torch.Generator().manual_seed(3)
    documents = torch.randint(40, (4, 30), generator=generator).tolist()
    return Tokens(documents[:3], documents[3:], 300, 100)


@pytest.mark.parametrize("stop_at", [1, 2, 3, 5])
def test_an_interrupted_training_ends_where_an_uninterrupted_one_does(toy_tokens, tmp_path, stop_at):
    whole = train(TOY, toy_tokens, tmp_path / "whole.pt")

    def interrupt(run):
        if run.step == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TOY, toy_tokens, tmp_path / "parts.pt", on_step=interrupt)
    steps = []
    resumed = train(TOY, toy_tokens, tmp_path / "parts.pt", on_step=lambda run: steps.append(run.step))
    assert steps == list(range(stop_at // 2 * 2 + 1, 7))
    assert resumed.history == whole.history
    assert resumed.best_step == whole.best_step
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name


def test_a_checkpoint_of_other_settings_is_not_gone_on_from(toy_tokens, tmp_path):
    train(TOY, toy_tokens, tmp_path / "checkpoint.pt")
    steps = []
    train(replace(TOY, seed=1), toy_tokens, tmp_path / "checkpoint.pt", on_step=lambda run: steps.append(run.step))
    assert steps == list(range(1, 7))


def test_training_stops_early_when_the_held_out_loss_no_longer_falls(toy_tokens, tmp_path):
    settings = replace(TOY, steps=400, learning_rate=0.1, patience=3)
    run = train(settings, toy_tokens, tmp_path / "checkpoint.pt")
    assert run.step == run.best_step + 3 * settings.evaluate_every < settings.steps
    assert bits(run.model, toy_tokens.held_out) / 100 == pytest.approx(run.best_loss)
