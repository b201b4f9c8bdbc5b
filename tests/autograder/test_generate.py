"""What is made from puzzles/, and that the learner's own file is never touched."""

import importlib
import json
import shutil
import sys
import tomllib
from pathlib import Path

import courses
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import entry, generate, stubs, tables, texts
from autograder.course import Step, load
from autograder.errors import CourseError


@pytest.fixture
def root(tmp_path):
    return courses.make(tmp_path)


def run(root, **options):
    course = load(root)
    return generate.write(course, generate.plan(course, **options))


def read(root, name):
    return (root / name).read_bytes().decode()


def problem(root):
    with pytest.raises(CourseError) as caught:
        generate.plan(load(root))
    return str(caught.value)


def sentences(root):
    return [difference.sentence for difference in generate.check(load(root))]


def snapshot(root):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*") if path.is_file()}


STUB_2 = '''"""The mask."""

from steps.step_01 import GPT2Config


def causal_mask(config: GPT2Config) -> int:
    """Return the width."""
    # TODO 1: the width   [1 line]
    raise NotImplementedError("step 02: causal_mask")


def _helper() -> None: ...
'''


def test_a_course_is_made_whole(root):
    lines = run(root)
    assert lines == [
        f"wrote {name}"
        for name in (
            "steps/step_01.py",
            "steps/step_02.py",
            "solutions/step_01.py",
            "steps/step_01.md",
            "solutions/step_02.py",
            "steps/step_02.md",
            "pixi.toml",
            "pyproject.toml",
            "README.md",
            "steps/.generated.json",
        )
    ]
    assert read(root, "steps/step_02.py") == STUB_2
    assert read(root, "solutions/step_02.py").startswith(
        "# Generated from puzzles/mask.py by `pixi run generate`: edit that file, not this one.\n"
        '"""The mask."""\n\nfrom solutions.step_01 import GPT2Config\n'
    )


def test_a_text_has_its_numbers_its_stub_and_what_was_recorded(root):
    run(root)
    assert read(root, "steps/step_02.md") == (
        "<!-- Generated from puzzles/mask.md by `pixi run generate`: edit that file, not this one. -->\n\n"
        "# Step 02: Causal Mask\n\nAfter step 01; {braces} stay.\n\n"
        f"```python\n{STUB_2}```\n\n```text\n❌ no\n```\n\n```text\n✅ yes\n```\n"
    )


def test_the_lists_of_steps_stand_between_their_markers(root):
    run(root)
    pixi = tomllib.loads(read(root, "pixi.toml"))
    assert pixi["tasks"]["s01"] == {
        "cmd": "python -m autograder check s01",
        "description": "Step 01: Create Model Configuration",
    }
    scripts = tomllib.loads(read(root, "pyproject.toml"))["project"]["scripts"]
    assert scripts == {"s01": "autograder.entry:s01", "s02": "autograder.entry:s02"}
    assert read(root, "README.md") == (
        "# C\n\n<!-- BEGIN GENERATED: steps -->\n\n### I. Model\n\n"
        "| step | title | what you write |\n| --- | --- | --- |\n"
        "| 01 | [Create Model Configuration](steps/step_01.md) | `GPT2Config` |\n"
        "| 02 | [Causal Mask](steps/step_02.md) | `causal_mask` |\n\n"
        "Planned: 03 Multi-Head Attention.\n\n<!-- END GENERATED: steps -->\n\nmore\n"
    )


def test_a_title_with_quotes_and_bars_survives_its_file():
    step = Step(1, "a", r'The "C:\new" | é', "p")
    (line,) = tables.tasks([step])
    assert tomllib.loads(line)["s01"]["description"] == r'Step 01: The "C:\new" | é'


def test_a_readme_that_is_not_there_yet_is_left_out(root):
    (root / "README.md").unlink()
    assert "wrote README.md" not in run(root)
    assert not (root / "README.md").exists()


def test_a_second_run_writes_nothing_and_says_so(root):
    run(root)
    before = snapshot(root)
    assert run(root) == ["Nothing to do: everything that is generated is fresh."]
    assert snapshot(root) == before
    assert generate.check(load(root)) == []


