"""The keys of the config of a stack file, read from its text: nothing is imported, and no code of the project runs.

A config class is followed to its bases and to the classes of its fields, in the same file, in a module of the project
that it imports from, or in expiac's own declarations. What cannot be read so has no keys here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_OWN = Path(__file__).parents[1] / "declare"
_OWN_MODULES = ("experiment.py", "job.py", "training.py", "options.py")
_ROOTS = ("ExperimentConfig", "SingleJobExperimentConfig")
_DEEPEST = 5


@dataclass(frozen=True)
class _Module:
    """The classes of a file, and the files that its other classes may be in."""

    root: Path
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imported: dict[str, Path] = field(default_factory=dict)

    def find(self, name: str) -> tuple[_Module, ast.ClassDef] | None:
        """The class of this name, with the module that has it."""
        if name in self.classes:
            return self, self.classes[name]
        if name in self.imported:
            return _read(self.imported[name], self.root).find(name)
        for file in _OWN_MODULES:
            own = _read(_OWN / file, self.root)
            if name in own.classes:
                return own, own.classes[name]
        return None


def complete(file: Path, root: Path, incomplete: str) -> Iterator[str]:
    """The overrides that begin with `incomplete`: `gpus=`, and `training.` for a part; whatever sign stands before."""
    sign = incomplete[:len(incomplete) - len(incomplete.lstrip("+~"))]
    typed = incomplete[len(sign):]
    if "=" in typed:
        return
    module = _read(file, root)
    configs = [kind for kind in module.classes.values() if _is_config(module, kind)]
    bases = {name for kind in configs for name in _base_names(kind)}
    kinds = [kind for kind in configs if kind.name not in bases]
    if len(kinds) != 1:
        return
    paths = list(dict.fromkeys(_paths(module, kinds[0])))
    parts = {path.rpartition(".")[0] for path in paths}
    last_names = [path.rpartition(".")[2] for path in paths]
    above = typed.rpartition(".")[0]
    for path in paths:
        parent, _, name = path.rpartition(".")
        is_bare = not above and bool(typed) and last_names.count(name) == 1
        word = path if parent == above else name if is_bare else ""
        if word and word.startswith(typed):
            yield f"{sign}{word}." if path in parts or sign == "~" else f"{sign}{word}="


def _is_config(module: _Module, kind: ast.ClassDef, depth: int = 0) -> bool:
    names = _base_names(kind)
    bases = [module.classes[name] for name in names if name in module.classes]
    return any(name in _ROOTS for name in names) or (
        depth < _DEEPEST and any(_is_config(module, base, depth + 1) for base in bases))


def _base_names(kind: ast.ClassDef) -> list[str]:
    return [base.id for base in kind.bases if isinstance(base, ast.Name)]


def _paths(module: _Module, kind: ast.ClassDef, parent: str = "", depth: int = 0) -> Iterator[str]:
    """The paths of the fields of a class and of its parts."""
    if depth > _DEEPEST:
        return
    for base in _base_names(kind):
        if found := module.find(base):
            yield from _paths(*found, parent, depth + 1)
    for line in kind.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and not _is_class_variable(line):
            path = f"{parent}.{line.target.id}" if parent else line.target.id
            yield path
            yield from _paths_below(module, line, path, depth)


def _paths_below(module: _Module, line: ast.AnnAssign, path: str, depth: int) -> Iterator[str]:
    """The fields of the part that a field holds, and of what its default holds where the type does not say."""
    for name in _names(line.annotation):
        if found := module.find(name):
            yield from _paths(*found, path, depth + 1)
    for call in ast.walk(line.value) if line.value else ():
        if not isinstance(call, ast.Call) or not module.find(_name_of(call)):
            continue
        for given in call.keywords:
            is_made = given.arg and isinstance(given.value, ast.Call)
            if is_made and (found := module.find(_name_of(given.value))):
                yield from _paths(*found, f"{path}.{given.arg}", depth + 1)


def _name_of(call: ast.expr) -> str:
    """The name of what a call calls; empty for anything but a plain name."""
    return call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""


def _is_class_variable(line: ast.AnnAssign) -> bool:
    return "ClassVar" in _names(line.annotation)


def _names(annotation: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)]


@cache
def _read(file: Path, root: Path) -> _Module:
    module = _Module(root)
    for line in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.ClassDef):
            module.classes[line.name] = line
        elif isinstance(line, ast.ImportFrom) and line.module and not line.level:
            path = root / Path(*line.module.split("."))
            found = next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)
            if found is not None and found != file and not line.module.startswith("expiac"):
                module.imported.update({name.name: found for name in line.names})
    return module
