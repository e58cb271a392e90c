"""The digest of a project's code: of what runs, whatever is committed of it. Asks git, and reads what has changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from expiac.util.git import git

_NO_CODE = frozenset((".git", ".expiac", ".venv", "__pycache__", "wandb"))
"""Folders that are left out where there is no git to say what is ignored."""


def digest_of_code(root: Path, *left_out: Path | str) -> str:
    """The digest of every file that git does not ignore, but those in `left_out`.

    A file counts by its content: committed or not, staged or not, it is the same. Without git, every file counts.
    Empty where git knows the folder, and does not answer in time.
    """
    prefixes = tuple(os.path.relpath(root / path, root) for path in left_out if str(path) not in ("", "."))
    top = git(root, "rev-parse", "--show-prefix")
    blobs = _below(root, prefixes) if top is None else _known_to_git(root, top.decode(errors="surrogateescape").strip())
    if blobs is None:
        return ""
    counted = sorted((name, blob) for name, blob in blobs.items() if blob and not _is_in(name, prefixes))
    whole = "".join(f"{name}\0{blob}\0" for name, blob in counted)
    return hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest()[:32]


def _known_to_git(root: Path, prefix: str) -> Mapping[str, str] | None:
    """Each file with git's name of its content; None where git gives no answer. The folder is `prefix` in its tree."""
    staged = git(root, "ls-files", "-sz")
    changed = git(root, "status", "--porcelain=v1", "-z", "-uall", "--no-renames", "--", ".")
    if staged is None or changed is None:
        return None
    blobs = {name: facts.split(" ")[1] for facts, _, name in (line.partition("\t") for line in _lines(staged))}
    for line in _lines(changed):
        name = line[3:].removeprefix(prefix)
        blobs[name] = _blob(root / name)
    return blobs


def _below(root: Path, left_out: tuple[str, ...]) -> Mapping[str, str]:
    blobs: dict[str, str] = {}
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        folders[:] = [name for name in folders
                      if name not in _NO_CODE and not _is_in(os.path.normpath(os.path.join(inside, name)), left_out)]
        for name in files:
            blobs[os.path.normpath(os.path.join(inside, name))] = _blob(Path(folder, name))
    return blobs


def _lines(answer: bytes) -> list[str]:
    return [line for line in answer.decode(errors="surrogateescape").split("\0") if line]


def _is_in(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}/") for prefix in prefixes)


def _blob(path: Path) -> str:
    """Git's name of a file's content; empty where there is none."""
    try:
        if path.is_symlink():
            data = os.fsencode(os.readlink(path))
        elif path.is_file():
            data = path.read_bytes()
        else:
            return ""
    except OSError:
        return ""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