def test_without_texts_nothing_recorded_is_needed(root):
    shutil.rmtree(root / "puzzles" / "recorded")
    lines = run(root, with_texts=False)
    assert "wrote solutions/step_02.py" in lines
    assert not list((root / "steps").glob("*.md"))


@given(titles=st.permutations(["config", "mask", "attention", "extra"]), count=st.integers(1, 4))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_twice_is_once_for_every_order_of_the_steps(tmp_path, titles, count):
    root = courses.make(tmp_path / "c")
    for slug in ("config", "mask", "attention", "extra"):
        courses.put(
            root, f"puzzles/{slug}.py", f"# BEGIN SOLUTION\n# STUB: {slug} = '{{step}}'\n{slug} = 1\n# END SOLUTION\n"
        )
        courses.put(root, f"puzzles/{slug}.md", "{step:" + titles[0] + "}\n")
    courses.put(root, "course.toml", courses.toml(dict.fromkeys(titles[:count], "A")))
    run(root)
    assert generate.check(load(root)) == []
    assert {path.name for path in root.glob("steps/*.py")} == {f"step_{n:02d}.py" for n in range(1, count + 1)}
    assert {path.name for path in root.glob("solutions/*")} == {f"step_{n:02d}.py" for n in range(1, count + 1)}


def test_an_untouched_stub_follows_its_puzzle_and_an_edited_one_stays(root):
    run(root)
    courses.put(root, "steps/step_01.py", "mine = 1\n")
    for slug, text in (("config", courses.CONFIG), ("mask", courses.MASK)):
        courses.put(root, f"puzzles/{slug}.py", text.replace("TODO 1", "TODO 1, once more"))
    lines = run(root)
    assert "left steps/step_01.py alone: it has been edited" in lines
    assert read(root, "steps/step_01.py") == "mine = 1\n"
    assert "TODO 1, once more" in read(root, "steps/step_02.py")
    assert "TODO 1, once more" in read(root, "steps/step_01.md")
    assert sentences(root) == [
        (
            "steps/step_01.py has been edited: generate --check is the maintainer's, whose steps are as generated; "
            "pixi run reset s01 brings the stub back"
        )
    ]


def test_a_checkout_with_windows_line_ends_counts_as_untouched(root):
    run(root)
    for path in [*root.glob("steps/*"), *root.glob("solutions/*"), root / "README.md", root / "pixi.toml"]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert generate.check(load(root)) == []
    assert stubs.is_untouched(load(root), load(root).find("2"))
    courses.put(root, "puzzles/mask.py", courses.MASK.replace("the width   [", "its width   ["))
    assert "wrote steps/step_02.py" in run(root)
    assert b"\r" not in (root / "steps/step_02.py").read_bytes()


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_learner_wrote_is_there_afterwards(tmp_path, text):
    root = courses.make(tmp_path / "c")
    shutil.rmtree(root / "steps", ignore_errors=True)
    run(root)
    path = courses.put(root, "steps/step_02.py", text)
    courses.put(root, "puzzles/mask.py", courses.MASK.replace("TODO 1", "TODO one"))
    run(root)
    assert path.read_bytes().decode() == text
    assert not stubs.is_untouched(load(root), load(root).find("mask"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b""])
def test_a_file_that_is_no_text_is_the_learner_s_too(root, content):
    run(root)
    (root / "steps/step_01.py").write_bytes(content)
    assert run(root) == ["left steps/step_01.py alone: it has been edited"]
    assert (root / "steps/step_01.py").read_bytes() == content


def test_a_stub_that_was_deleted_is_made_again_and_is_not_untouched_meanwhile(root):
    run(root)
    (root / "steps/step_02.py").unlink()
    assert not stubs.is_untouched(load(root), load(root).find("2"))
    assert sentences(root) == ["steps/step_02.py is missing: pixi run generate mends it"]
    assert run(root) == ["wrote steps/step_02.py"]


