"""./pixiw runs pixi.toml's tasks without pixi: in small checkouts, with an installation that needs no network."""

import ast
import contextlib
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

REAL = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals, shebangs and flock are POSIX's")

PIXI = """\
[workspace]
name = "tiny"

[activation.env]
COLOUR = "green"

[tasks]
probe = { cmd = "python probe.py", description = "Say what arrived" }
told = { cmd = "python probe.py --told", description = "The same with a word of its own" }
slow = { cmd = "python slow.py" }
naps = { depends-on = ["slow", "probe"] }
later = { depends-on = ["probe", "slow"] }

[feature.dev.tasks]
tool = { cmd = "python tool.py", description = "Needs the extra" }
fine = { cmd = "python step.py fine 0" }
bad = { cmd = "python step.py bad 3" }
never = { cmd = "python step.py never 0" }
all = { depends-on = ["fine", "bad", "never"], description = "Stops at bad" }
two = { depends-on = ["fine", "never", "fine"] }

[feature.aside.tasks]
alone = { cmd = "python step.py alone 0" }

[environments]
dev = ["dev"]
aside = { features = ["aside"], no-default-feature = true }
"""

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny"
version = "1.0"

[project.optional-dependencies]
dev = ["extra-tool"]
"""

# The smallest build backend there is; it writes down that it was called, and waits while the file `wait` is there.
BACKEND = """\
import pathlib, time, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    with open("builds.log", "a") as log:
        log.write("x")
    while pathlib.Path("wait").exists():
        time.sleep(0.02)
    info = "tiny-1.0.dist-info/"
    metadata = "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n"
    metadata += "Provides-Extra: dev\\nRequires-Dist: extra-tool; extra == 'dev'\\n"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, "tiny-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr(info + "METADATA", metadata)
        tags = "Root-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: here\\n" + tags)
        wheel.writestr(info + "RECORD", "")
    return "tiny-1.0-py3-none-any.whl"
"""

PROBE = """\
import json, os, sys
words = sys.argv[1:]
code = int(words[1]) if words[:1] == ["exit"] else 0
names = ("INIT_CWD", "PIXIW", "COLOUR", "VIRTUAL_ENV")
print(json.dumps({"words": words, "folder": os.getcwd(), "prefix": sys.prefix, **{n: os.environ[n] for n in names}}))
sys.exit(code)
"""


def write_wheel(folder, version):
    info = f"extra_tool-{version}.dist-info"
    with zipfile.ZipFile(folder / f"extra_tool-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("extra_tool.py", f"VERSION = '{version}'\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: extra-tool\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: here\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


class Checkout:
    """A small project with a copy of pixiw, and the environment to start it in."""

    def __init__(self, root, wheels):
        self.root = root
        self.environment = {name: os.environ[name] for name in ("HOME", "SYSTEMROOT", "TEMP") if name in os.environ}
        self.environment |= {
            "PATH": "/usr/bin:/bin" if os.name != "nt" else os.environ["PATH"],
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": wheels.as_uri(),
        }

    def fill(self):
        self.root.mkdir(parents=True)
        shutil.copy(REAL / "pixiw", self.root)
        files = {"pixi.toml": PIXI, "pyproject.toml": PYPROJECT, "backend.py": BACKEND, "probe.py": PROBE}
        files["constraints.txt"] = "extra-tool==1.0\n"
        files["tool.py"] = "import extra_tool\nprint(extra_tool.VERSION)\n"
        files["step.py"] = "import sys\nprint(sys.argv[1:])\nsys.exit(int(sys.argv[2]))\n"
        files["slow.py"] = "import time\nprint('here', flush=True)\ntime.sleep(60)\n"
        for name, text in files.items():
            (self.root / name).write_text(text, encoding="utf-8")
        return self

    def copy_to(self, root):
        """Return a twin of this checkout, .venv and all."""
        shutil.copytree(self.root, root, symlinks=True)
        twin = Checkout(root, root)
        twin.environment = dict(self.environment)
        return twin

    def start(self, *words, **options):
        options = {"cwd": self.root, "env": self.environment, "text": True, "encoding": "utf-8"} | options
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen([sys.executable, self.root / "pixiw", *words], **options)

    def pixiw(self, *words, **options):
        with self.start(*words, **options) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def probe(self, *words, **options):
        return json.loads(self.pixiw("run", "probe", *words, **options).stdout)

    @property
    def builds(self):
        log = self.root / "builds.log"
        return len(log.read_text()) if log.exists() else 0

    def await_build(self, number):
        end = time.monotonic() + 30
        while self.builds < number:
            assert time.monotonic() < end, "pip did not come as far as the build"
            time.sleep(0.02)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    write_wheel(folder, "1.0")
    write_wheel(folder, "2.0")
    return folder


def leave_a_venv_whose_python_is_gone(venv):
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to("/gone/bin/python3")
    (venv / "pyvenv.cfg").write_text("home = /gone/bin\nversion = {}.{}.0\n".format(*sys.version_info[:2]))
    (venv / "left over").touch()


@pytest.fixture(scope="session")
def ready(tmp_path_factory, wheels):
    """A checkout with the default task's installation: read it, do not change it."""
    checkout = Checkout(tmp_path_factory.mktemp("it's a") / "Übung 7 (Kopie)", wheels).fill()
    leave_a_venv_whose_python_is_gone(checkout.root / ".venv")
    first = checkout.pixiw("run", "probe")
    assert first.returncode == 0, first.stderr
    checkout.first = first
    return checkout


