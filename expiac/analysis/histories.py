"""Where the history of a run is read from: whatever it logged, row by row. One source so far: files on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from expiac.analysis.runs import Run
from expiac.apply import metrics
from expiac.apply.metrics import Row


class HistorySource(Protocol):
    """Gives the histories of runs."""

    def version(self, run: Run) -> str | None:
        """Names what a read would give now: it changes whenever that may have changed. None where there is nothing."""

    def rows(self, run: Run) -> Iterable[Row]:
        """Every row that the run logged, in the order of the logging; they are read one by one.

        May raise `MissingPackage` or `OSError`: the run is named with the reason, and the others are shown.
        """


class MetricsFiles:
    """The metrics files of runs, by their output `metrics`."""

    def version(self, run: Run) -> str | None:
        """The path, size and time of each file."""
        try:
            known = [(str(file), file.stat()) for file in self._files(run)]
        except OSError:
            return None
        return json.dumps([(name, stat.st_size, stat.st_mtime_ns) for name, stat in known]) if known else None

    def rows(self, run: Run) -> Iterable[Row]:
        """Every row of the files; raises `MissingPackage` where the package for their format is not installed."""
        return metrics.read_rows(self._files(run))

    def _files(self, run: Run) -> tuple[Path, ...]:
        return metrics.files_of(Path(run.metrics_path)) if run.metrics_path is not None else ()
