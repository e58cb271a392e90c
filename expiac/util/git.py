"""Where a launch comes from: commit, uncommitted changes, user, host, versions. No part of any fingerprint.

The only caller of git.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError
from expiac.util.user import user
from expiac.util.version import VERSION

_ELSEWHERE = frozenset(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR",
                        "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"))
"""Variables that name another repository than that of the folder, as they do inside a git hook."""


class GitFailed(Exception):
    """Git is not there, refused, or took too long; its text says which."""


def provenance(root: Path, keep_in: Path) -> dict[str, Any]:
    """What is known of this checkout now; an uncommitted diff is kept as a file in `keep_in`, under its digest."""
    known: dict[str, Any] = {"user": user(), "host": platform.node(), "python": platform.python_version(),
                             "expiac": VERSION}
    commit = git(root, "rev-parse", "HEAD")
    if commit is None:
        return known
    known |= {"commit": commit.decode().strip()}
    diff = git(root, "diff", "HEAD", "--binary")
    if diff is None:
        return known  # too large or too slow to tell
    return known | {"dirty": bool(diff)} | ({"diff": _keep_diff(diff, keep_in)} if diff else {})


def checkout(root: Path) -> tuple[str | None, bool | None]:
    """The commit of a checkout, and whether its tracked files have changes; None of what git doesn't know."""
    commit = git(root, "rev-parse", "HEAD")
    if commit is None:
        return None, None
    changed = git(root, "diff", "HEAD", "--name-only")
    return commit.decode().strip(), None if changed is None else bool(changed)


def refuse_unpushed(root: Path, job: str, *, apart_from: Path | None = None) -> None:
    """Refuses a tree that others could not check out: what `git_check` asks for. A folder of state is no part of it."""
    needs = f"{job} needs a tree that is committed and pushed (git_check)"
    inside = apart_from is not None and apart_from.is_relative_to(root)
    without = [f":(exclude){apart_from.relative_to(root)}"] if apart_from is not None and inside else []
    changed = git(root, "status", "--porcelain", "--", ":/", *without)
    if changed is None:
        raise ExpiacError("Tree not committed", f"{needs}, and {root} is no git working tree",
                          "git_check=False lets it go as it is")
    if changed:
        files = changed.decode(errors="replace").splitlines()
        others = f" and {len(files) - 3} more" if len(files) > 3 else ""
        raise ExpiacError("Tree not committed", f"{needs}, and not everything is committed: "
                          f"{', '.join(file[3:] for file in files[:3])}{others}", "git commit, or git_check=False")
    if not git(root, "branch", "--remotes", "--contains", "HEAD"):
        raise ExpiacError("Commit not pushed", f"{needs}, and no remote branch holds this commit",
                          "git push, or git_check=False")


def _keep_diff(diff: bytes, folder: Path) -> str:
    name = hashlib.sha256(diff).hexdigest()[:16]
    file = folder / f"{name}.diff"
    try:
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(file, diff)  # never half of it under its digest
    except OSError as error:
        raise ExpiacError("Diff not kept", f"{file}: {error.strerror}",
                          f"make room for {folder}, or commit what you changed") from error
    return name


def git(root: Path, *arguments: str, timeout: float = 30.0) -> bytes | None:
    """What git prints in a folder; None where it fails, is not there, or takes too long."""
    try:
        return run_git(root, *arguments, timeout=timeout)
    except GitFailed:
        return None


def run_git(root: Path, *arguments: str, timeout: float) -> bytes:
    """What git prints in a folder. Raises `GitFailed` where it gives no answer within so many seconds."""
    environ = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    try:
        done = subprocess.run(["git", *arguments], cwd=root, env=environ, stdin=subprocess.DEVNULL,
                              capture_output=True, check=True, timeout=timeout)
    except (OSError, subprocess.SubprocessError) as error:
        raise GitFailed(str(error)) from error
    return done.stdout
