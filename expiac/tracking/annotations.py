"""Lets changed tags and notes of a run reach its W&B run, where there is one that can be reached.

W&B's client waits for a server for as long as it takes, so it works in a process of its own, within a time limit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from expiac.apply.wandb_key import user_has_key
from expiac.declare.project import Project
from expiac.plan.model import Action, Plan, Step
from expiac.state.model import Record, State
from expiac.util.errors import ExpiacError

TIMEOUT = 20.0
"""Seconds for one run."""
RECORDED_ONLY = "recorded only"
_FIELDS = ("tags", "notes")
_PROGRAM = """\
import json, sys, wandb
told = json.load(sys.stdin)
run = wandb.Api(timeout=10).run(told["path"])
run.tags, run.notes = told["tags"], told["notes"]
run.update()
"""


def with_remarks(plan: Plan, project: Project) -> Plan:
    """The plan, which says of each run whose changed tags or notes can't reach W&B that they are recorded only."""
    steps = tuple(replace(step, note="; ".join(filter(None, (step.note, RECORDED_ONLY))))
                  if step.record is not None and _annotates(step) and not reachable_page(step.record, project) else step
                  for step in plan.steps)
    return plan if steps == plan.steps else replace(plan, steps=steps)


def reachable_page(record: Record, project: Project, environ: Mapping[str, str] = os.environ) -> str:
    """The page of a run at W&B; empty where it has none, or this user has no key for it."""
    from expiac.tracking.pages import page_of, server_of_page

    page = page_of(record, project)
    return page if page and user_has_key(server_of_page(page), environ) else ""


def tell(steps: tuple[Step, ...], state: State, project: Project) -> Iterator[str]:
    """Sends changed tags and notes of these steps to W&B; gives a warning for each run of which that failed."""
    for step in filter(_annotates, steps):
        record = state.records.get(step.address)
        page = reachable_page(record, project) if record is not None else ""
        if record is None or not page:
            continue
        try:
            _send(record, page)
        except ExpiacError as error:
            yield f"{step.address}: tags and notes are recorded, and did not reach W&B: {error.detail}"


def _annotates(step: Step) -> bool:
    paths = {change.path.partition(".")[0] for change in step.changes}
    return step.action is Action.UPDATE and bool(paths.intersection(_FIELDS))


def _send(record: Record, page: str) -> None:
    from expiac.tracking.pages import server_of_page

    entity, project, _, id = (unquote(part) for part in urlsplit(page).path.strip("/").split("/")[-4:])
    told = {"path": f"{entity}/{project}/{id}", "tags": list(record.inputs.get("tags") or ()),
            "notes": record.inputs.get("notes") or ""}
    env = {**os.environ, "WANDB_BASE_URL": server_of_page(page), "WANDB_SILENT": "true",
           "WANDB_ERROR_REPORTING": "false"}
    env.pop("WANDB_MODE", None)
    try:
        subprocess.run([sys.executable, "-c", _PROGRAM], input=json.dumps(told), env=env, capture_output=True,
                       text=True, encoding="utf-8", errors="replace", timeout=TIMEOUT, check=True)
    except subprocess.TimeoutExpired:
        raise ExpiacError("Not uploaded in time", f"no answer in {TIMEOUT:.0f} seconds") from None
    except subprocess.CalledProcessError as error:
        lines = str(error.stderr).strip().splitlines() or [f"exit code {error.returncode}"]
        raise ExpiacError("Not uploaded", lines[-1][:200]) from None
