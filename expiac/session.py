"""The composition root: opens the project, the stack, the journal, the lock and the providers, for one command.

(Skeleton: the signatures are settled, the bodies follow.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from expiac.plan import Plan
from expiac.planner import Wishes
from expiac.project import Project
from expiac.reporter import Reporter, Result, Seen
from expiac.state import State


class Session:
    """One command's view of one stack."""

    project: Project
    stack: str
    state: State
    """As last read or refreshed."""
    notes: tuple[str, ...]
    """To be said aloud: a torn line that was dropped."""

    @classmethod
    def open(
        cls, name: str | None, overrides: Sequence[str] = (), *, reporter: Reporter, declared: bool = True,
        project: Project | None = None, providers: Mapping[str, Any] | None = None,
    ) -> Session:
        """Opens the stack file or stem `name` (None where the project has only one) with `key=value` overrides.

        `declared=False` opens by the state alone: for destroy, status and logs, which work with a broken program.
        """
        raise NotImplementedError

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Closes the journal."""

    def plan(self, *, refresh: bool = True, wishes: Wishes | None = None) -> Plan:
        """What apply would do; writes nothing."""
        raise NotImplementedError

    def plan_destroy(self, *, targets: Sequence[str] = ()) -> Plan:
        """What destroy would do: planning toward nothing."""
        raise NotImplementedError

    def apply(self, plan: Plan, *, parallelism: int = 10, wait: bool = False, timeout: float = 7 * 86400) -> Result:
        """Carries out the plan; with `wait`, until every run has ended and every deferred step is done."""
        raise NotImplementedError

    def stop(self) -> None:
        """Begin nothing new; let running effects finish. Safe in a signal handler."""
        raise NotImplementedError

    def refresh(self) -> tuple[Seen, ...]:
        """Looks at everything, journals what changed, and says how each resource is."""
        raise NotImplementedError

    def status(self, *, refresh: bool = True) -> tuple[Seen, ...]:
        """How each resource is, with its progress; writes nothing."""
        raise NotImplementedError

    def logs(self, address: str, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """Lines of a job's output."""
        raise NotImplementedError

    def render(self) -> Mapping[str, Mapping[str, str]]:
        """The rendered texts by address and file name, with `@instance@` in place."""
        raise NotImplementedError
