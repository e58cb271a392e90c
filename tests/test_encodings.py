"""Files are UTF-8, whatever the locale says: whoever opens one as text says so.

ruff's rule PLW1514 sees the type of a path too seldom, and no `subprocess` with `text=True`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("expiac", "trainer", "benchmarks", "stacks")
READERS = {"read_text": 0, "write_text": 1, "open": None, "fdopen": None, "NamedTemporaryFile": None,
           "TemporaryFile": None, "TextIOWrapper": 1}
"""Names of calls → the place of their encoding, where it may be given without its name."""


def locale_encoded(tree: ast.AST) -> Iterator[ast.Call]:
    """The calls that leave an encoding to the locale."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = {word.arg: word.value for word in call.keywords}
        if "encoding" in named or None in named:
            continue
        is_text = any(isinstance(value := named.get(word), ast.Constant) and value.value is True
                      for word in ("text", "universal_newlines"))
        if is_text or _opens_as_text(call, named):
            yield call


def _opens_as_text(call: ast.Call, named: dict) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in READERS or ast.unparse(call.func) == "os.open":
        return False
    place = READERS[name]
    if place is not None:
        return len(call.args) <= place
    if name == "open" and isinstance(call.func, ast.Attribute) and not call.args and not named:
        return True
    words = [*call.args, *named.values()]
    modes = [word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)]
    modes = [mode for mode in modes if mode and set(mode) <= set("rwxab+t")]
    is_method = isinstance(call.func, ast.Attribute) and name == "open"
    return bool(modes and "b" not in modes[0]) or (not modes and not is_method)


def test_no_text_is_read_or_written_in_the_encoding_of_the_locale():
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    found = [f"{file.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)[:60]}" for file in files
             for call in locale_encoded(ast.parse(file.read_text(encoding="utf-8")))]
    assert found == []


@pytest.mark.parametrize("line", [
    "path.read_text()", "path.write_text(x)", "open(path)", "open(path, 'w')", "path.open('a')", "path.open()",
    "subprocess.run(x, text=True)", "os.fdopen(3, 'w')"])
def test_each_of_them_is_seen(line):
    assert list(locale_encoded(ast.parse(line)))


@pytest.mark.parametrize("line", [
    "path.read_text('utf-8')", "path.write_text(x, encoding='utf-8')", "open(path, 'rb')", "path.open('ab')",
    "os.open(path, flags)", "subprocess.run(x, text=True, encoding='utf-8')", "subprocess.run(x)"])
def test_and_nothing_else(line):
    assert not list(locale_encoded(ast.parse(line)))
