"""What sweeps may still use of their budgets: what they have used, and what runs of them may yet use. Pure.

A sweep has an account for its dollars and one for its GPU-hours, as far as it limits them. What runs counts with the
worst case that its `max_runtime` allows; without one, with what it has used so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from expiac.declare.component import SEPARATOR
from expiac.plan import cost
from expiac.plan.cost import longest_hours
from expiac.plan.model import Step
from expiac.plan.usage import Usage, gpus_asked, gpus_of, hours_of, prices_of, total_usage
from expiac.state.facts import SweepFacts
from expiac.state.model import Record, State

ROUNDING = 1e-9
"""The share of an amount by which sums of it may be wrong."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a sweep may use of one thing, and has used."""

    sweep: str
    is_dollars: bool
    """Dollars, or else GPU-hours."""
    limit: float
    used: float
    """By all its runs that the state knows, those that have ended among them."""
    running: Mapping[str, float] = field(default_factory=dict)
    """By the address of each run that goes on, what it may use besides, where something bounds it."""
    committed: float = 0.0
    """What they may use together, and what was launched since."""

    @property
    def left(self) -> float:
        """What may still be launched."""
        return self.limit - self.used - self.committed

    @property
    def why_spent(self) -> str:
        """That it is used up; empty where it is not."""
        if self.used < self.limit:
            return ""
        if self.is_dollars:
            return f"its trials have cost {self.text(self.used)}, and its budget is {self.text(self.limit)}"
        return f"its trials have used {self.text(self.used)}, and it has {self.text(self.limit)}"

    def rate(self, step: Step) -> float:
        """What a launch uses in an hour."""
        assert step.desired is not None, "a launch"
        if self.is_dollars:
            return step.cost_per_hour or 0.0
        return float(gpus_asked(step.desired.type, step.desired.inputs))

    def most(self, step: Step) -> float | None:
        """What a launch may use; None where nothing bounds it."""
        assert step.desired is not None, "a launch"
        rate, hours = self.rate(step), longest_hours(step.desired.inputs)
        return 0.0 if not rate else None if hours is None else rate * hours

    def why_never(self, step: Step) -> str:
        """Why a launch does not fit, whatever the runs come to that go on; empty where it may."""
        if self.why_spent:
            return f"the budget of {self.sweep} is spent: {self.why_spent}"
        most, rest = self.most(step), self.limit - self.used
        if most is None or most <= rest + self.limit * ROUNDING:
            return ""
        return f"it may {self._verb} {self.text(most)}, and the budget of {self.sweep} has {self.text(rest)} left"

    def why_not_now(self, step: Step) -> str:
        """Why a launch has to wait for runs that go on to end; empty where it need not."""
        own = self.running.get(step.address, 0.0)
        if (self.most(step) or 0.0) <= self.left + own + self.limit * ROUNDING:
            return ""
        return f"waits for the budget of {self.sweep}: what runs may {self._verb} the rest of {self.text(self.limit)}"

    def committing(self, step: Step) -> Account:
        """The account once a step has launched its run, in the place of what runs at its address."""
        more = (self.most(step) or 0.0) - self.running.get(step.address, 0.0)
        return replace(self, committed=self.committed + more)

    def text(self, amount: float) -> str:
        """`$12.00`, or `3.5 GPU-hours`."""
        return cost.dollars(amount) if self.is_dollars else gpu_hours(amount)

    @property
    def _verb(self) -> str:
        return "cost" if self.is_dollars else "use"


