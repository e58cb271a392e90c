"""What is hard to get right is done in one module, and everybody else calls that."""

from __future__ import annotations

from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "expiac"
PROJECTS = {"base", "bare", "example"}
"""In the scaffold, the files of projects that are no part of the package."""


@pytest.mark.parametrize(("words", "home"), [
    (("flock(", "lockf("), "util/lock.py"),
    (("os.replace(", "os.link(", "NamedTemporaryFile("), "util/durable.py"),
    (('"git"',), "util/git.py"),
    (("getpass",), "util/user.py"),
    (("fdatasync", "os.fsync("), "util/durable.py"),
    (("import fsspec", "from fsspec"), "util/filesystems.py"),
])
def test_it_is_done_in_one_place(words, home):
    """Locks, atomic writes, git, the user's name, syncs, stores."""
    users = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py")
             if not PROJECTS & {*file.parts} and any(word in file.read_text() for word in words)}
    assert users == {home}
