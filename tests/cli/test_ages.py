"""What asks no backend says how old its knowledge is, and what asks records the answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from expiac.cli.ages import sentence

AGE = r"as of \d\d:\d\d, less than a minute ago; expiac refresh lab asks again"
NOT_ASKING = ["state list lab", "status lab --no-refresh", "history lab 1", "diff say_0 say_0"]


@pytest.fixture
def live(expiac, monkeypatch):
    monkeypatch.setattr("expiac.cli.output.with_command_name", lambda text: text)
    assert expiac("apply", "lab", "seconds=600", "--yes").code == 0
    return expiac


@pytest.mark.parametrize("words", NOT_ASKING)
def test_what_asks_nobody_says_how_old_it_is(live, words):
    """With the command that asks."""
    assert "; expiac refresh lab asks again" in live(*words.split()).out


def test_json_alone_on_stdout_is_left_alone(live):
    """The age is on stderr then."""
    for words in (["state", "show", "lab", "say_0"], ["output", "lab", "--no-refresh", "--json"]):
        said = live(*words)
        assert json.loads(said.out)
        assert "asks again" in said.err


def test_what_asks_says_no_age(live):
    assert "as of" not in live("status", "lab").out + live("refresh", "lab").out
    assert json.loads(live("status", "lab", "--json").out)["as_of"] is None
    assert json.loads(live("status", "lab", "--json", "--no-refresh").out)["as_of"]


def test_the_age_is_that_of_the_last_look(live):
    """Also where it found nothing new."""
    def as_of():
        return json.loads(live("state", "list", "lab", "--json").out)["as_of"]

    before = as_of()
    live("status", "lab")
    live("status", "lab")
    assert before < as_of() == json.loads(live("stacks", "--json").out)["stacks"][0]["as_of"]


def test_what_has_ended_is_never_old(expiac):
    """After a look: until then it is not known to have ended."""
    expiac("apply", "lab", "--yes")
    assert expiac("status", "lab", "--watch").code == 0
    for words in NOT_ASKING:
        said = expiac(*words.split())
        assert ("as of" in said.out, "pending" in said.out) == (False, False), said
    assert json.loads(expiac("state", "show", "lab", "say_0").out)["status"] == "succeeded"


@pytest.mark.parametrize(("hours", "said"), [
    (0, "less than a minute ago"), (0.02, "1 minute ago"), (0.5, "30 minutes ago"), (2.2, "2 hours ago"),
    (49, "2 days ago")])
def test_an_age_in_words(hours, said):
    """Of another day, with its date."""
    now = datetime(2026, 1, 3, 12, tzinfo=UTC)
    at = datetime.fromtimestamp(now.timestamp() - hours * 3600, UTC)
    words = sentence("lab", at.isoformat(), now)
    assert f", {said}; expiac refresh lab asks again" in words
    assert words.startswith("as of 2026-01-01 ") == (hours == 49)
