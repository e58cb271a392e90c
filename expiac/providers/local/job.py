"""What a supervisor must know to run one launch, as it stands in `job.json`. Names secrets and holds none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

FORMAT = 1


@dataclass(frozen=True, slots=True)
class LocalJob:
    """One launch, described when it is created and never changed."""

    lineage: str
    instance: str
    launch: int
    host: str
    """The machine it was given to; another one can neither see nor end its processes."""
    nodes: int
    cpus: int
    """Of all nodes together."""
    gpus: int
    """Of each node; 0 on a machine without any."""
    workdir: str
    """The working directory, relative to the job's home."""
    setup: str
    run: str
    env: Mapping[str, str]
    secrets: tuple[str, ...]
    """Variables whose values come from the environment of whoever starts the job."""
    outputs: Mapping[str, str]
    """Paths by output name, relative to the working directory."""
    grace: float
    """Seconds between TERM and KILL."""
    python: str
    """The interpreter of its supervisor, the submitter's, whoever starts it; `package` is where expiac is found."""
    package: str
    machine: str
    """The folder of the machine's queue, and the machine's totals."""
    machine_cpus: int
    machine_gpus: int
    needed: tuple[str, ...] = ()
    """The outputs that others refer to: without one of these it has failed."""
    format: int = FORMAT

    def text(self) -> str:
        """The contents of `job.json`."""
        return json.dumps({field.name: getattr(self, field.name) for field in fields(self)})


def job_from(facts: Mapping[str, object]) -> LocalJob:
    """The job that `text` wrote."""
    lists: dict[str, tuple[str, ...]] = {
        name: tuple(facts[name]) for name in ("secrets", "needed") if name in facts}  # type: ignore[arg-type]
    return LocalJob(**{**facts, **lists})  # type: ignore[arg-type]

