"""Where a launch comes from: commit, uncommitted changes, user, host, versions. No part of any fingerprint."""

from __future__ import annotations

import getpass
import hashlib
import platform
import subprocess
from pathlib import Path
from typing import Any

from expiac.util.durable import Disk, File
from expiac.util.errors import ExpiacError
from expiac.util.version import VERSION


def provenance(root: Path, keep_in: Path) -> dict[str, Any]:
    """What is known of this checkout now; an uncommitted diff is kept as a file in `keep_in`, under its digest."""
    known: dict[str, Any] = {"user": _user(), "host": platform.node(), "python": platform.python_version(),
                             "expiac": VERSION}
    commit = git(root, "rev-parse", "HEAD")
    if commit is None:
        return known
    known |= {"commit": commit.decode().strip()}
    diff = git(root, "diff", "HEAD", "--binary")
    if diff is None:
        return known  # too large or too slow to tell
    return known | {"dirty": bool(diff)} | ({"diff": _kept(diff, keep_in)} if diff else {})


def refuse_unpushed(root: Path, job: str) -> None:
    """Refuses a tree that others could not check out: what `git_check` asks for."""
    changed = git(root, "status", "--porcelain")
    if changed is None:
        raise ExpiacError("Tree not committed", f"{job} has git_check, and {root} is no git working tree",
                          "git_check=False lets it go as it is")
    if changed:
        files = changed.decode(errors="replace").splitlines()
        raise ExpiacError("Tree not committed", f"{job} has git_check, and not everything is "
                          f"committed: {', '.join(file[3:] for file in files[:3])}", "git commit, or git_check=False")
    if not git(root, "branch", "--remotes", "--contains", "HEAD"):
        raise ExpiacError("Commit not pushed", f"{job} has git_check, and no remote branch holds this commit",
                          "git push, or git_check=False")


def _kept(diff: bytes, folder: Path) -> str:
    name = hashlib.sha256(diff).hexdigest()[:16]
    file = folder / f"{name}.diff"
    try:
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            File.replacing(file, diff, Disk()).close()  # never half of it under its digest
    except OSError as error:
        raise ExpiacError("Diff not kept", f"{file}: {error.strerror}",
                          f"make room for {folder}, or commit what you changed") from error
    return name


def git(root: Path, *arguments: str) -> bytes | None:
    """What git prints in a folder; None where it fails, is not there, or takes too long."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
