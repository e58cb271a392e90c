"""Cuts a damaged state back to its last good prefix, after saying what that loses. Never mends a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from expiac.state.codec import adapter, content_of, parts_of
from expiac.state.copies import keep_copy
from expiac.state.events import EVENTS
from expiac.state.journal import utc_now
from expiac.state.log import StateLog
from expiac.state.replay import Damage, Reading, replay


@dataclass(frozen=True, slots=True)
class Repair:
    """What stands before the damage, and what would be lost behind it."""

    log: StateLog
    line: int
    """The first damaged line, from 1."""
    what: str
    """What is wrong with it."""
    kept: Reading | None
    """What stays; None where the header itself is damaged, so that nothing does."""
    lost: tuple[str, ...]
    """Each line from the damaged one on: its number, event and address where it still says so."""
    data: bytes
    """The whole state that was looked at."""

    @property
    def description(self) -> str:
        kept = f"{self.line - 1} lines stay" if self.kept else "nothing stays"
        lost = [f"  {line}" for line in self.lost]
        return "\n".join([f"{self.log.name}: line {self.line}: {self.what}",
                          f"{kept}; {len(lost)} would be lost:", *lost])

    def carry_out(self, keep_in: Path, *, now: Callable[[], str] = utc_now) -> Path:
        """Keeps a copy in the folder, whose path it returns, and cuts. Asks for the stack's lock to be held."""
        if self.log.read() != self.data:
            raise self.log.taken_over()
        copy = keep_copy(self.data, keep_in / f"{self.log.stack}.jsonl.damaged-{now().replace(':', '')}")
        if self.kept is None:
            self.log.remove()
        else:
            self.log.replace(self.data[: self.kept.length])
        return copy


def find_damage(log: StateLog) -> Repair | None:
    """What a repair would keep and lose; None where the state can be read as it is."""
    data = log.read()
    if data is None:
        return None
    try:
        replay(data, log.name)
    except Damage as damage:
        kept = replay(data[: damage.start], log.name) if damage.line > 1 else None
        lines = data[damage.start :].removesuffix(b"\n").split(b"\n")
        lost = tuple(f"line {number}: {_description(line)}" for number, line in enumerate(lines, damage.line))
        return Repair(log, damage.line, damage.what, kept, lost, data)
    return None


def _description(line: bytes) -> str:
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
