"""Makes each `expiac://` address in a training config name one run, by its instance name. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from expiac.declare.resource import map_texts
from expiac.declare.stack_reference import StackRef
from expiac.state.facts import Reference

SCHEME = "expiac://"
VARIABLE = "EXPIAC_ADDRESSES"
"""The variable that tells a job, as JSON, where the checkpoints of the runs are that its config refers to."""


@dataclass(frozen=True, slots=True)
class Address:
    """A run that a training config refers to."""

    pinned: str
    """The address with the run's instance name in it."""
    path: str
    """Where its checkpoint is."""


FindsRuns = Callable[[str], Address]
FindsOutputs = Callable[[StackRef], Reference]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How what the states of other stacks say is found. Both raise `ExpiacError` where it is not there."""

    find_run: FindsRuns
    """The run that an `expiac://` address in a training config names."""
    find_output: FindsOutputs
    """The value of an output of another stack, and its run."""


def pin_runs(config: Mapping[str, Any], find: FindsRuns) -> tuple[dict[str, Any], dict[str, str]]:
    """The config with pinned addresses, and the variables in which its job finds where they are."""
    text = repr(config)
    if SCHEME not in text and "(" not in text:  # neither an address nor a tuple, which would become a list: the rule
        return dict(config), {}
    paths: dict[str, str] = {}

    def pin(text: str) -> str:
        if not text.startswith(SCHEME):
            return text
        found = find(text)
        paths[found.pinned] = found.path
        return found.pinned

    pinned = map_texts(dict(config), pin)
    return pinned, {VARIABLE: json.dumps(paths)} if paths else {}
