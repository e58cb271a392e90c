"""A handle is read and written in one place, as earlier releases wrote it."""

from __future__ import annotations

from expiac.providers.base import Id
from expiac.providers.skypilot.handle import Handle
from expiac.providers.skypilot.outputs import LaunchOutputs

NOTED = {"endpoint": "http://127.0.0.1:1", "user": "ada", "cluster": "s.a.0-1", "request": "r-1", "job": 3}


def test_what_was_noted_is_read():
    handle = Handle.of(Id("l", "s.a.0", 1, NOTED))
    assert handle == Handle("http://127.0.0.1:1", "ada", "s.a.0-1", 3, "r-1")
    assert handle.to_json() == NOTED


def test_a_note_says_what_is_known_and_no_more():
    assert Handle(job=3).to_json() == {"job": 3}
    assert Handle.of(Id("l", "s.a.0", 1)).to_json() == {}


def test_keys_of_another_release_are_left_alone():
    assert Handle.of(Id("l", "s.a.0", 1, {"job": 3, "later": True})) == Handle(job=3)


def test_the_outputs_of_a_managed_job_and_of_one_with_a_cluster():
    """A record keeps them under these names, in this order."""
    managed = LaunchOutputs({"result": "/out"}, 3, recoveries=2, failure_reason="exit code 3").to_json()
    assert list(managed.items()) == [
        ("result", "/out"), ("job_id", 3), ("recoveries", 2), ("failure_reason", "exit code 3")]
    assert LaunchOutputs({}, 1, "s.a.0-1").to_json() == {"job_id": 1, "cluster": "s.a.0-1"}
