"""The digest of a project's code: of what runs, whatever is committed of it. Asks git, and reads what has changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from expiac.util.code_files import walk
from expiac.util.git import git

PLAN_MARK = b'{"expiac_plan":'
"""How a saved plan begins: it often lies among the code, and is none."""
_UNREAD = "unread"
"""In place of the name of a content that git does not know."""


def digest_of_code(root: Path, *left_out: Path | str) -> str:
    """The digest of every file that git does not ignore, but those in `left_out`.

    A file counts by its content: committed or not, staged or not, it is the same. Without git, every file counts. A
    saved plan that is not committed does not.
    Empty where git knows the folder, and does not answer in time.
    """
    prefixes = tuple(os.path.relpath(root / path, root) for path in left_out if str(path) not in ("", "."))
    top = git(root, "rev-parse", "--show-prefix")
    if top is None:
        blobs: Mapping[str, str] | None = dict.fromkeys(walk(root, Path()), _UNREAD)
    else:
        blobs = _known_to_git(root, top.decode(errors="surrogateescape").strip())
    if blobs is None:
        return ""
    # What is left out may be large, such as the results of runs: it is not read.
    known = ((name, blob) for name, blob in blobs.items() if not _is_in(name, prefixes))
    read = ((name, _blob(root / name) if blob == _UNREAD else blob) for name, blob in known)
    counted = sorted((name, blob) for name, blob in read if blob)
    whole = "".join(f"{name}\0{blob}\0" for name, blob in counted)
    return hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest()[:32]


def _known_to_git(root: Path, prefix: str) -> Mapping[str, str] | None:
    """Each file with git's name of its content, or `_UNREAD`; None where git gives no answer.

    The folder is `prefix` in its tree.
    """
    staged = git(root, "ls-files", "-sz")
    changed = git(root, "status", "--porcelain=v1", "-z", "-uall", "--no-renames", "--", ".")
    if staged is None or changed is None:
        return None
    blobs = {name: facts.split(" ")[1] for facts, _, name in (line.partition("\t") for line in _lines(staged))}
    return {**blobs, **{line[3:].removeprefix(prefix): _UNREAD for line in _lines(changed)}}


def _lines(answer: bytes) -> list[str]:
    return [line for line in answer.decode(errors="surrogateescape").split("\0") if line]


def _is_in(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}/") for prefix in prefixes)


def _blob(path: Path) -> str:
    """Git's name of a file's content; empty where there is none, and of a saved plan."""
    try:
        if path.is_symlink():
            data = os.fsencode(os.readlink(path))
        elif path.is_file():
            data = path.read_bytes()
            if data.startswith(PLAN_MARK):
                return ""
        else:
            return ""
    except OSError:
        return ""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
