"""What a provider of your own is made of, and what it may raise. See `docs/extending.md`."""

from expiac.providers.base import (
    ABSENT,
    Adopts,
    AdvancesQueue,
    EndsDuplicates,
    Estimates,
    Examines,
    Fetches,
    Found,
    Id,
    Inputs,
    Logs,
    Note,
    Observation,
    Presence,
    Provider,
    Releases,
    RunsJobs,
)
from expiac.providers.outputs import CLUSTER

__all__ = [
    "ABSENT",
    "CLUSTER",
    "Adopts",
    "AdvancesQueue",
    "EndsDuplicates",
    "Estimates",
    "Examines",
    "Fetches",
    "Found",
    "Id",
    "Inputs",
    "Logs",
    "Note",
    "Observation",
    "Presence",
    "Provider",
    "Releases",
    "RunsJobs",
]
