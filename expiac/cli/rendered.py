"""Prints rendered files, or exports them into a folder, from which it removes those that are no longer rendered.

The manifest in the folder names the files that expiac wrote there. expiac removes no other file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from expiac.util.durable import move_file
from expiac.util.errors import ExpiacError
from expiac.util.lock import take_folder_lock

if TYPE_CHECKING:
    from expiac.review.changes import Rendered
    from expiac.review.manifest import Manifest

WAIT = 10.0
"""Seconds for which an export waits for another one beside it."""


def print_rendered(rendered: Rendered) -> None:
    """Prints each file under its job's name."""
    for address, files in rendered.items():
        for name, text in files.items():
            print(f"# --- {address}: {name}\n{text.rstrip()}\n")


def write_rendered(rendered: Rendered, folder: Path, manifest: Manifest) -> None:
    """Writes each file to `<folder>/<address>.<name>`, and the manifest; removes files of removed jobs; prints them.

    All is written into a new folder beside first, and then moved, the manifest last: each file is the old one or the
    new one, whole. Where a process was killed between, the next export knows from the folder beside what was moved.
    Raises `ExpiacError`, before anything is changed, where a link stands in the way.
    """
    from expiac.review.manifest import MANIFEST, text_of

    texts = {f"{address}.{name}": text for address, files in rendered.items() for name, text in files.items()}
    beside = folder.absolute().with_name(f".{folder.absolute().name}.expiac-new")
    before = _names_before(folder, manifest.stack)
    _refuse_links(folder, [*texts, MANIFEST])
    with _error_of_writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.absolute().parent):
            before |= _names_of(beside, manifest.stack)
            shutil.rmtree(beside, ignore_errors=True)
            contents = {**{name: text.encode() for name, text in texts.items()}, MANIFEST: text_of(manifest)}
            try:
                _write_all(beside, contents)
            except BaseException:
                shutil.rmtree(beside, ignore_errors=True)
                raise
            _move_all(beside, folder, texts)
            for name in texts:
                print(folder / name)
            for name in sorted(before - texts.keys()):
                _remove(folder, name)
            move_file(beside / MANIFEST, folder / MANIFEST)
            shutil.rmtree(beside, ignore_errors=True)
    print(folder / MANIFEST)


def _names_before(folder: Path, stack: str) -> set[str]:
    """The files of the last export into this folder. Raises `ExpiacError` where that was another stack's."""
    from expiac.review.manifest import MANIFEST, read_manifest

    if not (folder / MANIFEST).exists():
        return set()
    earlier = read_manifest(folder / MANIFEST)
    if earlier.stack != stack:
        raise ExpiacError("Folder of another stack", f"{folder} has the files of {earlier.stack}",
                          "a folder for each stack")
    return set(earlier.files)


def _names_of(beside: Path, stack: str) -> set[str]:
    """The files that an export meant to write which was killed; none where it was killed before it moved any."""
    try:
        return _names_before(beside, stack)
    except ExpiacError:
        return set()


def _refuse_links(folder: Path, names: Iterable[str]) -> None:
    """Raises `ExpiacError` where the folder, a folder in it or a file that would be replaced is a symbolic link."""
    paths = {folder / name for name in names}
    inner = {parent for path in paths for parent in path.parents if parent.is_relative_to(folder)}
    if link := next((path for path in sorted({folder, *inner, *paths}) if path.is_symlink()), None):
        raise ExpiacError("Cannot write", f"{link} is a symbolic link to {os.readlink(link)}",
                          "remove the link, or name the folder that it leads to")
    if in_the_way := next((path for path in sorted(paths) if path.is_dir()), None):
        raise ExpiacError("Cannot write", f"{in_the_way} is a folder")


@contextmanager
def _error_of_writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExpiacError("Cannot write", f"{error.filename or folder}: {error.strerror}") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lets one export at a time write into a folder. Raises `ExpiacError` where another one goes on for too long."""
    fd = take_folder_lock(folder, WAIT)
    if fd is None:
        raise ExpiacError("Cannot write", f"another export writes into {folder}", "run the command again")
    try:
        yield
    finally:
        os.close(fd)


def _write_all(beside: Path, contents: Mapping[str, bytes]) -> None:
    """Writes the files of an export; the manifest comes last, and says that all are there."""
    for name, content in contents.items():
        path = beside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _move_all(beside: Path, folder: Path, names: Iterable[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        move_file(beside / name, folder / name)
    folder.mkdir(exist_ok=True)


def _remove(folder: Path, name: str) -> None:
    path = folder / name
    if not path.parent.resolve().is_relative_to(folder.resolve()) or not (path.is_file() or path.is_symlink()):
        return  # behind a link that leads elsewhere, or gone already
    try:
        path.unlink()
    except OSError as error:
        raise ExpiacError("Cannot remove", f"{path}: {error.strerror}") from error
    print(f"{path}   removed: no longer rendered")
