"""`--help` of every command, for human eyes."""

from __future__ import annotations

import shlex

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from typer.main import get_command

from expiac.cli.commands import app
from expiac.cli.help import GROUPS, STATE, with_command

COMMANDS = ["", "plan", "show", "apply", "destroy", "refresh", "status", "logs", "render", "import", "stacks",
            "results", "compare", "report", "output", "fetch", "history", "diff", "new", "version", "prune", "state",
            "state list", "state show", "state rm", "state mv", "state pull", "state push", "state compact",
            "state repair", "state unlock"]


class PlainText(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.mark.parametrize("command", COMMANDS, ids=[command or "expiac" for command in COMMANDS])
def test_help(command, expiac, monkeypatch, snapshot):
    """At 80 columns, without colours."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    said = expiac(*command.split(), "--help")
    assert said.code == 0
    assert "\n".join(line.rstrip() for line in said.out.splitlines()) + "\n" == snapshot(extension_class=PlainText)


def test_a_command_that_is_made_alone_is_as_it_is_among_all():
    """With the same help, and options of all commands before it; a word that names none is seen among all."""
    every = get_command(app)
    for name in every.commands:
        alone = get_command(with_command(app, name))
        assert name in alone.commands
        with alone.make_context("expiac", [name]) as one, every.make_context("expiac", [name]) as other:
            assert alone.get_help(one).partition("Commands")[0] == every.get_help(other).partition("Commands")[0]
            assert alone.commands[name].get_help(one) == every.commands[name].get_help(other)
    for word in ("", "pla", "--state"):
        assert with_command(app, word) is app


def test_each_command_has_a_group_and_an_example_that_can_be_typed():
    """The options and arguments of the example are those of the command."""
    command = get_command(app)
    grouped = [name for commands in GROUPS.values() for name in commands]
    assert sorted(grouped) == sorted(command.commands)
    assert sorted(STATE) == sorted(command.commands["state"].commands)
    for example in [*(example for commands in GROUPS.values() for example in commands.values()), *STATE.values()]:
        words = shlex.split(example.partition(" > ")[0])
        inner = command.commands[words[1]]
        inner, words = (inner.commands[words[2]], words[3:]) if words[1] == "state" else (inner, words[2:])
        assert f"Example: {example}" == inner.epilog
        inner.make_context(inner.name, words)
