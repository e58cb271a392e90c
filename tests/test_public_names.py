"""What README and the docs import can be imported, and the package lists its public names."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import expiac

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
IMPORTS = sorted({
    (module, name.strip())
    for page in PAGES
    for module, names in re.findall(r"^from (expiac[\w.]*) import ([^\n(#]+)", page.read_text("utf-8"), re.MULTILINE)
    for name in names.split(",")
})


@pytest.mark.parametrize(("module", "name"), IMPORTS, ids=lambda word: word)
def test_an_import_of_the_docs_works(module: str, name: str) -> None:
    """A module of a package too, whether or not it was imported before."""
    found = import_module(module)
    assert hasattr(found, name) or import_module(f"{module}.{name}")


def test_there_are_imports_in_the_docs() -> None:
    assert len(IMPORTS) > 15


def test_the_package_lists_its_public_names() -> None:
    assert {*expiac.__all__, "__version__"} == set(dir(expiac))
    assert all(getattr(expiac, name) is not None for name in dir(expiac))
