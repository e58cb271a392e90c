"""What a user may do to a state by hand: take a record out, move one, take the whole of it elsewhere and back.

Touches no backend. Each change is an event like any other, or a whole file in the place of another, under the lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from expiac.declare.resource import ADDRESS, fitting_name
from expiac.state.codec import checkpoint_line, header_line
from expiac.state.copies import keep_copy
from expiac.state.events import REMOVED, Forgotten, Moved
from expiac.state.journal import Journal, utc_now
from expiac.state.locking import lock_state
from expiac.state.model import Record
from expiac.state.replay import Damage, Reading, replay
from expiac.state.stores import States
from expiac.util.errors import ExpiacError, Stale, UsageError, did_you_mean

_FORCE = "--force, where that is what you want: a copy of this one is kept"


def remove(journal: Journal, addresses: Sequence[str]) -> None:
    """Archives records; what they stand for goes on."""
    gone = records_to_remove(journal, addresses)
    with lock_state(journal, journal.state, purpose="state rm"):
        for record in gone:
            journal.append(Forgotten(record.address, "removed by hand", discarded=REMOVED))


def records_to_remove(journal: Journal, addresses: Sequence[str]) -> list[Record]:
    """The records at these addresses; raises where another one needs one of them."""
    records = journal.state.records
    gone = [record_at(address, records) for address in dict.fromkeys(addresses)]
    for record in records.values():
        if record.address in addresses:
            continue
        lost = [name for name in record.depends_on if name in addresses]
        if lost:
            every = " ".join([*addresses, record.address])
            raise ExpiacError("Needed by another", f"{record.address} needs {', '.join(lost)}",
                              f"expiac state rm {journal.header.stack} {every}")
    return gone


def move(journal: Journal, old: str, new: str) -> None:
    """Puts a record at another address; its run keeps its name, and what refers to it follows."""
    records = journal.state.records
    record_at(old, records)
    if new in records:
        raise ExpiacError("Address taken", f"{new} has a record of its own: {records[new].run.instance}",
                          f"expiac state rm {journal.header.stack} {new}")
    if not ADDRESS.fullmatch(new):
        raise UsageError("Invalid name", f"{new!r}: a name is a letter, then letters, digits, '_' and '-'",
                         f"such as {fitting_name(new)}")
    with lock_state(journal, journal.state, purpose="state mv"):
        journal.append(Moved({old: new}))


def record_at(address: str, records: Mapping[str, Record]) -> Record:
    """The record at the address; raises where there is none."""
    if address not in records:
        raise UsageError("No such resource", f"{address} is not in this state", did_you_mean(address, records))
    return records[address]


def pull(journal: Journal) -> bytes:
    """A whole state as a file of its own: what `push` takes."""
    return header_line(journal.header) + checkpoint_line(journal.number, utc_now(), journal.state)


def push(
    data: bytes, states: States, folder: Path, source: str, *, force: bool = False
) -> tuple[str, Path | None]:
    """Puts a pulled state in its place: the stack's name, and the copy of what stood there, kept in `folder`.

    A last line that was cut short is left out. Refuses a state of another lineage, or an older one, unless forced.
    """
    try:
        pushed = replay(data, source)
    except Damage as error:
        raise ExpiacError("Not a pulled state", error.detail, "expiac state pull STACK > FILE") from error
    stack = pushed.header.stack
    log = states.log(stack)
    with log.lock(purpose="state push"):
        earlier = log.read()
        if earlier is not None and not force:
            _refuse_other(replay(earlier, log.name), pushed)
        name = f"{stack}.jsonl.before-{utc_now().replace(':', '')}"
        copy = keep_copy(earlier, folder / name) if earlier is not None else None
        whole_lines = data[: pushed.length].removesuffix(b"\n") + b"\n"
        log.replace(whole_lines)
    return stack, copy


def _refuse_other(there: Reading, pushed: Reading) -> None:
    stack = there.header.stack
    if there.header.lineage != pushed.header.lineage:
        detail = f"{stack} here is {there.header.lineage}, and the file is {pushed.header.lineage}"
        raise ExpiacError("State of another lineage", detail, _FORCE)
    if pushed.number < there.number:
        detail = f"{stack} here is at event {there.number}, and the file at {pushed.number}"
        raise Stale("Older state", detail, _FORCE)
