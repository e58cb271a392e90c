"""A plan as text and as JSON. Pure: knows widths and words, and nothing of terminals, colours or files.

`steps` is the body, a line or more per step; `text` adds what comes before and after it; `document` is `--json`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from expiac.declare.component import component_of
from expiac.declare.override_words import command_line
from expiac.plan import cost
from expiac.plan import formatting as inline
from expiac.plan.durations import seconds_until_done
from expiac.plan.exported import changes_of_exports
from expiac.plan.groups import group_of, named_by_group, trial_of
from expiac.plan.model import Change, Plan, Step
from expiac.state.facts import Reference, SweepFacts
from expiac.view.creates import Creates, creates
from expiac.view.parts import absent, or_null
from expiac.view.step_groups import COUNTED, StepGroup, group_lines, hidden_addresses, step_groups
from expiac.view.step_lines import step_lines, wrap

if TYPE_CHECKING:
    from expiac.view import documents

FORMAT: Final = 1
"""The version of everything that `--json` prints; raised when a key goes or changes its meaning: docs/json.md."""
_MOST_UNREVIEWED = 6


def text(plan: Plan, width: int = 80, *, program: str = "", verbose: bool = False) -> str:
    """The whole plan; `program` is what you call the stack on the command line, for commands that you can paste.

    `verbose` shows all settings of what is new, each step of sweeps and components, and every value in full.
    """
    new = creates(plan, verbose=verbose)
    groups = {} if verbose else step_groups(plan)
    shared = [new.shared_lines(group, width) for group in new.groups]
    closing = [line for remark in (*remarks(plan), summary(plan)) for line in wrap(remark, "", width)]
    parts = [opening(plan, width, program=program), _steps(plan, width, new, groups), *shared, closing]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def steps(plan: Plan, width: int = 80) -> list[str]:
    """The lines of every step, aligned: `± ppo   optimizer.learning_rate: 0.0003 → 0.001`."""
    return _steps(plan, width, creates(plan), {})


def _steps(plan: Plan, width: int, new: Creates, groups: Mapping[str, StepGroup]) -> list[str]:
    in_groups = set(hidden_addresses(groups.values()))
    alone = [step.address for step in plan.steps if step.address not in in_groups]
    # A single long name does not push everything else to the right: it gets a line of its own.
    names = [*alone, *(group.name for group in groups.values())]
    pad = max((len(name) for name in names if len(name) <= width // 3), default=0)
    shared, folded = shared_notes(plan), new.folded(in_groups)
    hidden = {step.address for steps in folded.values() for step in steps}
    lines: list[str] = []
    for step in plan.steps:
        if step.address in groups:
            lines += group_lines(groups[step.address], pad, width, shared, new)
        elif step.address in in_groups:
            continue
        elif step.address not in hidden:
            lines += step_lines(step, pad, width, shared, new)
        elif step.address in folded:
            count = len(folded[step.address])
            lines.append(f"{step.action.glyph} {'…':<{pad}}   {count} more, to {step.address}: --verbose lists them")
    return lines


def remarks(plan: Plan) -> list[str]:
    """Warnings and notes."""
    return [*(f"! {warning}" for warning in plan.warnings), *notes(plan)]


def notes(plan: Plan) -> list[str]:
    """How far searches are; notes that several steps share, `2 jobs: no GPU on this machine`; exports; the rest."""
    lines = [*plan.outlook, *_changed_searches(plan)]
    lines += [f"{count} jobs: {note}" for note, count in shared_notes(plan).items()]
    if plan.along:
        lines.append(f"needed, and so along with it: {_names(plan.along, plan)}")
    lines += changes_of_exports(plan)
    lines += _unreviewed(plan)
    if plan.left_out:
        lines.append(f"left out, and would change: {_names(plan.left_out, plan)}")
    return lines


def _changed_searches(plan: Plan) -> list[str]:
    """What has changed of searches, and what is approved though nothing is done now."""
    return [f"{name}: {changes} since it was approved" if changes else f"{name}: not approved yet"
            for name, changes in plan.changed_searches.items() if changes or plan.is_empty]


def _unreviewed(plan: Plan) -> list[str]:
    """What would be launched though nobody accepted it, and the command that shows it."""
    if not plan.unreviewed:
        return []
    names = named_by_group(plan.unreviewed, lambda address: group_of(address, plan.sweeps))
    more = f" and {len(names) - _MOST_UNREVIEWED:,} more" if len(names) > _MOST_UNREVIEWED else ""
    command = command_line("review", plan.program or plan.stack, plan.overrides)
    return [f"not reviewed: {', '.join(names[:_MOST_UNREVIEWED])}{more}; {command}"]


def _names(addresses: Iterable[str], plan: Plan) -> str:
    """The addresses; of very many in one sweep or component, their number."""
    return ", ".join(named_by_group(addresses, lambda address: group_of(address, plan.sweeps)))


def shared_notes(plan: Plan) -> dict[str, int]:
    """The notes of several steps, each with their number."""
    counts = Counter(step.note for step in plan.steps if step.note)
    return {note: count for note, count in counts.items() if count > 1}


def summary(plan: Plan) -> str:
    """How much of what, and what it costs: `1 to replace, 1 unchanged`, or `no changes`."""
    if plan.is_empty:
        return "no changes"
    counts = [(plan.summary[action.value], words) for action, words in COUNTED.items()]
    line = ", ".join(f"{count} {words}" for count, words in counts if count)
    apart = [(sum(step.deferred for step in plan.steps), "deferred"), (len(plan.unreviewed), "not reviewed")]
    if told := ", ".join(f"{count} {words}" for count, words in apart if count):
        line += f" ({told})"
    return line + _total_time(plan) + _total_cost(plan)


def opening(plan: Plan, width: int = 80, *, program: str = "") -> list[str]:
    """How these overrides differ from the last apply's, and the command that restores those."""
    values = differing_overrides(plan)
    if not values or plan.previous_overrides is None:
        return []
    command = command_line("plan", program or plan.stack, plan.previous_overrides)
    return [
        "Overrides differ from the last apply:",
        *(line for value in values for line in wrap(value, "  ", width)),
        f"  Hint: {command}",
    ]


