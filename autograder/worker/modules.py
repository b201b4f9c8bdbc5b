"""Finds the modules of a run by their exact names, before anything that is installed or lies about."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import types
    from collections.abc import Sequence

    from autograder import wire

ABSENT_LIBRARIES = {
    "transformers": "your code is compared with Hugging Face's, so transformers is not there while it runs",
    "tokenizers": "your code is compared with it, so tokenizers is not there while your code runs",
    "tiktoken": "your code is compared with it, so tiktoken is not there while your code runs",
    "safetensors": "your code does not need safetensors: the weights come to it as a dictionary of tensors",
    "huggingface_hub": "nothing is downloaded during a check, so huggingface_hub is not there while your code runs",
    "puzzles": "puzzles/ is the finished GPT-2: it is there to read, and not there while your code runs",
    "tests": "the checks are not there while your code runs",
    "autograder": "the autograder is not there while your code runs",
    "pytest": "pytest is not there while your code runs",
}


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The finder and loader of the learner's files, and the one who says why a library is not there."""

    def __init__(self, modules: Sequence[wire.Module]) -> None:
        self._modules = {name: module for module in modules for name in module.names}
        self._packages = {name.rpartition(".")[0] for name in self._modules}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        root = fullname.partition(".")[0]
        if fullname in self._modules:
            spec = importlib.machinery.ModuleSpec(fullname, self, origin=self._modules[fullname].filename)
            spec.has_location = True
            return spec
        if fullname in self._packages:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if root in self._packages:
            raise ModuleNotFoundError(self._advice(fullname), name=fullname)
        if root in ABSENT_LIBRARIES:
            raise ModuleNotFoundError(ABSENT_LIBRARIES[root], name=fullname)
        return None

    def _advice(self, fullname: str) -> str:
        folder, _, name = fullname.rpartition(".")
        number = re.fullmatch(r"step_?0*(\d{1,4})", name)
        meant = f"{folder}.step_{int(number[1]):02d}" if number else ""
        if meant in self._modules:
            return f"there is no {fullname}: the file is called {meant}"
        return f"{fullname} is not part of this check: a step may import earlier steps"

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        module = self._modules.get(spec.name)
        for name in module.names if module else ():
            if name in sys.modules:  # steps.step_01 and solutions.step_01 are one module, run once
                return sys.modules[name]
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        source = self._modules.get(module.__spec__.name if module.__spec__ else module.__name__)
        if source is None or "__ran__" in vars(module):
            return
        vars(module)["__ran__"] = True
        for name in source.names:
            sys.modules[name] = module
        code = compile(source.text, source.filename, "exec", dont_inherit=True)
        exec(code, vars(module))  # noqa: S102 - running the learner's file is what a worker is for
