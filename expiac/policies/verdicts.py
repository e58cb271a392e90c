"""What a policy is, and what it says of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from expiac.declare.project import Project
from expiac.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Warn:
    """The plan may go on; whoever reads it is told."""

    message: str
    address: str = ""
    """Of the resource that is meant; empty where it is the whole plan."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The plan may not be carried out."""

    message: str
    address: str = ""


Policy = Callable[[Plan, Project], Iterable[Warn | Refuse]]
