"""The command line. Others use `main` and `run`; a stack file that you run directly uses `runner.runner`.

To import this package costs nothing: each command imports what it needs when it runs.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main() -> None:
    """The entry point `expiac`."""
    from expiac.cli.streams import prepare_streams
    from expiac.util.encoding import decode

    prepare_streams()
    code = run([decode(word) for word in sys.argv[1:]])
    gc.freeze()  # Python's last search for garbage, at its end, need not go through every class and function
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Carries out one command line and returns its exit code."""
    # A large plan is millions of small objects, none of which is garbage before its end.
    gc.set_threshold(200_000, 50, 100)

    from typer.main import get_command

    from expiac.cli.commands import app
    from expiac.cli.exits import exit_code_of
    from expiac.cli.help import hide_types_of_flags, with_command

    command = get_command(with_command(app, next(iter(arguments), "")))
    if len(arguments) < 2 or {"--help", "-h"} & {*arguments}:
        hide_types_of_flags(command)
    words = [*arguments]
    options = words[:words.index("--")] if "--" in words else words
    is_json = "--json" in options
    return exit_code_of(lambda: command.main(words, prog_name="expiac", standalone_mode=False), json=is_json,
                        words=words)
