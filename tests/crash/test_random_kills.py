"""`kill -9` right before and right after every effect and every write of the journal, of random programs.

A real process applies, and sends itself SIGKILL at the k-th instant. What it had done stands in two files, the journal
and the backend. Then the next apply goes to its end, or is killed as well and gives way to another one; and where the
user thinks better of it instead, destroy finds everything.
"""

from __future__ import annotations

import pytest
from chapters import chapters
from scene import Figures, Scene, is_killed, kill_everywhere

from expiac.testing.instants import die


@pytest.mark.parametrize(("seed", "kills", "every"), [
    (0, 300, 11),
    *(pytest.param(1000 * part, 1000, 1, marks=pytest.mark.soak) for part in range(1, 11)),
])
def test_an_apply_killed_at_any_instant_is_finished_by_the_next(tmp_path, seed, kills, every):
    """The world is the one that an apply leaves which nobody kills, and no (instance, launch) is born twice."""
    figures = Figures()
    while figures.kills < kills:
        kill_everywhere(tmp_path / str(seed), seed, figures, every=every)
        seed += 1
    print(figures)


def test_the_programs_are_worth_it(tmp_path):
    """Together they do everything that can be done: create, update, replace, relaunch, stop, forget,
    rename, restore, prune, and fail."""
    said = ""
    for seed in range(20):
        scene = Scene(tmp_path / str(seed))
        for chapter in chapters(seed):
            for name, fate in chapter.fates.items():
                scene.backend.happens(name, fate)
            scene.apply(chapter)
            said += scene.journal.read_text()
    for word in ('"create"', '"update"', '"delete"', '"after":"replace"', '"after":"relaunch"', '"event":"failed"',
                 '"forgotten"', '"checkpoint"', '"launch":2', '"upstream"', '"observed"', '"restored"', '"moved"',
                 '"pruned"'):
        assert word in said


def test_a_process_that_dies_is_seen_to_die():
    """Otherwise everything here would prove nothing."""
    assert is_killed(die)
    assert not is_killed(lambda: None)
