"""Digests of what goes along with a job: mounted files and folders, and the working tree. A path says nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from expiac.util.errors import ExpiacError
from expiac.util.git import GitFailed, run_git


def content_of(root: Path, job: str, source: str) -> str:
    """What a mount of this source is compared by: the digest of a file or folder here, the address of what is not."""
    if "://" in source:
        return source
    path = root / Path(source).expanduser()
    if path.is_file():
        return _hash([path], path.parent)
    if path.is_dir():
        return _hash((file for file in sorted(path.rglob("*")) if file.is_file()), path)
    raise ExpiacError("No such file to mount", f"{job}: {source} (looked in {root})")


def tree_digest(root: Path) -> str:
    """The content of every tracked and untracked, not ignored file of a git working tree."""
    try:
        listed = run_git(root, "ls-files", "-coz", "--exclude-standard", timeout=60)
    except GitFailed as error:
        raise ExpiacError("Code can't be pinned", f"{root} is no git working tree: {error}") from error
    names = sorted(name for name in listed.decode(errors="surrogateescape").split("\0") if name)
    return _hash((root / name for name in names if (root / name).is_file()), root)


def _hash(files: Iterable[Path], base: Path) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(str(file.relative_to(base)).encode(errors="surrogateescape") + b"\0")
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()[:32]
