"""Puts a job's code and mounted files into its home. Touches nothing outside it and no result in it."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from expiac.providers.local.disk import read, write
from expiac.providers.local.sharing import copy_file, is_large, is_shared
from expiac.util.code_files import code_files, is_folder, walk
from expiac.util.errors import ExpiacError

SKY_WORKDIR = "sky_workdir"
"""SkyPilot's name for the copy of the code in a node's home."""


def sync_code(source: Path, target: Path, manifest: Path, excluded: Path) -> list[Path]:
    """Makes `target` hold the code in `source` as it is now, without what is in the folder `excluded`.

    Files that an earlier sync brought, as `manifest` says, and that the source no longer has are removed.
    What a job wrote there stays. Returns the large files that take room of their own.
    """
    if not source.is_dir():
        raise ExpiacError("No such workdir", str(source))
    names = [name for name in code_files(source) if not _is_within(source / name, excluded)]
    known = (read(manifest) or {}).get("files", [])
    # Named before they are there: what a killed sync brought is removed too when its time comes.
    write(manifest, json.dumps({"files": sorted({*known, *names})}), durable=False)
    _make_folder(target)
    for name in set(known) - set(names):
        _remove(target, name)
    large = [target / name for name in names if _copy(source / name, target, name)]
    write(manifest, json.dumps({"files": names}), durable=False)
    return large


def _is_within(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _copy(source: Path, base: Path, name: str) -> bool:
    """Copies one file or link below `base`, unless it is there already; sockets and the like are no code.

    Says whether it is large and takes room of its own.
    """
    wanted, target = source.lstat(), base / name
    if not (stat.S_ISREG(wanted.st_mode) or stat.S_ISLNK(wanted.st_mode)):
        return False
    if os.path.lexists(target):
        found = target.lstat()
        if _stamp(found) == _stamp(wanted) and not is_shared(found):  # a job may write to its own files only
            return is_large(found)
    for folder in reversed([parent for parent in target.parents if base in parent.parents]):
        _make_folder(folder)
    _clear(target)
    return copy_file(source, target)


def _stamp(file: os.stat_result) -> tuple[int, int, int]:
    """What changes when a file does."""
    return file.st_mode, file.st_size, file.st_mtime_ns


def _remove(base: Path, name: str) -> None:
    """Removes a file that an earlier sync brought, unless a job put something else there."""
    target = base / name
    if target.parent.resolve().is_relative_to(base.resolve()) and not is_folder(target):
        target.unlink(missing_ok=True)


def _make_folder(path: Path) -> None:
    """A real folder: what a job put there instead, a link for example, would lead elsewhere."""
    if not is_folder(path):
        _clear(path)
        path.mkdir(mode=0o700)


def _clear(path: Path) -> None:
    if is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def mount(
    mounts: Mapping[str, str], texts: Mapping[str, str], root: Path, home: Path, workdir: str
) -> list[Path]:
    """Copies each source to its destination: a rendered text by its name, else a path relative to the project.

    Returns the large files that take room of their own.
    """
    large: list[Path] = []
    for destination, source in mounts.items():
        target = home / path_in_home(destination, workdir)
        if not target.parent.resolve().is_relative_to(home.resolve()):
            raise _outside_error(destination)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source in texts:
            _clear(target)
            target.write_text(texts[source], encoding="utf-8")
        else:
            large += _mount_one(root / Path(source).expanduser(), target, source)
    return large


def _mount_one(source: Path, target: Path, name: str) -> list[Path]:
    if source.is_dir():
        _make_folder(target)
        return [target / found for found in walk(source, Path()) if _copy(source / found, target, found)]
    if source.exists():
        return [target] if _copy(source.resolve(), target.parent, target.name) else []
    raise ExpiacError("No such file to mount", name, "a mount's source is relative to the project")


def path_in_home(destination: str, workdir: str) -> Path:
    """Where a mount goes, relative to the job's home; refuses what would leave it."""
    if destination.startswith("~/"):
        path = Path(destination[2:])
    elif destination.startswith(("/", "~")):
        raise _outside_error(destination)
    else:
        path = Path(workdir) / destination
    normal = os.path.normpath(path)
    if normal in (".", "..") or normal.startswith("../"):
        raise _outside_error(destination)
    return Path(normal)


def _outside_error(destination: str) -> ExpiacError:
    hint = "mount below ~/ or relative to the working directory"
    return ExpiacError("A mount would leave the job's folder", destination, hint)