@pytest.fixture
def bare(tmp_path, wheels):
    """A checkout in which nothing was installed yet."""
    return Checkout(tmp_path / "bare", wheels).fill()


@pytest.fixture
def twin(ready, tmp_path):
    """A copy that may be changed: .venv is whole, but its editable installation points at the folder it came from."""
    return ready.copy_to(tmp_path / "twin")


def script(folder, name, text):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


# The task: what reaches it, and what comes back.


@pytest.mark.parametrize(
    "words",
    [["--json"], ["it's", 'a "b"', "", "two words", "ü✅", "$HOME", "*", "a\\b", "--", "-x"]],
    ids=["flag", "odd"],
)
def test_arguments_arrive_as_they_are(ready, words):
    assert ready.probe(*words)["words"] == words


def test_a_commands_own_words_come_first(ready):
    assert json.loads(ready.pixiw("run", "told", "a").stdout)["words"] == ["--told", "a"]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 127, 130])
def test_exit_codes_pass_through(ready, code):
    assert ready.pixiw("run", "probe", "exit", str(code)).returncode == code


def test_a_task_runs_at_the_root_and_knows_where_the_user_stood(ready, tmp_path):
    below = ready.root / "below"
    below.mkdir(exist_ok=True)
    for folder in (ready.root, below, tmp_path):
        told = ready.probe(cwd=folder)
        assert told["folder"] == str(ready.root)
        assert told["INIT_CWD"] == str(folder)


def test_an_outer_runners_init_cwd_is_replaced(ready):
    assert ready.probe(env=ready.environment | {"INIT_CWD": "elsewhere"})["INIT_CWD"] == str(ready.root)


def test_the_environment_is_activated(ready):
    told = ready.probe(env=ready.environment | {"COLOUR": "red"})
    assert told["COLOUR"] == "green"
    assert told["PIXIW"] == "1"
    assert told["prefix"] == told["VIRTUAL_ENV"] == str(ready.root / ".venv")


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_go_straight_to_the_task(ready, number):
    with ready.start("run", "slow") as process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(number)
        assert process.wait(10) == -number


@POSIX
def test_the_file_starts_by_itself_and_through_a_link(ready, tmp_path):
    (tmp_path / "link").symlink_to(ready.root / "pixiw")
    (tmp_path / "python3").symlink_to(Path(sys.executable).resolve())  # another Python would make another .venv
    path = f"{tmp_path}:{ready.environment['PATH']}"
    environment = os.environ | ready.environment | {"PATH": path}
    done = subprocess.run([tmp_path / "link", "run", "probe"], env=environment, cwd=tmp_path, check=True)
    assert done.returncode == 0


# The installation: once, again when it must, repaired when it was cut off.


def test_the_first_run_says_what_it_installs_where_and_how_large(ready):
    line = ready.first.stderr.splitlines()
    assert len(line) == 1
    assert str(ready.root / ".venv") in line[0]
    assert "about 1.2 GB" in line[0]
    assert json.loads(ready.first.stdout)["words"] == []


