"""Removes what archived runs left on the disk. Decides nothing: it is told which, and refuses those that may be alive.

A run's folder is first renamed into `.pruned`, so that its outputs are there whole or not at all, and then deleted.
What a killed process left in `.pruned` is deleted by the next one.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from expiac.providers.base import Id, Presence, Stored
from expiac.providers.local.disk import locked, make_private
from expiac.providers.local.folder import RunFolder
from expiac.providers.local.sharing import OBJECTS
from expiac.providers.local.status import LaunchReader, is_live
from expiac.util.durable import sync_folder

TRASH = ".pruned"
"""The folder of what is to be deleted, beside those of the runs."""
LOCK_TIMEOUT = 30.0
"""Seconds to wait for a supervisor that shares the files of a run."""


def stored(folder: Path, id: Id, reader: LaunchReader) -> Stored | None:
    """What the run left; None where that is nothing, or nothing that this lineage knows of."""
    run = RunFolder(folder / id.instance)
    if not _is_ours(run, id):
        return None
    why = next(filter(None, (_why_kept(reader, id, int(launch.path.name)) for launch in run.launches())), "")
    return Stored(freed_bytes(folder, [run.path]), why)


def set_aside(folder: Path, ids: Sequence[Id], reader: LaunchReader) -> None:
    """Renames the folders of these runs, those that may be alive excepted."""
    trash = folder / TRASH
    for id in ids:
        run = RunFolder(folder / id.instance)
        if not _is_ours(run, id):
            continue
        make_private(trash)
        with suppress(FileNotFoundError), locked(run.path / "lock", LOCK_TIMEOUT):  # another prune may be faster
            found = stored(folder, id, reader)
            if found is not None and not found.why_kept:
                os.rename(run.path, trash / f"{id.instance}.{uuid4().hex[:8]}")
    if trash.exists():
        # Before anything is deleted: after a loss of power, a run is whole or gone.
        sync_folder(trash)
        sync_folder(folder)


def delete_aside(folder: Path) -> None:
    """Deletes what was set aside, and each file of the store that no run refers to any more."""
    for path in _children(folder / TRASH):
        _delete(path)
    for file in _files(folder / OBJECTS):
        with suppress(FileNotFoundError):
            # A run that gets a link to it at this very moment keeps the file: only its name here goes.
            if file.lstat().st_nlink == 1:
                file.unlink()


def freed_bytes(folder: Path, paths: Iterable[Path]) -> int:
    """The room on the disk that deleting these folders frees, with what nothing else but the store then refers to."""
    objects = {_inode(file.lstat()) for file in _files(folder / OBJECTS)}
    names: Counter[tuple[int, int]] = Counter()
    found: dict[tuple[int, int], os.stat_result] = {}
    for path in (inner for outer in paths for inner in _everything(outer)):
        with suppress(FileNotFoundError):
            file = path.lstat()
            names[_inode(file)] += 1
            found[_inode(file)] = file
    return sum(file.st_blocks * 512 for inode, file in found.items()
               if stat.S_ISDIR(file.st_mode) or names[inode] + (inode in objects) >= file.st_nlink)


def set_aside_paths(folder: Path) -> list[Path]:
    """What `delete_aside` deletes now: an earlier process was killed before it had done so."""
    return [*_children(folder / TRASH), *(file for file in _files(folder / OBJECTS) if file.lstat().st_nlink == 1)]


def _is_ours(run: RunFolder, id: Id) -> bool:
    """Whether it is the folder of this run and no link to one; what is not is left alone."""
    jobs = [launch.job() for launch in run.launches()]
    return not run.path.is_symlink() and bool(jobs) and all(job and job.lineage == id.lineage for job in jobs)


def _why_kept(reader: LaunchReader, id: Id, launch: int) -> str:
    seen = reader.observe(Id(id.lineage, id.instance, launch))
    if seen.presence is Presence.UNKNOWN:
        return seen.detail
    return f"it is {seen.status.value}" if is_live(seen) else ""


def _inode(file: os.stat_result) -> tuple[int, int]:
    return file.st_dev, file.st_ino


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*/*") if path.is_file() and not path.is_symlink())


def _everything(path: Path) -> Iterator[Path]:
    yield path
    for folder, folders, files in os.walk(path):
        yield from (Path(folder, name) for name in (*folders, *files))


def _delete(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for folder, folders, _ in os.walk(path):
        for name in folders:  # a job may have made a folder that nobody may write to
            inner = os.path.join(folder, name)
            if not os.path.islink(inner):
                with suppress(FileNotFoundError):
                    os.chmod(inner, 0o700)
    with suppress(FileNotFoundError):  # another prune deletes it too
        shutil.rmtree(path)
