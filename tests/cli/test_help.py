"""`--help` of every command, for human eyes."""

from __future__ import annotations

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

COMMANDS = ["", "plan", "show", "apply", "destroy", "refresh", "status", "logs", "render", "import", "stacks", "output",
            "fetch", "history", "diff", "new", "version", "prune", "state", "state list", "state show", "state rm",
            "state mv", "state pull", "state push", "state compact", "state repair", "state unlock"]


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