class Budgets:
    """The accounts of the sweeps of one stack, at one time."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._by_sweep: dict[str, list[Account]] = {}
        for one in accounts:
            self._by_sweep.setdefault(one.sweep, []).append(one)

    def __bool__(self) -> bool:
        return bool(self._by_sweep)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Those of all sweeps, in their order."""
        return tuple(one for own in self._by_sweep.values() for one in own)

    @property
    def spent(self) -> Mapping[str, str]:
        """The sweeps whose budget is used up, each with the reason."""
        return {name: why for name, own in self._by_sweep.items()
                if (why := next((one.why_spent for one in own if one.why_spent), ""))}

    def of(self, address: str) -> Sequence[Account]:
        """The accounts of the sweep in which a resource stands."""
        name = next((name for name in self._by_sweep if in_sweep(address, name)), "")
        return self._by_sweep.get(name, ())

    def why_spent(self, address: str) -> str:
        """Why the budget of the sweep in which a resource stands is used up; empty where it is not."""
        return next((one.why_spent for one in self.of(address) if one.why_spent), "")

    def why_never(self, step: Step) -> str:
        """Why a step launches nothing, whatever the runs come to that go on; empty where it may."""
        return next((why for one in self.of(step.address) if (why := one.why_never(step))), "")

    def why_not(self, step: Step) -> str:
        """Why a step launches nothing now; empty where it may."""
        waits = (why for one in self.of(step.address) if (why := one.why_not_now(step)))
        return self.why_never(step) or next(waits, "")

    def commit(self, step: Step) -> None:
        """Counts the launch of a step from now on."""
        if own := self.of(step.address):
            self._by_sweep[own[0].sweep] = [one.committing(step) for one in own]


def budgets_of(sweeps: Mapping[str, SweepFacts], state: State, now: datetime) -> Budgets:
    """The accounts of the sweeps that limit what they use."""
    accounts: list[Account] = []
    limited = {name: facts for name, facts in sweeps.items() if facts.is_limited}
    prices = prices_of(state) if limited else {}
    for name, facts in limited.items():
        used = total_usage(runs_of(name, state), prices, now)
        live = [one for address, one in state.records.items() if in_sweep(address, name) and one.status.is_live]
        for account in _accounts(name, facts.budget, facts.gpu_hours, used):
            rates = {one.address: prices.get(one.run.instance, 0.0) if account.is_dollars else float(gpus_of(one))
                     for one in live}
            running = {one.address: _rest(one, rates[one.address], now) for one in live}
            accounts.append(replace(account, running=running, committed=sum(running.values())))
    return Budgets(accounts)


def sweep_usage(name: str, state: State, now: datetime) -> Usage:
    """What all runs of a sweep have used by now."""
    return total_usage(runs_of(name, state), prices_of(state), now)


def runs_of(name: str, state: State) -> list[Record]:
    """All runs of a sweep that the state knows, those among them that were replaced, removed or destroyed."""
    return [one for one in (*state.history, *state.records.values()) if in_sweep(one.address, name)]


def why_spent(budget: float | None, gpu_hours: float | None, used: Usage) -> str:
    """Why so many dollars or GPU-hours are used up; empty where they are not, or where nothing limits them."""
    accounts = _accounts("", budget, gpu_hours, used)
    return next((one.why_spent for one in accounts if one.why_spent), "")


def may_pause(record: Record) -> bool:
    """Whether a run can be stopped now that goes on later; one that is protected goes on."""
    return record.status.is_live and record.pending is None and not record.unseen and not record.options.protect


def gpu_hours(amount: float) -> str:
    """`3.5 GPU-hours`."""
    number = f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}" if amount >= 0.001 else f"{amount:.6f}"
    number = (number.rstrip("0").rstrip(".") or "0") if "." in number else number
    return f"{number} GPU-hour{'' if number == '1' else 's'}"


def in_sweep(address: str, name: str) -> bool:
    """Whether a resource stands in the sweep."""
    return address.startswith(f"{name}{SEPARATOR}")


def _accounts(sweep: str, budget: float | None, gpu_hours: float | None, used: Usage) -> list[Account]:
    """The accounts of what is limited."""
    both = ((True, budget, used.dollars), (False, gpu_hours, used.gpu_hours))
    return [Account(sweep, is_dollars, limit, amount) for is_dollars, limit, amount in both if limit is not None]


def _rest(record: Record, rate: float, now: datetime) -> float:
    """What a run that goes on may use besides what it has used."""
    hours = longest_hours(record.inputs)
    return 0.0 if hours is None else rate * max(0.0, hours - hours_of(record, now))
