"""What can go wrong, in words a user can act on.

ExpiacError            a user's mistake or the world's: a constant summary, a detail, a hint that can be pasted
├── UsageError         the command line or an override is wrong              (exit 64)
├── Interrupted        declined, or stopped by ^C                            (exit 8)
├── Unavailable        a backend gave no complete answer; refresh calls what it asked about unknown
├── NoAccess               a backend has no credentials of its own: it can be planned for, and launches nothing
├── Uncertain          an effect may or may not have happened; the journal keeps it open and the next run resolves it
├── Stale              the plan stands on a state that moved on
└── Locked             another process holds the stack's lock

Only the command line catches the root. Anything that is not an ExpiacError is our own mistake and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from expiac.util.error_codes import code_of

_MOST_LISTED = 40
"""Words of a hint."""


class ExpiacError(Exception):
    """Something a user can mend.

    `summary` is constant for each kind of mistake, `detail` names the user's own thing, `hint` can be pasted. `code`
    is for programs, and stays the same however the summary is worded: see `docs/errors.md`. An error of your own
    provider or policy may bring a code; without one it has that of its class, such as `unavailable`.
    """

    default_code = "error"

    def __init__(self, summary: str, detail: str = "", hint: str = "", *, code: str | None = None) -> None:
        super().__init__(summary, detail, hint)
        self.code = code or code_of(summary) or self.default_code
        self.summary = summary
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.summary]
        lines += [f"  {line}" for line in self.detail.splitlines()]
        if self.hint:
            first, *rest = self.hint.splitlines()
            lines += [f"  Hint: {first}", *(f"        {line}" for line in rest)]
        return "\n".join(lines)


class UsageError(ExpiacError):
    """The command line or an override is wrong."""

    default_code = "usage-error"


class Interrupted(ExpiacError):
    """The user declined, or stopped the work; the state is whole."""

    default_code = "interrupted"


class Unavailable(ExpiacError):
    """A backend gave no complete answer."""

    default_code = "unavailable"


class NoAccess(ExpiacError):
    """The backend lacks the credentials that a launch needs. A plan says so, and apply refuses it."""

    default_code = "no-access"


class Uncertain(ExpiacError):
    """An effect was asked for, and whether it happened is not known."""

    default_code = "uncertain"


class Stale(ExpiacError):
    """The plan stands on a state that moved on."""

    default_code = "stale"


class Locked(ExpiacError):
    """Another process holds the stack's lock."""

    default_code = "locked"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or lists them where none is near."""
    words = sorted(known)
    near = get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known: {listed(words)}" if words else ""


def listed(words: Sequence[str]) -> str:
    """The words with commas between them; of very many, the first and how many more there are."""
    more = len(words) - _MOST_LISTED
    return ", ".join(words) if more <= 0 else f"{', '.join(words[:_MOST_LISTED])}, and {more:,} more"
