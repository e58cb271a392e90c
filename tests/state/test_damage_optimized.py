"""A state that does not follow from its own lines is refused, also where Python leaves assertions out (`python -O`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from expiac.state import codec
from expiac.state.events import Effect, EffectDone, Event, Forgotten, Moved, Observed, Run, Started
from expiac.state.model import State
from expiac.state.replay import Damage, replay
from expiac.state.status import Status

NOON = "2026-01-01T12:00:00Z"
HEAD = codec.header_line(codec.Header(lineage="abc", stack="x"))


def started(address: str, effect: Effect = Effect.CREATE) -> Started:
    return Started(address, effect, "job", "local", Run(f"x.{address}.1", "f", 0, 1))


def lines(*events: Event) -> bytes:
    return HEAD + b"".join(codec.event_line(number, NOON, event) for number, event in enumerate(events, 1))


def checkpoint_with_a_record_twice() -> bytes:
    record = replay(lines(started("a")), Path("x")).state.records["a"]
    return HEAD + codec.checkpoint_line(1, NOON, State("x", "abc", 1, {"a": record, "b": record}))


BAD = {
    "a move onto another record": (lines(started("a"), started("b"), Moved({"a": "b"})), "line 4"),
    "a move of no record": (lines(started("a"), Moved({"b": "c"})), "line 3"),
    "an end of no effect": (lines(started("a"), EffectDone("a", Status.RUNNING), EffectDone("a", Status.FAILED)),
                            "line 4"),
    "an effect on no record": (lines(started("a", Effect.DELETE)), "line 2"),
    "an observation of no record": (lines(Observed("a", Status.RUNNING)), "line 2"),
    "a removal of no record": (lines(Forgotten("a")), "line 2"),
    "a checkpoint with a record twice": (checkpoint_with_a_record_twice(), "line 2"),
}
READ = """
import sys
from pathlib import Path

from expiac.state.replay import Damage, replay

assert False, "assertions are on"
try:
    state = replay(sys.stdin.buffer.read(), Path("x.jsonl")).state
    print("read", *state.records)
except Damage as damage:
    print(damage.detail)
"""


@pytest.mark.parametrize(("data", "line"), BAD.values(), ids=BAD)
def test_it_is_damage(data, line):
    """Named by its line."""
    with pytest.raises(Damage, match=f"{line}: "):
        replay(data, Path("x.jsonl"))


@pytest.mark.parametrize(("data", "line"), BAD.values(), ids=BAD)
def test_it_is_damage_without_assertions(data, line):
    """No record is lost in silence."""
    done = subprocess.run([sys.executable, "-O", "-c", READ], input=data, capture_output=True, check=True, timeout=60)
    assert done.stdout.decode().startswith(f"x.jsonl: {line}: "), done.stdout
