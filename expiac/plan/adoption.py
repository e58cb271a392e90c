"""Takes over jobs that were launched by other means: finds them and checks what they are. Launches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from expiac.plan.model import Desired
from expiac.providers.base import Adopts, Found, Inputs, Provider
from expiac.state.model import State
from expiac.util.errors import ExpiacError, UsageError, did_you_mean
from expiac.util.placeholders import INSTANCE, fill

_NAME = "stack.job.00000000"
"""Of a run that is looked for and has no name yet: in a job that others launched the name does not count."""


def previous_jobs(wanted: Sequence[Desired], ids: Sequence[str], state: State) -> dict[str, str]:
    """The job that each run is to adopt: the first id for the first, and so on; what has a run already adopts none."""
    jobs = [want.address for want in wanted if want.completes]
    if len(ids) > len(jobs):
        raise UsageError("Too many jobs", f"{len(ids)} previous_job_ids for the {len(jobs)} jobs of {state.stack}",
                         "one id for each job, in their order")
    known = {*state.records, *(record.address for record in state.history)}
    return {address: id for address, id in zip(jobs, ids, strict=False) if address not in known}


def find_jobs(wanted: Sequence[Desired], jobs: Mapping[str, str], state: State, providers: Mapping[str, Provider]
         ) -> dict[str, Found]:
    """Each job as its backend shows it; raises where it can't be adopted at that address."""
    by_name = {want.address: want for want in wanted}
    return {address: _find_job(by_name, address, job, state, providers) for address, job in jobs.items()}


def _find_job(by_name: Mapping[str, Desired], address: str, job: str, state: State, providers: Mapping[str, Provider]
          ) -> Found:
    if address not in by_name:
        raise UsageError("No such resource", f"{address} is not in {state.stack}", did_you_mean(address, by_name))
    if (record := state.records.get(address)) is not None:
        raise ExpiacError("A run is there already", f"{address} is {record.run.instance}, {record.status.value}",
                          "another name for the imported job, or take the run away first")
    want = by_name[address]
    provider: object = providers.get(want.provider)
    if not isinstance(provider, Adopts):
        raise ExpiacError("Nothing to adopt", f"{address}: {want.provider} takes over no jobs of others",
                          "infra=…, of the place that SkyPilot launched it to")
    found = provider.find_job(job, Inputs(want.inputs, fill(dict(want.texts), {INSTANCE: _NAME})))
    for other in (*state.records.values(), *state.history):
        if found.handle.items() <= other.handle.items():
            raise ExpiacError("Adopted already", f"job {job} is {other.address} of {state.stack}")
    return found
