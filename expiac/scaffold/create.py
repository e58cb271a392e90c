"""Writes a new project, and writes over nothing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from expiac.scaffold.files import PYPROJECT, project_files
from expiac.scaffold.names import check_name, is_present_folder, name_of, required_packages
from expiac.scaffold.source import installed_from
from expiac.util.errors import ExpiacError, UsageError


@dataclass(frozen=True, slots=True)
class NewProject:
    """What was written."""

    name: str
    folder: Path
    """As the user gave it; `.` for the working folder."""
    files: tuple[Path, ...]
    """From the folder."""


def create(where: str, *, bare: bool) -> NewProject:
    """Writes a project into a folder, and makes the folder if need be. The project has the folder's name.

    Raises `ExpiacError`, and leaves everything as it was, if a file of the project is there already.
    """
    folder, name = Path(where), _project_name(where, bare=bare)
    files = project_files(name, bare=bare, source=installed_from())
    texts = {folder / path: text for path, text in files.items()}
    if in_the_way := list(dict.fromkeys(_in_the_way(folder, texts))):
        raise ExpiacError("Files in the way", "\n".join(str(path) for path in in_the_way),
                          f"nothing was written; {_way_out(folder / PYPROJECT)}")
    _write(texts)
    return NewProject(name, folder, tuple(map(Path, files)))


def _project_name(where: str, *, bare: bool) -> str:
    if not where.strip():
        raise UsageError("Invalid name", "the name is empty", "expiac new NAME, or expiac new . for the present folder")
    required = required_packages(project_files("any", bare=bare)[PYPROJECT])
    if is_present_folder(where):
        return name_of(Path(where), required)
    check_name(Path(where).name, required)
    return Path(where).name


def _in_the_way(folder: Path, texts: Mapping[Path, str]) -> Iterator[Path]:
    """What is there where the project would have a file, or is a file where it would have a folder."""
    for path in texts:
        inside = [parent for parent in reversed(path.parents) if parent == folder or folder in parent.parents]
        yield from (parent for parent in inside if os.path.lexists(parent) and not parent.is_dir())
        if os.path.lexists(path):
            yield path


def _way_out(pyproject: Path) -> str:
    """What to do instead: a folder with a `pyproject.toml` of its own is one table away from being a project."""
    if pyproject.is_file() and "tool.expiac" not in pyproject.read_text("utf-8", errors="replace"):
        return f"to make the folder a project as it is: echo '[tool.expiac]' >> {shlex.quote(str(pyproject))}"
    return "move them away, or choose another folder"


def _write(texts: Mapping[Path, str]) -> None:
    """Writes all files, or none of them."""
    written: list[Path] = []
    folders: list[Path] = []
    try:
        for path, text in texts.items():
            _make_folders(path.parent, folders)
            with path.open("x", encoding="utf-8") as file:  # never over a file that has just appeared
                written.append(path)
                file.write(text)
    except OSError as error:
        _remove(written, folders)
        raise ExpiacError("Cannot write", f"{path}: {error.strerror}", "nothing was written") from error


def _make_folders(folder: Path, made: list[Path]) -> None:
    for missing in reversed([one for one in (folder, *folder.parents) if not one.is_dir()]):
        missing.mkdir()
        made.append(missing)


def _remove(files: list[Path], folders: list[Path]) -> None:
    for file in files:
        with suppress(OSError):
            file.unlink()
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()
