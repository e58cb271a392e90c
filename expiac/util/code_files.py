"""The files of a working directory that go along with a job: what git tracks or would, and nothing that runs leave."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from expiac.util.git import git

_EXCLUDED = frozenset((".git", ".expiac", ".venv", "__pycache__"))
_RESULTS = frozenset(("train_dir", "wandb"))
"""Excluded at the root only: deeper down, such names are a project's own."""
_GIT_LIMIT = 60.0


def code_files(source: Path) -> list[str]:
    """Files and links below `source`: what git tracks or would; without git all but what runs leave behind."""
    listed = _git_files(source)
    if not listed:
        return list(walk(source, Path()))
    found = []
    for name in listed:
        if name.partition("/")[0] != ".expiac":
            # A folder is a repository of its own.
            found += list(walk(source, Path(name))) if is_folder(os.path.join(source, name)) else [name]
    return [name for name in found if os.path.lexists(os.path.join(source, name))]


def walk(source: Path, start: Path) -> Iterator[str]:
    """Files and links below the folder `start` of `source`, named from there, but for what runs leave behind."""
    for folder, folders, files in os.walk(source / start):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        results = _RESULTS if folder == str(source) else frozenset()
        folders[:] = sorted(set(folders) - _EXCLUDED - results - set(links))
        for name in sorted(files + links):
            yield os.path.relpath(os.path.join(folder, name), source)


def is_folder(path: Path | str) -> bool:
    """Whether it is a folder, and no link to one."""
    return os.path.isdir(path) and not os.path.islink(path)


def _git_files(source: Path) -> list[str]:
    listed = git(source, "ls-files", "-co", "--exclude-standard", "-z", timeout=_GIT_LIMIT) or b""
    return sorted({os.fsdecode(name) for name in listed.split(b"\0") if name})
