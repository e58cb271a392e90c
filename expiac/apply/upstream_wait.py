"""Waits until the runs of other stacks whose outputs a stack uses have ended: for `apply --wait`."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from expiac.apply.events import Reporter, Warned
from expiac.apply.other_stacks import OtherStacks
from expiac.apply.stack_outputs import StackOutputs
from expiac.apply.wait import poll
from expiac.declare.project import Project
from expiac.declare.stack import Stack
from expiac.declare.stack_reference import StackRef, distinct_stack_refs
from expiac.util.errors import ExpiacError


def wait_for_upstream(stack: Stack, project: Project, reporter: Reporter, stopped: threading.Event, *,
                      timeout: float) -> None:
    """Returns when none of these runs is live, or `stopped` is set; raises `ExpiacError` after `timeout` seconds.

    What is missing or has failed is for the plan to say.
    """
    templates = [sweep.template for sweep in stack.sweeps if sweep.template is not None]
    refs = tuple(dict.fromkeys(ref for resource in (*stack.resources, *templates)
                               for ref in distinct_stack_refs(resource.inputs()) if ref.stack != stack.name))
    if not refs:
        return
    told = ""
    for waiting in poll(lambda: _live(refs, project), stopped, timeout=timeout, stack=_names(refs)):
        if not waiting:
            return
        if (now := ", ".join(waiting)) != told:
            reporter.on_event(Warned(f"waits for {now}"))
            told = now


def _live(refs: Iterable[StackRef], project: Project) -> list[str]:
    """The runs that have not ended, each with its status."""
    outputs = StackOutputs(OtherStacks(project))
    found: dict[str, str] = {}
    for ref in refs:
        try:
            record, _ = outputs.record_of(ref)
        except ExpiacError:
            continue
        if not record.is_met and (record.status.is_live or record.pending):
            found[record.run.instance] = f"{record.run.instance}, which is {record.status.value}"
    return list(found.values())


def _names(refs: Iterable[StackRef]) -> str:
    return ", ".join(dict.fromkeys(ref.stack for ref in refs))