def test_a_new_step_moves_the_later_ones_and_names_the_edited(root):
    run(root)
    courses.put(root, "steps/step_02.py", "mine = 2\n")
    titles = {"config": "Configuration", "extra": "Extra", "mask": "Mask"}
    courses.put(root, "course.toml", courses.toml(titles))
    courses.put(root, "puzzles/extra.py", courses.MASK.replace("causal_mask", "extra"))
    courses.put(root, "puzzles/extra.md", "# {step}\n")
    lines = run(root)
    assert "left steps/step_02.py alone: it has been edited and was made for mask, which is now step 03" in lines
    assert read(root, "steps/step_02.py") == "mine = 2\n"
    assert read(root, "steps/step_03.py") == STUB_2.replace("step 02", "step 03")
    assert 'NotImplementedError("step 03: causal_mask")' in read(root, "steps/step_03.md")


def test_what_belongs_to_no_step_goes_and_an_edited_step_stays(root):
    run(root)
    courses.put(root, "course.toml", courses.toml({"config": "Configuration"}))
    courses.put(root, "steps/step_07.md", "my notes\n")
    courses.put(root, "steps/step_08.py", "# Generated from puzzles/config.py, and then mine\n")
    courses.put(root, "steps/step_by_step.py", "mine\n")
    lines = run(root)
    assert lines[-5:-1] == [
        "removed steps/step_02.py: it belongs to no step",
        "left steps/step_08.py alone: it has been edited and belongs to no step",
        "removed steps/step_02.md: it belongs to no step",
        "removed solutions/step_02.py: it belongs to no step",
    ]
    assert {path.name for path in root.glob("steps/step*")} == {
        *("step_01.py", "step_01.md", "step_07.md", "step_08.py", "step_by_step.py")
    }
    assert sentences(root) == [
        (
            "steps/step_08.py has been edited and belongs to no step: generate --check is the maintainer's, whose "
            "steps are as generated; move the learner's work elsewhere and delete it"
        )
    ]


def test_an_edited_step_whose_slug_is_gone_is_told_so(root):
    run(root)
    courses.put(root, "steps/step_02.py", "mine = 2\n")
    courses.put(root, "course.toml", courses.toml({"config": "A", "extra": "B"}))
    courses.put(root, "puzzles/extra.py", courses.MASK)
    courses.put(root, "puzzles/extra.md", "# {step}\n")
    assert "left steps/step_02.py alone: it has been edited and was made for mask, which is now no step" in run(root)


def test_check_names_the_file_the_difference_and_the_remedy(root):
    run(root)
    (root / "steps/step_01.md").unlink()
    courses.put(root, "solutions/step_02.py", "x = 1\n")
    courses.put(root, "README.md", read(root, "README.md").replace("Causal Mask", "Mask"))
    (root / "puzzles/recorded/mask.passed.txt").write_text("✅ more\n", encoding="utf-8")
    assert sentences(root) == [
        "steps/step_01.md is missing: pixi run generate mends it",
        "solutions/step_02.py differs from what puzzles/mask.py gives: pixi run generate mends it",
        "steps/step_02.md differs from what puzzles/mask.md gives: pixi run generate mends it",
        "README.md differs from what course.toml gives: pixi run generate mends it",
    ]


