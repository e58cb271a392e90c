"""Copies a file or a folder so that a loss of power after the return leaves the copy whole."""

from __future__ import annotations

import shutil
from pathlib import Path

from expiac.util.durable import sync_tree


def copy(source: Path, target: Path) -> None:
    """Copies to `target`, which is not there yet. Links within a folder stay links; raises `OSError`."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)
    sync_tree(target)


def remove(path: Path) -> None:
    """Removes a file, a link or a folder, where it is there and may be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
