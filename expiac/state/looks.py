"""When this checkout last asked the backends about everything of a stack that may change by itself.

That stands in a file of the checkout's own, since a look that finds nothing new is no event. Where the file cannot be
read or written, what is known is taken to be older than it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from expiac.declare.project import Project
from expiac.state.model import Record
from expiac.util.durable import replace_file


class Looks:
    """The last look at one stack."""

    def __init__(self, project: Project, stack: str) -> None:
        self._file = project.state_folder / f"{stack}.looked"

    def note(self, at: str) -> None:
        """Remembers a look of that time, ISO 8601, UTC, of which all that it found is recorded."""
        with suppress(OSError):
            replace_file(self._file, f"{at}\n".encode(), durable=False)

    @property
    def last(self) -> str:
        """When it was; empty where it is not known."""
        try:
            return self._file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return ""

    def as_of(self, records: Iterable[Record]) -> str:
        """How old what is known of these records is, by the oldest; empty where none of them changes by itself."""
        last = self.last
        return min((max(record.at, last) for record in records if may_change(record)), default="")


def may_change(record: Record) -> bool:
    """Whether the record may be out of date: what has ended stays as it is."""
    return not record.ended_at and (record.pending is not None or record.status.is_live)
