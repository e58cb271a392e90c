"""The folders of `tests` are the packages of `expiac`."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent
EXPIAC = TESTS.parent / "expiac"
ACROSS = {"docs", "benchmarks", "crash", "e2e", "fixtures", "slurm", "snapshots", "trainer"}
"""What concerns several packages, or none of expiac."""


def folders(of: Path) -> set[str]:
    return {path.name for path in of.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))}


def has_tests(folder: Path) -> bool:
    return any(folder.rglob("test_*.py"))


def test_each_package_of_expiac_has_its_tests():
    """`tests/plan` holds what tests `expiac.plan`."""
    assert [name for name in sorted(folders(EXPIAC)) if not has_tests(TESTS / name)] == []


def test_so_has_each_provider():
    """Providers are packages of their own."""
    providers = folders(EXPIAC / "providers")
    assert [name for name in sorted(providers) if not has_tests(TESTS / "providers" / name)] == []
    assert folders(TESTS / "providers") == providers


def test_every_other_folder_is_known():
    """Neither a folder for a package that is gone, nor one that nobody has named."""
    assert folders(TESTS) - folders(EXPIAC) == ACROSS
