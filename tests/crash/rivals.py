"""Two appliers of one shared state, each on a host and in a checkout of its own, and a backend that both of them reach.

The first is stopped at an instant, the second does its work, and the first wakes.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
import socket
import tempfile
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

from expiac.apply.events import ProgressEvent, Warned
from expiac.declare.project import Project
from expiac.providers.base import Provider
from expiac.providers.local import LocalProvider, Machine
from expiac.providers.skypilot import SkypilotProvider
from expiac.session import Session
from expiac.state.object_store import Store
from expiac.state.stores import states
from expiac.testing.contract import wait_until
from expiac.testing.instants import Instants, WatchedProvider
from expiac.testing.integrity import flaws
from expiac.testing.sky import FakeSky, Server
from expiac.util.errors import ExpiacError

TEMPLATES = Path(__file__).parents[2] / "templates"
JOBS = 2
PROGRAM = '''
from expiac import Job, SkypilotJobConfig, Stack

where = SkypilotJobConfig(workdir=None, infra="{infra}", gpus=0, git_check=False)
small = Stack("small", [Job(f"job{{number}}", run="{run}", skypilot=where) for number in range({jobs})])
'''
LIMIT = 60
"""Seconds for a command."""
_inside = threading.RLock()
"""Held within calls of backend and store: of a process that sleeps, no thread does so in the middle of one."""
CALLS = ("where", "requests", "jobs", "launch", "await_launch", "cancel")
"""SkyPilot's calls that have an instant before and after them."""


class FiledSky:
    """A SkyPilot in memory whose memory is a file: processes share it, and take turns."""

    def __init__(self, file: Path, instants: Instants) -> None:
        self._file, self._instants = file, instants

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: object, **named: object) -> Any:
            if name not in CALLS:
                return self._called(name, *args, **named)
            return self._instants.around(lambda: self._called(name, *args, **named))

        return call

    def _called(self, name: str, *args: object, **named: object) -> Any:
        with _inside, self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = self.server
            answer = getattr(FakeSky(server), name)(*args, **named)
            self.server = server
            return answer

    @property
    def server(self) -> Server:
        if not self._file.exists():
            return Server()
        server: Server = pickle.loads(self._file.read_bytes())
        return server

    @server.setter
    def server(self, server: Server) -> None:
        new = self._file.with_suffix(".new")
        new.write_bytes(pickle.dumps(server))
        new.replace(self._file)  # whoever is killed did it, or did not


class Backend(Protocol):
    """Where the jobs run, and what came of them."""

    name: str
    infra: str
    run: str

    def provider(self, root: Path, instants: Instants) -> Provider: ...

    def born(self) -> list[tuple[str, int]]:
        """Every (instance, launch) that was ever born, as often as it was."""

    def live(self) -> list[tuple[str, int]]:
        """Those that run, as often as they do."""


class SkyBackend:
    """One SkyPilot for both."""

    name, infra, run = "skypilot", "slurm/loop", "lasts"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "sky"

    def provider(self, root: Path, instants: Instants) -> Provider:
        sky: Any = FiledSky(self._file, instants)
        return SkypilotProvider(root, sky=sky, timeout=20, pause=0.01)

    def born(self) -> list[tuple[str, int]]:
        return [(job.name, 1) for job in FiledSky(self._file, Instants()).server.jobs.values()]

    def live(self) -> list[tuple[str, int]]:
        server = FiledSky(self._file, Instants()).server
        server.settle()
        return [(job.name, 1) for job in server.jobs.values() if job.status not in ("CANCELLED", "CANCELLING")]


class LocalBackend:
    """The machine of each host: the jobs are processes, which write down that they were born."""

    name, infra = "local", "local"

    def __init__(self, folder: Path) -> None:
        self._folder, self._births = folder, folder / "births"
        self.run = f"echo $EXPIAC_INSTANCE $EXPIAC_LAUNCH $$ >> {self._births}; exec sleep 900"

    def provider(self, root: Path, instants: Instants) -> Provider:
        machine = Machine(self._folder / f"machine-{socket.gethostname()}", cpus=1000, gpus=0)
        return WatchedProvider(LocalProvider(root, root / ".expiac" / "local", machine=machine), instants)

    def born(self) -> list[tuple[str, int]]:
        launches = self._folder.glob("*/.expiac/local/*/launches/[0-9]*")
        return [(path.parents[1].name, int(path.name)) for path in launches]

    def live(self) -> list[tuple[str, int]]:
        return [(instance, launch) for instance, launch, pid in self._lines() if is_job_alive(pid)]

    def _lines(self) -> list[tuple[str, int, int]]:
        lines = self._births.read_text().splitlines() if self._births.exists() else []
        return [(instance, int(launch), int(pid)) for instance, launch, pid in map(str.split, lines)]


@dataclass
class Heard:
    """A reporter that remembers what it was warned of."""

    warnings: list[str] = field(default_factory=list)

    def on_event(self, moment: ProgressEvent) -> None:
        if isinstance(moment, Warned):
            self.warnings.append(moment.text)


