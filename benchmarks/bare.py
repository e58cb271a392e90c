"""The least that a typer app with one command can be: what start-up is measured against."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(name="bare", no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def only(
    name: Annotated[str, typer.Argument(help="A name.")] = "",
    loud: Annotated[bool, typer.Option(help="Louder.")] = False,
) -> None:
    """The only command."""


if __name__ == "__main__":
    app()
