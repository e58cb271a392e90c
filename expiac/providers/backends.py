"""Which backend an `infra` means: the one of that name, and otherwise SkyPilot, to which all places belong.

Asks no backend: SkyPilot itself says at the plan whether it knows the place.
"""

from __future__ import annotations

from difflib import get_close_matches

from expiac.providers.registry import SKYPILOT, Providers
from expiac.providers.skypilot.places import is_place
from expiac.util.errors import ExpiacError


def backend_of(job: str, infra: str, providers: Providers) -> str:
    """The name of the backend that runs the job; raises where `infra` is a backend's name, misspelt."""
    if infra in providers:
        if not providers.runs_jobs(infra):
            raise ExpiacError("Not a backend", f"{job}: infra={infra!r}, a provider that runs no jobs",
                              f"infra={providers.backends[0]!r}, or let its class inherit RunsJobs")
        return infra
    if not is_place(infra):
        _refuse_misspelt(job, infra, providers)
    return SKYPILOT


def _refuse_misspelt(job: str, infra: str, providers: Providers) -> None:
    """What resembles no backend is left to SkyPilot, which may know more places than we do."""
    known = providers.backends
    name = infra.partition("/")[0]
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        raise ExpiacError("No such backend", f"{job}: infra={infra!r}, and the backends are {', '.join(known)}",
                          f"did you mean {near[0]}?")
