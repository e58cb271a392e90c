"""What there is to approve of the searches that a program declares."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from expiac.apply.search.trials import study_digest
from expiac.declare.search import Search
from expiac.declare.stack import Stack
from expiac.declare.sweep import Sweep
from expiac.plan.searches import LIMITS
from expiac.state.facts import ApprovedSearch
from expiac.util.hashing import digest

_LENGTH = 16


def declared_searches(stack: Stack) -> Mapping[str, ApprovedSearch]:
    """What the stack declares of each search, by its address: all that decides what its later trials are."""
    limits = _digest([stack.max_running, stack.budget])
    return {sweep.name: _declared(sweep, sweep.search, limits) for sweep in stack.sweeps if sweep.search is not None}


def _declared(sweep: Sweep, search: Search, limits: str) -> ApprovedSearch:
    values: dict[str, Any] = {name: getattr(search, name) for name in LIMITS}
    others = [field.name for field in dataclasses.fields(Search) if field.name not in (*LIMITS, "space")]
    space = [[key, type(one).__name__, one] for key, one in search.space.items()]
    digests = {"job": _job(sweep), "metric": _digest(list(sweep.objectives.items())), "space": _digest(space),
               **{name: _digest(getattr(search, name)) for name in others}, "limits of its stack": limits}
    return ApprovedSearch(**values, study=study_digest(sweep), digests=digests)


def _job(sweep: Sweep) -> str:
    job = sweep.template
    assert job is not None, "a search has one"
    return _digest([job.type, job.inputs(), job.depends_on, job.options])


def _digest(value: Any) -> str:
    return digest(to_jsonable_python(value, fallback=str))[:_LENGTH]
