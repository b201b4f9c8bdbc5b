"""What learners' files do, by accident and on purpose, and what each must get: the outcome, and the sentence shown.

The files lie in `hostile/`, each named for its case: a submission of step 01 or step 03, bent one way. What no text
file can hold is made here. A word in capitals in a file (`PIDS`, `KIND`) is filled in by its test.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import re
import sys
import time
from pathlib import Path

import pytest
from conftest import LIMITS, LONG_NUMBERS_ARE_TAKEN
from processes import gone

from autograder.generate import plan
from autograder.judge import Order, judge
from autograder.nursery import Nursery
from autograder.views import document, plain

HOSTILE = Path(__file__).parent / "hostile"
SHORT = LIMITS._replace(call_s=0.5)  # for what hangs
SMALL = LIMITS._replace(memory_bytes=300 * 2**20, cpu_s=10.0, call_s=20.0)  # for what fills the memory
PATIENT = LIMITS._replace(cpu_s=10.0, call_s=20.0)  # for what takes long before it is too much
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
VALUES = "mean = x.mean(dim=-1, keepdim=True)"
RIGHT = """\
from dataclasses import dataclass


@dataclass
class GPT2Config:
    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int = 3072
    layer_norm_epsilon: float = 1e-5
"""


@pytest.fixture
def hostile(judge_text):
    """Return a function that judges a file of `hostile/`, with these words of it filled in."""

    def judged(name, *, limits=LIMITS, seed="91c2", diagnose=True, **words):
        text = read(name)
        for word, value in words.items():
            assert word in text, f"{name} has no {word}"
            text = text.replace(word, str(value))
        return judge_text(slug_of(text), text, limits=limits, seed=seed, diagnose=diagnose)

    return judged


def read(name):
    return (HOSTILE / f"{name}.py").read_text(encoding="utf-8")


def slug_of(text):
    return "config" if "GPT2Config" in text else "layer_norm"


def result(report, name):
    return next(check for check in report.checks if check.id == name)


def sentences(report):
    """Return all that is said of the checks that did not pass."""
    failed = [check for check in report.checks if check.outcome != "passed"]
    return [text for check in failed for text in (check.message, check.expected, check.got, *check.detail) if text]


def says(report, sentence):
    return any(sentence in text for text in sentences(report))


def screen(report):
    stream = io.StringIO()
    plain.write(report, stream)
    return stream.getvalue()


@contextlib.contextmanager
def memory_grows_by_less_than(size_bytes):
    """Check the most memory that the judge, which is this process, has had within the block, its libraries apart."""
    for library in ("torch", "torch.testing", "autograder.oracle.modules"):
        importlib.import_module(library)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = resident("VmRSS")
    yield
    assert resident("VmHWM") - before < size_bytes


def resident(name):
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", text)[1]) * 1024


# ----------------------------------------------------------------------------------- 1 to 3: it ends its own process


@pytest.mark.parametrize("name", ["row_01_exit_at_import", "row_01_exit_in_call"])
def test_exit_code_zero_is_no_pass(hostile, name):
    report = hostile(name)
    assert report.outcome == "error"
    assert says(report, "your code called sys.exit: a step returns its values")
    assert "sys.exit: a step returns its values" in screen(report)


def test_a_process_that_is_left_with_code_zero_is_no_pass(hostile):
    report = hostile("row_01_exit_by_os")
    assert report.outcome == "crash"
    assert says(report, "your code ended its own process (exit code 0) before it answered")


def test_what_is_printed_is_no_verdict(hostile):
    report = hostile("row_02_prints_passed")
    assert report.outcome == "crash"
    assert says(report, "ended its own process (exit code 0) before it answered, while the file was being imported")
    assert "✅ vocab_size is correct" in report.output.text
    shown = screen(report)
    assert "\n❌ vocab_size is incorrect" in shown
    assert "\n✅ vocab_size" not in shown, "a learner's print is never mistaken for ours"


@pytest.mark.parametrize(
    ("name", "signal"),
    [("row_03_segfault", "SIGSEGV"), ("row_03_abort", "SIGABRT"), ("row_03_stack_overflow", "SIGSEGV")],
)
def test_a_crash_names_its_signal(hostile, name, signal):
    report = hostile(name)
    if name == "row_03_stack_overflow" and report.outcome == "error":  # Pythons that count C's recursion, too
        assert says(report, "RecursionError")
        return
    assert report.outcome == "crash"
    assert says(report, f"your code was ended by the signal {signal}")
    lines = {check.where.text.strip() for check in report.checks if check.where}
    # Each process has a stack of its own, which ends on the one line of the recursion or on the other.
    assert 1 <= len(lines) <= (2 if name == "row_03_stack_overflow" else 1), "the line on which it crashed"
    assert all(read(name).count(line) == 1 for line in lines)


def test_after_a_crash_the_other_checks_still_run(hostile):
    report = hostile("row_03_one_check_crashes")
    assert report.outcome == "crash"
    assert [check.id for check in report.checks if check.outcome != "passed"] == ["uses_its_eps"]
    assert "SIGSEGV" in result(report, "uses_its_eps").detail[0]


# ------------------------------------------------------------------------------------------- 4 to 6: it does not end


def test_a_loop_is_a_timeout_that_names_the_function_and_its_input(hostile):
    report = hostile("row_04_endless_loop", limits=LIMITS._replace(cpu_s=0.3))
    assert report.outcome == "timeout"
    first = next(check for check in report.checks if check.outcome == "timeout")
    assert re.fullmatch(r"LayerNorm\(\d+, eps=[\d.e-]+\)\(x\) +x: \[batch=\d+, seq=\d+, dim=\d+\]", first.call)
    assert "your code was still computing after 0.3 seconds of processor time" in first.detail
    assert "a loop that never ends" in screen(report)
    assert (first.where.line, first.where.text) == (15, "        while True:")
    assert "Outcome: timeout" in screen(report)


def test_a_loop_at_import_is_a_timeout(hostile):
    report = hostile("row_04_endless_import", limits=LIMITS._replace(cpu_s=0.3))
    assert report.outcome == "timeout"
    assert says(report, "after 0.3 seconds of processor time, while the file was being imported")
    assert {(check.where.line, check.where.text) for check in report.checks if check.where} == {(17, "while True:")}


def test_what_swallows_exceptions_and_ignores_signals_is_ended_all_the_same(hostile):
    report = hostile("row_05_swallows_everything", limits=SHORT)
    assert report.outcome == "timeout"
    assert says(report, "your code had not come back after 0.5 seconds")


def test_a_sleep_is_a_timeout(hostile):
    report = hostile("row_06_sleeps", limits=SHORT)
    assert report.outcome == "timeout"
    assert says(report, "your code had not come back after 0.5 seconds")
    assert {check.where.text.strip() for check in report.checks if check.where} == {"time.sleep(86400)"}


def test_what_forges_where_it_stands_is_ended_all_the_same_and_names_no_other_file(hostile):
    report = hostile("row_13_writes_its_stack", limits=SHORT)
    assert report.outcome == "timeout"
    assert {check.where.file for check in report.checks if check.where} <= {"steps/step_03.py"}
    assert not says(report, "passwd")


def test_after_a_timeout_the_rest_is_not_tried(hostile):
    report = hostile("row_06_sleeps", limits=SHORT)
    assert says(report, "your code did not come back from the call before")
    assert [check.outcome for check in report.checks][1:-1] == ["timeout"] * (len(report.checks) - 2)
    assert len([text for text in sentences(report) if "had not come back after" in text]) == 1


def test_nobody_answers_input(hostile):
    report = hostile("row_06_asks")
    assert report.outcome == "error"
    assert says(report, "there is nobody to answer input() in a check: remove it")


def test_standard_input_is_empty(hostile):
    assert hostile("row_06_reads_input").outcome == "passed"


# ------------------------------------------------------------------------------------ 7: processes, threads, and 9


@pytest.mark.parametrize("name", ["row_07_many_processes", "row_07_many_orphans"])
def test_many_processes_are_a_limit(hostile, name):
    report = hostile(name, limits=PATIENT)
    assert report.outcome == "limit"
    assert says(report, "your code started more than 32 processes")


def test_many_threads_are_a_limit(hostile):
    report = hostile("row_07_many_threads", limits=PATIENT)
    assert report.outcome == "limit"
    assert says(report, "your code started more than 256 threads")


@ON_LINUX
def test_an_orphan_ends_with_the_verdict(hostile, tmp_path):
    pids = tmp_path / "pids"
    report = hostile("row_07_orphan_survives", PIDS=pids)
    assert report.outcome == "passed"
    left = [int(line) for line in pids.read_text().split()]
    assert left
    assert gone(left)


@ON_LINUX
def test_a_process_that_forks_and_dies_does_not_outlive_the_verdict(hostile, tmp_path):
    pids = tmp_path / "pids"
    hostile("row_07_moving_target", PIDS=pids)
    deadline, born = time.monotonic() + 20.0, [""]
    while (found := pids.read_text().split("\n")[:-1]) != born and time.monotonic() < deadline:
        born = found
        time.sleep(0.2)
    assert found == born, "it forks no more"
    assert 0 < len(born) < 20_000
    assert gone([int(born[-1])])


@ON_LINUX
def test_an_orphans_memory_counts(hostile):
    report = hostile("row_07_orphan_eats_memory", limits=SMALL)
    assert report.outcome == "limit"
    assert says(report, "your code used >300 MB of memory")


def test_a_thread_that_is_left_holds_nothing_up(hostile):
    assert hostile("row_07_thread_left").outcome == "passed"


def test_last_words_change_nothing(hostile):
    report = hostile("row_09_last_words")
    assert report.outcome == "failed"
    assert result(report, "matches_hugging_face[vocab_size]").message.endswith("configuration, got 1")


# --------------------------------------------------------------------------------------- 10 to 12: memory and output


@ON_LINUX
@pytest.mark.parametrize("name", ["row_10_memory_caught", "row_10_memory_touched"])
def test_too_much_memory_is_a_limit_though_the_learner_caught_the_error(hostile, name):
    with memory_grows_by_less_than(100 * 2**20):
        report = hostile(name, limits=SMALL)
    assert report.outcome == "limit"
    assert says(report, "your code used >300 MB of memory")


def test_more_memory_than_there_can_be_is_a_limit(hostile):
    report = hostile("row_10_tensor")
    assert report.outcome == "limit"
    assert says(report, "your code asked for more memory than there is")


@ON_LINUX
def test_a_tensor_that_was_let_go_counts(hostile):
    report = hostile("row_10_tensor_caught")
    assert report.outcome == "limit"
    assert says(report, "your code used >3 GB of memory")


@ON_LINUX
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("row_11_huge_tensor", "larger than 32 MB"),
        ("row_11_huge_list", "more than 1,000,000 items"),
        ("row_11_huge_text", "larger than 32 MB"),
        ("row_11_huge_number", "larger than 32 MB"),
        ("row_11_list_in_itself", "nested deeper than 32 levels"),
    ],
)
def test_a_huge_value_is_a_limit_and_never_reaches_the_judge(hostile, name, what):
    with memory_grows_by_less_than(100 * 2**20):
        report = hostile(name, limits=PATIENT)
    assert report.outcome == "limit"
    assert says(report, what)


def test_a_number_that_python_does_not_print_is_a_wrong_value(hostile):
    report = hostile("row_11_long_number")
    got = result(report, "matches_hugging_face[vocab_size]").got
    if LONG_NUMBERS_ARE_TAKEN:
        assert (report.outcome, got) == ("failed", "an int too long to print")
    else:
        assert (report.outcome, got) == ("error", "ValueError")


@ON_LINUX
def test_a_chatty_answer_passes(hostile):
    with memory_grows_by_less_than(100 * 2**20):
        report = hostile("row_12_chatty")
    assert report.outcome == "passed"
    assert report.output.bytes > 30 * 2**20
    assert len(report.output.text) < 10_000


def test_the_beginning_and_the_end_of_the_output_are_kept(hostile):
    report = hostile("row_12_chatty_and_wrong")
    assert report.outcome == "failed"
    assert report.output.text.startswith("the first words\n")
    assert report.output.text.endswith("the last words\n")
    assert re.search(r"… [\d,]+ bytes left out …", report.output.text)
    assert f"Your code printed {report.output.bytes:,} bytes:" in screen(report)


# ----------------------------------------------------------------------------------- 13 to 15: the channel of answers


def test_a_closed_standard_output_is_the_learners_own(hostile):
    assert hostile("row_13_closes_output").outcome == "passed"


def test_a_closed_channel_is_a_crash(hostile):
    report = hostile("row_13_closes_channel")
    assert report.outcome == "crash"
    assert says(report, "your code broke the process that it runs in, so that no answer came")


def test_a_closed_channel_is_a_crash_though_the_process_lives_on(hostile):
    report = hostile("row_13_closes_channel_and_stays", limits=PATIENT)
    assert report.outcome == "crash"
    assert says(report, "your code closed the channel that its answers travel on")


TENSOR = '{"type": "tensor", "dtype": "float32", "shape": [2], "data": b"", "device": "cpu", "requires_grad": 0 > 1}'
PROTOCOL = "your code wrote into the autograder's own channel (protocol)"


@pytest.mark.parametrize(
    "name",
    [
        "row_13_output_is_channel",
        "row_14_forged_reply",
        "row_14_forged_number",
        "row_14_two_replies",
        "row_14_thread_writes",
        "row_14_before_the_first",
        "row_15_long_prefix",
        "row_15_noise",
        "row_15_half_a_frame",
        "row_15_deep",
        "row_15_deep_value",
        "row_15_long_name",
    ],
)
def test_whatever_else_comes_through_the_channel_is_a_crash(hostile, name):
    report = hostile(name)
    assert report.outcome == "crash"
    assert says(report, PROTOCOL)
    assert max(map(len, sentences(report))) < 2_000


@pytest.mark.parametrize(
    "kind",
    [
        '{"type": "absent"}',
        '{"type": "described", "is_class": True, "is_dataclass": True, "decorated_itself": True, "fields": []}',
        '{"type": "returned", "value": None, "arguments": [None, None]}',
        '{"type": "passed"}',
        '{"type": "returned", "value": {"type": "module", "name": "os"}}',
    ],
)
def test_an_answer_of_another_kind_is_a_crash(hostile, kind):
    report = hostile("row_15_wrong_answer", KIND=kind)
    assert report.outcome == "crash"
    assert says(report, PROTOCOL)


@pytest.mark.parametrize(
    "value",
    [
        '{"type": "big", "hexadecimal": "__import__"}',
        '{"type": "text", "data": b"\\xff\\xfe"}',
        '{"type": "dtype", "name": "Tensor"}',
        '{"type": "device", "name": "the moon"}',
        '{"type": "set", "items": [{"type": "list", "items": []}], "frozen_set": False}',
        '{"type": "dict", "items": [[{"type": "list", "items": []}, 1]]}',
        TENSOR,
        TENSOR.replace("[2]", "[-1, -2]"),
        TENSOR.replace("[2]", "[2**64 - 1, 0]"),
        TENSOR.replace("[2]", "[2**62, 2**62]").replace('"cpu"', '"meta"'),
        TENSOR.replace("float32", "load"),
        TENSOR.replace("float32", "int64").replace("[2]", "[0]").replace("0 > 1", "1 > 0"),
    ],
)
def test_a_value_that_is_none_is_a_crash(hostile, value):
    report = hostile("row_15_odd_value", VALUE=value)
    assert report.outcome == "crash"
    assert says(report, PROTOCOL)


@ON_LINUX
def test_a_few_bytes_that_stand_for_many_objects_are_not_made_into_them(hostile):
    with memory_grows_by_less_than(300 * 2**20):
        started = time.monotonic()
        report = hostile("row_15_many_items", limits=PATIENT)
    assert report.outcome == "crash"
    assert says(report, PROTOCOL)
    assert time.monotonic() - started < 30


def test_the_bits_of_a_number_that_is_none_do_no_harm(hostile):
    report = hostile("row_15_no_number")
    assert report.outcome == "failed"
    assert result(report, "output_matches").got == "nan"


# ------------------------------------------------------------------------- 16 to 19: values that are more than values


@pytest.mark.parametrize(("name", "got"), [("row_16_reduce", "a Payload"), ("row_16_pickled", "a bytes")])
def test_nothing_is_unpickled(hostile, tmp_path, name, got):
    marker = tmp_path / "marker"
    report = hostile(name, MARKER=marker)
    assert report.outcome == "failed"
    assert result(report, "output_matches").got == got
    assert not marker.exists()


def test_a_value_that_looks_like_a_message_stays_a_value(hostile):
    report = hostile("row_17_tags")
    assert report.outcome == "failed"
    got = {check.id: check.got for check in report.checks if check.outcome != "passed"}
    assert got == {
        "matches_hugging_face[vocab_size]": "{'type': 'big', 'hexadecimal': '0xc451'}",
        "matches_hugging_face[n_positions]": "{'_type': 'np_scalar', 'dtype': 'int64', 'value': 1024}",
        "matches_hugging_face[n_embd]": "{'type': 'ref', 'handle': 0, 'type_name': 'int'}",
        "matches_hugging_face[n_layer]": "b'\\x0c'",
        "matches_hugging_face[n_head]": "('int', 12)",
    }
    assert says(report, "a dict, where an int is asked for")


def test_what_is_equal_to_all_is_no_number(hostile):
    report = hostile("row_18_equal_to_all")
    assert report.outcome == "failed"
    for name, got in (("vocab_size", "a Yes"), ("n_positions", "a Yes"), ("layer_norm_epsilon", "an Always")):
        line = result(report, f"matches_hugging_face[{name}]")
        assert line.outcome == "failed"
        assert line.message.endswith(f"got {got}")
        assert got in screen(report)


@pytest.mark.parametrize(
    ("name", "got"),
    [
        ("row_18_tensor_subclass", "a Yes"),
        ("row_18_ndarray", "a Yes"),
        ("row_18_array", "an Anything"),
        ("row_19_deferred", "a Deferred"),
        ("row_19_sparse", "a sparse_coo tensor"),
    ],
)
def test_what_acts_like_a_tensor_is_none(hostile, name, got):
    report = hostile(name)
    assert report.outcome == "failed"
    line = result(report, "output_matches")
    assert line.got == got
    assert line.expected.startswith("a tensor [batch=")


def test_a_parameter_is_a_tensor(hostile):
    assert hostile("row_18_parameter").outcome == "passed"


def test_numbers_that_come_after_the_reply_come_too_late(hostile):
    report = hostile("row_19_filled_later")
    assert report.outcome == "failed"
    assert "every number is 0" in result(report, "output_matches").detail


def test_a_buffer_that_the_next_call_overwrites_is_copied_in_time(hostile):
    assert hostile("row_19_shared_buffer").outcome == "passed"


def test_a_strided_view_is_a_tensor(hostile):
    assert hostile("row_19_strided").outcome == "passed"


def test_a_tensor_without_numbers_is_told_apart(hostile):
    report = hostile("row_19_meta")
    assert report.outcome == "failed"
    assert result(report, "output_matches").got == "one on meta"


# ------------------------------------------------------------------------------- 20 to 23: what it changes and reads


def test_an_argument_that_is_changed_in_place_is_noticed(hostile):
    report = hostile("row_20_changes_x")
    assert report.outcome == "failed"
    assert {check.id for check in report.checks if check.outcome != "passed"} == {"is_a_function"}
    assert says(report, "this is x after the call: it was changed in place")


def test_a_worker_holds_neither_expected_values_nor_checks(hostile):
    report = hostile("row_21_looks_around", limits=PATIENT)
    assert report.outcome == "failed"
    said = report.output.text
    assert "FOUND" not in said
    files = set(re.findall(r"FRAME (\S+) ", said))
    ours = {"step_03.py", "guard.py", "ancestor.py"}
    assert ours <= files <= ours | {"module.py", "serve.py"}
    assert "MODULES []" in said
    assert "CWD []" in said
    assert "91c2" not in said, "the seed is the judge's"
    for word in ("expected", "oracle", "checker", "theirs", "tolerance"):
        assert word not in said


def test_a_worker_sees_none_of_the_environments_secrets(course, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "a secret")
    monkeypatch.setenv("PYTHONSTARTUP", "a file")
    path = tmp_path / "answer.py"
    path.write_text(f"{RIGHT}\n\nimport os\n\nprint(sorted(os.environ.items()))\n")
    with Nursery() as nursery:
        report = judge(course, Order(course.find("config"), file=path, shown="answer.py"), nursery, LIMITS)
    assert report.outcome == "passed"
    assert "HF_TOKEN" not in report.output.text
    assert "PYTHONSTARTUP" not in report.output.text
    assert "'HF_HUB_OFFLINE', '1'" in report.output.text


@pytest.mark.parametrize(
    ("name", "outcome", "sentence"),
    [
        ("row_23_transformers", "error", "so transformers is not there while it runs"),
        (
            "row_23_torchs_own",
            "failed",
            "torch.nn.functional.layer_norm is what this step does without: write it yourself",
        ),
        ("row_23_by_another_name", "failed", "your code called torch.nn.functional.layer_norm, which this"),
        ("row_23_inside_another", "failed", "which this step does without: write it yourself"),
        ("row_23_operator", "failed", "your code called torch.ops.aten.native_layer_norm, which this"),
        ("row_23_imported_at_run_time", "error", "puzzles/ is the finished GPT-2: it is there to read"),
    ],
)
def test_a_call_of_the_reference_is_no_answer(hostile, name, outcome, sentence):
    report = hostile(name)
    assert report.outcome == outcome
    assert says(report, sentence)
    assert sentence in screen(report)


# ------------------------------------------------------------------------------------ 25 to 27: plausible, and wrong


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("row_25_known_inputs", "output_matches"),
        ("row_25_one_shape", "output_matches"),
        ("row_25_one_scale", "uses_its_eps"),
        ("row_26_zeros", "output_matches"),
        ("row_26_constant", "output_matches"),
        ("row_26_identity", "output_matches"),
        ("row_26_without_weight", "output_matches"),
        ("row_27_dropout", "output_matches"),
        ("row_27_counts_calls", "output_matches"),
        ("row_27_reseeds", "output_matches"),
        ("row_27_training", "output_matches"),
        ("row_28_tampers", "output_matches"),
        ("row_29_patches_unittest", "output_matches"),
    ],
)
def test_a_plausible_answer_is_wrong_on_fresh_inputs(hostile, name, check):
    for seed in ("91c2", None):
        report = hostile(name, seed=seed, diagnose=seed is not None)
        assert report.outcome == "failed"
        line = result(report, check)
        assert line.outcome == "failed"
        assert float(line.expected) != float(line.got)
        assert any(re.search(r"(all|\d+ of) \d+ numbers differ, the first at ", text) for text in line.detail)
        assert f"expected  {line.expected}   got {line.got}" in screen(report)
        assert line.call.startswith("LayerNorm(")


def test_zeros_are_told_as_such(hostile):
    assert says(hostile("row_26_zeros"), "every number is 0")


def test_the_inputs_are_fresh_in_each_run_and_the_same_for_the_same_seed(hostile):
    fresh = {hostile("row_26_identity", seed=None, diagnose=False).seed for _ in range(4)}
    assert len(fresh) > 1
    again = [sentences(hostile("row_26_identity", seed="91c2")) for _ in range(2)]
    other = sentences(hostile("row_26_identity", seed="91c3"))
    assert again[0] == again[1] != other


def test_a_noise_below_the_tolerance_is_noticed(hostile):
    report = hostile("row_27_noise")
    assert report.outcome == "failed"
    assert says(report, "the same call a second time: is something random, or remembered?")


def test_setting_seeds_is_the_learners_own(hostile):
    assert hostile("row_27_reseeds_and_is_right").outcome == "passed"


# ------------------------------------------------------------------------------------- 28 to 31: tampering, shadows


def test_what_is_done_to_the_workers_own_code_makes_no_pass(hostile):
    report = hostile("row_28_tampers_with_the_worker")
    assert report.outcome in ("failed", "error", "crash")
    assert "FOUND autograder.w" in report.output.text, "it did reach the worker's code"
    assert result(report, "matches_hugging_face[vocab_size]").outcome != "passed"


def test_broken_builtins_make_no_pass(hostile):
    report = hostile("row_28_breaks_builtins", limits=LIMITS._replace(load_s=2.0))
    assert report.outcome in ("failed", "error", "timeout", "crash")
    assert result(report, "matches_hugging_face[vocab_size]").outcome != "passed"


def test_no_test_framework_of_ours_is_in_the_worker(hostile):
    assert "FOUND" not in hostile("row_29_patches_unittest").output.text


def test_a_module_in_the_place_of_the_learners_makes_no_pass(hostile):
    report = hostile("row_30_fakes_itself")
    assert report.outcome == "failed"
    assert result(report, "matches_hugging_face[vocab_size]").got == "1"


def test_another_package_called_steps_does_not_win(hostile, tmp_path):
    package = tmp_path / "path" / "steps"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("print('the other package')\n")
    (package / "answers.py").write_text("VOCAB_SIZE = 50257\n")
    report = hostile("row_30_other_steps", FOLDER=package.parent)
    assert report.outcome == "error"
    assert says(report, "steps.answers is not part of this check: a step may import earlier steps")
    assert "the other package" not in report.output.text


@pytest.mark.parametrize("name", ["torch.py", "random.py", "dataclasses.py", "numpy.py", "msgspec.py"])
def test_a_file_with_a_librarys_name_beside_the_step_does_not_win(judge_text, tmp_path, name):
    (tmp_path / name).write_text("print('shadow')\nraise SystemExit(0)\n")
    report = judge_text("config", f"{RIGHT}\n\nimport random\n")
    assert report.outcome == "passed"
    assert "shadow" not in report.output.text
    if name != "msgspec.py":
        note = f"{tmp_path.name}/{name} has the name of a library: a check ignores it, a run by hand may not"
        assert note in report.notes
        assert f"Note: {note}" in screen(report)


@pytest.mark.parametrize(
    "name", ["conftest.py", "sitecustomize.py", "usercustomize.py", "pytest.ini", "tox.ini", "setup.cfg", "odd.pth"]
)
def test_a_file_that_configures_python_is_ignored_and_named(judge_text, tmp_path, name):
    (tmp_path / name).write_text("import sys; print('configured'); sys.exit(0)\n")
    report = judge_text("config", RIGHT)
    assert report.outcome == "passed"
    assert "configured" not in report.output.text
    assert f"{tmp_path.name}/{name} is ignored by a check" in report.notes


def test_pythons_own_variables_do_not_reach_the_worker(course, tmp_path, monkeypatch):
    path = tmp_path / "answer.py"
    path.write_text(RIGHT)
    folder = tmp_path / "path"
    folder.mkdir()
    for name in ("sitecustomize.py", "usercustomize.py", "dataclasses.py"):
        (folder / name).write_text(f"open({str(tmp_path / 'marker')!r}, 'a').close()\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PYTHONHOME", "")
    with Nursery() as nursery:
        report = judge(course, Order(course.find("config"), file=path, shown="answer.py"), nursery, LIMITS)
    assert report.outcome == "passed"
    assert not (tmp_path / "marker").exists()


# --------------------------------------------------------------------------------------------- 32 to 34: exceptions


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("unittest.SkipTest('later')", "SkipTest: later"),
        ("KeyboardInterrupt", "KeyboardInterrupt came from your own code"),
        ("GeneratorExit", "GeneratorExit"),
        ("StopIteration", "StopIteration"),
        ("StopAsyncIteration('x')", "StopAsyncIteration: x"),
        ("asyncio.CancelledError", "CancelledError"),
        ("BaseException('odd')", "BaseException: odd"),
        ("BaseExceptionGroup('two', [KeyboardInterrupt(), SystemExit(0)])", "BaseExceptionGroup: two"),
    ],
)
def test_no_exception_is_a_skip(hostile, kind, name):
    report = hostile("row_32_raises", KIND=kind)
    assert report.outcome == "error"
    assert says(report, name)
    place = result(report, "output_matches").where
    assert place.text.strip() == f"raise {kind}"


def test_pytest_is_not_there_to_skip(hostile):
    report = hostile("row_32_pytest_skip")
    assert report.outcome == "error"
    assert says(report, "pytest is not there while your code runs")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("row_33_text_raises", "Odd: (its text cannot be read: __str__ raised)"),
        ("row_33_text_is_no_text", "Odd: (its text cannot be read: __str__ raised)"),
        ("row_33_text_is_huge", "ValueError: xxx"),
    ],
)
def test_an_exceptions_text_is_read_with_care(hostile, name, sentence):
    report = hostile(name, limits=PATIENT)
    assert report.outcome == "error"
    assert says(report, sentence)
    assert max(map(len, sentences(report))) < 3_000


def test_an_exceptions_text_that_never_ends_is_a_timeout(hostile):
    assert hostile("row_33_text_never_ends", limits=SHORT).outcome == "timeout"


@pytest.mark.parametrize("name", ["row_33_type_is_odd", "row_33_value_is_odd", "row_33_name_is_no_text"])
def test_what_cannot_be_named_is_no_pass_and_no_crash(hostile, name):
    report = hostile(name)
    assert report.outcome in ("failed", "error")
    assert document.encode(report)


def test_escape_sequences_are_shown_and_not_obeyed(hostile):
    report = hostile("row_33_text_escapes")
    assert report.outcome == "error"
    shown = screen(report)
    assert "\\x1b[2J\\x1b[32m✅ LayerNorm is your own" in shown
    assert not {"\x1b", "\r", "\u202e"} & set(shown)


@pytest.mark.parametrize("name", ["row_34_raises_deep", "row_34_raises_at_import", "row_34_recursion"])
def test_a_traceback_has_the_learners_frames_alone(hostile, name):
    report = hostile(name)
    assert report.outcome == "error"
    told = json.dumps(json.loads(document.encode(report))["checks"], ensure_ascii=False)
    assert all(check.expected is None for check in report.checks), "there was nothing to compare"
    assert set(re.findall(r"[\w/.-]+\.py", told)) == {report.file}
    for word in ("close(", "theirs", "oracle", "checking", "serve", "Traceback", VALUES):
        assert word not in told


def test_a_traceback_leads_to_the_line_that_raised(hostile):
    line = result(hostile("row_34_raises_deep"), "output_matches")
    assert line.where.text == "    return torch.matmul(x, torch.ones(1000, 2))"
    assert [text.rpartition(" in ")[2] for text in line.detail[1:]] == ["forward", "first"]


def test_a_deep_recursion_is_told_in_a_few_lines(hostile):
    line = result(hostile("row_34_recursion"), "output_matches")
    assert line.detail[0].startswith("RecursionError")
    assert any(re.fullmatch(r"… \d+ more frames …", text) for text in line.detail)
    assert len(line.detail) < 20


# ------------------------------------------------------------------------------------------- 35 and 36: the file itself

DEEP = 100_000


@pytest.mark.parametrize(
    ("text", "line", "caret", "sentence"),
    [
        (read("row_35_no_colon"), "def f()", 8, "this is not Python: expected ':'"),
        (read("row_35_indent"), "    b = 2", 4, "the indentation is not right: unexpected indent"),
        (read("row_35_tabs"), "\tb = 2", None, "tabs and spaces are mixed in the indentation"),
        (read("row_35_outside"), "return 1", 1, "this is not Python: 'return' outside function"),
        ("x = 1\ny = 'open\n", "y = 'open", 5, "this is not Python: unterminated string literal"),
        ("x = (1,\n", "x = (1,", 5, "this is not Python: '(' was never closed"),
        (f"# coding: rot13\n{RIGHT}", "# coding: rot13", 1, "delete this line"),
        (f"# -*- coding: latin-1 -*-\n{RIGHT}".encode(), "# -*- coding: latin-1 -*-", 1, "a step's file must be UTF-8"),
        (RIGHT.encode() + b"# caf\xe9\n", "# caf\ufffd", 6, "holds the byte 0xe9, which is not UTF-8"),
        ("x = " + "(" * DEEP + "1" + ")" * DEEP + "\n", None, None, "nested too deeply"),
    ],
    ids=["colon", "indent", "tabs", "outside", "string", "bracket", "rot13", "latin-1", "no UTF-8", "brackets"],
)
def test_a_file_that_is_no_python_is_bad_input_with_its_place(judge_text, text, line, caret, sentence):
    report = judge_text("config", text)
    bad_input(report, sentence)
    place = report.checks[0].where
    assert place.file == "steps/step_01.py"
    if line is not None:
        assert place.text.rstrip() == line
    if caret is not None:
        assert place.column == caret
    assert f"steps/step_01.py:{place.line}" in screen(report)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (RIGHT.encode("utf-16"), "saved as UTF-16: save it again as UTF-8"),
        (RIGHT.encode() + b"\0\n", "holds a NUL byte"),
        (f"{RIGHT}# {'x' * 256 * 1024}\n", "a step's file may have 262,144"),
        (f"{RIGHT}\nx = {'-' * DEEP}1\n", "nested too deeply"),
        (f"{RIGHT}\nx = {'1 + ' * (DEEP // 2)}1\n", "nested too deeply"),
        (f"{RIGHT}\nx = y{'.z' * DEEP}\n", "nested too deeply"),
        (f"{RIGHT}\nx = {'not ' * (DEEP // 2)}1\n", "nested too deeply"),
        (f"{RIGHT}\nif x: pass\n{'elif x: pass' + chr(10)}" + "elif x: pass\n" * (DEEP // 10), "nested too deeply"),
    ],
    ids=["UTF-16", "NUL", "size", "minus", "plus", "attributes", "not", "elif"],
)
def test_a_file_that_python_cannot_read_is_bad_input(judge_text, text, sentence):
    bad_input(judge_text("config", text), sentence)


def bad_input(report, sentence):
    assert report.outcome == "bad_input"
    assert [check.outcome for check in report.checks] == ["bad_input"] * 9
    assert says(report, sentence)
    shown = screen(report)
    assert len(re.findall(r"^❌ ", shown, re.MULTILINE)) == 9
    assert "✅" not in shown
    assert sentence in shown


@pytest.mark.parametrize(
    "text",
    [
        RIGHT.replace("\n", "\r\n"),
        RIGHT.replace("\n", "\r"),
        RIGHT.replace("    ", "\t"),
        "\ufeff" + RIGHT,
        RIGHT.rstrip("\n"),
        "# coding: utf-8\n" + RIGHT,
    ],
    ids=["CRLF", "CR", "tabs", "a byte order mark", "no newline at the end", "a cookie"],
)
def test_a_right_file_passes_however_its_text_is_stored(judge_text, text):
    assert judge_text("config", text.encode()).outcome == "passed"


def test_an_untouched_stub_imports_cleanly_and_fails_each_check_with_a_sentence(course, judge_text):
    stubs = {path: text for path, text in ((new.path, new.text) for new in plan(course)) if path.parent.name == "steps"}
    for step in course.steps:
        path = course.stub(step)
        if path not in stubs or path.suffix != ".py":
            continue
        report = judge_text(step.slug, stubs[path])
        assert report.outcome == "failed"
        assert {check.outcome for check in report.checks} == {"failed"}
        assert not says(report, "imported")
        assert not re.search(r"NameError|Traceback", screen(report))


# ---------------------------------------------------------------------------------- 38 and 39: other things than asked


@pytest.mark.parametrize(
    ("name", "expected", "got", "detail"),
    [
        ("nothing", "a tensor [batch=", "None", None),  # the mistake that is named says the rest
        ("tuple", "a tensor [batch=", "a tuple", None),
        ("list", "a tensor [batch=", "a list", None),
        ("number", "a tensor [batch=", "a float", None),
        ("class", "a tensor [batch=", "a class", None),
        ("scalar", "[batch=", "[]", "0 axes, where 3 are expected"),
        ("shape", "[batch=", "[", "2 axes, where 3 are expected"),
        ("swapped", "[batch=", "[", "the same sizes in another order: are two axes swapped?"),
        ("dtype", "torch.float32", "torch.float64", "the numbers have another type"),
        ("integers", "torch.float32", "torch.int64", "the numbers have another type"),
        ("complex", "torch.float32", "torch.complex64", "the numbers have another type"),
    ],
)
def test_what_is_returned_in_place_of_the_tensor_is_named(hostile, name, expected, got, detail):
    report = hostile(f"row_38_{name}")
    assert report.outcome == "failed"
    line = result(report, "output_matches")
    assert line.expected.startswith(expected)
    assert line.got.startswith(got)
    assert detail is None or detail in line.detail


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("class_is_a_number", "LayerNorm is 5, not a class"),
        ("function_gives_none", "LayerNorm returns a plain value, not an object"),
        ("config_is_none", "GPT2Config is None, not a class"),
        ("state_dict_is_a_list", "a state dict is a dictionary of names and tensors"),
        ("weight_is_none", "its state dict lacks weight"),
    ],
)
def test_what_is_there_in_place_of_the_class_is_no_fault_of_the_course(hostile, name, sentence):
    report = hostile(f"row_38_{name}")
    assert report.outcome == "failed"
    assert says(report, sentence)


@pytest.mark.parametrize(
    ("name", "got", "counts"),
    [
        ("nan", "nan", r"(\d+) nan of \1 numbers, the first at \[0, 0, 0\]"),
        ("nan_at_one_place", "nan", r"1 nan of \d+ numbers, the first at \[\d+, \d+, \d+\]"),
        ("infinity", "inf", r"1 inf of \d+ numbers, the first at \[0, 0, 0\]"),
    ],
)
def test_what_is_not_finite_is_counted(hostile, name, got, counts):
    report = hostile(f"row_39_{name}")
    assert report.outcome == "failed"
    line = result(report, "output_matches")
    assert line.got == got
    assert any(re.fullmatch(counts, text) for text in line.detail)


# -------------------------------------------------------------------------------------------------- 42: right after all


@pytest.mark.parametrize("name", ["warns", "prints", "other_names", "removes_output"])
def test_a_right_answer_passes_whatever_else_it_does(hostile, name):
    report = hostile(f"row_42_{name}")
    assert report.outcome == "passed"
    assert [check.outcome for check in report.checks] == ["passed"] * len(report.checks)


def test_what_a_learner_prints_is_theirs(hostile):
    shown = screen(hostile("row_42_prints"))
    said = [line for line in shown.splitlines() if "❌ or ✅?" in line]
    assert said
    assert all(line.startswith("│ ") for line in said)


# ------------------------------------------------------------------------------------------------------- all of them


def test_every_file_is_judged_by_a_test():
    tests = Path(__file__).read_text(encoding="utf-8")
    names = {path.stem for path in HOSTILE.glob("row_*.py")}
    short = {name: name.partition("_")[2].partition("_")[2] for name in names}
    assert [name for name in sorted(names) if name not in tests and f'"{short[name]}"' not in tests] == []
