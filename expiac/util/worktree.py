"""A clean working tree of a commit, for as long as a command needs it. The checkout itself is not touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from expiac.util.errors import ExpiacError
from expiac.util.git import GitFailed, git, run_git
from expiac.util.lock import Lock, take_lock

_TIMEOUT = 300.0
"""Seconds to check a commit out."""
_WAIT = 60.0
"""Seconds to wait for another command that removes what killed ones left."""
_ALL = "trees"
"""The lock of the folder."""


@contextmanager
def worktree(root: Path, commit: str, folder: Path) -> Iterator[Path]:
    """The folder of `root` in a clean tree of the commit, which stands below `folder`, and is removed at the end.

    Each command has a tree of its own. What killed commands left there is removed. Raises `ExpiacError` where git can't
    check the commit out.
    """
    inside = git(root, "rev-parse", "--show-prefix")
    if inside is None or git(root, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        raise ExpiacError("No such commit", f"{root} has no commit {commit}",
                          "git fetch, or --anyway for the present code")
    if git(root, "cat-file", "-e", f"{commit}:.gitmodules") is not None:
        raise ExpiacError("Commit with submodules", f"{commit[:12]} has submodules, which expiac does not check out",
                          "--anyway launches the present code")
    tree = folder / f"{commit}-{uuid4().hex[:8]}"
    with ExitStack() as held:
        with Lock(folder / f"{_ALL}.lock", purpose="rerun", wait_seconds=_WAIT):
            _remove_left_behind(root, folder)
            held.enter_context(Lock(_lock_of(tree), purpose="rerun"))  # says that somebody uses the tree
        try:
            run_git(root, "worktree", "add", "--detach", "--force", str(tree), commit, timeout=_TIMEOUT)
            yield tree / inside.decode(errors="surrogateescape").strip()
        except GitFailed as error:
            raise ExpiacError("Commit not checked out", f"{commit[:12]} into {tree}: {error}", "git worktree list"
                              ) from error
        finally:
            _remove(root, tree)


def _remove_left_behind(root: Path, folder: Path) -> None:
    """Removes the trees that no living command uses. Needs the folder's lock."""
    names = {path.stem if path.suffix == ".lock" else path.name for path in folder.iterdir()} - {_ALL}
    for name in names:
        if (held := take_lock(_lock_of(folder / name), 0)) is not None:
            _remove(root, folder / name)
            os.close(held)


def _lock_of(tree: Path) -> Path:
    return tree.with_name(f"{tree.name}.lock")


def _remove(root: Path, tree: Path) -> None:
    git(root, "worktree", "remove", "--force", "--force", str(tree))
    shutil.rmtree(tree, ignore_errors=True)
    git(root, "worktree", "prune")
    _lock_of(tree).unlink(missing_ok=True)  # no other tree will have its name
