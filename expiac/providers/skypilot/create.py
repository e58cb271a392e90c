"""Launches a job once: nothing is launched before the requests under way and the queue were asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from expiac.providers.base import Id, Note, Observation, Presence
from expiac.providers.skypilot.delete import end_duplicates, end_nameless
from expiac.providers.skypilot.handle import Handle
from expiac.providers.skypilot.outputs import LaunchOutputs
from expiac.providers.skypilot.refusal import Refused
from expiac.providers.skypilot.snapshot import OUTPUTS, declared_outputs
from expiac.providers.skypilot.statuses import observation, other_place
from expiac.providers.skypilot.view import View
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Stale, Unavailable, Uncertain


class LaunchAttempt:
    """One launch, from the search for an earlier one to the id of its job; each step is noted before the next."""

    def __init__(self, view: View, id: Id, note: Note, *, timeout: float, pause: float) -> None:
        self._view, self._id, self._note = view, id, note
        self._timeout, self._pause = timeout, pause
        self._handle = Handle.of(id)

    def launch(self, task: Callable[[], Mapping[str, Any]]) -> Observation:
        """How the launch is once SkyPilot has given it an id; `task` is called only where it is to be launched.

        Where the server refuses the request, all of this is done again: something on the way may be mistaken.
        """
        ready = cache(task)
        return self._view.retried(lambda: self._look_and_launch(ready))

    def _look_and_launch(self, task: Callable[[], Mapping[str, Any]]) -> Observation:
        id, snapshot = self._id, self._view.snapshot(self._id)
        if elsewhere := other_place(snapshot, id):
            raise Uncertain("Another SkyPilot", f"{id.instance} was {elsewhere}", "sky api login -e URL")
        where = Handle(snapshot.where.endpoint, snapshot.where.user, self._handle.cluster)
        if job := snapshot.job(id):
            self._note(replace(where, job=job.id).to_json())
            return observation(job)
        if imported := self._handle.imported:
            raise ExpiacError("No such job", f"SkyPilot has no managed job {imported} of this user", "sky jobs queue")
        if request := snapshot.request(id):
            self._note(replace(where, request=request.id).to_json())
            return self._await_job(request.id, declared_outputs(request.task))
        end_nameless(self._view.sky, snapshot.nameless(id))
        ready = task()
        self._note(where.to_json())  # the last thing before the request: it raises if another process has taken over
        return self._send(ready)

    def _send(self, task: Mapping[str, Any]) -> Observation:
        try:
            request = self._view.sky.launch(task, self._handle.cluster or "")
        except Refused:
            raise  # surely it did not happen
        except Unavailable as error:
            return self._find_after(error, surely_not=False)  # it may have arrived all the same
        try:
            self._note(Handle(request=request).to_json())  # before the wait: if we die here, refresh finds the job
        except Stale as error:
            raise self._end_second_launch(error) from error
        return self._await_job(request, json.loads(task["envs"].get(OUTPUTS, "{}")))

    def _end_second_launch(self, stale: Stale) -> Stale:
        """Another process took the stack over while this one slept, and may have launched too: ends the later job."""
        try:
            ended = end_duplicates(self._view, self._id, timeout=self._timeout, pause=self._pause)
        except ExpiacError as error:
            said = f"it may have been launched twice, and that could not be seen: {error.summary}: {error.detail}"
        else:
            said = f"it was launched twice, and {', '.join(ended)} was ended" if ended else ""
        about = f"{self._id.instance}: {said}" if said else ""
        detail = "\n".join(filter(None, [stale.detail, about]))
        return Stale(stale.summary, detail, stale.hint)

    def _await_job(self, request: str, outputs: Mapping[str, str]) -> Observation:
        try:
            job = self._view.retried(lambda: self._view.sky.await_launch(request))
        except Unavailable as error:
            return self._find_after(error, surely_not=False)
        except ExpiacError as error:
            return self._find_after(error, surely_not=True)
        self._note(Handle(job=job).to_json())
        known = LaunchOutputs(outputs, job, self._handle.cluster or "")
        return Observation(Presence.PRESENT, Status.PENDING, known.to_json())

    def _find_after(self, error: ExpiacError, *, surely_not: bool) -> Observation:
        """The launch as it is after an error; raises if it did not happen, or if that can't be known."""
        id = self._id
        unknown = Uncertain("Not known whether it was launched", f"{id.instance}: {error.summary}: {error.detail}",
                            "expiac apply, which looks for it first")
        try:
            snapshot = self._view.snapshot(id)
        except Unavailable:
            raise unknown from error
        if job := snapshot.job(id):
            self._note(Handle(job=job.id).to_json())
            return observation(job)
        if surely_not and not snapshot.request(id):
            raise error
        raise unknown from error
