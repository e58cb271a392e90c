"""Finds the offline W&B runs that the runs of a stack have left on this machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from expiac.apply.metrics.run_names import RunNames, run_names
from expiac.apply.metrics.search import offline_files
from expiac.providers.outputs import metrics_in
from expiac.state.model import Record
from expiac.util.errors import ExpiacError


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """One W&B run that a run of a stack logged offline."""

    address: str
    instance: str
    names: RunNames
    files: tuple[Path, ...]
    """Its files, the oldest first: each launch writes one."""

    @property
    def sizes(self) -> dict[str, int]:
        """How large each file is, by its path: a file only grows."""
        return {str(file): file.stat().st_size for file in self.files}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is called as one of an offline run, and why it can't be uploaded."""

    address: str
    instance: str
    file: Path
    why: str


def offline_runs(record: Record, local: Path) -> tuple[tuple[OfflineRun, ...], tuple[Unreadable, ...]]:
    """The offline W&B runs of one run, and what can't be read; `local` is the folder of runs on this machine."""
    found: dict[RunNames, list[Path]] = defaultdict(list)
    broken: list[Unreadable] = []
    for file in sorted({file.resolve() for folder in _folders(record, local) for file in offline_files(folder)},
                       key=lambda file: file.parent.name):
        try:
            names = run_names(file)
            why = "" if names and names.id else "it does not say which run it is of"
        except ExpiacError as error:
            names, why = None, f"{error.summary}: {error.detail}"
        if names is None or why:
            broken.append(Unreadable(record.address, record.run.instance, file, why))
        else:
            found[names].append(file)
    runs = (OfflineRun(record.address, record.run.instance, names, tuple(files)) for names, files in found.items())
    return tuple(runs), tuple(broken)


def _folders(record: Record, local: Path) -> Iterator[Path]:
    """Where a run may have left some: beside its metrics, and in the working folder that W&B writes to by itself."""
    metrics = metrics_in(record.outputs)
    if metrics is not None and "://" not in metrics:
        path = Path(metrics)
        yield path if path.is_dir() else path.parent
    home = local / record.run.instance / "home"
    yield from (home / "sky_workdir" / "wandb", home / "wandb")
