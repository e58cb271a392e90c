"""The check of a state finds what it is there to find."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expiac.declare.stack import Stack
from expiac.state.events import Approved, Effect
from expiac.state.model import Approval, Pending
from expiac.state.status import Status
from expiac.testing import Run, World
from expiac.testing.integrity import flaws


@pytest.fixture
def state(tmp_path):
    """A run that was replaced, one that refers to it, and a plain one."""
    world = World(tmp_path)
    for lr in (1, 2):
        a = Run("a", config={"lr": lr})
        world.converge(Stack("ppo", [a, Run("b", config={"uri": a.output("checkpoint")}), Run("c")]))
    return world.state


def with_record(state, name, **fields):
    return replace(state, records={**state.records, name: replace(state.records[name], **fields)})


def with_archived(state, **fields):
    return replace(state, history=(replace(state.history[0], **fields), *state.history[1:]))


@pytest.mark.parametrize(("broken", "flaw"), [
    (lambda state: state, None),
    (lambda state: with_record(state, "a", address="b"), "b stands at a"),
    (lambda state: with_archived(state, status=Status.RUNNING), "is archived and running"),
    (lambda state: with_archived(state, pending=Pending(Effect.CREATE)), "is archived and pending"),
    (lambda state: replace(state, history=state.history * 2), "stands 2 times"),
    (lambda state: replace(state, approvals=(Approval(state.serial + 1, "", Approved()),)), "approval"),
    (lambda state: with_record(state, "c", approval=state.approval + 1), "belongs to approval"),
    (lambda state: with_record(state, "b", upstream={"a": "ppo.a.0"}), "refers to ppo.a.0, which nobody knows"),
    (lambda state: with_record(with_record(state, "a", approval=state.approval + 1), "b", approval=1),
     "was launched before"),
    (lambda state: replace(state, serial=state.approval), "serial"),
    (lambda state: replace(state, lineage="1"), "lineage"),
    (lambda state: replace(state, history=tuple(one for one in state.history if one.address == "b")), "nobody knows"),
    (lambda state: replace(state, history=()), "was archived and is gone"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_each_flaw_is_found(state, broken, flaw):
    """And nothing is found where there is none."""
    found = flaws(broken(state), state)
    assert any(flaw in one for one in found) if flaw else found == []
