"""The folder of reviewed renderings: `snapshots/<stack>/<job>.<file>`, each byte for byte as it was accepted.

Renderings of a stack under overrides stand beside those of the stack alone, in `snapshots/<stack>@<overrides>/`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from expiac.compile.config_files import CONFIG_STEM
from expiac.declare.project import Project
from expiac.providers.base import TASK_FILE
from expiac.review.renderings import COMPOSED_FILE
from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError

_STEMS = (CONFIG_STEM, PurePosixPath(TASK_FILE).stem, PurePosixPath(COMPOSED_FILE).stem)
_SAFE = "=+-._~:()[]{} "
"""What stands for itself in the name of a folder; a comma parts overrides."""
_STACK_FILE = ".stack_file"
"""In the folder of a set whose stack file is not in the folder of the stacks: the path of that file."""


@dataclass(frozen=True, slots=True, order=True)
class SnapshotSet:
    """The renderings of one stack, as it is or under overrides."""

    stack: str
    overrides: tuple[str, ...] = ()
    """Words `key=value`, as on the command line."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        words = ",".join(quote(word, safe=_SAFE, errors="surrogatepass") for word in self.overrides)
        return f"{self.stack}@{words}" if words else self.stack

    @classmethod
    def named(cls, name: str) -> SnapshotSet:
        """The set whose folder has this name."""
        stack, _, words = name.partition("@")
        return cls(stack, tuple(unquote(word) for word in words.split(",") if word))


def job_of(name: str) -> tuple[str, str] | None:
    """The job and the rendered file that a snapshot is of, by its name; None for a file that is no snapshot."""
    parts = name.rsplit(".", 2)
    if len(parts) != 3 or not parts[0] or parts[1] not in _STEMS:
        return None
    return parts[0], f"{parts[1]}.{parts[2]}"


class Snapshots:
    """The snapshots of a project."""

    def __init__(self, project: Project, folder: Path | None = None) -> None:
        self.root = project.root
        self.folder = project.root / (project.snapshots if folder is None else folder)

    def sets(self) -> list[SnapshotSet]:
        """Those that have a folder. A folder whose name expiac would not give it is none of them."""
        try:
            with os.scandir(self.folder) as entries:
                names = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(which for name in names if (which := SnapshotSet.named(name)).name == name)

    def path(self, which: SnapshotSet, name: str) -> Path:
        """Where a snapshot stands, from the project's root where it lies in there."""
        path = self.folder / which.name / name
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path

    def read(self, which: SnapshotSet, jobs: Collection[str] | None = None) -> Mapping[str, bytes]:
        """The snapshots of a set by name, `<job>.<file>`; of other files in its folder it knows nothing.

        With `jobs`, those of these jobs alone.
        """
        folder = str(self.folder / which.name)
        try:
            return {name: _content(f"{folder}/{name}") for name in sorted(_files_in(folder))
                    if (found := job_of(name)) and (jobs is None or found[0] in jobs)}
        except OSError as error:
            raise ExpiacError("Unreadable snapshot", f"{error.filename}: {error.strerror}") from error

    def content(self, which: SnapshotSet, name: str) -> bytes | None:
        """One snapshot, as it is now; None where there is none."""
        path = self.folder / which.name / name
        try:
            return path.read_bytes() if path.is_file() else None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ExpiacError("Unreadable snapshot", f"{path}: {error.strerror}") from error

    def write(self, which: SnapshotSet, name: str, content: bytes) -> None:
        """Puts a snapshot in its place; whoever reads it meanwhile finds the old one or the new one, whole."""
        path = self.folder / which.name / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
        except OSError as error:
            raise ExpiacError("Cannot write", f"{path}: {error.strerror}") from error

    def has(self, which: SnapshotSet) -> bool:
        """Whether the set has a folder."""
        return (self.folder / which.name).is_dir()

    def stack_file(self, which: SnapshotSet) -> str:
        """The path of the stack file of a set, where it is not in the folder of the stacks; else empty."""
        content = self.content(which, _STACK_FILE)
        return "" if content is None else content.decode(errors="surrogateescape").strip()

    def write_stack_file(self, which: SnapshotSet, program: str) -> None:
        """Records the stack file of a set; an empty path is that of one in the folder of the stacks."""
        before = self.stack_file(which)
        if program and program != before:
            self.write(which, _STACK_FILE, f"{program}\n".encode(errors="surrogateescape"))
        elif before and not program:
            remove_snapshot(self.folder, self.folder / which.name / _STACK_FILE)

    def remove(self, which: SnapshotSet, name: str) -> None:
        """Removes a snapshot, and the folders that are empty without it; never a file of a folder that is a link."""
        remove_snapshot(self.folder, self.folder / which.name / name)


def remove_snapshot(top: Path, path: Path) -> None:
    """As `Snapshots.remove`, of the snapshot at a path below the folder of all."""
    inner = [folder for folder in path.parents if folder != top and folder.is_relative_to(top)]
    if (link := next((folder for folder in inner if folder.is_symlink()), None)) is not None:
        raise ExpiacError("Cannot remove", f"{path}: {link} is a link to another folder", "remove the link")
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ExpiacError("Cannot remove", f"{path}: {error.strerror}") from error
    for folder in inner:
        if [entry.name for entry in _entries(folder)] == [_STACK_FILE]:  # of a set that has no snapshots any more
            (folder / _STACK_FILE).unlink(missing_ok=True)
        if not _remove_if_empty(folder):
            return


def _content(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _files_in(folder: str, within: str = "") -> Iterator[str]:
    """The names of the files in a folder and below, from that folder; hidden ones, and linked folders, apart."""
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files_in(entry.path, f"{within}{entry.name}/")
        elif entry.is_file():
            yield within + entry.name


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _remove_if_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
