"""Runs one expiac command and tells where its time went: `python -m benchmarks.phases FILE COMMAND …`.

A phase is a handful of functions. Its seconds are those that the processor spent in them and not in another phase's,
so that phases add up and a busy machine disturbs them little. Only of the disk we count how long it let us wait.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Any

seconds: dict[str, float] = defaultdict(float)
written = 0
_stacks = threading.local()


def timed(phase: str, function: Callable[..., Any], clock: Callable[[], float] = thread_time) -> Callable[..., Any]:
    """The function, its own time counted toward the phase."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        inner: list[float] = _stacks.__dict__.setdefault("inner", [])
        inner.append(0.0)
        began = clock()
        try:
            return function(*args, **kwargs)
        finally:
            took = clock() - began
            seconds[phase] += took - inner.pop()
            if inner and clock is thread_time:
                inner[-1] += took

    return wrapper


def _watch() -> None:
    """Puts a clock around every phase's functions."""
    from expiac.apply import planning, refreshing
    from expiac.cli import output
    from expiac.compile import compiler
    from expiac.compile.compose import Composer
    from expiac.declare import program
    from expiac.plan import planner
    from expiac.state import codec, fold, journal
    from expiac.util import durable
    from expiac.util.render import Templates

    places: list[tuple[str, Any, str]] = [
        ("declaring", program, "load"),
        ("preparing", planning, "desired"),
        ("rendering", Templates, "render"),
        ("composition", Composer, "compose"),
        ("fingerprints", compiler, "identity_digest"),
        ("looking", refreshing, "query"),
        ("planning", planner, "plan"),
        ("showing", output, "print_plan"),
        ("journal reading", journal, "read"),
        ("journal writing", codec, "event_line"),
        ("journal writing", codec, "entry_of"),
        ("journal writing", codec, "checkpoint_line"),
        ("journal writing", fold.Fold, "add"),
        ("journal writing", durable.File, "append"),
    ]
    for phase, place, name in places:
        setattr(place, name, timed(phase, getattr(place, name)))
    durable.File.sync = timed("disk", durable.File.sync, perf_counter)  # type: ignore[method-assign]
    append: Any = durable.File.append

    def counted(file: Any, data: bytes) -> None:
        global written
        written += len(data)
        append(file, data)

    durable.File.append = counted  # type: ignore[assignment, method-assign]


def main(report: Path, command: list[str]) -> int:
    _watch()
    from expiac.cli import run

    seconds["imports"] = process_time()
    code = run(command)
    seconds["other"] = process_time() - sum(spent for phase, spent in seconds.items() if phase != "disk")
    report.write_text(json.dumps({"seconds": seconds, "written": written}), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
