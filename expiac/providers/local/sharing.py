"""Lets runs share the disk blocks of large files that they brought along, and never a file that a job may write to.

Where the file system can clone (Btrfs, XFS, …), a copy is a clone of its source: it takes no room until one of the two
is written to. Elsewhere a run has copies of its own as long as it may run. When it has ended, each large one becomes a
hard link to a file in the store, `.objects/<2 hex>/<SHA-256>-<mode>`, which has it once for all ended runs. A relaunch
gets copies of its own again. So whatever a job does to its copy, even as root, changes neither another run nor the
store. An object that lost its last link is of no use any more: `prune` removes it.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from expiac.providers.local.disk import locked, read, write
from expiac.providers.local.folder import Launch, RunFolder
from expiac.util.clone import clone
from expiac.util.durable import name_file, replace_by_copy, replace_by_link

LARGE = 1 << 20
"""Bytes; a smaller file is not worth a link."""
OBJECTS = ".objects"
"""The folder of the store, beside those of the runs."""
_COPIES, _LINK = "copied.json", ".link"
"""Of a run's folder: which files of its home are large copies; the name of a link before it takes a copy's place."""
_TRIES = 3


def copy_file(source: Path, target: Path) -> bool:
    """Copies a file or link with its mode and time to where there is none; whether it is a large copy and no clone."""
    is_large_file = is_large(source.lstat())
    if is_large_file and clone(source, target):
        shutil.copystat(source, target)
        return False
    shutil.copy2(source, target, follow_symlinks=False)
    return is_large_file


def is_large(file: os.stat_result) -> bool:
    """Whether it is worth sharing."""
    return stat.S_ISREG(file.st_mode) and file.st_size >= LARGE


def is_shared(file: os.stat_result) -> bool:
    """Whether the file has further names, such as one in the store."""
    return stat.S_ISREG(file.st_mode) and file.st_nlink > 1


def note_copies(run: RunFolder, copies: Iterable[Path]) -> None:
    """Remembers the large copies in the run's home, and sees that each is the run's own before a launch begins.

    The caller holds the run's lock.
    """
    noted = sorted({*_copies(run), *(str(copy.relative_to(run.home)) for copy in copies)})
    for copy in (run.home / name for name in noted):
        if _is_in_home(copy, run) and is_shared(copy.lstat()):
            replace_by_copy(copy, run.path / _LINK, stat.S_IMODE(copy.lstat().st_mode) | stat.S_IWUSR)
    if not noted:
        return
    present = [name for name in noted if os.path.lexists(run.home / name)]
    write(run.path / _COPIES, json.dumps({"files": present}), durable=False)


def share_copies(run: RunFolder, launch: Launch) -> None:
    """Turns the large copies of a run into links to the store. Its last launch has ended, and no process of it lives.

    What the disk refuses is left as it is.
    """
    for name in _copies(run):
        with suppress(OSError):
            for _ in range(_TRIES):
                if _share(run, launch, run.home / name):
                    break


def object_of(run: RunFolder, file: Path) -> Path:
    """Where the store has a file with this content and mode; reads the file."""
    with open(file, "rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return run.path.parent / OBJECTS / digest[:2] / f"{digest}-{_shared_mode(file.lstat()):o}"


def _copies(run: RunFolder) -> list[str]:
    return list((read(run.path / _COPIES) or {}).get("files", ()))


def _is_in_home(copy: Path, run: RunFolder) -> bool:
    """Whether it is there, and not by way of a link that a job made of one of its folders."""
    return os.path.lexists(copy) and copy.parent.resolve().is_relative_to(run.home.resolve())


def _share(run: RunFolder, launch: Launch, copy: Path) -> bool:
    """Whether the copy needs no further try."""
    if not _is_in_home(copy, run):
        return True
    found = copy.lstat()
    if not is_large(found) or is_shared(found):
        return True
    shared = object_of(run, copy)
    # Compared byte for byte: whatever happened to an object, a run never gets what it did not have.
    has_object = shared.exists() and filecmp.cmp(shared, copy, shallow=False)
    with locked(run.path / "lock", 0):  # whoever holds it is launching the run again
        if run.launches()[-1] != launch or not launch.has("end") or _stamp(copy.lstat()) != _stamp(found):
            return True
        try:
            if has_object:
                replace_by_link(copy, shared, run.path / _LINK)
            else:
                _enter(copy, shared)
        except (FileExistsError, FileNotFoundError):
            return False  # another run was faster, or the object was removed meanwhile
    return True


def _stamp(file: os.stat_result) -> tuple[int, int, int, int]:
    return file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns


def _shared_mode(file: os.stat_result) -> int:
    """Read-only, against changes by hand."""
    return stat.S_IMODE(file.st_mode) & ~0o222


def _enter(copy: Path, shared: Path) -> None:
    """Gives the copy a name in the store, in the place of an object that has another content than its name says."""
    shared.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy.chmod(_shared_mode(copy.lstat()))
    if shared.exists() and not filecmp.cmp(shared, copy, shallow=False):
        shared.unlink()
    name_file(copy, shared)
