"""Cuts a damaged state file back to its last good prefix, after saying what that loses. Never mends a line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from expiac.state.codec import adapter, content_of, parts_of
from expiac.state.events import EVENTS
from expiac.state.journal import utc_now
from expiac.state.replay import Damage, Reading, read, replay
from expiac.util.durable import Disk, File
from expiac.util.errors import ExpiacError, Stale


@dataclass(frozen=True, slots=True)
class Repair:
    """What stands before the damage, and what would be lost behind it."""

    path: Path
    line: int
    """The first damaged line, from 1."""
    what: str
    """What is wrong with it."""
    kept: Reading | None
    """What stays; None where the header itself is damaged, so that nothing does."""
    lost: tuple[str, ...]
    """Each line from the damaged one on: its number, event and address where it still says so."""
    size: int
    """Bytes of the file that was looked at."""

    @property
    def description(self) -> str:
        kept = f"{self.line - 1} lines stay" if self.kept else "nothing stays"
        return "\n".join([f"{self.path}: line {self.line}: {self.what}", f"{kept}; {len(self.lost)} would be lost:",
                          *(f"  {line}" for line in self.lost)])

    def carry_out(self, *, now: Callable[[], str] = utc_now, disk: Disk | None = None, keep_in: Path | None = None
                  ) -> Path:
        """Keeps a copy, whose path it returns, and cuts. Asks for the stack's lock to be held."""
        disk, keep_in = disk or Disk(), keep_in or self.path.parent
        try:
            if self.path.stat().st_size != self.size:
                raise Stale("State moved on", f"{self.path} was written meanwhile", "run the command again")
            keep_in.mkdir(parents=True, exist_ok=True)
            copy = keep_in / f"{self.path.name}.damaged-{now().replace(':', '')}"
            shutil.copyfile(self.path, copy)
            if self.kept is None:
                disk.remove(self.path)
            else:
                File.replacing(self.path, self.path.read_bytes()[: self.kept.length], disk).close()
            disk.sync_folder(self.path.parent)
        except OSError as error:
            raise ExpiacError("State not written", f"{self.path}: {error.strerror}",
                              f"see that {self.path.parent} can be written, then run the command again") from error
        return copy


def repair(path: Path) -> Repair | None:
    """What a repair would keep and lose; None where the file can be read as it is."""
    try:
        read(path)
    except Damage as damage:
        data = path.read_bytes()
        kept = replay(data[: damage.start], path) if damage.line > 1 else None
        lines = data[damage.start :].removesuffix(b"\n").split(b"\n")
        lost = tuple(f"line {number}: {_said(line)}" for number, line in enumerate(lines, damage.line))
        return Repair(path, damage.line, damage.what, kept, lost, len(data))
    return None


def _said(line: bytes) -> str:
    content = content_of(line)
    parts = parts_of(content) if content else None
    if parts is None:
        return f"{len(line)} bytes that cannot be read"
    _, at, tag, body = parts
    try:
        event = adapter(tag).validate_json(body) if tag in EVENTS else None
    except ValueError:
        event = None
    return " ".join(filter(None, [tag, getattr(event, "address", ""), f"at {at}"]))
