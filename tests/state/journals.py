"""Events of one life, and journals that they are written to, for the tests of the state file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from expiac.declare.options import Hooks, Options
from expiac.state import codec
from expiac.state.events import (
    Approved,
    ApprovedStep,
    Effect,
    EffectDone,
    EffectFailed,
    Entry,
    Event,
    Forgotten,
    Judgement,
    Moved,
    Noted,
    NoticeDue,
    NoticeSent,
    Observed,
    Pruned,
    Restored,
    Run,
    Started,
    Submitted,
    TrialTold,
)
from expiac.state.facts import ApprovedSearch, Outcome, SweepFacts
from expiac.state.file_log import FileLog
from expiac.state.fold import fold
from expiac.state.journal import Journal
from expiac.state.model import State
from expiac.state.status import Status
from expiac.util.durable import Disk

NOON = "2026-01-01T12:00:00Z"
RUN = Run("x.ppo.0123abcd", "f" * 64, attempt=0, launch=1)
CREATE = Started("ppo", Effect.CREATE, "training_job", "local", RUN, inputs={"gpus": 4, "name": "é ≠ \n\" \\"},
                 depends_on=("base",), upstream={"base": "x.base.1"}, reason="new")


LIFE: tuple[Event, ...] = (
    Approved({"gpus": "4"}, "stacks/x.py", {"create": 1}, {"commit": "abc", "dirty": None},
             ("sac",), (ApprovedStep("ppo", "replace", "new", ("gpus: 4 → 8",)),),
             sweeps={"lr": SweepFacts(("lr",), trials=2, budget=5.0, gpu_hours=1.5)},
             rendered={"x.ppo.0123abcd": "0f" * 32, "x.sac.0123abcd": "f0" * 32},
             reviewed={"x.ppo.0123abcd": "x@gpus=4", "x.sac.0123abcd": ""},
             searches={"lr": ApprovedSearch(60, 4, ">= 14", 20.0, study="0f" * 8, digests={"space": "f0" * 8})},
             max_failures=3),
    CREATE,
    Submitted("ppo", {"request": "r1"}),
    EffectDone("ppo", Status.PENDING, {"checkpoint": "/runs/x/latest.pt"}, "queued"),
    Observed("ppo", Status.FAILED, {"checkpoint": "/runs/x/latest.pt"}, "exit code 1", 60.0, began_at=NOON),
    replace(CREATE, run=replace(RUN, launch=2), reason="failed"),
    EffectFailed("ppo", "no such GPU"),
    Noted("ppo", ("base", "other"), Options(protect=True, hooks=Hooks(after_delete="rm -r out"))),
    Moved({"ppo": "sac"}),
    Forgotten("sac", "no longer declared"),
    Pruned((RUN.instance,)),
    Restored("ppo", CREATE.run.instance, CREATE.inputs),
    NoticeDue("ppo", "failed", "exit code 1"),
    Observed("ppo", Status.FAILED, judgement=Judgement({"loss": "< 1"}, {"loss": float("inf")})),
    NoticeSent(CREATE.run.instance, "failed", "Webhook failed: HTTP 500"),
    TrialTold("ppo", CREATE.run.instance, Outcome("complete", (float("inf"),), 3.0)),
)


def journal(path: Path, *, disk: Disk | None = None, **kwargs: object) -> Journal:
    log = FileLog(path, disk)
    return Journal.open(log, stack="x", program="stacks/x.py", now=lambda: NOON, **kwargs)  # type: ignore[arg-type]


def written(path: Path, *events: Event, **kwargs: object) -> State:
    with journal(path, **kwargs) as open_:
        for event in events:
            open_.append(event)
        return open_.state


def folded(lineage: str, *events: Event) -> State:
    return fold(State("x", lineage), (Entry(number, NOON, event) for number, event in enumerate(events, 1)))


def line_of(number: int, tag: str, body: str) -> bytes:
    return codec.seal(f'{{"n":{number},"at":"{NOON}","event":"{tag}","body":{body}'.encode())


class Unsynced(Disk):
    """Forgets to sync, and counts how often files were replaced."""

    def __init__(self) -> None:
        self.replaced = self.synced = 0

    def sync(self, fd: int) -> None:
        self.synced += 1

    def sync_folder(self, folder: Path) -> None:
        pass

    def replace(self, source: Path, target: Path) -> None:
        self.replaced += 1
        super().replace(source, target)
