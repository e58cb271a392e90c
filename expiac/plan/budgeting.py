"""Keeps the launches of a plan within the budgets of its sweeps, and says how far these reach. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from expiac.plan.budgets import ROUNDING, Account, Budgets, in_sweep, may_pause
from expiac.plan.deferring import defer, pause, without_waits
from expiac.plan.model import Action, Plan, Step


def stop_overspending(plan: Plan, budgets: Budgets) -> Plan:
    """The plan, in which what runs of sweeps whose budget is spent is stopped, to go on once there is more of it."""
    if not budgets.spent:
        return plan
    return replace(plan, steps=tuple(_stopped(step, budgets) for step in plan.steps))


def bound_launches(plan: Plan, budgets: Budgets) -> Plan:
    """The plan, in which launches that may be beyond a budget wait."""
    budgets, waiting = Budgets(budgets.accounts), set[str]()
    steps = []
    for step in plan.steps:
        if _is_bounded(step):
            if why := budgets.why_not(step):
                step = defer(step, why)
                waiting.add(step.address)
            else:
                budgets.commit(step)
        steps.append(step)
    return replace(plan, steps=tuple(without_waits(step, waiting) for step in steps)) if waiting else plan


def within_budgets(ready: Sequence[Step], budgets: Budgets) -> tuple[Step, ...]:
    """Those of deferred steps whose time has come that may be launched now, the first ones first."""
    budgets, begun = Budgets(budgets.accounts), list[Step]()
    for step in ready:
        if _is_bounded(step):
            if budgets.why_not(step):
                continue
            budgets.commit(step)
        begun.append(step)
    return tuple(begun)


def beyond_budgets(deferred: Sequence[Step], budgets: Budgets) -> list[tuple[Step, str]]:
    """Those of deferred steps that will not be launched, whatever the runs come to that go on, each with the reason."""
    launches = [step for step in deferred if _is_launch(step)]
    return [(step, why) for step in launches if (why := budgets.why_never(step))]


def tell_of_budgets(plan: Plan, budgets: Budgets) -> Plan:
    """The plan, which says how far each budget reaches, and of what it does not know the price.

    `lr: $1.20 of $5.00 spent, 4 to launch: at most $8.00; it may not suffice`.
    """
    lines = [f"{account.sweep}: {', '.join(_parts(account, plan))}" for account in budgets.accounts]
    unknown = [text for account in budgets.accounts if account.is_dollars and (text := _unpriced(account, plan))]
    return replace(plan, outlook=(*plan.outlook, *lines), warnings=(*plan.warnings, *unknown)) if lines else plan


def _unpriced(account: Account, plan: Plan) -> str:
    """That launches count as free, since nobody knows their price."""
    launches = [step for step in plan.steps if in_sweep(step.address, account.sweep) and _is_launch(step)]
    if not (unpriced := sum(step.cost_per_hour is None for step in launches)):
        return ""
    return (f"{account.sweep} has a budget of {account.text(account.limit)}, and {unpriced:,} of its launches have no "
            "price: they count as free; gpu_hours bounds them too")


def _parts(account: Account, plan: Plan) -> list[str]:
    own = [step for step in plan.steps if in_sweep(step.address, account.sweep)]
    launches = [step for step in own if _is_launch(step)]
    limit, used = account.text(account.limit), account.text(account.used).partition(" ")[0]
    parts = [f"{used} of {limit} {'spent' if account.is_dollars else 'used'}"]
    if account.why_spent:
        stops = sum(step.pauses for step in own)
        kept = [f"{stops} to stop"] if stops else []
        kept += [f"{len(launches)} not launched until there is more"] if launches else []
        return [*parts, *kept]
    ending = {step.address for step in own if step.action not in (Action.KEEP, Action.UPDATE)}
    going = sum(more for address, more in account.running.items() if address not in ending)
    if going:
        parts.append(f"at most {account.text(going)} more by what runs")
    if launches:
        parts.append(_estimate(account, launches, account.limit - account.used - going))
    return parts


def _estimate(account: Account, launches: Sequence[Step], left: float) -> str:
    """What the launches that are still to come may use, and whether that is there."""
    most = [account.most(step) for step in launches]
    usual = [_usual(account, step) for step in launches]
    told = f"{len(launches)} to launch"
    about = None if None in usual else sum(amount or 0.0 for amount in usual)
    if about:
        told += f": about {account.text(about)}"
    if None in most:
        told += " and" if about else ":"
        return f"{told} no max_runtime bounds them; they are stopped only while apply waits, or by the next apply"
    total = sum(amount or 0.0 for amount in most)
    told += f"{',' if about else ':'} at most {account.text(total)}"
    if never := sum(bool(account.why_never(step)) for step in launches):
        return f"{told}; it will not suffice: {never:,} will not be launched"
    if about and about > left:
        return f"{told}; it will not suffice"
    return f"{told}; it may not suffice" if total > left * (1 + ROUNDING) else told


def _usual(account: Account, step: Step) -> float | None:
    """What a launch should use, as earlier runs of the job did; None where none is known."""
    hours = None if step.expected_seconds is None else step.expected_seconds / 3600
    rate = account.rate(step)
    return 0.0 if not rate else None if hours is None else rate * hours


def _is_launch(step: Step) -> bool:
    is_job = step.desired is not None and step.desired.completes
    return is_job and step.action.launches and not step.adopts


def _is_bounded(step: Step) -> bool:
    return _is_launch(step) and not step.deferred


def _stopped(step: Step, budgets: Budgets) -> Step:
    record = step.record
    if record is None or not may_pause(record) or step.protects or step.renames:
        return step
    if step.action in (Action.STOP, Action.FORGET):
        return step
    why = budgets.why_spent(step.address)
    return pause(record, f"{record.status.value}, and its budget is spent: {why}") if why else step
