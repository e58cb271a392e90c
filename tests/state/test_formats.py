"""A newer format is refused, and an older one goes through its migrations."""

from __future__ import annotations

import pytest
from journals import line_of, written

from expiac.state import codec
from expiac.state.codec import FORMAT
from expiac.state.events import Approved, Submitted
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.model import Approval
from expiac.state.replay import replay
from expiac.util.errors import ExpiacError


def test_a_newer_format_is_refused(path):
    """What a newer release wrote is not guessed at, whatever else its header says."""
    newer = FORMAT + 1
    data = codec.seal(b'{"format":%d,"lineage":"abc","stack":"x","colour":"red"' % newer) + codec.seal(b'{"whatever":1')
    with pytest.raises(ExpiacError, match=f"written by a newer expiac: format {newer}, this one reads {FORMAT}"):
        replay(data, path)


OLD = (codec.seal(b'{"format":0,"lineage":"abc","name":"x"') + line_of(1, "approved", "{}")
       + line_of(2, "born", '{"who":"ppo"}'))


def _from_0(tag: str, body: dict[str, object]) -> tuple[str, dict[str, object]]:
    """A format that never was: a stack was a name, and a birth was all there was to say."""
    if tag == "header":
        return tag, {"lineage": body["lineage"], "stack": body["name"]}
    if tag == "born":
        run = {"instance": "x.ppo.1", "fingerprint": "f", "attempt": 0, "launch": 1}
        return "started", {"address": body["who"], "effect": "create", "type": "job", "provider": "local", "run": run}
    return tag, body


OURS = {0: _from_0, 1: lambda tag, body: (tag, body)}


def test_an_older_format_migrates_on_read(path):
    """Each line goes through the migrations from its file's format to ours."""
    reading = replay(OLD, path, OURS)
    assert reading.state.stack == "x"
    assert reading.state.records["ppo"].run.instance == "x.ppo.1"


def test_an_older_format_gives_way_at_the_first_append(path):
    """Reading leaves it as it is; writing puts a checkpoint of our format in its place."""
    path.parent.mkdir()
    path.write_bytes(OLD)
    assert Journal.read(FileLog(path), migrations=OURS).number == 2
    assert path.read_bytes() == OLD
    state = written(path, Submitted("ppo", {"request": 1}), migrations=OURS)
    assert Journal.read(FileLog(path)).state == state
    reading = Journal.read(FileLog(path))
    assert (reading.number, reading.header) == (3, codec.Header(lineage="abc", stack="x"))


def test_an_older_format_that_nobody_knows_is_refused(path):
    """Without its migration a format is as foreign as a newer one."""
    with pytest.raises(ExpiacError, match="format 0, which this one does not read any more"):
        replay(OLD, path)


def test_a_checkpoint_of_format_1_keeps_its_approval(path):
    """It knew the last one only, and not when that was."""
    body = '{"serial":3,"approved":{"program":"stacks/x.py","overrides":{"gpus":"4"}},"approval":2}'
    state = replay(codec.seal(b'{"format":1,"lineage":"abc","stack":"x"') + line_of(3, "checkpoint", body), path).state
    assert state.approvals == (Approval(2, "", Approved({"gpus": "4"}, "stacks/x.py")),)
    assert state.serial == 3
