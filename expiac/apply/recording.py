"""Makes the events that record what a declaration says of a run that exists. Pure; nothing happens to the world."""

from __future__ import annotations

from dataclasses import replace

from expiac.plan.matching import restored_inputs
from expiac.plan.model import Desired, Step
from expiac.state.events import Noted, Restored
from expiac.state.model import Record


def noted(step: Step, want: Desired, record: Record) -> Noted:
    """Its options and dependencies; where what it refers to has other names now, its inputs with these."""
    event = Noted(step.address, want.depends_on, want.options.lasting)
    if dict(record.upstream) == dict(step.upstream):
        return event
    return replace(event, inputs=restored_inputs(want, record), upstream=step.upstream)


def restored(step: Step, want: Desired, earlier: Record) -> Restored:
    """That a run of the past stands at the address of the step."""
    return Restored(step.address, earlier.run.instance, restored_inputs(want, earlier), want.depends_on, step.upstream,
                    want.options.lasting, want.trial, want.references)
