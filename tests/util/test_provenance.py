"""Where a launch comes from is kept whole, or the launch is refused in words."""

from __future__ import annotations

import subprocess

import pytest

from expiac.util.errors import ExpiacError
from expiac.util.git import checkout, provenance


@pytest.fixture
def dirty(tmp_path):
    """A git working tree with an uncommitted change, in a file with Windows line ends."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"one\r\n")
    who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    (root / "a.txt").write_bytes(b"two\r\n")
    return root


def test_an_uncommitted_diff_is_kept_byte_by_byte(dirty, tmp_path):
    """It can be applied again."""
    known = provenance(dirty, tmp_path / "kept")
    subprocess.run(["git", "checkout", "-q", "a.txt"], cwd=dirty, check=True)
    subprocess.run(["git", "apply", str(tmp_path / "kept" / f"{known['diff']}.diff")], cwd=dirty, check=True)
    assert known["dirty"] is True
    assert (dirty / "a.txt").read_bytes() == b"two\r\n"


@pytest.mark.parametrize("setting", [
    ("color.ui", "always"), ("diff.noprefix", "true"), ("diff.relative", "true"), ("diff.external", "false"),
    ("diff.x.textconv", "tac")], ids=lambda setting: setting[0])
def test_it_can_be_applied_whatever_git_is_set_to(dirty, tmp_path, setting):
    """Also where the project is a folder of the repository, and the change is outside of it."""
    inner = dirty / "project"
    inner.mkdir()
    (dirty / ".git" / "info" / "attributes").write_text("*.txt diff=x\n", encoding="utf-8")
    subprocess.run(["git", "config", *setting], cwd=dirty, check=True)
    known = provenance(inner, tmp_path / "kept")
    assert checkout(inner) == (known["commit"], True)
    subprocess.run(["git", "checkout", "-q", "a.txt"], cwd=dirty, check=True)
    subprocess.run(["git", "apply", str(tmp_path / "kept" / f"{known['diff']}.diff")], cwd=dirty, check=True)
    assert (dirty / "a.txt").read_bytes() == b"two\r\n"


def test_a_diff_that_cannot_be_kept_is_the_worlds_fault(dirty, tmp_path):
    """A full disk or a folder that is none: an error in words, no traceback."""
    (tmp_path / "kept").write_text("in the way")
    with pytest.raises(ExpiacError, match="Diff not kept"):
        provenance(dirty, tmp_path / "kept")
