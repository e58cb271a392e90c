"""The command that launches a run again, as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass

from expiac.apply.rerun import commit_of
from expiac.plan import history
from expiac.state.model import State
from expiac.util.errors import ExpiacError


@dataclass(frozen=True, slots=True)
class Again:
    """A command, and what it does not bring back."""

    command: str
    note: str = ""


def command_again(state: State, instance: str) -> Again:
    """`expiac rerun RUN`; with `--anyway` where its code is not that of a commit, which the note says."""
    past = next(one for one in history.runs(state) if one.record.run.instance == instance)
    try:
        commit_of(past)
    except ExpiacError as error:
        return Again(f"expiac rerun {instance} --anyway", f"the present code: {error.detail}")
    return Again(f"expiac rerun {instance}")
