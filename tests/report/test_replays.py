"""Replays that a run has left: found by convention, bounded, and never trusted."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from curves_lab import write_replay

from expiac.report import replays
from expiac.report.episode import BadReplay, episode_of
from expiac.report.replays import folder_of, replays_of
from expiac.state.events import Run
from expiac.state.model import Record


def record(job: str, **outputs: str) -> Record:
    return Record(job, "job", "local", Run(f"lab.{job}.0a1b2c3d", "0a1b", 0, 1), {}, outputs=outputs)


def test_what_the_player_needs(tmp_path):
    """Walls once, each object's changes of place, and what an agent has and gets."""
    write_replay(tmp_path)
    ((replay,), notes) = replays_of([record("a", replays=str(tmp_path))])
    assert (replay.title, notes) == ("a, step_000000000100", ())
    assert replay.episode == {
        "width": 4, "height": 3, "steps": 8, "items": ["ore"], "walls": [[0, 0], [1, 0], [2, 0], [3, 0]],
        "objects": [
            {"type": "agent", "at": [[0, 1, 1], [2, 2, 1], [5, 2, 2]], "agent": 0, "reward": [[0, 0.0], [4, 0.5]],
             "has": [[0, []], [4, [[0, 1]]]]},
            {"type": "mine", "at": [[0, 3, 2]], "alive": [[6, False]]}]}


def test_where_replays_are(tmp_path):
    """In the folder that the output names, else beside the metrics; not on another machine."""
    assert folder_of(record("a", replays="/r", metrics="/m/metrics.jsonl")) == Path("/r")
    assert folder_of(record("a", metrics="/m/metrics.jsonl")) == Path("/m/replays")
    assert folder_of(record("a", replays="s3://bucket/r")) is None
    assert replays_of([record("a", replays=str(tmp_path / "none"))]) == ((), ())


def test_the_newest_of_each_run_comes_first(tmp_path, monkeypatch):
    """`step_9` is before `step_10`; what has no room is counted."""
    for job in "ab":
        for name in ("step_9", "step_10"):
            write_replay(tmp_path / job, name)
    records = [record(job, replays=str(tmp_path / job)) for job in "ab"]
    found, _ = replays_of(records)
    assert [replay.title for replay in found] == ["a, step_10", "b, step_10", "a, step_9", "b, step_9"]
    size = len(json.dumps(found[0].episode))
    found, notes = replays_of(records, room=2 * size + 1)
    assert [replay.title for replay in found] == ["a, step_10", "b, step_10"]
    assert notes[0].startswith("2 more replays are left out")


@pytest.mark.parametrize(("content", "why"), [
    (b"", "its end is missing"), (b"no zlib", "no zlib file"), (zlib.compress(b"{"), "no JSON"),
    (zlib.compress(b"[" * 200_000), "no JSON"), (zlib.compress(b"[]"), "has no objects"),
    (zlib.compress(json.dumps({"objects": [], "map_size": [1e9, 3]}).encode()), "its map is not of"),
    (zlib.compress(json.dumps({"objects": [], "map_size": [9, 9], "max_steps": 10**9}).encode()), "steps"),
    (zlib.compress(b"x" * 5000)[:-8], "its end is missing"),
])
def test_what_is_no_replay_is_named(tmp_path, content, why):
    """Torn, foreign, or larger than anybody can watch: the others are still shown."""
    write_replay(tmp_path, "good")
    (tmp_path / "bad.json.z").write_bytes(content)
    found, (note,) = replays_of([record("a", replays=str(tmp_path))])
    assert [replay.title for replay in found] == ["a, good"]
    assert note.startswith("a, bad is left out: ")
    assert why in note


def test_a_small_file_that_unpacks_to_much_is_refused(tmp_path, monkeypatch):
    """It is unpacked no further than to the limit."""
    monkeypatch.setattr(replays, "LARGEST_JSON", 10_000)
    (tmp_path / "bomb.json.z").write_bytes(zlib.compress(b" " * 1_000_000))
    found, (note,) = replays_of([record("a", replays=str(tmp_path))])
    assert found == ()
    assert "when unpacked" in note


def test_places_outside_the_grid_and_wrong_types_are_left_out():
    """Whatever an object says, the player gets numbers within the grid."""
    episode = episode_of({"map_size": [2, 2], "max_steps": 3, "item_names": [1, "ore"], "objects": [
        7, {"type_name": "mine", "location": [5, 5]}, {"type_name": "mine", "location": "here"},
        {"type_name": None, "is_agent": True, "agent_id": "x", "location": [[0, [1, 1]], [1, [9, 9]], [2, None]],
         "total_reward": [[0, "much"], [1, 2]], "inventory": [[0, [["ore", 1], [0, 2]]]]}]})
    assert episode["objects"] == [{"type": "None", "at": [[0, 1, 1]], "agent": 0, "reward": [[1, 2]],
                                   "has": [[0, [[0, 2]]]]}]
    with pytest.raises(BadReplay):
        episode_of([])
