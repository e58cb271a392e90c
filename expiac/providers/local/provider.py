"""The local backend: jobs are processes of this machine, each with a supervisor that outlives the command line.

A launch is its folder. Everything about it is read from there, so every process sees the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from expiac.declare.project import Project
from expiac.providers.base import (
    ABSENT,
    AdvancesQueue,
    Examines,
    Fetches,
    Id,
    Inputs,
    KeepsSentFiles,
    Logs,
    Note,
    Observation,
    Prunes,
    RunsJobs,
    Stored,
    TellsActivity,
)
from expiac.providers.local import pruning
from expiac.providers.local.create import (
    create_launch,
    describe,
    is_launched,
    read_task,
    secret_values,
)
from expiac.providers.local.delete import end
from expiac.providers.local.disk import disk_errors, refuse_long_path
from expiac.providers.local.entering import Entering
from expiac.providers.local.folder import LONGEST_IN_RUN, Launch, RunFolder
from expiac.providers.local.logs import lines
from expiac.providers.local.place import Place
from expiac.providers.local.slots import Machine, Queue
from expiac.providers.local.status import LaunchReader, is_live, waiting_launch
from expiac.util.copying import copy
from expiac.util.errors import ExpiacError
from expiac.util.timeout import TimedOut, run_within

GRACE = 10.0
"""Seconds between TERM and KILL."""
ADVANCE_TIMEOUT = 5.0
"""Seconds to wait for another process that moves the queue on."""


class LocalProvider(AdvancesQueue, Examines, Fetches, KeepsSentFiles, Logs, Prunes, RunsJobs, TellsActivity):
    """Reads, creates and deletes the jobs of one project."""

    rents_machines: ClassVar[bool] = False

    def __init__(
        self, root: Path, folder: Path | None = None, *, machine: Machine | None = None,
        grace: float = GRACE,
    ) -> None:
        self._root = root.absolute()
        self._folder = (folder or root / ".expiac" / "local").absolute()
        self._machine = machine or Machine.here()
        self._queue = Queue(self._machine)
        self._entering = Entering(self._queue)
        self._grace = grace
        self._place = Place.here(self._folder)

    @classmethod
    def for_project(cls, project: Project) -> LocalProvider:
        return cls(project.root, project.state_folder / "local")

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        """How each id is; unknown where it was launched elsewhere. Starts nothing and writes nothing."""
        reader = LaunchReader(self._folder)
        with disk_errors():
            there = {id: self._place.elsewhere(id) for id in ids}
            return {id: place.observation() if place else reader.observe(id) for id, place in there.items()}

    def advance_queue(self, ids: Sequence[Id]) -> None:
        """Starts the jobs of this machine that wait and fit now, if one of `ids` waits.

        Enters those of `ids` that the queue does not know: the process that created them was killed, or the
        queue's file was lost.
        """
        with disk_errors():
            here = [id for id in ids if self._place.elsewhere(id) is None]
            found = [waiting_launch(self._folder, id) for id in here]
            waiting = [launch for launch in found if launch is not None]
            if waiting:
                with suppress(TimeoutError):  # whoever has the queue for so long moves it on
                    self._queue.advance(enter=waiting, wait=ADVANCE_TIMEOUT)

    def examine(self, inputs: Inputs) -> str:
        """A remark where there is no GPU; raises where the job asks for what this machine cannot give."""
        task = read_task(inputs, self._machine)
        with suppress(OSError):  # whatever else is wrong with the folder, create says
            refuse_long_path(self._folder / task.name / LONGEST_IN_RUN)
        has_too_few = task.gpus and not self._machine.gpus
        return "no GPU on this machine: runs on the CPU" if has_too_few else ""

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        """Creates the launch, or adopts it; notes where before it does, and returns once it is in the queue."""
        self._refuse_elsewhere(id)
        run, secrets = self._run(id), dict[str, str]()
        with disk_errors():
            if not is_launched(run, id):
                task = read_task(inputs, self._machine)
                secrets = secret_values(task, inputs)
                job = describe(id, inputs, task, self._machine, self._grace)
                note(self._place.handle)
                create_launch(run, id, job, task, inputs.texts, self._root)
        self._enter(run.launch(id.launch), secrets)
        return LaunchReader(self._folder).observe(id)

    def _enter(self, launch: Launch, secrets: Mapping[str, str]) -> None:
        """Lets a launch into the queue. It is created: where that fails, the next apply or refresh does it."""
        if secrets:
            with suppress(OSError):
                self._queue.advance(enter=[launch], secrets=secrets)
        else:
            self._entering.enter(launch)

    def update(self, id: Id, inputs: Inputs) -> Observation:
        """Changes nothing: annotations have no place here."""
        return self.read_many([id])[id]

    def delete(self, id: Id) -> Observation:
        """Ends every process of the launch, or takes it out of the queue; the run's folder stays."""
        self._refuse_elsewhere(id)
        launch = self._run(id).launch(id.launch)
        with disk_errors():
            job = launch.job()
            if job is None or job.lineage != id.lineage:
                return ABSENT
            end(launch, job)
            with suppress(TimeoutError):
                self._queue.advance(leave=[launch])
            return LaunchReader(self._folder).observe(id)

    def logs(self, id: Id, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """Lines that the newest launch's nodes printed; with several nodes each line names its own."""
        self._refuse_elsewhere(id)
        created = [(launch, job) for launch in self._run(id).launches() if (job := launch.job())]
        if not created or created[-1][1].lineage != id.lineage:
            raise ExpiacError("No logs", f"{id.instance} was never launched here")
        launch, job = created[-1]
        if node is not None and node not in range(job.nodes):
            raise ExpiacError("No such node", f"{id.instance} has {job.nodes}", "--node 0")
        newest = Id(id.lineage, id.instance, job.launch)
        logs = [launch.log(rank) for rank in range(job.nodes) if node in (None, rank)]
        return lines(logs, lambda: is_live(self.read_many([newest])[newest]), follow=follow)

    def log_files(self, id: Id) -> Sequence[Path]:
        """What each node of the newest launch printed, where it was launched here."""
        with disk_errors():
            launches = [] if self._place.elsewhere(id) else self._run(id).launches()[-1:]
            return [file for launch in launches if (job := launch.job()) and job.lineage == id.lineage
                    for rank in range(job.nodes) if (file := launch.log(rank)).exists()]

    def sent_files(self, id: Id) -> Mapping[str, bytes]:
        """What was sent to this machine for a launch, as long as the run's folder is there."""
        if self._place.elsewhere(id):
            return {}
        launch = self._run(id).launch(id.launch)
        with disk_errors():
            job = launch.job()
            return launch.sent() if job is not None and job.lineage == id.lineage else {}

    def last_activity(self, id: Id) -> float | None:
        """When the last of the launch's nodes printed something."""
        created = [(launch, job) for launch in self._run(id).launches() if (job := launch.job())]
        if not created or (created[-1][1].lineage, created[-1][1].launch) != (id.lineage, id.launch):
            return None
        launch, job = created[-1]
        logs = [log for rank in range(job.nodes) if (log := launch.log(rank)).exists()]
        return max((log.stat().st_mtime for log in logs), default=None)

    def fetch(self, id: Id, path: str, target: Path, *, timeout: float) -> None:
        """Copies what the launch has left behind on this machine."""
        self._refuse_elsewhere(id)
        job = self._run(id).launch(id.launch).job()
        source = Path(path)
        if job is None or job.lineage != id.lineage or not source.exists():
            raise ExpiacError("Output is gone", f"{id.instance} has left no {path} on this machine, or it was removed",
                              "expiac output shows what there is")
        with disk_errors():
            try:
                run_within(timeout, lambda: copy(source, target), f"copy {path}")
            except TimedOut as error:
                raise ExpiacError("Not fetched in time", f"{path}: {error}", "--timeout SECONDS") from error

    def stored(self, ids: Sequence[Id]) -> Mapping[Id, Stored]:
        """The folder of each run that has one here."""
        reader = LaunchReader(self._folder)
        with disk_errors():
            found = {id: pruning.stored(self._folder, id, reader) for id in ids}
        return {id: run for id, run in found.items() if run is not None}

    def freed_bytes(self, ids: Sequence[Id]) -> int:
        """Files that several runs share are freed with the last of them."""
        with disk_errors():
            paths = [self._run(id).path for id in ids]
            return pruning.freed_bytes(self._folder, [*paths, *pruning.set_aside_paths(self._folder)])

    def set_aside(self, ids: Sequence[Id]) -> None:
        """Renames their folders."""
        with disk_errors():
            pruning.set_aside(self._folder, ids, LaunchReader(self._folder))

    def delete_aside(self) -> None:
        """Deletes the renamed folders, and files of the store that no run has."""
        with disk_errors():
            pruning.delete_aside(self._folder)

    def _refuse_elsewhere(self, id: Id) -> None:
        if (there := self._place.elsewhere(id)) is not None:
            raise there.error(id)

    def _run(self, id: Id) -> RunFolder:
        if os.sep in id.instance or id.instance.startswith("."):
            raise ExpiacError("Not a name for a run", id.instance)
        return RunFolder(self._folder / id.instance)
