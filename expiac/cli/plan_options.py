"""The options of planning, from what the command line says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expiac.cli.arguments import parse_actions
from expiac.util.errors import UsageError

if TYPE_CHECKING:
    from expiac.plan.planner import PlanOptions

Names = list[str] | None


def plan_options(
    *, replace: Names = None, extend: Names = None, target: Names = None, exclude: Names = None,
    only: str | None = None, retry: bool = False, fresh: bool = False, reuse: bool = False,
    reviewed_only: bool = False,
) -> PlanOptions:
    """The options; raises `UsageError` where they contradict each other."""
    from expiac.plan.planner import PlanOptions  # it takes a while to import, and help needs none

    if fresh and reuse:
        raise UsageError("Conflicting options", "--fresh takes no run of the past, and --reuse every one",
                         "give one of them")
    return PlanOptions(retry=retry, replace=tuple(replace or ()), extend=tuple(extend or ()),
                       target=tuple(target or ()), exclude=tuple(exclude or ()),
                       only=() if only is None else parse_actions(only), fresh=fresh, reuse=reuse,
                       reviewed_only=reviewed_only)
