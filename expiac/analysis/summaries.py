"""What tables show of the histories of runs: a few numbers for each; kept of those that have ended, as long as the
files of their metrics look the same. To read them needs none of the histories.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from expiac.analysis.at import At
from expiac.analysis.cache import Version, fits
from expiac.util.kept import read_kept, write_kept
from expiac.util.version import VERSION

FORMAT = 1
"""Of the files, and of what the numbers mean."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What one run logged, in short."""

    figures: Mapping[str, float] = field(default_factory=dict)
    """One for each metric that has one: its last value, its best, as the table was asked for."""
    step: float | None = None
    """The last step of which it logged anything."""
    names: Sequence[str] = ()
    """The metrics that it logged, in the order of the file."""


class SummaryCache:
    """The summaries of one stack's runs for tables of one kind: `at`, and the directions of the metrics."""

    def __init__(self, folder: Path, at: At, directions: Mapping[str, str]) -> None:
        # Steps can be any number, and each would be a file.
        self._file = folder / f"{at}.summaries" if isinstance(at, str) else None
        self._head = {"format": FORMAT, "release": VERSION, "at": at, "directions": dict(directions)}

    def read(self, wanted: Mapping[str, Version]) -> dict[str, Summary]:
        """The summaries that are kept of these runs at these versions, by instance; see `HistoryCache.read`."""
        return {instance: summary for instance, (version, summary) in self._all().items()
                if instance in wanted and fits(version, wanted[instance])}

    def add(self, summaries: Mapping[str, Summary], versions: Mapping[str, Version], known: Collection[str]) -> None:
        """Keeps these beside those that are kept of runs that are known still."""
        if self._file is None:
            return
        rows = {instance: [version, asdict(summary)] for instance, (version, summary) in self._all().items()
                if instance in known}
        rows |= {instance: [versions[instance], asdict(summary)] for instance, summary in summaries.items()}
        write_kept(self._file, self._head, json.dumps(rows).encode())

    def _all(self) -> dict[str, tuple[Version, Summary]]:
        content = read_kept(self._file, self._is_ours) if self._file is not None else None
        try:
            return {instance: (version, Summary(**summary))
                    for instance, (version, summary) in json.loads(content or b"{}").items()}
        except (ValueError, TypeError, AttributeError):
            return {}

    def _is_ours(self, head: Mapping[str, Any]) -> bool:
        return {name: head.get(name) for name in self._head} == self._head
