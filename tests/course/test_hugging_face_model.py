"""`pixi run huggingface` prints what transformers itself says, offline, on any console."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers

SCRIPT = Path(__file__).parents[2] / "hugging-face-model.py"
SEVEN = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon")
ROW = re.compile(
    r"(?P<indent> *)(?P<name>\w+): (?:(?P<times>\d+) x )?(?P<kind>\w+) +(?P<shapes>\S.*?)? +(?P<count>[\d,]+)"
)


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(SCRIPT), *arguments]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment with an empty hub cache, so that this machine's own cache decides nothing."""
    return os.environ | {"HF_HOME": str(folder / "hub"), "NO_COLOR": "1", "COLUMNS": "40"} | more


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    variables = environment(folder, PYTHONIOENCODING="cp1252", **more)
    return subprocess.run(command(*arguments), env=variables, capture_output=True, encoding="cp1252", check=False)


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return run(tmp_path_factory.mktemp("default"))


def values(output: str) -> dict[str, str]:
    """Return the printed entries of the configuration, in the printed order."""
    return dict(re.findall(r"^  (\w+) {2,}(.*)$", output, re.MULTILINE))


def leaves(output: str) -> int:
    """Return the sum of the counts of all modules without children; those inside `h` count once for each block."""
    rows = [match for line in output.splitlines() if (match := ROW.fullmatch(line))]
    total, times, block_depth = 0, 1, 0
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        depth = len(row["indent"])
        if depth <= block_depth:
            times, block_depth = 1, 0
        if row["times"]:
            times, block_depth = int(row["times"]), depth
        if after is None or len(after["indent"]) <= depth:
            total += times * int(row["count"].replace(",", ""))
    return total


def on_meta(config: transformers.GPT2Config) -> transformers.GPT2LMHeadModel:
    with torch.device("meta"):
        return transformers.GPT2LMHeadModel(config)


def test_the_default_run_is_quiet_and_passes(default: subprocess.CompletedProcess[str]) -> None:
    assert default.returncode == 0
    assert default.stderr == ""


def test_it_says_where_the_values_come_from(default: subprocess.CompletedProcess[str]) -> None:
    second = default.stdout.splitlines()[1]
    assert second == f"values: transformers {transformers.__version__}'s own defaults, which are GPT-2's (124M)"


def test_the_seven_numbers_come_first_and_are_transformers_own(default: subprocess.CompletedProcess[str]) -> None:
    printed, theirs = values(default.stdout), transformers.GPT2Config()
    assert tuple(printed)[:7] == SEVEN
    for name in SEVEN:
        assert printed[name].split()[0] == str(getattr(theirs, name))


def test_it_says_what_none_means_for_n_inner(default: subprocess.CompletedProcess[str]) -> None:
    width = on_meta(transformers.GPT2Config(n_layer=1)).transformer.h[0].mlp.c_fc.nf
    assert values(default.stdout)["n_inner"] == f"None   which means 4 * n_embd = {width}"


def test_no_entry_of_the_configuration_is_lost(default: subprocess.CompletedProcess[str]) -> None:
    assert set(transformers.GPT2Config().to_diff_dict()) - {"transformers_version"} <= set(values(default.stdout))


def test_the_printed_counts_add_up_to_the_total(default: subprocess.CompletedProcess[str]) -> None:
    total = sum(parameter.numel() for parameter in on_meta(transformers.GPT2Config()).parameters())
    assert total == 124_439_808
    assert leaves(default.stdout) == total
    assert default.stdout.endswith(f"Total: {total:,} parameters\n")


def test_every_module_is_there_with_its_shapes(default: subprocess.CompletedProcess[str]) -> None:
    model = on_meta(transformers.GPT2Config())
    for path, module in model.named_modules():
        name = path.rpartition(".")[2]
        if not path or name == "h" or (".h." in path and ".h.0." not in path) or name.isdigit():
            continue
        shapes = " + ".join(str(list(parameter.shape)) for parameter in module.parameters(recurse=False))
        rows = [line.strip() for line in default.stdout.splitlines() if line.strip().startswith(f"{name}: ")]
        assert any(type(module).__name__ in row and shapes in row for row in rows), path
    assert "h: 12 x GPT2Block" in default.stdout


def test_the_tie_and_the_orientation_are_told(default: subprocess.CompletedProcess[str]) -> None:
    assert "lm_head.weight is wte.weight, the same tensor (tied): it is counted once." in default.stdout
    assert "Conv1D keeps its weight as [in, out]" in default.stdout


def test_no_line_is_wider_than_80_columns(default: subprocess.CompletedProcess[str]) -> None:
    assert max(map(len, default.stdout.splitlines())) <= 80


def test_a_folder_with_other_numbers_is_shown(tmp_path: Path) -> None:
    config = transformers.GPT2Config(
        vocab_size=97, n_positions=32, n_embd=48, n_layer=2, n_head=3, n_inner=80, layer_norm_epsilon=1e-3,
        bos_token_id=0, eos_token_id=0, tie_word_embeddings=False,
    )  # fmt: skip
    folder = tmp_path / "Modell-ß-模"
    config.save_pretrained(folder)
    result = run(tmp_path, "--model", str(folder))
    assert result.returncode == 0
    assert "Modell-ß-\\u6a21" in result.stdout
    assert [values(result.stdout)[name] for name in SEVEN] == ["97", "32", "48", "2", "3", "80", "0.001"]
    assert "h: 2 x GPT2Block" in result.stdout
    assert "tied" not in result.stdout
    assert leaves(result.stdout) == sum(parameter.numel() for parameter in on_meta(config).parameters())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2]", "cannot be read as a JSON object."),
        ('{"model_type": "llama"}', "is not a GPT-2: its model_type is 'llama'."),
        ('{"model_type": "gpt2", "n_embd": "wide"}', "is not a GPT-2 configuration: "),
        ('{"model_type": "gpt2", "n_head": 7}', "No GPT-2 can be built from "),
    ],
)
def test_a_bad_model_gets_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    """In this process, which has transformers."""
    (tmp_path / "config.json").write_text(text)
    monkeypatch.setattr(sys, "argv", command("--model", str(tmp_path))[1:])
    monkeypatch.setattr(os, "environ", os.environ.copy())  # it sets some
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(SCRIPT))["main"]()
    told = capsys.readouterr().err
    assert says in told
    assert len(told.splitlines()) == 1


def test_a_model_that_is_nowhere_gets_one_sentence(tmp_path: Path) -> None:
    result = run(tmp_path, "--model", "nobody/no-such-model")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    says = "nobody/no-such-model is no folder here and not in the hub's cache on this machine; --online asks"
    assert says in result.stderr


def test_the_first_line_comes_before_the_heavy_imports(tmp_path: Path) -> None:
    (tmp_path / "transformers.py").write_text("raise ImportError('no transformers here')")
    result = run(tmp_path, PYTHONPATH=str(tmp_path))
    assert result.returncode == 1
    assert result.stdout == "Hugging Face's GPT-2: openai-community/gpt2\n"
    assert result.stderr.startswith("no transformers here: run this as `pixi run huggingface`")


def test_a_reader_that_stops_early_gets_no_complaint(tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(command(), env=environment(tmp_path), stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("Hugging Face's GPT-2")
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_help_has_an_example(tmp_path: Path) -> None:
    result = run(tmp_path, "--help")
    assert result.returncode == 0
    assert "pixi run huggingface --model" in result.stdout
