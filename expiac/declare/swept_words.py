"""Overrides with several values each, in Hydra's grammar: `lr=1e-4,3e-4`, `seed=range(3)`, `agent=choice(fast,wide)`.

Hydra's own parser reads them. It is loaded only where a command sweeps.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

from expiac.declare.override_words import SWEEP, word_of
from expiac.declare.stack import Stack
from expiac.declare.sweep import Sweep
from expiac.declare.trials import named_trials
from expiac.util.errors import UsageError

COMPONENT = "sweep"
"""What the component is called that holds the trials."""


def swept_stack(overrides: Mapping[str, str], make: Callable[[Mapping[str, str]], Stack]) -> Stack:
    """The stack with a trial for each combination of the values; `make` gives the stack of one combination."""
    fixed, swept = _split(overrides)
    points = [dict(zip(swept, texts, strict=True)) for texts in itertools.product(*swept.values())]
    trials = named_trials([{key: _value(text) for key, text in point.items()} for point in points])
    stacks = [make({**fixed, **point}) for point in points]
    first = stacks[0]
    if any(sweep.search for sweep in first.sweeps):
        raise UsageError("Invalid sweep", f"stack {first.name} has a search, whose trials are not known yet",
                         "a stack without a search")
    if any(stack.name != first.name for stack in stacks):
        raise UsageError("Invalid sweep", "the trials of a sweep are jobs of one stack, and name= is its name",
                         "sweep other settings")
    sweep = Sweep.of_trials(COMPONENT, [(trial, stack.resources) for trial, stack in zip(trials, stacks, strict=True)])
    return Stack(first.name, [sweep], budget=first.budget, max_running=first.max_running,
                 previous_job_ids=first.previous_job_ids)


def _split(overrides: Mapping[str, str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The overrides of one value, and those of several with the text of each."""
    fixed: dict[str, str] = {}
    swept: dict[str, list[str]] = {}
    for key, text in overrides.items():
        values = _values(key, text)
        if values is None:
            fixed[key] = text
        else:
            swept[key] = values
    if not swept:
        raise UsageError("Invalid sweep", "no setting has several values", f"{SWEEP} training.seed=1,2,3")
    return fixed, swept


def _values(key: str, text: str) -> list[str] | None:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob, IntervalSweep
    from hydra.errors import HydraException

    try:
        override = OverridesParser.create().parse_override(word_of(key, text))
    except HydraException:
        return None  # a text that only expiac reads: one value
    if not override.is_sweep_override():
        return None
    if isinstance(override.value(), Glob | IntervalSweep):
        raise UsageError("Invalid sweep", f"{key}={text} names no values", f"{key}=1,2,3 or {key}='range(3)'")
    try:
        return [_text(value) for value in override.sweep_iterator()]
    except (HydraException, ValueError) as error:
        raise UsageError("Invalid sweep", f"{key}={text}: {error}") from error


def _text(value: Any) -> str:
    """A value that Hydra has read, as a text for expiac to read."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if hasattr(value, "text"):  # a quoted one
        return str(value.text)
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _value(text: str) -> Any:
    """A value as a number or a truth value where it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "null": None}.get(text.lower(), text)
