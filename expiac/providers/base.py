"""What a provider is: read, create, update and delete for one family of resources.

A provider knows its backend and nothing of stacks, plans or state files. Several threads may call it at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from expiac.declare.project import Project
from expiac.state.events import Json
from expiac.state.status import Status


@dataclass(frozen=True, slots=True)
class Id:
    """One launch of one run, as every provider names it. It is adopted only when all three names agree."""

    lineage: str
    instance: str
    launch: int
    handle: Json = field(default_factory=dict, compare=False)
    """What the provider noted about it; empty where nothing was."""


TASK_FILE = "task.yaml"
"""The rendered file that is a job's task, in SkyPilot's format."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a provider is given to make one resource."""

    values: Json
    """The declared inputs, with every Ref filled in."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The rendered files by file name, with the instance name in place; `TASK_FILE` is a job's task."""
    env: Mapping[str, str] = field(default_factory=dict)
    """What this launch adds to a job's environment: `EXPIAC_*` and `WANDB_*`."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Where each declared output will be, with the instance name in place; relative to the job's working directory."""
    needed: tuple[str, ...] = ()
    """The outputs that other resources refer to: a run that does not leave one of them behind has failed."""
    secrets: tuple[str, ...] = ()
    """Names of variables of whoever launches it that a job on this machine gets besides those of its task."""


class Presence(str, Enum):
    """What a complete answer says; without a complete answer it is unknown."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Observation:
    """What `read_many` saw of one id."""

    presence: Presence
    status: Status = Status.PENDING
    """How it is; of meaning only where it is present."""
    outputs: Json = field(default_factory=dict)
    """What others may refer to, and what the record keeps. Stable: progress belongs elsewhere."""
    detail: str = ""
    """The backend's own words: a failure reason, an exit code; of an unknown one, why."""
    seconds: float | None = None
    """How long it ran, once it has ended, where that is known."""
    duplicates: tuple[str, ...] = ()
    """Further jobs of the same launch, as the backend names them; the other fields are those of the earliest job."""
    began_at: str = ""
    """When it began to run, ISO 8601, UTC, where that is known: what waits in a queue costs nothing."""


ABSENT = Observation(Presence.ABSENT)
Note = Callable[[Mapping[str, Any]], None]
"""Durably records a request in flight, before the wait for its answer.

Raises `Stale` where another process has taken the stack over: then nothing more may be launched. So a provider whose
backend launches twice when it is asked twice notes something right before it asks, too.
"""


class Provider(Protocol):
    """The four verbs. Each may raise `ExpiacError`; from `create` and `delete` that means: it surely did not happen."""

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        """How each id is, in as few calls as the backend allows; every id is answered.

        Reading only reads: it starts nothing, ends nothing and writes nothing, because `plan` and `status` call it.
        An id that was never launched, or was purged, is absent; an answer that is not complete makes it unknown.
        """

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        """Makes the launch, or adopts it if it was made already; returns once the backend has accepted it.

        Raises `Uncertain` where it may have happened, any other `ExpiacError` where it surely has not.
        """

    def update(self, id: Id, inputs: Inputs) -> Observation:
        """Makes changed annotations known where the backend has a place for them."""

    def delete(self, id: Id) -> Observation:
        """Ends the launch and everything it started, and returns how it ended; what is absent is deleted already.

        Returns only once it is verified that nothing of it is left; raises `Uncertain` where that cannot be seen.
        """


# Capabilities. A provider declares one by inheriting it: `class MyProvider(Logs)`. A method of the same name alone
# declares nothing.

class RunsJobs:
    """A backend: a provider that runs jobs. A job names it by `infra`, a project by `backend`.

    It is given a job's task as `task.yaml`, in SkyPilot's format, and where the job has one its training config.
    """

    rents_machines: ClassVar[bool] = True
    """Whether its machines are paid for by the hour, and so may be asked to be preemptible (`spot`)."""
    longest_name: ClassVar[int] = 128
    """How many characters the name of a run may have at most: a run id of W&B's, which it is too, has 128."""

    @classmethod
    def for_project(cls, project: Project) -> Self:
        """The backend of a project; a class that needs more than the project's root overrides this."""
        return cls(project.root)  # type: ignore[call-arg]  # as every registered class is called


@dataclass(frozen=True, slots=True)
class Stored:
    """What a run has left on the disk of this machine."""

    size: int
    """Bytes that are freed if it alone is removed."""
    why_kept: str = ""
    """Why it may not be removed, such as that it is alive; empty where it may."""


