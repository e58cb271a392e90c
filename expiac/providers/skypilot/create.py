"""Brings a launch about once: nothing is launched before requests under way and the queue were looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from expiac.providers.base import CLUSTER, Id, Note, Observation, Presence
from expiac.providers.skypilot.delete import end_duplicates, end_nameless
from expiac.providers.skypilot.seen import IMPORTED, OUTPUTS, outputs
from expiac.providers.skypilot.statuses import observation, other_place
from expiac.providers.skypilot.view import View
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Stale, Unavailable, Uncertain


class LaunchAttempt:
    """One launch, from the look for an earlier birth to the id of its job; each step is noted before the next."""

    def __init__(self, view: View, id: Id, note: Note, *, timeout: float, pause: float) -> None:
        self._view, self._id, self._note = view, id, note
        self._timeout, self._pause = timeout, pause
        self._held = {CLUSTER: id.handle[CLUSTER]} if CLUSTER in id.handle else {}

    def bring_about(self, task: Callable[[], Mapping[str, Any]]) -> Observation:
        """How the launch is once SkyPilot has given it an id; `task` is asked for only where it is to be launched."""
        id, snapshot = self._id, self._view.snapshot(self._id)
        if elsewhere := other_place(snapshot, id):
            raise Uncertain("Another SkyPilot", f"{id.instance} was {elsewhere}", "sky api login -e URL")
        where = {"endpoint": snapshot.where.endpoint, "user": snapshot.where.user, **self._held}
        if job := snapshot.job(id):
            self._note({**where, "job": job.id})
            return observation(job)
        if imported := id.handle.get(IMPORTED):
            raise ExpiacError("No such job", f"SkyPilot has no managed job {imported} of this user", "sky jobs queue")
        if request := snapshot.request(id):
            self._note({**where, "request": request.id})
            return self._settled(request.id, outputs(request.task))
        end_nameless(self._view.sky, snapshot.nameless(id))
        ready = task()
        self._note(where)  # the last thing before the request: it raises where another process has taken over
        return self._launched(ready)

    def _launched(self, task: Mapping[str, Any]) -> Observation:
        try:
            request = self._view.sky.launch(task, self._held.get(CLUSTER, ""))
        except Unavailable as error:
            return self._found(error, surely_not=False)  # it may have arrived all the same
        try:
            self._note({"request": request})  # before the wait: if we die here, refresh can still find the job
        except Stale as error:
            raise self._mended(error) from error
        return self._settled(request, json.loads(task["envs"].get(OUTPUTS, "{}")))

    def _mended(self, stale: Stale) -> Stale:
        """We were asleep at the worst moment, and who took over may have launched too: of two, the later one ends."""
        try:
            ended = end_duplicates(self._view, self._id, timeout=self._timeout, pause=self._pause)
        except ExpiacError as error:
            said = f"it may have been launched twice, and that could not be seen: {error.summary}: {error.detail}"
        else:
            said = f"it was launched twice, and {', '.join(ended)} was ended" if ended else ""
        return Stale(stale.summary, "\n".join(filter(None, [stale.detail, said and f"{self._id.instance}: {said}"])),
                     stale.hint)

    def _settled(self, request: str, outputs: Mapping[str, str]) -> Observation:
        try:
            job = self._view.sky.launched(request)
        except Unavailable as error:
            return self._found(error, surely_not=False)
        except ExpiacError as error:
            return self._found(error, surely_not=True)
        self._note({"job": job})
        seen = self._held or {"recoveries": 0}
        return Observation(Presence.PRESENT, Status.PENDING, {**outputs, "job_id": job, **seen})

    def _found(self, error: ExpiacError, *, surely_not: bool) -> Observation:
        """The launch as it is seen after an error; raises where it was not born, or where that can't be known."""
        id = self._id
        unknown = Uncertain("Not known whether it was launched", f"{id.instance}: {error.summary}: {error.detail}",
                            "expiac apply, which looks for it first")
        try:
            snapshot = self._view.snapshot(id)
        except Unavailable:
            raise unknown from error
        if job := snapshot.job(id):
            self._note({"job": job.id})
            return observation(job)
        if surely_not and not snapshot.request(id):
            raise error
        raise unknown from error
