"""The text of a machine's queue: a JSON list with one entry on each line, what runs first.

What waits stays a line until its turn has come, so a long queue costs little to read and to write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from expiac.providers.local.folder import Launch

_BEGIN, _BETWEEN, _END = "[\n", ",\n", "\n]"


class QueueEntry(NamedTuple):
    """One launch that waits or runs, as it stands in the queue's file."""

    launch: str
    """Its folder."""
    cpus: int
    gpus: int
    """Of all nodes together."""
    secrets: Sequence[str] = ()
    running: bool = False
    taken: Sequence[int] = ()
    """Indices of the GPUs it was given."""
    tries: int = 0
    """How often its supervisor was started."""

    @property
    def folder(self) -> Launch:
        return Launch(Path(self.launch))

    @property
    def line(self) -> str:
        """The entry as it stands in the file."""
        return json.dumps(self._asdict())


def entry_of(line: str) -> QueueEntry | None:
    """The entry that `line` wrote; None where the line is damaged, because its job is entered anew."""
    try:
        return QueueEntry(**json.loads(line))
    except (ValueError, TypeError):
        return None


@dataclass
class Entries:
    """What stands in the queue."""

    running: list[QueueEntry]
    waiting: list[str]
    """The lines of the entries that wait, in the order in which they came."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The entries of a file; none where the text is damaged, because waiting jobs are entered anew."""
        lines = text[len(_BEGIN):-len(_END)].split(_BETWEEN) if _is_in_lines(text) else _lines_of_list(text)
        running: list[QueueEntry] = []
        for line in lines:
            entry = entry_of(line)
            if entry is None or not entry.running:
                break
            running.append(entry)
        return cls(running, lines[len(running):])

    @property
    def text(self) -> str:
        """The contents of the file."""
        lines = [*(entry.line for entry in self.running), *self.waiting]
        return _BEGIN + _BETWEEN.join(lines) + _END if lines else "[]"

    def remove(self, launches: Iterable[str]) -> None:
        """Takes launches out, by their folders."""
        for launch in launches:
            others = [entry for entry in self.running if entry.launch != launch]
            if len(others) == len(self.running):
                key = json.dumps({"launch": launch}).removesuffix("}")
                self.waiting = [line for line in self.waiting if not line.startswith(key + ",")]
            self.running = others

    def enter(self, entries: Iterable[QueueEntry]) -> None:
        """Lets in what is not in the queue."""
        known = {_key(line) for line in (*(entry.line for entry in self.running), *self.waiting)}
        new = {_key(entry.line): entry.line for entry in entries}
        self.waiting += [line for key, line in new.items() if key not in known]


def _is_in_lines(text: str) -> bool:
    return text.startswith(_BEGIN) and text.endswith(_END)


def _lines_of_list(text: str) -> list[str]:
    """Those of an earlier release's file, which had all entries on one line, in the order in which they came."""
    try:
        entries = [QueueEntry(**facts) for facts in json.loads(text)]
    except (ValueError, TypeError):
        return []
    return [entry.line for entry in sorted(entries, key=lambda entry: not entry.running)]


def _key(line: str) -> str:
    """What the line of a launch begins with, and that of no other: its folder."""
    return line.partition(', "cpus": ')[0]
