"""`apply --interactive` and `apply --only`: consent to a part."""

from __future__ import annotations

import pytest

from expiac.cli.interactive import select_steps
from expiac.declare.stack import Stack
from expiac.testing import Run, World
from expiac.util.errors import Interrupted

BASE = Run("base")
CHAIN = Stack("ppo", [BASE, Run("other"), Run("tuned", config={"uri": BASE.output("checkpoint")})])


def picked(tmp_path, *answers: str) -> tuple[list[str], list[str]]:
    """The addresses that are done after these answers, and what was said."""
    left, said = list(answers), []
    plan = select_steps(World(tmp_path).plan(CHAIN).plan, lambda question: left.pop(0), said.append,
                        lambda step: f"all of {step.address}")
    assert not left, "asked less often than there were answers"
    return [step.address for step in plan.steps], said


@pytest.mark.parametrize(("answers", "done"), [
    (("y", "y", "y"), ["base", "other", "tuned"]),
    (("a",), ["base", "other", "tuned"]),
    (("y", "q"), ["base"]),
    (("y", "n", "yes"), ["base", "tuned"]),
    (("what?", "y", "n", "a"), ["base", "tuned"]),
])
def test_what_was_said_yes_to_is_done(tmp_path, answers, done):
    """One answer a step, or one for all that follow."""
    assert picked(tmp_path, *answers)[0] == done


def test_what_needs_a_declined_step_is_not_asked_for(tmp_path):
    """It is left out with it, and named."""
    done, said = picked(tmp_path, "n", "y")
    assert (done, said) == (["other"], ["[3/3] create tuned: left out, it needs what was declined"])


def test_a_step_is_shown_in_full_and_asked_for_again(tmp_path):
    done, said = picked(tmp_path, "d", "n", "details", "y")
    assert (done, said[:2]) == (["other"], ["all of base", "all of other"])


@pytest.mark.parametrize("answer", ["q", "end of file"])
def test_nothing_picked_is_declined(tmp_path, answer):
    """As a no to the whole plan is."""
    def ask(_: str) -> str:
        if answer == "q":
            return answer
        raise EOFError

    with pytest.raises(Interrupted):
        select_steps(World(tmp_path).plan(CHAIN).plan, ask, print, str)


def test_only_some_kinds_of_action_are_done_without_a_question(expiac):
    """The rest is named and left; saying which is consent to those."""
    assert expiac("apply", "lab", "seconds=60", "jobs=2", "--yes").code == 0
    said = expiac("apply", "lab", "seconds=60", "words=other", "jobs=3", "--only", "create")
    assert (said.code, "left out, and would change: say_0, say_1" in said.out) == (0, True)
    assert "1 to create\n" in said.out
    assert "2 to replace" in expiac("plan", "lab", "seconds=60", "words=other", "jobs=3").out


@pytest.mark.parametrize(("words", "what"), [
    (("--only", "creat"), "did you mean create"),
    (("--only", ","), "known: create"),
    (("--only", "create", "-i"), "Conflicting options"),
    (("--yes", "-i"), "Conflicting options"),
    (("-i",), "no terminal to ask on"),
    (("-i", "--json"), "cannot ask"),
])
def test_consent_that_makes_no_sense_is_refused(expiac, words, what):
    """Before anything is read."""
    said = expiac("apply", "lab", *words)
    assert (said.code, what in said.err) == (64, True), said.err
