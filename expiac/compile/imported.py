"""The source files behind a package: those of its modules, and of the modules that these import.

Only modules that are loaded count, and no installed ones: neither the standard library, nor site-packages, nor expiac.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType

_INSTALLED = ("site-packages", "dist-packages")
_KNOWN = sys.stdlib_module_names | {"expiac"}


def source_files(package: str) -> tuple[str, ...]:
    """The files of a package and of all that its modules import; of an installed package, those of its own."""
    todo = [name for name in list(sys.modules) if name == package or name.startswith(f"{package}.")]
    names = set(todo)
    while todo:
        found = {name for name in _imports(todo.pop()) if name in sys.modules and _is_own(name)}
        todo += found - names
        names |= found
    return tuple(sorted({file for name in names if (file := _file(name))}))


def _is_own(name: str) -> bool:
    return name.partition(".")[0] not in _KNOWN and not set(Path(_file(name)).parts) & set(_INSTALLED)


def _file(name: str) -> str:
    """The file of a loaded module; empty where it has none."""
    return str(getattr(sys.modules.get(name), "__file__", None) or "")


def _imports(name: str) -> Iterator[str]:
    """What the source of a loaded module imports; of `from a import b` both `a` and `a.b`, which may be no module."""
    module, file = sys.modules.get(name), _file(name)
    if not isinstance(module, ModuleType) or not file.endswith(".py"):
        return
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_packages(alias.name)
        elif isinstance(node, ast.ImportFrom):
            source = _source(node, module)
            yield from _with_packages(source)
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _source(node: ast.ImportFrom, module: ModuleType) -> str:
    """The module that is named by `from … import`; empty where there is none."""
    try:
        return resolve_name("." * node.level + (node.module or ""), module.__package__)
    except ImportError:
        return ""


def _with_packages(name: str) -> Iterator[str]:
    """A dotted name, and those of the packages that it is in."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))