def test_check_shows_the_first_twenty_lines_of_a_difference(root):
    run(root)
    courses.put(root, "steps/step_02.md", "x\n" * 50)
    courses.put(root, "solutions/step_01.py", read(root, "solutions/step_01.py").replace("768", "769"))
    (small, long) = [difference.diff for difference in generate.check(load(root))]
    assert small[:2] == ("--- solutions/step_01.py", "+++ solutions/step_01.py (generated)")
    assert small[-2:] == ("-    n_embd: int = 769", "+    n_embd: int = 768")
    assert len(long) == 20
    assert long[-1].startswith("… ")
    assert long[-1].endswith(" more lines")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("puzzles/mask.md", None, "puzzles/mask.md: is missing"),
        (
            "puzzles/mask.md",
            "a\n<!-- FAILED -->\n<!-- stub -->\n",
            "puzzles/mask.md:3: this marker is written <!-- STUB -->, alone on its line",
        ),
        (
            "puzzles/mask.md",
            "x <!-- PASSED -->\n",
            "puzzles/mask.md:1: this marker is written <!-- PASSED -->, alone on its line",
        ),
        ("puzzles/mask.md", "a\n{step:msk}\n", "puzzles/mask.md:2: {step:msk}: course.toml has no step msk"),
        (
            "puzzles/recorded/mask.failed.txt",
            None,
            "puzzles/mask.md:7: puzzles/recorded/mask.failed.txt is missing: pixi run record makes it",
        ),
        ("pixi.toml", None, "pixi.toml: is missing"),
        (
            "pixi.toml",
            "[tasks]\n",
            'pixi.toml: has no line "# BEGIN GENERATED: steps": the list of steps is generated between two such lines',
        ),
        (
            "pyproject.toml",
            "# END GENERATED: steps\n# BEGIN GENERATED: steps\n",
            'pyproject.toml:1: "# END GENERATED: steps" stands above its "# BEGIN GENERATED: steps"',
        ),
        (
            "README.md",
            "<!-- BEGIN GENERATED: steps -->\n" * 2 + "<!-- END GENERATED: steps -->\n",
            'README.md:2: "<!-- BEGIN GENERATED: steps -->" stands a second time',
        ),
        (
            "steps/.generated.json",
            "<<<<<<< HEAD\n",
            (
                "steps/.generated.json: is not as it was generated: delete it and generate again, "
                "which leaves every edited step alone"
            ),
        ),
        (
            "steps/.generated.json",
            '{"config": 3}\n',
            (
                "steps/.generated.json: is not as it was generated: delete it and generate again, "
                "which leaves every edited step alone"
            ),
        ),
        ("puzzles/mask.py", "x = 1\n", None),
    ],
)
def test_what_an_instructor_gets_wrong_names_the_file_and_the_line(root, name, text, sentence):
    if text is None:
        (root / name).unlink()
    else:
        courses.put(root, name, text)
    before = snapshot(root)
    found = problem(root)
    assert found == sentence or (sentence is None and found.startswith("puzzles/mask.py: has no # BEGIN SOLUTION"))
    assert snapshot(root) == before


def test_a_puzzle_in_another_encoding_is_named(root):
    (root / "puzzles/mask.py").write_bytes(b"# \xe9\n")
    assert problem(root) == "puzzles/mask.py: is not UTF-8: save it as UTF-8"


def test_braces_and_comments_of_other_kinds_stay():
    step = Step(3, "a", "A", "p")
    text = "{steps} {step} {title} {step:a} {step: a} {{step}} <!-- a note -->\n\n\n"
    assert texts.render(text, "a.md", step, {"a": 3}, {}) == "{steps} 03 A 03 {step: a} {03} <!-- a note -->\n"


def test_a_block_is_fenced_longer_than_what_is_in_it():
    assert texts.block("a\n````\nb\n", "text") == "`````text\na\n````\nb\n`````"


def test_the_record_keeps_hashes_by_slug_and_never_a_learner_s_text(root):
    run(root)
    record = json.loads(read(root, "steps/.generated.json"))
    assert record["mask"] == {"step": 2, "sha256": stubs.sha256(STUB_2)}
    courses.put(root, "steps/step_02.py", "mine = 1\n")
    run(root)
    assert json.loads(read(root, "steps/.generated.json")) == record


def test_nothing_temporary_is_left_even_when_a_write_fails(root, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    run(root)
    before = snapshot(root)
    courses.put(root, "steps/step_01.md", "old\n")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        run(root)
    assert snapshot(root).keys() == before.keys()
    assert read(root, "steps/step_01.md") == "old\n"


def test_a_step_s_solution_runs_as_a_module_of_a_folder_without_init(root, monkeypatch):
    run(root)
    monkeypatch.syspath_prepend(root)
    # setitem first: then monkeypatch takes away afterwards what this import leaves behind.
    for name in ("solutions", "solutions.step_01", "solutions.step_02"):
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]
    module = importlib.import_module("solutions.step_02")
    assert module.causal_mask(module.GPT2Config()) == 768


def test_each_step_s_command_checks_that_step(monkeypatch):
    seen = []
    main = type(sys)("autograder.__main__")
    main.main = lambda argv: seen.append(argv) or 1
    monkeypatch.setitem(sys.modules, "autograder.__main__", main)
    monkeypatch.setattr(sys, "argv", ["s07", "--json"])
    assert entry.s07() == 1
    assert seen == [["check", "s07", "--json"]]
    with pytest.raises(AttributeError, match=r"^module 'autograder\.entry' has no attribute 'test'$"):
        _ = entry.test
