"""The digest of a project's code: which changes of files it sees, and which make no difference."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from expiac.util.code import digest_of_code

GIT = ["git", "-c", "user.name=ada", "-c", "user.email=ada@lab"]


def git(root: Path, *words: str) -> None:
    subprocess.run([*GIT, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/lab.py").write_text("LR = 1\n", encoding="utf-8")
    (tmp_path / "train.py").write_text("print(1)\n", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("*.log\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def committed(root: Path) -> Path:
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def edit(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


CHANGES: dict[str, tuple[Callable[[Path], None], bool]] = {
    "an edit": (lambda root: edit(root / "train.py", "print(2)\n"), True),
    "a new file": (lambda root: edit(root / "model.py", "x = 1\n"), True),
    "a file that is gone": (lambda root: (root / "train.py").unlink(), True),
    "another name": (lambda root: (root / "train.py").rename(root / "fit.py") and None, True),
    "a link": (lambda root: (root / "model.py").symlink_to("train.py"), True),
    "a stack file": (lambda root: edit(root / "stacks/lab.py", "LR = 2\n"), False),
    "a saved plan": (lambda root: edit(root / "monday.plan", '{"expiac_plan":1}\n'), False),
    "an ignored file": (lambda root: edit(root / "run.log", "1\n"), False),
    "the same again": (lambda root: edit(root / "train.py", "print(1)\n"), False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_it(committed: Path, change: str) -> None:
    do, counts = CHANGES[change]
    before = digest_of_code(committed, "stacks")
    do(committed)
    assert (digest_of_code(committed, "stacks") != before) is counts


def test_a_commit_changes_nothing(committed: Path) -> None:
    """Edited, staged and committed, the same content is the same code."""
    edit(committed / "train.py", "print(2)\n")
    edit(committed / "größe.py", "x = 1\n")
    edited = digest_of_code(committed, "stacks")
    git(committed, "add", "-A")
    staged = digest_of_code(committed, "stacks")
    git(committed, "commit", "-qm", "second")
    assert edited == staged == digest_of_code(committed, "stacks")


def test_a_project_below_the_root_of_its_repository_is_its_own(tmp_path: Path) -> None:
    edit(tmp_path / "lab/train.py", "print(1)\n")
    git(tmp_path, "init", "-q")
    before = digest_of_code(tmp_path / "lab")
    edit(tmp_path / "other.py", "x = 1\n")
    assert digest_of_code(tmp_path / "lab") == before
    edit(tmp_path / "lab/train.py", "print(2)\n")
    assert digest_of_code(tmp_path / "lab") != before


@pytest.mark.parametrize("change", [name for name in CHANGES if name != "an ignored file"])
def test_without_git_every_file_counts(root: Path, change: str) -> None:
    do, counts = CHANGES[change]
    before = digest_of_code(root, "stacks")
    do(root)
    assert (digest_of_code(root, "stacks") != before) is counts


def test_without_git_what_runs_leave_behind_does_not_count(root: Path) -> None:
    before = digest_of_code(root, root / ".expiac", "train_dir")
    for name in (".expiac/x.jsonl", "train_dir/run", "__pycache__/train.pyc"):
        edit(root / name, "1\n")
    assert digest_of_code(root, root / ".expiac", "train_dir") == before
