"""`expiac review`: what changed in the rendered configs, and whether you want it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from expiac.cli import arguments as args
from expiac.cli.completion import stacks as known_stacks
from expiac.cli.exits import DONE, ERROR
from expiac.util.errors import UsageError

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STACK]... [KEY=VALUE]...", autocompletion=known_stacks, show_default=False,
                   help="Stack files or their stems in stacks/, all stacks where none is named; and settings of the "
                        "one stack that is named."),
]
Check = Annotated[bool, typer.Option("--check", help="Ask nothing, write nothing; exit with 1 if something is to be "
                                                      "reviewed.")]
Accept = Annotated[bool, typer.Option("--accept", help="Accept all changes; ask nothing.")]
Text = Annotated[bool, typer.Option("--verbose", "-v", help="Show every difference, and the changed lines of each "
                                                             "file.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", show_default=False, dir_okay=False,
                                          help="Write a page that needs no network.")]
Force = Annotated[bool, typer.Option("--force", help="With --html: replace a file that is no page of expiac's.")]


def review(words: Words = None, *, check: Check = False, accept: Accept = False, verbose: Text = False,
           json: args.Json = False, markdown: args.Markdown = False, html: Html = None, force: Force = False) -> int:
    """Review what changed in the rendered files of jobs since you accepted them, and accept it or not."""
    from expiac.cli import review_output
    from expiac.cli.review_session import ask_about
    from expiac.declare.project import find_project
    from expiac.review.snapshots import Snapshots
    from expiac.reviewing import review_of

    args.refuse_two_forms(json=json, markdown=markdown)
    if check and accept:
        raise UsageError("Conflicting options", "--check writes nothing, and --accept does", "give one of them")
    if html is not None:
        from expiac.report.files import check_place

        check_place(html, force=force)
    project = find_project(Path.cwd())
    given = words or []
    found = review_of(project, [word for word in given if "=" not in word], [word for word in given if "=" in word])
    snapshots = Snapshots(project)
    is_form = json or markdown
    if is_form:
        review_output.print_form(found, snapshots, json=json)
    if html is not None:
        review_output.write_page(found, html, quiet=is_form)
    if accept:
        review_output.accept_all(found, snapshots, quiet=is_form)
        return ERROR if found.errors else DONE
    if not check and not is_form and html is None and sys.stdin.isatty() and sys.stdout.isatty():
        return ask_about(found, snapshots)
    if not is_form and (check or html is None):
        review_output.print_review(found, verbose=verbose)
    is_shown = is_form or html is not None
    return ERROR if found.errors or (found.changes and (check or not is_shown)) else DONE