def test_a_fresh_installation_is_quiet_and_is_left_alone(ready):
    before = ready.builds
    again = ready.pixiw("run", "probe")
    assert again.stderr == ""
    assert ready.builds == before == 1


@POSIX
def test_a_checkout_that_was_moved_is_installed_again_and_a_terminal_sees_pip_at_work(twin):
    import pty

    builds = twin.builds
    ours, theirs = pty.openpty()
    seen = b""
    with twin.start("run", "probe", stderr=theirs) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # how Linux says that the other end was closed
            while chunk := os.read(ours, 4096):
                seen += chunk
        assert json.loads(process.stdout.read())["words"] == []
    os.close(ours)
    assert process.returncode == 0
    assert seen.startswith(b"pixiw: updating ")
    assert b"Successfully installed tiny" in seen
    assert twin.builds == builds + 1


def test_only_a_dev_task_installs_the_extra_and_a_default_task_keeps_it(twin):
    twin.pixiw("run", "probe")
    without = subprocess.run(
        [twin.root / ".venv/bin/python", "tool.py"], cwd=twin.root, capture_output=True, check=False
    )
    assert without.returncode == 1
    with_extra = twin.pixiw("run", "tool")
    assert with_extra.stdout == "1.0\n"
    assert "about 0.3 GB" in with_extra.stderr
    assert "1.2 GB" not in with_extra.stderr
    assert twin.pixiw("run", "alone").stdout == "['alone', '0']\n"
    builds = twin.builds
    assert twin.pixiw("run", "probe").stderr == twin.pixiw("run", "tool").stderr == ""
    assert twin.builds == builds

    (twin.root / "constraints.txt").write_text("extra-tool==2.0\n")
    changed = twin.pixiw("run", "tool")
    assert changed.stdout == "2.0\n"
    assert changed.stderr.startswith("pixiw: updating ")
    assert twin.builds == builds + 1


def test_a_change_of_either_file_or_of_the_folder_installs_again(ready, tmp_path):
    def fingerprint(root):
        return runpy.run_path(str(root / "pixiw"))["fingerprint"]()

    twin = ready.copy_to(tmp_path / "twin").root
    seen = {fingerprint(ready.root), fingerprint(twin)}
    for name in ("pyproject.toml", "constraints.txt"):
        with (twin / name).open("a") as file:
            file.write("# a line more\n")
        seen.add(fingerprint(twin))
    assert len(seen) == 4


@POSIX
def test_a_venv_whose_python_is_gone_is_made_anew(ready):
    assert ready.first.stderr.startswith("pixiw: making ")
    assert not (ready.root / ".venv/left over").exists()


@POSIX
@pytest.mark.parametrize(
    ("old", "new"),
    [(r"^version = .*", "version = 3.9.1"), (r"^home = .*", "home = /gone/bin"), (r"(?s).*", "")],
    ids=["another version", "a home that is gone", "empty"],
)
def test_a_venv_of_another_python_is_of_no_use(twin, old, new):
    usable = runpy.run_path(str(twin.root / "pixiw"))["usable"]
    settings = twin.root / ".venv/pyvenv.cfg"
    assert usable()
    settings.write_text(re.sub(f"(?m){old}", new, settings.read_text()))
    assert not usable()


@POSIX
def test_an_interrupted_installation_is_noticed_and_repaired(twin):
    builds = twin.builds
    (twin.root / "wait").touch()
    (twin.root / ".venv/half").touch()
    with twin.start("run", "probe") as first:
        twin.await_build(builds + 1)
        first.kill()  # its pip goes on, and holds the lock until it is done
        with twin.start("run", "probe") as second:
            assert second.stderr.readline() == "pixiw: waiting for another installation\n"
            time.sleep(0.3)
            assert second.poll() is None
            (twin.root / "wait").unlink()
            out, err = second.communicate(timeout=60)
    assert second.returncode == 0
    assert json.loads(out)["words"] == []
    assert err.startswith("pixiw: repairing ")
    assert not (twin.root / ".venv/half").exists()
    assert twin.pixiw("run", "probe").stderr == ""


@POSIX
def test_two_at_once_wait_for_one_another(twin):
    builds = twin.builds
    (twin.root / "wait").touch()
    with twin.start("run", "probe") as first:
        twin.await_build(builds + 1)
        with twin.start("run", "probe") as second:
            assert second.stderr.readline() == "pixiw: waiting for another installation\n"
            (twin.root / "wait").unlink()
            assert second.communicate(timeout=60)[1] == ""
        first.communicate(timeout=60)
    assert (first.returncode, second.returncode, twin.builds) == (0, 0, builds + 1)


