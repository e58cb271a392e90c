"""Watching a replay: what is read of it, the page and the animation."""

import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from trainer.errors import TrainerError
from trainer.replay import Replay, Thing, find, read
from trainer.watch import COLORS, FLOOR, main, page_of

WALL = {"type_name": "wall", "location": [0, 0], "alive": True}
GOAL = {"type_name": "altar", "location": [2, 1], "alive": [[0, True], [2, False]]}
AGENT = {"type_name": "agent", "location": [[0, [0, 1]], [1, [1, 1]], [2, [2, 1]]], "alive": True}
EPISODE = {"map_size": [3, 2], "max_steps": 3, "objects": [WALL, GOAL, AGENT]}


def written(path: Path, episode: Any = EPISODE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zlib.compress(json.dumps(episode).encode()))
    return path


def test_a_replay_says_where_everything_is_at_each_step(tmp_path: Path):
    wall, goal, agent = read(written(tmp_path / "a.json.z")).things
    assert [thing.kind for thing in (wall, goal, agent)] == ["wall", "altar", "agent"]
    assert [agent.place(step) for step in range(4)] == [(0, 1), (1, 1), (2, 1), (2, 1)]
    assert [goal.place(step) for step in range(4)] == [(2, 1), (2, 1), None, None]
    assert wall.place(3) == (0, 0)


def test_the_newest_replay_of_a_run_is_found(tmp_path: Path):
    for step in (0, 512):
        written(tmp_path / "run" / "replays" / f"step_{step:012d}.json.z")
    newest = tmp_path / "run" / "replays" / "step_000000000512.json.z"
    assert find(tmp_path / "run") == find(newest.parent) == find(newest) == newest


def test_both_files_are_written_beside_the_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = written(tmp_path / "run" / "replays" / "step_1.json.z")
    assert main([str(tmp_path / "run")]) == 0
    page, animation = path.with_name("step_1.html"), path.with_name("step_1.gif")
    assert capsys.readouterr().out.split() == [str(page), str(animation)]
    assert "step_1" in page.read_text(encoding="utf-8")


def test_the_animation_shows_each_step(tmp_path: Path):
    """Three different pictures, of which the last one stays for two steps."""
    written(tmp_path / "a.json.z")
    main([str(tmp_path / "a.json.z"), "--out", str(tmp_path / "out")])
    with Image.open(tmp_path / "out" / "a.gif") as animation:
        assert (animation.n_frames, animation.size) == (3, (48, 32))
        seen = []
        for frame in range(3):
            animation.seek(frame)
            picture = animation.convert("RGB")
            pixels = [picture.getpixel((16 * column + 8, 24)) for column in range(3)]
            seen.append(["#{:02x}{:02x}{:02x}".format(*pixel) for pixel in pixels])
    agent, altar = COLORS["agent"], COLORS["altar"]
    assert seen == [[agent, FLOOR, altar], [FLOOR, agent, altar], [FLOOR, FLOOR, agent]]


def test_the_page_has_all_that_it_plays():
    """And no text of a replay ends the page's script."""
    replay = Replay(2, 1, 3, (Thing("</script>", ((0, [1, 0]),), ((0, True), (2, False))),))
    page = page_of(replay, title="x")
    assert page.count("</script>") == 2
    found = re.search(r'id="replay">(.*?)</script>', page)
    assert found
    data = json.loads(found[1])
    assert data["things"] == [{"kind": "</script>", "at": [[0, [1, 0]], [2, None]]}]
    assert (data["width"], data["height"], data["steps"], data["title"]) == (2, 1, 3, "x")


def test_a_run_can_be_watched(runs, capsys: pytest.CaptureFixture[str]):
    """What mettagrid writes is what is read."""
    runs.train(runs.config(total_timesteps=256))
    assert main([str(runs.folder / "run")]) == 0
    replay = read(find(runs.folder / "run"))
    agents = [thing for thing in replay.things if thing.kind == "agent"]
    assert (replay.steps, len(agents)) == (20, 2)
    assert len({agents[0].place(step) for step in range(21)}) > 1


@pytest.mark.parametrize(
    "wrong", [{}, [], {**EPISODE, "map_size": [3]}, {**EPISODE, "objects": [{}]}, {**EPISODE, "max_steps": "x"}]
)
def test_what_is_no_replay_is_named(tmp_path: Path, wrong: Any):
    with pytest.raises(TrainerError, match=r"a\.json\.z is no replay"):
        read(written(tmp_path / "a.json.z", wrong))


def test_a_folder_without_replays_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(tmp_path)]) == 1
    assert "there is no replay" in capsys.readouterr().err
