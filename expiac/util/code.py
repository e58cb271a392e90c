"""The digest of a project's code: of what runs, whatever is committed of it. Asks git, and reads what has changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from expiac.util.git import git


def digest_of_code(root: Path, *left_out: Path | str) -> str:
    """The digest of every file that git does not ignore, but those in `left_out`; empty without git.

    A file counts by its content: committed or not, staged or not, it is the same.
    """
    prefixes = tuple(os.path.relpath(root / path, root) for path in left_out if str(path) not in ("", "."))
    staged, changed = git(root, "ls-files", "-sz"), git(root, "status", "--porcelain=v1", "-z", "-uall", "--no-renames",
                                                         "--", ".")
    top = git(root, "rev-parse", "--show-prefix")
    if staged is None or changed is None or top is None:
        return ""
    prefix = top.decode(errors="surrogateescape").strip()
    blobs = {name: facts.split(" ")[1] for facts, _, name in (line.partition("\t") for line in _lines(staged))}
    for line in _lines(changed):
        name = line[3:].removeprefix(prefix)
        blobs[name] = _blob(root / name)
    counted = sorted((name, blob) for name, blob in blobs.items() if blob and not _is_in(name, prefixes))
    whole = "".join(f"{name}\0{blob}\0" for name, blob in counted)
    return hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest()[:32]


def _lines(answer: bytes) -> list[str]:
    return [line for line in answer.decode(errors="surrogateescape").split("\0") if line]


def _is_in(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}/") for prefix in prefixes)


def _blob(path: Path) -> str:
    """Git's name of a file's content; empty where there is none."""
    try:
        data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
    except OSError:
        return ""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
