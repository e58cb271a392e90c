"""A clean working tree of a commit, for as long as a command needs it. The checkout itself is not touched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expiac.util.errors import ExpiacError
from expiac.util.git import GitFailed, git, run_git
from expiac.util.lock import Lock

_TIMEOUT = 300.0
"""Seconds to check a commit out."""
_WAIT = 60.0
"""Seconds to wait for another command that uses a tree of the same commit."""


@contextmanager
def worktree(root: Path, commit: str, folder: Path) -> Iterator[Path]:
    """The folder of `root` in a clean tree of the commit, which stands below `folder`, and is removed at the end.

    What a killed command left there is replaced. Raises `ExpiacError` where git can't check it out.
    """
    inside = git(root, "rev-parse", "--show-prefix")
    if inside is None or git(root, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        raise ExpiacError("No such commit", f"{root} has no commit {commit}",
                          "git fetch, or --anyway for the present code")
    if git(root, "cat-file", "-e", f"{commit}:.gitmodules") is not None:
        raise ExpiacError("Commit with submodules", f"{commit[:12]} has submodules, which expiac does not check out",
                          "--anyway launches the present code")
    folder.mkdir(parents=True, exist_ok=True)
    with Lock(folder / f"{commit}.lock", purpose="rerun", wait_seconds=_WAIT):
        tree = folder / commit
        _remove(root, tree)
        try:
            run_git(root, "worktree", "add", "--detach", "--force", str(tree), commit, timeout=_TIMEOUT)
            yield tree / inside.decode(errors="surrogateescape").strip()
        except GitFailed as error:
            raise ExpiacError("Commit not checked out", f"{commit[:12]} into {tree}: {error}", "git worktree list"
                              ) from error
        finally:
            _remove(root, tree)


def _remove(root: Path, tree: Path) -> None:
    git(root, "worktree", "remove", "--force", "--force", str(tree))
    shutil.rmtree(tree, ignore_errors=True)
    git(root, "worktree", "prune")