class Command:
    """One command in a process of its own, which says `planned`, and at its end how it went."""

    def __init__(self, deed: Callable[[Callable[[], None]], str]) -> None:
        reader, writer = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LIMIT)
            os.close(reader)
            code = 1
            try:
                said = deed(lambda: os.write(writer, b"planned\n") and None)
                os.write(writer, said.encode())
                code = 0
            except BaseException:
                os.write(writer, traceback.format_exc().encode())
            finally:
                os._exit(code)
        os.close(writer)
        self._answer = os.fdopen(reader)

    def until_planned(self) -> None:
        assert self._answer.readline() == "planned\n"

    def until_stopped(self) -> bool:
        """Whether it was stopped; it may have come to its end before."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        self._status = status
        return os.WIFSTOPPED(status)

    def wake(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def ended(self) -> str:
        """What it said at its end; nothing where it was killed."""
        with self._answer:
            said = self._answer.read().removeprefix("planned\n")
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL, "it took too long"
            return ""
        assert os.WEXITSTATUS(status) == 0, said
        return said


class Rivals:
    """A stack of two jobs, its shared state and its backend."""

    def __init__(self, folder: Path, url: str, backend: Callable[[Path], Backend]) -> None:
        folder.mkdir()
        self.folder, self.url, self.backend = folder, url, backend(folder)
        program = PROGRAM.format(infra=self.backend.infra, run=self.backend.run, jobs=JOBS)
        for host in ("one", "two"):
            (self.root(host) / "stacks").mkdir(parents=True)
            (self.root(host) / "stacks" / "small.py").write_text(program)
            (self.root(host) / "templates").symlink_to(TEMPLATES)

    def root(self, host: str) -> Path:
        return self.folder / host

    def command(self, checkout: str, *, host: str = "", verb: str = "apply",
                deeds: Mapping[int, Callable[[], None]] | None = None, seizes: bool = False) -> Command:
        """The verb in a checkout, on the host of that name or another one, with deeds at its instants.

        `seizes` takes the lock from whoever has it, before.
        """
        return Command(lambda planned: self._do(checkout, host or checkout, verb, deeds or {}, seizes, planned))

    def instants(self) -> int:
        """How many an apply has that nobody disturbs, and which launches."""
        said = self.command("one").ended()
        wait_until(lambda: len(self.backend.live()) >= JOBS, 20)
        return int(said.split()[0])

    def assert_single(self, moment: str) -> None:
        """No launch runs more than once; a process is born once at all."""
        seen = self.backend.born() if self.backend.name == "local" else self.backend.live()
        twice = {name: count for name, count in Counter(seen).items() if count > 1}
        assert not twice, f"{moment}: more than once: {twice}"

    def assert_converges(self, host: str) -> None:
        """The next apply of this host finds everything, and each job runs once."""
        self.command(host).ended()
        wait_until(lambda: len(self.backend.live()) >= JOBS, 20)
        assert sorted(Counter(self.backend.live()).values()) == [1] * JOBS, self.backend.live()
        assert flaws(states(Project(root=self.root(host), state=self.url)).read("small").state) == []

    def destroy(self, *, host: str = "") -> None:
        """Each checkout, on a host of its own or on this one, ends what runs there."""
        for checkout in ("one", "two"):
            self.command(checkout, host=host, verb="destroy", seizes=True).ended()
        assert self.backend.live() == []

    def _do(self, checkout: str, host: str, verb: str, deeds: Mapping[int, Callable[[], None]], seizes: bool,
            planned: Callable[[], None]) -> str:
        """What happens in the process of a command; its instants, and what went wrong or was told."""
        socket.gethostname = lambda: host
        tempfile.tempdir = str(self.root(host))  # locks between processes of one machine lie there
        instants, heard = Instants(deeds=deeds), Heard()
        _watch(Store, instants)
        project = Project(root=self.root(checkout), state=self.url)
        providers = {self.backend.name: self.backend.provider(project.root, instants)}
        if seizes:
            Store(self.url).unlock("small")
        said: list[str] = []
        for _ in range(3):
            try:
                with Session.open("small", reporter=heard, project=project, providers=providers,
                                  declared=verb == "apply") as session:
                    plan = session.plan() if verb == "apply" else session.plan_destroy()
                    planned()
                    result = session.apply(plan)
                said += [f"{step.address}: {error}" for step, error in result.failed]
                break
            except ExpiacError as error:
                said.append(str(error))
                if not seizes:
                    break
        return "\n".join([str(instants.count), *said, *heard.warnings])


def _watch(store: type[Store], instants: Instants) -> None:
    """Each change of a store has an instant before and after it."""
    calling = store._call

    def watched(self: Store, doing: str, call: Any) -> Any:
        def called() -> Any:
            with _inside:
                return calling(self, doing, call)

        return instants.around(called) if doing in ("writing", "removing") else called()

    store._call = watched  # type: ignore[method-assign,assignment]


def stop() -> None:
    """Falls asleep, until somebody sends SIGCONT."""
    with _inside:
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # before this thread does anything more


def is_job_alive(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.name() == "sleep" and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
