"""The local backend: jobs are processes of this machine, each under a supervisor that outlives the command line.

A launch is its folder. Everything about it is read from there, so any process that names the same folder sees the same.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import expiac
from expiac.errors import ExpiacError, Uncertain
from expiac.provider import ABSENT, Id, Inputs, Note, Observation, Presence
from expiac.providers.local import processes
from expiac.providers.local.environment import submitters
from expiac.providers.local.folder import Launch, RunFolder, disk_errors
from expiac.providers.local.job import Job
from expiac.providers.local.logs import lines
from expiac.providers.local.slots import Machine, Queue
from expiac.providers.local.task import Task, parse
from expiac.providers.local.workdir import SKY_WORKDIR, inside, mount, sync_code
from expiac.status import Status

PATIENCE = 60.0
"""Seconds to wait for another process that brings about the same run."""
GRACE = 10.0
"""Seconds between TERM and KILL."""


class LocalProvider:
    """Reads, creates and deletes jobs below one folder of a project."""

    def __init__(
        self, root: Path, folder: Path | None = None, *, machine: Machine | None = None, grace: float = GRACE,
    ) -> None:
        self._root = root.absolute()
        self._folder = (folder or root / ".expiac" / "local").absolute()
        self._machine = machine or Machine.here()
        self._queue = Queue(self._machine)
        self._grace = grace

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        """How each id is; lets the machine's queue go on where a job of these waits."""
        look = _Look(self._folder)
        with disk_errors():
            seen = {id: look.at(id) for id in ids}
        if look.waiting:
            with suppress(OSError):  # somebody else has the queue, and so lets it go on
                self._queue.turn(enter=look.waiting, wait=0)
        return seen

    def examine(self, inputs: Inputs) -> str:
        """A remark where there is no GPU; raises where the job asks for more than the machine has."""
        task = _task(inputs)
        for destination in task.mounts:
            inside(destination, _workdir(task))
        self._gpus(task)
        return "no GPU on this machine: runs on the CPU" if task.gpus and not self._machine.gpus else ""

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        """Brings the launch about, or adopts it; returns once it is in the queue."""
        launch, secrets = self._run(id).launch(id.launch), dict[str, str]()
        with disk_errors():
            if not self._is_born(id):
                task = _task(inputs)
                secrets = _secrets(task, inputs)
                self._bring_about(id, inputs, task, secrets)
        with suppress(OSError):  # it is born: whoever looks at it next lets the queue go on
            self._queue.turn(enter=[launch], secrets=secrets)
        return self.read_many([id])[id]

    def update(self, id: Id, inputs: Inputs) -> Observation:
        """Does nothing: annotations have no place here."""
        return self.read_many([id])[id]

    def delete(self, id: Id) -> Observation:
        """Ends every process of the launch, or takes it out of the queue; its folder stays."""
        launch = self._run(id).launch(id.launch)
        with disk_errors():
            job = launch.job()
            if job is None or job.lineage != id.lineage:
                return ABSENT
            if not launch.has("end"):
                self._end(launch, job)
        with suppress(OSError):
            self._queue.turn(leave=[launch])
        return self.read_many([id])[id]

    def logs(self, id: Id, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """Lines that the newest launch's nodes printed; with several nodes each line names its own."""
        born = [launch for launch in self._run(id).launches() if (job := launch.job()) and job.lineage == id.lineage]
        if not born:
            raise ExpiacError("No logs", f"{id.instance} was never launched here")
        launch, job = born[-1], born[-1].job()
        assert job is not None
        newest = Id(id.lineage, id.instance, job.launch)
        ranks = range(job.nodes) if node is None else [node]
        return lines([launch.log(rank) for rank in ranks], lambda: self._is_live(newest), follow=follow)

    def _is_live(self, id: Id) -> bool:
        seen = self.read_many([id])[id]
        return seen.presence is Presence.PRESENT and seen.status.is_live

    def _run(self, id: Id) -> RunFolder:
        if os.sep in id.instance or id.instance.startswith("."):
            raise ExpiacError("Not a name for a run", id.instance)
        return RunFolder(self._folder / id.instance)

    def _is_born(self, id: Id) -> bool:
        for launch in self._run(id).launches():
            job = launch.job()
            if job is not None and job.lineage != id.lineage:
                raise ExpiacError("The run belongs to another checkout", f"{id.instance} in {self._folder}")
        return self._run(id).launch(id.launch).path.exists()

    def _bring_about(self, id: Id, inputs: Inputs, task: Task, secrets: Mapping[str, str]) -> None:
        run = self._run(id)
        job = self._job(id, inputs, task, secrets)
        try:
            with run.prepared(PATIENCE):
                if self._is_born(id):
                    return  # by another process, while we waited
                self._refuse_while_another_lives(run, id)
                self._furnish(run, inputs, task)
                run.give_birth(job)
        except TimeoutError as error:
            raise Uncertain("Another process is launching this run", str(error)) from error
        except OSError as error:
            if self._is_born(id):
                raise Uncertain("The launch may not outlast a loss of power", str(error)) from error
            raise

    def _refuse_while_another_lives(self, run: RunFolder, id: Id) -> None:
        others = [Id(id.lineage, id.instance, int(launch.path.name)) for launch in run.launches()]
        live = [other for other in others if self._is_live(other)]
        if live:
            raise ExpiacError("An earlier launch is still alive", f"{id.instance}, launch {live[0].launch}")

    def _furnish(self, run: RunFolder, inputs: Inputs, task: Task) -> None:
        if task.workdir:
            source = self._root / Path(task.workdir).expanduser()
            sync_code(source.resolve(), run.home / SKY_WORKDIR, run.path / "synced.json", self._folder.resolve())
        mount(task.mounts, inputs.texts, self._root, run.home, _workdir(task))

    def _gpus(self, task: Task) -> int:
        """How many each node gets."""
        asked, there = task.nodes * task.gpus, self._machine.gpus
        if asked > there > 0:
            raise ExpiacError("Not enough GPUs", f"{asked} asked for, {there} on this machine", "--gpus=<fewer>")
        return task.gpus if there else 0

    def _job(self, id: Id, inputs: Inputs, task: Task, secrets: Mapping[str, str]) -> Job:
        env = {**submitters(os.environ), **_filled(task.envs, "envs"), **inputs.env,
               "EXPIAC_LINEAGE": id.lineage, "EXPIAC_INSTANCE": id.instance, "EXPIAC_LAUNCH": str(id.launch)}
        return Job(
            lineage=id.lineage, instance=id.instance, launch=id.launch, host=socket.gethostname(),
            nodes=task.nodes, cpus=task.nodes * task.cpus, gpus=self._gpus(task),
            workdir=_workdir(task), setup=task.setup, run=task.run,
            env={name: value for name, value in env.items() if name not in secrets}, secrets=tuple(secrets),
            outputs=dict(inputs.outputs), grace=self._grace,
            python=sys.executable, package=str(Path(expiac.__path__[0]).parent),
            machine=str(self._machine.folder), machine_cpus=self._machine.cpus, machine_gpus=self._machine.gpus)

    def _end(self, launch: Launch, job: Job) -> None:
        if job.host != socket.gethostname():
            raise Uncertain("The job is on another machine", f"{job.instance} runs on {job.host}", "go there")
        launch.record("stop", at=time.time())
        lock = self._wait_for_supervisor(launch, job)
        try:
            self._end_without_supervisor(launch, job)
        finally:
            os.close(lock)

    def _wait_for_supervisor(self, launch: Launch, job: Job) -> int:
        """The launch's lock, once its supervisor has ended everything, or has itself been ended because it did not."""
        deadline = time.monotonic() + job.grace + 2 * processes.KILL_LIMIT
        while time.monotonic() < deadline:
            self._signal_supervisor(launch, signal.SIGTERM)
            lock = launch.hold(wait=0.5)
            if lock is not None:
                return lock
        self._signal_supervisor(launch, signal.SIGKILL)
        lock = launch.hold(wait=processes.KILL_LIMIT)
        if lock is None:
            raise Uncertain("The job does not end", f"{job.instance}: its supervisor cannot be killed")
        return lock

    def _signal_supervisor(self, launch: Launch, sent: signal.Signals) -> None:
        started = launch.fact("started")
        process = started and processes.find(started["pid"], started["born"])
        if process:
            processes.signal_to(process, sent)

    def _end_without_supervisor(self, launch: Launch, job: Job) -> None:
        """Ends what is left of a launch that nobody supervises, and says so; one that left nothing stays lost."""
        if launch.has("end"):
            return
        if launch.has("started"):
            if not processes.of(job.mark):
                return
            if not processes.end(lambda: processes.of(job.mark), job.grace):
                raise Uncertain("The job does not end", f"{job.instance}: some of its processes cannot be killed")
        launch.record("end", status=Status.CANCELLED.value, detail="", at=time.time())


class _Look:
    """One look at many launches; the machine's processes are listed at most once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._host = socket.gethostname()
        self.waiting: list[Launch] = []
        """Those seen without a slot."""

    def at(self, id: Id) -> Observation:
        launch = RunFolder(self._folder / id.instance).launch(id.launch)
        job = launch.job()
        if job is None or job.lineage != id.lineage:
            return ABSENT
        return self._ended(launch, job) or self._not_ended(launch, job)

    def _ended(self, launch: Launch, job: Job) -> Observation | None:
        end = launch.fact("end")
        return None if end is None else _present(launch, job, Status(end["status"]), end["detail"])

    def _not_ended(self, launch: Launch, job: Job) -> Observation:
        if job.host != self._host:
            return Observation(Presence.UNKNOWN, detail=f"it is on {job.host}, and this is {self._host}")
        if not launch.has("started"):
            self.waiting.append(launch)
            return _present(launch, job, Status.PENDING)
        if launch.is_held:
            return _present(launch, job, Status.RUNNING if launch.has("running") else Status.STARTING)
        if ended := self._ended(launch, job):  # between our two looks
            return ended
        if job.mark in self._marked or processes.of(job.mark):
            return _present(launch, job, Status.RUNNING, "its supervisor died; it goes on alone")
        return Observation(Presence.ABSENT, Status.LOST, detail="its supervisor died")

    @cached_property
    def _marked(self) -> Mapping[processes.Mark, object]:
        return processes.marked()


def _present(launch: Launch, job: Job, status: Status, detail: str = "") -> Observation:
    folder = launch.home / job.workdir
    outputs = {name: str(folder / path) for name, path in job.outputs.items() if (folder / path).exists()}
    return Observation(Presence.PRESENT, status, outputs, detail)


def _task(inputs: Inputs) -> Task:
    if "task.yaml" not in inputs.texts:
        raise ExpiacError("Not a job", "the local backend runs jobs only")
    return parse(inputs.texts["task.yaml"])


def _workdir(task: Task) -> str:
    return SKY_WORKDIR if task.workdir else ""


def _secrets(task: Task, inputs: Inputs) -> dict[str, str]:
    given = {name: inputs.env.get(name, value) for name, value in task.secrets.items()}
    return _filled(given, "secrets")


def _filled(variables: Mapping[str, str | None], section: str) -> dict[str, str]:
    """Each variable with its value, from this process's environment where the task has none."""
    filled = {name: os.environ.get(name) if value is None else value for name, value in variables.items()}
    missing = [name for name, value in filled.items() if value is None]
    if missing:
        raise ExpiacError("A variable is not set", f"{section}: {', '.join(missing)}", f"export {missing[0]}=…")
    return {name: value for name, value in filled.items() if value is not None}