class Prunes(ABC):
    """A provider that keeps what runs leave behind on this machine until it is told to remove it."""

    @abstractmethod
    def stored(self, ids: Sequence[Id]) -> Mapping[Id, Stored]:
        """What each of these runs, all launches of it, has left; those that left nothing are not in it."""

    @abstractmethod
    def freed_bytes(self, ids: Sequence[Id]) -> int:
        """What is freed if all of these are removed, with what an earlier `delete_aside` did not come to."""

    @abstractmethod
    def set_aside(self, ids: Sequence[Id]) -> None:
        """Makes what these runs left unreachable at once, each whole; never what is alive. The stack is locked."""

    @abstractmethod
    def delete_aside(self) -> None:
        """Deletes what was set aside, and what nothing refers to any more; the stack need not be locked."""


class Logs(ABC):
    """A provider that can show what a job prints."""

    @abstractmethod
    def logs(self, id: Id, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """Lines of the newest launch's output, without line ends; `follow` goes on until the job ends."""

    def log_files(self, id: Id) -> Sequence[Path]:
        """The files of this machine in which that output is; none where it is kept elsewhere."""
        return ()


class KeepsSentFiles(ABC):
    """A provider that keeps the rendered files of each launch as they were sent."""

    @abstractmethod
    def sent_files(self, id: Id) -> Mapping[str, bytes]:
        """The files by name, with the instance name in place; none where they are gone. Nothing proves that they are
        as they were: whoever runs jobs there may have changed them.
        """


class Fetches(ABC):
    """A provider that can bring what a run has left behind to this machine."""

    @abstractmethod
    def fetch(self, id: Id, path: str, target: Path, *, timeout: float) -> None:
        """Copies a file or folder, which an output of the launch names by `path`, to `target`, which is not there yet.

        Raises `ExpiacError` where it cannot be had, and says why; after an error, `target` may hold a part. Gives up
        after `timeout` seconds.
        """


@dataclass(frozen=True, slots=True)
class Found:
    """A job that was launched by other means, as it is to be adopted."""

    handle: Json
    """By which `create` adopts it, and launches nothing."""
    said: str
    """What it is, for the plan: `managed job 12, running`."""
    differences: tuple[str, ...] = ()
    """The names of the fields in which it differs from the declaration."""


class Adopts(ABC):
    """A provider that can take over what others launched."""

    @abstractmethod
    def find_job(self, job: str, inputs: Inputs) -> Found:
        """The backend's job of this id, compared with the declaration; raises where it is nobody's to adopt."""


class Examines(ABC):
    """A provider that can say before the launch how it will go."""

    @abstractmethod
    def examine(self, inputs: Inputs) -> str:
        """A remark for the plan, or nothing; raises `ExpiacError` where it can never run here."""


class TellsActivity(ABC):
    """A provider that can see when a job last printed something."""

    @abstractmethod
    def last_activity(self, id: Id) -> float | None:
        """The time of the launch's last output, in seconds of Unix; None where that can't be seen."""


class Extent(Enum):
    """How much of the metrics of a launch is asked for."""

    KEPT = "kept"
    """What is known here already: nobody is asked."""
    NEWEST = "newest"
    """How far it is: the first and the last of what it has told so far, if no more is at hand."""
    ALL = "all"
    """Everything so far."""
    FINAL = "final"
    """Everything, of a launch that has ended: asked for once, and kept."""


@dataclass(frozen=True, slots=True)
class ToldMetrics:
    """The metrics of a launch as files on this machine, in a format that expiac reads."""

    files: tuple[Path, ...] = ()
    """Those of the earlier launches of the run first; none where nothing is known."""
    note: str = ""
    """Why there may be more than they say."""


class TellsMetrics(ABC):
    """A provider that can tell the metrics of a job of which this machine has no file, such as from its log."""

    @abstractmethod
    def metrics(self, ids: Mapping[Id, Extent], *, timeout: float) -> Mapping[Id, ToldMetrics]:
        """What the launches have told. Takes `timeout` seconds at most: a launch that it does not come to in time has
        what was kept of an earlier look, and a note. Raises nothing for a single launch."""


class AdvancesQueue(ABC):
    """A provider that keeps its own queue, which no process of the backend watches.

    `apply`, `refresh` and `--wait` move the queue on; `plan` and `status` never do.
    """

    @abstractmethod
    def advance_queue(self, ids: Sequence[Id]) -> None:
        """Starts the accepted launches that fit now; `ids` are the stack's live launches, waiting or not.

        Does nothing where none of them waits. Raises `ExpiacError` where the queue cannot be moved on.
        """


class Estimates(ABC):
    """A provider that knows prices."""

    @abstractmethod
    def estimate(self, inputs: Inputs) -> float | None:
        """Dollars per hour, or None where there is no price; raises `NoAccess` without the credentials of a launch."""
