"""How a command ends: its exit code and, after an error, a message on stderr.

Knows no command. Errors are caught only here; an exception that is no `ExpiacError` is a bug and keeps its traceback.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePath
from types import FrameType

from expiac.cli.invocation import with_command_name
from expiac.cli.streams import discard_output
from expiac.cli.usage import usage_error
from expiac.util.errors import ExpiacError, Interrupted, UsageError

DONE, ERROR, CHANGES, INTERRUPTED, USAGE = 0, 1, 2, 8, 64
_BOLD_RED, _PLAIN, _SHOW_CURSOR = "\x1b[1;31m", "\x1b[0m", b"\x1b[?25h"
_BY_SIGINT = 130
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What the disk says of output that is redirected into a file."""


def exit_code_of(command: Callable[[], int | None], *, json: bool = False, words: Sequence[str] = ()) -> int:
    """Runs a command and gives its exit code; prints an error on stderr, and with `json` as a last line on stdout."""
    from typer import TyperException

    try:
        code = command()
        sys.stdout.flush()
    except ExpiacError as error:
        _report(error, json=json)
        return _code_of(error)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # it has printed the help, as was wanted
            return DONE
        _report(usage_error(error, words), json=json)
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has closed the pipe, as `head` does
        discard_output()
        return ERROR
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG and _is_given(error.filename, words):
            _report(UsageError("Usage error", f"{error.filename}: {error.strerror}"), json=json)
            return USAGE
        if error.filename is not None or error.errno not in _NO_ROOM:
            raise
        discard_output()
        print_error(ExpiacError("Cannot write", f"standard output: {error.strerror}"))
        return ERROR
    # Typer turns ^C into its own exit code.
    return INTERRUPTED if code == _BY_SIGINT else code or DONE


def _is_given(name: object, words: Sequence[str]) -> bool:
    """Whether the longest part of a file's name stands on the command line."""
    longest = max(PurePath(name).parts, key=len, default="") if isinstance(name, str) else ""
    return bool(longest) and any(longest in word for word in words)


def _report(error: ExpiacError, *, json: bool) -> None:
    print_error(error)
    if not json:
        return
    from expiac.cli import events

    try:
        print(events.error_line(error), flush=True)
    except OSError:  # the reader is gone; the exit code says the same
        discard_output()


def _code_of(error: ExpiacError) -> int:
    if isinstance(error, UsageError):
        return USAGE
    return INTERRUPTED if isinstance(error, Interrupted) else ERROR


def print_error(error: ExpiacError) -> None:
    """Prints the error on stderr, its summary in red if that is a terminal."""
    told = ExpiacError(error.summary, error.detail, with_command_name(error.hint))
    summary, *rest = str(told).splitlines()
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        summary = f"{_BOLD_RED}{summary}{_PLAIN}"
    with suppress(OSError):  # nobody reads it; the exit code says the same
        print("\n".join([summary, *rest]), file=sys.stderr, flush=True)


@contextmanager
def handle_sigint(*handlers: Callable[[], None]) -> Iterator[None]:
    """The first ^C calls the handlers; the second ends the process at once, which leaves the journal whole."""

    def first(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, second)
        for handler in handlers:
            handler()

    def second(_signal: int, _frame: FrameType | None) -> None:
        if sys.stdout.isatty():
            os.write(sys.stdout.fileno(), _SHOW_CURSOR)
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        # After the first ^C the process is stopping, and a second one may still end it at once.
        if signal.getsignal(signal.SIGINT) is first:
            signal.signal(signal.SIGINT, before)
