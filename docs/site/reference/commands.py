"""Every command with its arguments and options, as its `--help` has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from docs.site.reference.markdown import block, definition, sentence
from expiac.cli.commands import app
from expiac.cli.help import GROUPS, hide_types_of_flags

_HEAD = """\
# Commands

The options `--help` and `-h` of each command show what this page has of it. `expiac --install-completion` lets your
shell complete commands, stacks, jobs and settings.

Exit codes: 0 done, 1 error, 8 declined or interrupted, 64 usage. With `plan --detailed-exitcode`, 2 means that
something would change.
"""


def page() -> str:
    """The page, in the order of `expiac --help`."""
    command = get_command(app)
    hide_types_of_flags(command)
    context = typer.Context(command, info_name="expiac")
    parts = [_HEAD, "## expiac { #expiac }\n", _entries("Options of every command, before its name", command, context)]
    for group, names in GROUPS.items():
        parts.append(f"## {group}\n")
        for name in names:
            parts += _sections(_inner(command)[name], name, context)
    return "\n".join(parts)


def _sections(command: Any, name: str, parent: typer.Context) -> Iterator[str]:
    """A command, and the commands in it."""
    context = typer.Context(command, parent=parent, info_name=name)
    path = context.command_path
    yield f"### {path} {{ #{path.replace(' ', '-')} }}\n"
    yield sentence(command.help or "") + "\n"
    if _inner(command):
        for name, part in _inner(command).items():
            yield from _sections(part, name, context)
        return
    yield block(" ".join([path, *command.collect_usage_pieces(context)]))
    if command.epilog:
        yield f"{command.epilog.replace('Example: ', 'Example: `')}`\n"
    yield _entries("", command, context)


def _entries(title: str, command: Any, context: typer.Context) -> str:
    """The arguments and options, but for those that every command has."""
    entries = [definition(f"`{names.partition(' <')[0].strip()}`", sentence(text))
               for parameter in command.get_params(context) if "--help" not in parameter.opts
               for names, text in [parameter.get_help_record(context) or ("", "")] if names]
    return "\n".join([f"{title}:\n" if title else "", *entries])


def _inner(command: Any) -> dict[str, Any]:
    return dict(getattr(command, "commands", {}))