def test_a_failing_pip_is_shown_and_mends_when_its_cause_is_gone(twin):
    (twin.root / "constraints.txt").write_text("extra-tool==9.9\n")
    failed = twin.pixiw("run", "tool")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "extra-tool==9.9" in failed.stderr
    assert "run the same command again" in failed.stderr.splitlines()[-1]
    (twin.root / ".venv/kept").touch()
    (twin.root / "constraints.txt").write_text("extra-tool==1.0\n")
    assert twin.pixiw("run", "tool").stdout == "1.0\n"
    assert (twin.root / ".venv/kept").exists()


def test_a_folder_that_is_not_ours_is_left_alone(bare):
    (bare.root / ".venv").mkdir()
    (bare.root / ".venv/thesis.txt").write_text("years of work")
    done = bare.pixiw("run", "probe")
    assert done.returncode == 1
    assert "is no virtual environment: move it away" in done.stderr
    assert (bare.root / ".venv/thesis.txt").read_text() == "years of work"


# Tasks that name others.


def test_dependencies_run_in_order_and_stop_at_the_first_that_fails(twin):
    done = twin.pixiw("run", "all")
    assert done.returncode == 3
    assert done.stdout == "['fine', '0']\n['bad', '3']\n"


def test_an_alias_runs_each_task_once_and_says_that_it_drops_arguments(twin):
    done = twin.pixiw("run", "two", "--fast")
    assert done.returncode == 0
    assert done.stdout == "['fine', '0']\n['never', '0']\n"
    assert "two only names other tasks, and drops its arguments, as in pixi: --fast" in done.stderr


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_alias_passes_signals_on_and_stops(ready, number, code):
    with ready.start("run", "naps", start_new_session=True) as process:
        assert process.stdout.readline() == "here\n"
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        assert process.wait(10) == code
        assert process.stdout.read() == ""


@POSIX
def test_ctrl_c_reaches_the_last_of_an_alias_as_well(ready):
    with ready.start("run", "later", start_new_session=True) as process:
        assert json.loads(process.stdout.readline())["words"] == []
        assert process.stdout.readline() == "here\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(10) == -signal.SIGINT


# The command line.


@pytest.mark.parametrize("words", [[], ["run"], ["task", "list"]], ids=" ".join)
def test_the_tasks_are_listed_without_installing(bare, words):
    done = bare.pixiw(*words)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines.index("default") < lines.index("  probe  Say what arrived") < lines.index("dev")
    assert "  all    Stops at bad" in lines
    assert not (bare.root / ".venv").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["run", "prob"], "no task 'prob': did you mean probe?"), (["run", "zzz"], "./pixiw lists"), (["jump"], "Usage:")],
    ids=["near", "far", "no such verb"],
)
def test_wrong_usage_exits_2(bare, words, said):
    done = bare.pixiw(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (bare.root / ".venv").exists()


def test_help_goes_to_stdout(bare):
    done = bare.pixiw("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Example: ./pixiw run s01 --json" in done.stdout


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (None, "pixi.toml is missing"),
        ("[tasks]\nprobe = \n", "pixi.toml:2: "),
        ("[tasks\n", "pixi.toml:1: "),
        ("[tasks]\na = 'x\n\n", "pixi.toml:2: "),
        ("[tasks]\nprobe = 'ls'\n", "pixi.toml:2: the task probe has a cmd that is not one string"),
        ("[tasks]\nprobe = {}\n", "pixi.toml:2: the task probe has neither cmd nor depends-on"),
        ("[tasks]\nprobe = {depends-on = ['x']}\n", "pixi.toml:2: the task probe depends on x"),
        ("[tasks]\nprobe = {depends-on = ['probe']}\n", "pixi.toml:2: the task probe depends on probe"),
        ("[tasks]\nprobe = 'python a'\n[feature.x.tasks]\nprobe = 'python b'\n", "in two features, default and x"),
    ],
)
def test_a_broken_manifest_exits_3_with_file_and_line(bare, manifest, said):
    (bare.root / "pixi.toml").unlink()
    if manifest is not None:
        (bare.root / "pixi.toml").write_text(manifest)
    done = bare.pixiw("run", "probe")
    assert done.returncode == 3
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (bare.root / ".venv").exists()


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml"])
def test_a_file_that_is_missing_is_named(bare, name):
    (bare.root / name).unlink()
    done = bare.pixiw("run", "probe")
    assert done.returncode == 3
    assert f"git restore {name}" in done.stderr


