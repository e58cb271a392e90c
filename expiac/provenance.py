"""Where a launch comes from: commit, uncommitted changes, user, host, versions. No part of any fingerprint."""

from __future__ import annotations

import getpass
import hashlib
import platform
import subprocess
from pathlib import Path
from typing import Any

from expiac.version import VERSION


def provenance(root: Path, keep_in: Path) -> dict[str, Any]:
    """What is known of this checkout now; an uncommitted diff is kept as a file in `keep_in`, under its digest."""
    known = {"user": _user(), "host": platform.node(), "python": platform.python_version(), "expiac": VERSION}
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return known
    diff = _git(root, "diff", "HEAD", "--binary") or ""
    return known | {"commit": commit.strip(), "dirty": bool(diff)} | ({"diff": _kept(diff, keep_in)} if diff else {})


def _kept(diff: str, folder: Path) -> str:
    name = hashlib.sha256(diff.encode(errors="surrogateescape")).hexdigest()[:16]
    file = folder / f"{name}.diff"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(diff, errors="surrogateescape")
    return name


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True, timeout=30, text=True,
                              errors="surrogateescape")
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
