"""What SkyPilot prints by the way is not on our stdout."""

from __future__ import annotations

import click

from expiac.providers.skypilot.time_limit import within


def chatters() -> str:
    click.secho("Running on cluster: a", fg="cyan")
    print("<sky-payload>")
    return "answer"


def test_a_call_is_silent_and_its_caller_is_not(capsys):
    """However it prints."""
    print("before")
    assert within(5, chatters, "chattering") == "answer"
    print("after")
    click.echo("later")
    assert capsys.readouterr().out == "before\nafter\nlater\n"
