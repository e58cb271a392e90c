"""The review on a terminal: keys, what they write, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from reviewed import edit, files

from expiac.cli.review_session import ask_about
from expiac.declare.project import find_project
from expiac.review.snapshots import Snapshots
from expiac.reviewing import review_of
from expiac.util.errors import ExpiacError


@pytest.fixture
def changed(project, expiac):
    """Four jobs that changed alike, and one that is new."""
    edit(project, "jobs: int = 1", "jobs: int = 4")
    assert expiac("review", "--accept").code == 0
    edit(project, "gpus=0", "gpus=2")
    edit(project, "jobs: int = 4", "jobs: int = 5")
    return project


def press(project: Path, keys: str) -> int:
    """The exit code of a review in which these keys are pressed; behind the last one the input ends."""
    found, typed = find_project(project), iter(keys)

    def read() -> str:
        key = next(typed, "")
        if key == "^":
            raise KeyboardInterrupt
        return {"\n": "enter", "<": "left", ">": "right"}.get(key, key)

    return ask_about(review_of(found), Snapshots(found), read)


def accepted(before: dict[str, bytes], now: dict[str, bytes]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


FIRST, NEW = "lab/say_0.task.yaml", "lab/say_4.task.yaml"


@pytest.mark.parametrize(("keys", "count", "code"), [
    ("Aaq", 5, 0), ("Aa\n", 5, 0), ("aaaaa", 5, 0), ("q", 0, 1), ("", 0, 1), ("a", 1, 1), ("a^", 1, 1),
    ("Rr", 0, 1), ("rA", 3, 1), ("Auq", 0, 1), ("Auuuq", 0, 1), ("aauq", 1, 1), ("ss", 0, 1), ("Sa", 1, 1),
    ("a<r", 0, 1), (">>>>>>q", 0, 1), ("<<a", 1, 1), ("?xdm\naq", 1, 1), ("Ra<a", 1, 1), ("Aab", 5, 0)])
def test_keys_write_what_they_accept_and_nothing_else(changed, keys, count, code):
    before = files(changed)
    assert (press(changed, keys), len(accepted(before, files(changed)))) == (code, count)


@pytest.mark.parametrize("keys", ["aau", "aauu", "auA", "auaa"])
def test_what_another_review_writes_meanwhile_stays(changed, keys):
    """Also when a decision is taken back."""
    found = find_project(changed)
    snapshot, before = changed / "snapshots" / "lab" / "say_1.task.yaml", files(changed)
    typed = iter(keys)

    def read() -> str:
        key = next(typed)
        if key == "u":
            snapshot.write_bytes(b"accepted elsewhere")
        return key

    with pytest.raises(ExpiacError, match="Snapshot changed meanwhile"):
        ask_about(review_of(found), Snapshots(found), read)
    assert snapshot.read_bytes() == b"accepted elsewhere"
    assert set(accepted(before, files(changed))) <= {FIRST, "lab/say_1.task.yaml"}


def test_what_is_accepted_is_reviewed_afterwards(changed, expiac):
    press(changed, "Aa")
    assert expiac("review", "--check").out == "5 as reviewed\n"


def test_a_rejected_change_leaves_its_files_and_is_told_again(changed, expiac, capfd):
    before = files(changed)
    press(changed, "RA")
    assert accepted(before, files(changed)) == [NEW]
    assert "What was rejected is still rendered so" in capfd.readouterr().out
    assert "changed: lab say_0, say_1, say_2, say_3" in expiac("review").out


def test_undo_takes_files_back_that_were_new_or_removed(changed, capfd):
    before = files(changed)
    edit(changed, "jobs: int = 5", "jobs: int = 3")
    press(changed, "AAuu")
    assert files(changed) == before


def test_what_could_not_be_rendered_is_told_first(changed, capfd):
    (changed / "stacks" / "bad.py").write_text("1 / 0\n")
    assert press(changed, "Aa") == 1
    assert "bad is not rendered" in capfd.readouterr().out


def test_where_nothing_changed_no_key_is_asked_for(changed, expiac, capfd):
    expiac("review", "--accept")
    assert press(changed, "") == 0
    assert "5 as reviewed" in capfd.readouterr().out
