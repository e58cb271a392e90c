"""What `expiac://stack/job@which` in a training config names: a run of any stack here, and its checkpoint.

A job in a component is `stack/component/job`. `which` is `best` (by the first metric that tables show and that has a
direction), `latest`, or an instance name. Of the first two, the run that is meant is found anew by each plan, and the
config that is compared names that run.
"""

from __future__ import annotations

import re
from functools import cached_property

from expiac.apply.other_stacks import OtherStacks
from expiac.compile.run_addresses import Address
from expiac.declare.metrics import Metric
from expiac.providers.registry import Providers
from expiac.state.model import Record
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, did_you_mean

_FORM = re.compile(r"expiac://(?P<stack>[^/@\s]+)/(?P<job>[^/@\s]+(?:/[^/@\s]+)*)@(?P<which>[^/@\s]+)")
OUTPUT = "checkpoint"
_SUMMARY = "No such run"


class Addresses:
    """Resolves addresses of runs by the recorded states; asks no backend."""

    def __init__(self, stacks: OtherStacks) -> None:
        self._stacks, self._project = stacks, stacks.project

    def resolve(self, text: str) -> Address:
        """The address with the instance name of the run in it, and where the run's checkpoint is.

        Raises `ExpiacError` if there is no such run, or none that has succeeded and left a checkpoint.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ExpiacError("Invalid address", f"{text} names no run", "expiac://stack/job@best")
        stack, job, which = match.groups()
        state = self._stacks.state(stack, summary=_SUMMARY)
        runs = [record for record in (*state.history, *state.records.values()) if record.address == job]
        if not runs:
            raise ExpiacError(_SUMMARY, f"{text}: {stack} has no job {job}", did_you_mean(job, state.records))
        left = [run for run in runs if run.status is Status.SUCCEEDED and run.outputs.get(OUTPUT) and not run.pruned_at]
        run = self._chosen(text, which, left, state.lineage)
        return Address(f"expiac://{stack}/{job}@{run.run.instance}", str(run.outputs[OUTPUT]))

    def _chosen(self, text: str, which: str, runs: list[Record], lineage: str) -> Record:
        if not runs:
            raise ExpiacError(_SUMMARY, f"{text}: no run of it has succeeded and left an output {OUTPUT}",
                              "expiac output shows what runs have left")
        if which == "latest":
            return max(runs, key=lambda run: run.at)
        if which == "best":
            return self._best(text, runs, lineage)
        found = [run for run in runs if run.run.instance == which]
        if not found:
            raise ExpiacError(_SUMMARY, f"{text}: no run {which} of it has left an output {OUTPUT}",
                              did_you_mean(which, [run.run.instance for run in runs]))
        return found[0]

    def _best(self, text: str, runs: list[Record], lineage: str) -> Record:
        from expiac.apply.metrics.places import Look
        from expiac.apply.metrics.sources import find_metrics, progress_of, sources_of

        metric = self._metric
        found = find_metrics(runs, sources_of(Providers(self._project)), Look(lineage, seconds=0.0))
        ends = {run.run.instance: progress_of(found.get(run.run.instance))[0] for run in runs}
        values = {instance: end.metrics.get(metric.name) for instance, end in ends.items() if end is not None}
        # nan is no result
        known = {instance: value for instance, value in values.items() if value is not None and value == value}
        if not known:
            raise ExpiacError(_SUMMARY, f"{text}: no run of it has a value of {metric.name} on this machine",
                              f"{text.rpartition('@')[0]}@latest")
        best = (max if metric.direction == "max" else min)(known, key=lambda instance: known[instance])
        return next(run for run in runs if run.run.instance == best)

    @cached_property
    def _metric(self) -> Metric:
        for metric in self._project.metrics.show:
            if metric.direction:
                return metric
        raise ExpiacError("Direction not known", "which run is best needs a metric with a direction",
                          '[tool.expiac.metrics] show = [{ name = "reward", direction = "max" }], or @latest')
