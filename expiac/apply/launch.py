"""Makes the inputs of one launch: the rendered texts with the real instance name, and a value for every Ref. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from expiac.declare.resource import Ref
from expiac.declare.stack_reference import AnyRef, any_refs, replace_any_refs
from expiac.plan.model import Desired
from expiac.plan.references import ref_of
from expiac.providers.base import Inputs
from expiac.state.events import Run
from expiac.util.errors import ExpiacError
from expiac.util.placeholders import INSTANCE, fill


def inputs(
    want: Desired, run: Run, *, stack: str, lineage: str, outputs: Callable[[str], Mapping[str, Any] | None]
) -> Inputs:
    """The inputs of one launch; `outputs` gives what an upstream resource has, or None where it is not there.

    Raises `ExpiacError` where a Ref has no value.
    """
    values: dict[AnyRef, str] = {ref: _value(want, ref, outputs(ref.resource)) for ref in want.refs}
    values |= {ref_of(one): one.value for one in want.references}
    filled = replace_any_refs(dict(want.inputs), lambda ref: values[ref])
    names = {INSTANCE: run.instance}
    env: dict[str, str] = {}
    if want.completes:
        env = dict(want.env) | _environment(want, filled, run, stack, lineage) | _values_of_refs(want, filled, values)
    return Inputs(
        values=filled,
        texts=fill(dict(want.texts), names),
        env=env,
        outputs=fill(dict(want.outputs), names),
        needed=want.needed,
    )


def _value(want: Desired, ref: Ref, outputs: Mapping[str, Any] | None) -> str:
    if outputs is None or ref.output not in outputs:
        raise ExpiacError("Missing output", f"{want.address} needs {ref.resource}.{ref.output}, which {ref.resource} "
                          "did not leave behind", f"expiac logs {ref.resource}")
    return str(outputs[ref.output])


def _environment(want: Desired, filled: Mapping[str, Any], run: Run, stack: str, lineage: str) -> dict[str, str]:
    """The names of the launch and its annotations, which stand in no rendered text."""
    tags, notes = filled.get("tags") or (), filled.get("notes") or ""
    known = {
        "EXPIAC_LINEAGE": lineage,
        "EXPIAC_INSTANCE": run.instance,
        "EXPIAC_LAUNCH": str(run.launch),
        "EXPIAC_STACK": stack,
        "EXPIAC_JOB": want.address,
        "WANDB_RUN_ID": run.instance,
        "WANDB_RESUME": "allow",
        "WANDB_RUN_GROUP": stack,
        "WANDB_TAGS": ",".join(tags),
        "WANDB_NOTES": notes,
    }
    declared = want.inputs.get("envs") or {}
    return {name: value for name, value in known.items()
            if value and not (name == "WANDB_RUN_GROUP" and name in declared)}


def _values_of_refs(want: Desired, filled: Mapping[str, Any], values: Mapping[AnyRef, str]) -> dict[str, str]:
    """The values of Refs, and the task's own variables that refer to some."""
    own = want.inputs.get("envs") or {}
    return {ref.variable: value for ref, value in values.items()} | {
        name: str(filled["envs"][name]) for name, text in own.items() if any_refs({"": text})
    }
