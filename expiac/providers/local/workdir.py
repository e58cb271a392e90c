"""Puts a job's code and mounted files into its home. Touches nothing outside it, and no result inside it."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from expiac.providers.local.disk import read, write
from expiac.util.errors import ExpiacError
from expiac.util.git import git

SKY_WORKDIR = "sky_workdir"
"""SkyPilot's name for the copy of the code in a node's home."""
LEFT_OUT = frozenset((".git", ".expiac", ".venv", "__pycache__"))
RESULTS = frozenset(("train_dir", "wandb"))
"""Left out at the root only: deeper down, such names are a project's own."""
GIT_LIMIT = 60.0


def sync_code(source: Path, target: Path, manifest: Path, apart: Path) -> None:
    """Makes `target` hold the code in `source` as it is now, without what is in `apart`; what a job wrote there stays.

    Files that an earlier sync brought, as `manifest` says, and that the source no longer has are removed.
    """
    if not source.is_dir():
        raise ExpiacError("No such workdir", str(source))
    names = [name for name in _code(source) if not _is_apart(source / name, apart)]
    known = (read(manifest) or {}).get("files", [])
    # Named before they are there: what a killed sync brought is removed too when its time comes.
    write(manifest, json.dumps({"files": sorted({*known, *names})}), durable=False)
    _folder(target)
    for name in set(known) - set(names):
        _remove(target, name)
    for name in names:
        _copy(source / name, target, name)
    write(manifest, json.dumps({"files": names}), durable=False)


def _is_apart(path: Path, apart: Path) -> bool:
    return path == apart or apart in path.parents


def _code(source: Path) -> list[str]:
    """Files and links below `source`: what git tracks or would; without git all but what runs leave behind."""
    listed = _git_files(source)
    if not listed:
        return list(_walk(source, Path()))
    found = []
    for name in listed:
        if Path(name).parts[0] != ".expiac":
            # A folder is a repository of its own.
            found += list(_walk(source, Path(name))) if _is_folder(source / name) else [name]
    return [name for name in found if os.path.lexists(source / name)]


def _git_files(source: Path) -> list[str]:
    listed = git(source, "ls-files", "-co", "--exclude-standard", "-z", timeout=GIT_LIMIT) or b""
    return sorted({os.fsdecode(name) for name in listed.split(b"\0") if name})


def _walk(source: Path, start: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(source / start):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        results = RESULTS if folder == str(source) else frozenset()
        folders[:] = sorted(set(folders) - LEFT_OUT - results - set(links))
        for name in sorted(files + links):
            yield os.path.relpath(os.path.join(folder, name), source)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _copy(source: Path, base: Path, name: str) -> None:
    """Copies one file or link below `base`, unless it is there already; sockets and the like are no code."""
    wanted, target = source.lstat(), base / name
    if not (stat.S_ISREG(wanted.st_mode) or stat.S_ISLNK(wanted.st_mode)):
        return
    if os.path.lexists(target):
        found = target.lstat()
        if (found.st_mode, found.st_size, found.st_mtime_ns) == (wanted.st_mode, wanted.st_size, wanted.st_mtime_ns):
            return
    for folder in reversed([parent for parent in target.parents if base in parent.parents]):
        _folder(folder)
    _clear(target)
    shutil.copy2(source, target, follow_symlinks=False)


def _remove(base: Path, name: str) -> None:
    """Removes a file that an earlier sync brought, unless a job put something else there."""
    target = base / name
    if target.parent.resolve().is_relative_to(base.resolve()) and not _is_folder(target):
        target.unlink(missing_ok=True)


def _folder(path: Path) -> None:
    """A real folder: what a job put there instead, a link for example, would lead elsewhere."""
    if not _is_folder(path):
        _clear(path)
        path.mkdir(mode=0o700)


def _clear(path: Path) -> None:
    if _is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def mount(mounts: Mapping[str, str], texts: Mapping[str, str], root: Path, home: Path, workdir: str) -> None:
    """Brings each source to its destination: a rendered text by its name, else a path relative to the project."""
    for destination, source in mounts.items():
        target = home / inside(destination, workdir)
        if not target.parent.resolve().is_relative_to(home.resolve()):
            raise _outside(destination)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source in texts:
            _clear(target)
            target.write_text(texts[source])
        else:
            _bring(root / Path(source).expanduser(), target, source)


def _bring(source: Path, target: Path, name: str) -> None:
    if source.is_dir():
        _folder(target)
        for found in _walk(source, Path()):
            _copy(source / found, target, found)
    elif source.exists():
        _copy(source.resolve(), target.parent, target.name)
    else:
        raise ExpiacError("No such file to mount", name, "a mount's source is relative to the project")


def inside(destination: str, workdir: str) -> Path:
    """Where a mount goes, relative to the job's home; refuses what would leave it."""
    if destination.startswith("~/"):
        path = Path(destination[2:])
    elif destination.startswith(("/", "~")):
        raise _outside(destination)
    else:
        path = Path(workdir) / destination
    normal = os.path.normpath(path)
    if normal in (".", "..") or normal.startswith("../"):
        raise _outside(destination)
    return Path(normal)


def _outside(destination: str) -> ExpiacError:
    return ExpiacError(
        "A mount would leave the job's folder", destination, "mount below ~/ or relative to the working directory")