def differing_overrides(plan: Plan) -> list[str]:
    """A line for each override that is not the last apply's: `gpus: 4 → 8`."""
    before, after = plan.previous_overrides, plan.overrides
    if before is None:
        return []
    differing = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    return [f"{key}: {_override(before, key)} → {_override(after, key)}" for key in differing]


def _override(overrides: Mapping[str, str], key: str) -> str:
    if key not in overrides:
        return "not set"
    return "removed" if key.startswith("~") else overrides[key]


def _total_time(plan: Plan) -> str:
    known = seconds_until_done(plan)
    if known is None:
        return ""
    seconds, is_complete = known
    return f", {'about' if is_complete else 'at least'} {inline.duration(seconds)}"


def _total_cost(plan: Plan) -> str:
    launches = [step for step in plan.steps if step.action.launches]
    priced = [step for step in launches if step.cost_per_hour is not None]
    if not priced:
        return ""
    per_hour = sum(step.cost_per_hour or 0 for step in priced)
    bounds = [step.cost_at_most for step in priced]
    at_most = None if None in bounds else sum(bound or 0 for bound in bounds)
    at_least = "at least " if len(priced) < len(launches) else ""
    return f", {at_least}{cost.cost_text(per_hour, at_most)}"


def document(plan: Plan) -> documents.Plan:
    """The plan as JSON values.

    A change has `before` and `after`. A field that is new has no `before`, and one that goes no `after`: that key is
    null, and `absent` names it. `absent` is null if both are there; a value of null is there.
    """
    return {
        "format_version": FORMAT,
        "stack": plan.stack,
        "lineage": plan.lineage,
        "serial": plan.serial,
        "overrides": dict(plan.overrides),
        "previous_overrides": None if plan.previous_overrides is None else dict(plan.previous_overrides),
        "steps": [_step_document(step, (plan.reviewed or {}).get(step.address, "")) for step in plan.steps],
        "summary": plan.summary,
        "sweeps": {name: sweep_document(facts) for name, facts in plan.sweeps.items()},
        "along": list(plan.along),
        "left_out": list(plan.left_out),
        "warnings": list(plan.warnings),
        "outlook": list(plan.outlook),
        "outputs": dict(plan.outputs),
        "previous_outputs": None if plan.previous_outputs is None else dict(plan.previous_outputs),
    }


def sweep_document(facts: SweepFacts) -> documents.Sweep:
    """What is declared of a sweep, as JSON values."""
    return {"keys": list(facts.keys), "metric": facts.metric, "goal": facts.goal, "trials": facts.trials,
            "max_failures": facts.max_failures, "budget": facts.budget, "gpu_hours": facts.gpu_hours}


def _step_document(step: Step, reviewed: str) -> documents.Step:
    return {
        "address": step.address,
        "component": component_of(step.address) or None,
        "trial": dict(trial_of(step)),
        "type": step.type,
        "instance": step.run.instance,
        "launch": step.run.launch,
        "action": step.action,
        "reason": step.reason,
        "changes": [change_document(change) for change in step.changes],
        **_inputs(step),
        "references": references(step.references),
        "cost_per_hour": step.cost_per_hour,
        "cost_at_most": step.cost_at_most,
        "unpriced": step.unpriced,
        "price_error": step.price_error,
        "adopts": bool(step.adopts),
        "expected_seconds": step.expected_seconds,
        "renames": step.renames or None,
        "restores": step.restores.run.instance if step.restores else None,
        "depends_on": list(step.depends_on),
        "deferred": step.deferred,
        "reviewed": reviewed or None,
        "warning": step.warning,
        "note": step.note,
    }


def _inputs(step: Step) -> documents.Inputs:
    """The inputs of what is launched: those that the program sets, and all of them."""
    want = step.desired
    if want is None or not step.action.launches:
        return {"settings": None, "inputs": None}
    return {"settings": want.inputs if want.settings is None else want.settings, "inputs": want.inputs}


def references(found: Iterable[Reference]) -> list[documents.Reference]:
    """Outputs of other stacks as JSON values."""
    return [{"stack": one.stack, "address": one.resource, "output": one.output, "instance": one.instance,
             "launch": one.launch, "value": one.value} for one in found]


def change_document(change: Change) -> documents.Change:
    """One change as JSON values."""
    return {
        "path": change.path,
        "before": or_null(change.before),
        "after": or_null(change.after),
        "kind": change.kind,
        "absent": absent(change.before, change.after),
    }
