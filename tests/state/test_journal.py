"""What is written comes back."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from journals import CREATE, LIFE, NOON, folded, journal, written

from expiac.state import codec
from expiac.state.codec import FORMAT
from expiac.state.events import EVENTS, EffectDone, Entry, Observed
from expiac.state.file_log import FileLog
from expiac.state.fold import InvalidEvent
from expiac.state.journal import Journal
from expiac.state.model import State
from expiac.state.replay import replay
from expiac.state.status import Status
from expiac.util.errors import ExpiacError


@pytest.mark.parametrize("event", LIFE, ids=lambda event: event.tag)
def test_every_event_comes_back_as_it_was(event):
    """Encoding and decoding one event changes nothing."""
    assert codec.entry_of(codec.event_line(7, NOON, event)) == Entry(7, NOON, event)


def test_the_events_above_are_all_there_are():
    """A new event has to be added to these tests."""
    assert {event.tag for event in LIFE} == set(EVENTS)


def test_a_read_state_is_the_fold_of_the_events(path):
    """Replaying means folding, and the journal in memory knows the same."""
    known = written(path, *LIFE)
    assert Journal.read(FileLog(path)).state == known == folded(known.lineage, *LIFE)


def test_not_a_number_comes_back(path):
    """A metric may be NaN or infinite; neither becomes null."""
    done = EffectDone("ppo", Status.SUCCEEDED, {"loss": math.nan, "best": math.inf})
    outputs = written(path, CREATE, done).records["ppo"].outputs
    assert math.isnan(outputs["loss"])
    assert outputs["best"] == math.inf
    assert math.isnan(Journal.read(FileLog(path)).state.records["ppo"].outputs["loss"])


def test_what_is_remembered_is_what_was_written(path):
    """A tuple among inputs is a list in JSON; the state in memory says so at once."""
    state = written(path, replace(CREATE, inputs={"tags": ("a", "b")}))
    assert state.records["ppo"].inputs == {"tags": ["a", "b"]}


def test_a_stack_without_a_file_is_empty_and_leaves_no_trace(path):
    """Reading makes neither the file nor its folder; every look has a lineage of its own."""
    first, second = Journal.read(FileLog(path)), journal(path)
    assert first.state == State("x", first.header.lineage)
    assert first.header.lineage != second.header.lineage
    assert not path.parent.exists()


def test_the_header_says_whose_state_it_is(path):
    """Line 1 holds format, lineage, stack and program; the lineage stays."""
    lineage = written(path, *LIFE[:2]).lineage
    header = json.loads(path.read_text().splitlines()[0])
    assert (header["format"], header["stack"], header["program"]) == (FORMAT, "x", "stacks/x.py")
    assert header["lineage"] == lineage == written(path, LIFE[2]).lineage


def test_a_chosen_lineage_begins_a_new_file(path):
    """A plan saved before the first apply names the lineage that its apply will have."""
    assert written(path, CREATE, lineage="abc").lineage == Journal.read(FileLog(path)).state.lineage == "abc"


def test_another_stacks_state_is_refused(path):
    """A copied file doesn't make one stack's jobs another's."""
    written(path, CREATE)
    with pytest.raises(ExpiacError, match="the state of x, not of y"):
        Journal.open(FileLog(path), stack="y")


def test_numbers_go_on_from_one_process_to_the_next(path):
    """The n-th event has number n, whoever wrote it."""
    for event in LIFE:
        written(path, event)
    assert [json.loads(line)["n"] for line in path.read_text().splitlines()[1:]] == list(range(1, len(LIFE) + 1))


def test_an_event_that_cannot_follow_is_not_written(path):
    """Our own mistake is a traceback, never a damaged file; the journal goes on."""
    with journal(path) as open_:
        open_.append(CREATE)
        with pytest.raises(InvalidEvent, match="nobody"):
            open_.append(Observed("nobody", Status.RUNNING))
        open_.append(LIFE[2])
    assert Journal.read(FileLog(path)).number == 2


def test_what_only_a_refresh_knew_is_never_written(path):
    """`unseen` belongs to one command."""
    state = folded("abc", CREATE)
    blind = replace(state, records={"ppo": replace(state.records["ppo"], unseen="no network")})
    data = codec.header_line(codec.Header(lineage="abc", stack="x")) + codec.checkpoint_line(1, NOON, blind)
    assert replay(data, path).state == state
