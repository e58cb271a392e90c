"""The command line. Importing it costs nothing: what a command needs is imported when it runs."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point `expiac`."""
    from expiac.cli.exits import run

    sys.exit(run(sys.argv[1:]))
