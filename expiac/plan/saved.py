"""Plans in files: what was approved is what will be done, later or elsewhere, without the program.

A file is two lines: a header with the digest of the second, which is the plan. It holds no secrets, since a plan holds
none, and everything else that carrying it out needs.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from expiac.plan.model import MISSING, Plan
from expiac.util.code import PLAN_MARK
from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError

FORMAT = 2
_OLDER = (1,)
"""Formats that are read too: 1 knew neither moves nor runs of the past."""
_AGAIN = "expiac plan --out FILE makes a new one"


def write(plan: Plan, path: Path) -> None:
    """Puts the plan in a file, whole or not at all; over an earlier plan, and over nothing else."""
    if path.exists() and not is_plan(path):
        raise ExpiacError("Plan not saved", f"{path} is there, and is no saved plan", "another name for the plan")
    body = to_json(_to_values(plan), inf_nan_mode="constants")
    head = to_json({"expiac_plan": FORMAT, "sha256": hashlib.sha256(body).hexdigest()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, head + b"\n" + body + b"\n")
    except OSError as error:
        raise ExpiacError("Plan not saved", f"{path}: {error.strerror}") from error


def is_plan(path: Path) -> bool:
    """Whether the file says that it is a saved plan."""
    try:
        with path.open("rb") as file:
            return file.read(len(PLAN_MARK)) == PLAN_MARK
    except OSError:
        return False


def read(path: Path) -> Plan:
    """The plan in a file. Raises `ExpiacError` where it is not exactly what was written."""
    try:
        head, _, rest = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise ExpiacError("No such plan", f"{path}: {error.strerror}", _AGAIN) from error
    body, end, beyond = rest.partition(b"\n")
    try:
        known = from_json(head)
        made_by, digest = known["expiac_plan"], known["sha256"]
    except (ValueError, TypeError, KeyError):
        raise ExpiacError("Not a saved plan", str(path), _AGAIN) from None
    if made_by not in (FORMAT, *_OLDER):
        raise ExpiacError("Plan of another release", f"{path} has format {made_by}, and this release reads {FORMAT}",
                          _AGAIN)
    if hashlib.sha256(body).hexdigest() != digest or end != b"\n" or beyond:
        raise ExpiacError("Plan was altered", f"{path} is not what was saved", _AGAIN)
    try:
        return _from_values(from_json(body, allow_inf_nan=True))
    except (ValidationError, KeyError, TypeError) as error:
        raise ExpiacError("Plan of another release", f"{path} does not read as a plan: {error}", _AGAIN) from error


@cache
def _adapter() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)


def _to_values(plan: Plan) -> Any:
    """JSON has no word for a value that is not there: such a side of a change is left out."""
    values = _adapter().dump_python(plan, exclude_defaults=True)
    for step in values["steps"]:
        step["changes"] = [{key: value for key, value in change.items() if value is not MISSING}
                           for change in step.get("changes", ())]
    return values


def _from_values(values: Any) -> Plan:
    for step in values["steps"]:
        step["changes"] = [{"before": MISSING, "after": MISSING, **change} for change in step["changes"]]
    # Plans of earlier releases name the moves in their steps alone.
    values.setdefault("moves", {step["renames"]: step["address"] for step in values["steps"] if step.get("renames")})
    return _adapter().validate_python(values, strict=False)
