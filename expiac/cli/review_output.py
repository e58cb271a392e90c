"""What `expiac review` prints, and the acceptance of all changes at once."""

from __future__ import annotations

import shlex
from pathlib import Path

from expiac.cli.invocation import command_name
from expiac.review.changes import Review
from expiac.review.snapshots import Snapshots
from expiac.review.writing import put, write_stack_files
from expiac.view import reviews
from expiac.view.console import console


def print_form(review: Review, snapshots: Snapshots, *, json: bool) -> None:
    """Prints the review as JSON or as markdown, and nothing else."""
    if json:
        from expiac.cli.output import print_json
        from expiac.view.reviewed import document

        print_json(document(review, snapshots))
        return
    from expiac.view.review_markdown import markdown

    print(markdown(review))


def write_page(review: Review, file: Path, *, quiet: bool) -> None:
    """Writes the review as a page, and prints where."""
    from expiac.report.files import write
    from expiac.report.review_page import page

    write(file, page(review))
    if not quiet:
        console().print(f"Written: {shlex.quote(reviews.printable_path(file))}", soft_wrap=True)


def print_review(review: Review, *, verbose: bool = False) -> None:
    """Prints each change once, what could not be rendered, and a summary."""
    out = console()
    for number, alike in enumerate(review.alike, start=1):
        out.print(f"[{number}/{len(review.alike)}] " + "\n".join(reviews.group_lines(alike, out.width, every=verbose)),
                  soft_wrap=True)
        out.print()
        if verbose:
            out.print("\n".join(reviews.text_lines(alike[0])), soft_wrap=True)
    print_errors(review)
    out.print(reviews.summary(review), soft_wrap=True)
    if review.changes:
        out.print(f"\nNext:\n  {command_name()} review\n  {command_name()} review --accept", soft_wrap=True)


def print_errors(review: Review) -> None:
    """Prints what could not be rendered, and why."""
    out = console()
    for line in reviews.error_lines(review):
        out.print(line, style="red", soft_wrap=True)


def accept_all(review: Review, snapshots: Snapshots, *, quiet: bool) -> None:
    """Writes all changes into the snapshots, and prints the files."""
    for change in review.changes:
        put(change, snapshots, accepted=True)
        for file in [] if quiet else change.files:
            path = snapshots.path(change.of, f"{change.job}.{file.name}")
            print(reviews.printable_path(path) + ("   removed" if file.after is None else ""))
    write_stack_files(review, snapshots)
    if not quiet:
        print_errors(review)
        console().print(f"{len(review.changes):,} accepted; {review.unchanged:,} as they were", soft_wrap=True)