# Which program runs the task.


@POSIX
def test_a_real_pixi_gets_the_task(bare, tmp_path):
    text = '#!/bin/sh\nif [ "$1" = --version ]; then echo "pixi 0.77.0"; exit; fi\nprintf "%s\\n" "$PWD" "$@"\nexit 7\n'
    script(tmp_path / "bin", "pixi", text)
    script(tmp_path / "other", "pixi", "#!/bin/sh\necho pixi-app of another kind\n")
    path = f"{tmp_path / 'other'}:{tmp_path / 'bin'}:{bare.environment['PATH']}"
    below = bare.root / "below"
    below.mkdir()
    done = bare.pixiw("run", "probe", "two words", env=bare.environment | {"PATH": path}, cwd=below)
    handed = ["run", "--manifest-path", str(bare.root / "pixi.toml"), "probe", "two words"]
    assert done.stdout.splitlines() == [str(below), *handed]
    assert done.returncode == 7


@POSIX
def test_the_unrelated_program_called_pixi_does_not_get_it(ready, tmp_path):
    script(tmp_path / "bin", "pixi", "#!/bin/sh\necho 'pixi, version 1'\n")
    path = f"{tmp_path / 'bin'}:{ready.environment['PATH']}"
    assert ready.probe("a", env=ready.environment | {"PATH": path})["words"] == ["a"]


def as_old_python(checkout, path, *words):
    lie = "import runpy, sys; sys.version_info = (3, 8, 1, 'final', 0); sys.argv = sys.argv[1:]; "
    lie += "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", lie, checkout.root / "pixiw", *words]
    environment = checkout.environment | {"PATH": str(path)}
    return subprocess.run(command, env=environment, cwd=checkout.root, capture_output=True, text=True, check=False)


@POSIX
def test_an_old_python_looks_for_a_newer_one_and_is_not_fooled_by_a_shim(ready, tmp_path):
    script(tmp_path / "bin", "python3.14", "#!/bin/sh\necho 'pyenv: python3.14: command not found' >&2\nexit 127\n")
    alone = as_old_python(ready, tmp_path / "bin", "run", "probe", "a")
    assert alone.returncode == 1
    assert "this needs Python 3.11 to 3.14" in alone.stderr
    assert "pixi.sh" in alone.stderr
    name = "python{}.{}".format(*sys.version_info[:2])
    script(tmp_path / "bin", name, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    found = as_old_python(ready, tmp_path / "bin", "run", "probe", "a")
    assert json.loads(found.stdout)["words"] == ["a"]


def test_the_file_parses_on_python_3_6():
    source = (REAL / "pixiw").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    imports = [node for node in ast.parse(source).body if isinstance(node, ast.Import)]
    assert "tomllib" not in {alias.name for node in imports for alias in node.names}


def test_the_range_of_pythons_is_pyprojects():
    asked = tomllib.loads((REAL / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    source = (REAL / "pixiw").read_text(encoding="utf-8")
    oldest, newest = map(int, re.search(r"OLDEST, NEWEST = \(3, (\d+)\), \(3, (\d+)\)", source).groups())
    assert asked == f">=3.{oldest},<3.{newest + 1}"


@POSIX
def test_a_python_without_ensurepip_is_told_what_to_install(bare):
    lie = "import runpy, sys; sys.modules['ensurepip'] = None; sys.argv = sys.argv[1:]; "
    lie += "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", lie, bare.root / "pixiw", "run", "probe"]
    done = subprocess.run(command, env=bare.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr
    assert not (bare.root / ".venv").exists()


def test_the_windows_starter_passes_arguments_and_keeps_the_exit_code():
    lines = (REAL / "pixiw.cmd").read_text(encoding="ascii").splitlines()
    assert lines[-2:] == ['%PYTHON% "%~dp0pixiw" %*', "exit /b %errorlevel%"]
    assert any("py -3" in line for line in lines)
