"""A backend that exists in memory: a real provider, small enough to be told what shall go wrong.

It starts and ends runs like any other, and moves only when told to. `fresh()` is another process's view of it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from expiac.providers.base import ABSENT, Id, Inputs, Logs, Note, Observation, Presence, RunsJobs
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

LIMIT = 30.0
"""Seconds after which a stalled call gives up, so that no test hangs."""
_NEXT = {Status.PENDING: Status.STARTING, Status.STARTING: Status.RUNNING, Status.RUNNING: Status.SUCCEEDED}


class Died(BaseException):
    """The process dies here: nothing catches it, and nothing after it happens."""


@dataclass
class _Will:
    """What the world was told to do to the process that uses it."""

    effects_left: int | None = None
    """How many more effects take place before the process dies."""
    unanswered: bool = False
    """Whether it dies after the last of them took place and before it gets the answer, or before the next one."""
    dead: bool = False
    unknown: str = ""
    """Why no look is answered."""


@dataclass
class MemoryProvider(Logs, RunsJobs):
    """Launches, observations and ends, in memory."""

    rents_machines: ClassVar[bool] = False

    autofinish: bool = False
    """A job that is looked at has succeeded."""
    starts: list[Id] = field(default_factory=list)
    """Every launch that ever came about, in order; one that stands here twice is a mistake of the engine or ours."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """(verb, instance) of each call, in order; a look at many counts once, with an empty instance."""
    updates: list[tuple[str, Inputs]] = field(default_factory=list)
    """(instance, inputs) of each update."""
    inputs: dict[Id, Inputs] = field(default_factory=dict)
    """The inputs of each launch."""
    _seen: dict[Id, Observation] = field(default_factory=dict)
    _errors: dict[str, BaseException] = field(default_factory=dict)
    _stalled: dict[str, threading.Event] = field(default_factory=dict)
    _will: _Will = field(default_factory=_Will)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        self._enter("read", "")
        with self._lock:
            if self._will.unknown:
                return {id: Observation(Presence.UNKNOWN, detail=self._will.unknown) for id in ids}
            for id in ids:
                if self.autofinish and id in self._seen and self._seen[id].status in _NEXT:
                    self._set(id, Status.SUCCEEDED)
            return {id: self._seen.get(id, ABSENT) for id in ids}

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        self._enter("create", id.instance)
        note({"memory": f"{id.instance}/{id.launch}"})
        with self._lock:
            if id not in self._seen:
                self._effect(lambda: self._launch(id, inputs))
            return self._seen[id]

    def update(self, id: Id, inputs: Inputs) -> Observation:
        self._enter("update", id.instance)
        with self._lock:
            self._effect(lambda: self.updates.append((id.instance, inputs)))
            return self._seen.get(id, ABSENT)

    def delete(self, id: Id) -> Observation:
        self._enter("delete", id.instance)
        with self._lock:
            seen = self._seen.get(id, ABSENT)
            if seen.status is Status.READY:
                self._effect(lambda: self.vanish(id.instance))
            elif seen is not ABSENT and not seen.status.is_over:
                self._effect(lambda: self._set(id, Status.CANCELLED))
            return self._seen.get(id, ABSENT)

    def logs(self, id: Id, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """One line: how it is."""
        seen = self._seen.get(id, ABSENT)
        if seen.presence is Presence.ABSENT or node:
            raise ExpiacError("No logs", f"{id.instance} has no node {node}" if node else f"{id.instance} is not here")
        yield f"{id.instance} is {seen.status.value}"

    # What a test tells the world

    def fresh(self) -> MemoryProvider:
        """The view of another process, started after this one died or beside it."""
        self._will.dead, self._will.effects_left = False, None
        return copy.copy(self)

    def running(self) -> list[str]:
        """The instances that have not ended, in the order of their start."""
        return [id.instance for id, seen in self._seen.items() if seen.status.is_live]

    def tick(self) -> None:
        """Moves every job one status along: pending, starting, running, succeeded."""
        with self._lock:
            for id, seen in self._seen.items():
                self._set(id, _NEXT.get(seen.status, seen.status))

    def finish(self, name: str, status: Status = Status.SUCCEEDED, detail: str = "", seconds: float | None = None
               ) -> None:
        """Ends the newest launch of the instance or address; `status` may be any other status too."""
        with self._lock:
            self._set(self._newest(name), status, detail, seconds)

    def vanish(self, name: str) -> None:
        """The newest launch is gone without a trace, as after a loss of the machine."""
        with self._lock:
            del self._seen[self._newest(name)]

    def fail(self, name: str, error: BaseException | None = None) -> None:
        """Every effect on the instance or address raises, until `heal`."""
        self._errors[name] = error or ExpiacError("The backend refuses", name)

    def heal(self, name: str) -> None:
        """Takes back `fail` and `stall`."""
        self._errors.pop(name, None)
        self._stalled.pop(name, threading.Event()).set()

    def stall(self, name: str) -> None:
        """Every effect on the instance or address waits for `heal`, at most `LIMIT` seconds."""
        self._stalled[name] = threading.Event()

    def answer_unknown(self, why: str) -> None:
        """No look is answered, because of `why`; an empty one takes it back."""
        self._will.unknown = why

    def dies_after(self, effects: int, *, unanswered: bool = True) -> None:
        """The process dies after so many more effects: `unanswered`, before it gets the answer to the last one."""
        self._will.effects_left, self._will.unanswered = effects, unanswered

    def _enter(self, verb: str, instance: str) -> None:
        if self._will.dead:
            raise Died
        self.calls.append((verb, instance))
        for name, stalled in list(self._stalled.items()):
            if _names(name, instance) and not stalled.wait(LIMIT):
                raise ExpiacError("The backend stalls", instance)
        for name, error in list(self._errors.items()):
            if _names(name, instance):
                raise error

    def _effect(self, effect: Callable[[], None]) -> None:
        """Lets one effect take place, unless the process is to die first."""
        will = self._will
        if will.dead or will.effects_left == 0:
            self._die()
        effect()
        if will.effects_left is not None:
            will.effects_left -= 1
            if will.effects_left == 0 and will.unanswered:
                self._die()

    def _die(self) -> None:
        self._will.dead, self._will.effects_left = True, None
        raise Died

    def _launch(self, id: Id, inputs: Inputs) -> None:
        self.starts.append(id)
        self.inputs[id] = inputs
        paths = {name: f"memory://{id.instance}/{path}" for name, path in inputs.outputs.items()}
        is_job = bool(paths or inputs.texts or inputs.env)
        self._seen[id] = Observation(
            Presence.PRESENT, Status.PENDING if is_job else Status.READY, paths if is_job else dict(inputs.values))

    def _set(self, id: Id, status: Status, detail: str = "", seconds: float | None = None) -> None:
        self._seen[id] = replace(self._seen[id], status=status, detail=detail or self._seen[id].detail, seconds=seconds)

    def _newest(self, name: str) -> Id:
        found = [id for id in self._seen if _names(name, id.instance)]
        if not found:
            raise LookupError(f"nothing here is called {name}: {[id.instance for id in self._seen]}")
        return max(found, key=self.starts.index)


def _names(name: str, instance: str) -> bool:
    """Whether the name is the instance, `<stack>.<address>.<hex>`, or the address in it."""
    return name == instance or name.replace("/", ".") == ".".join(instance.split(".")[1:-1])
