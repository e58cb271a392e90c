"""Keeps a plan within the budgets of the sweeps that its stack declares, as the records have them now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from expiac.declare.stack import Stack
from expiac.plan.budgeting import bound_launches, stop_overspending, tell_of_budgets
from expiac.plan.budgets import Budgets, budgets_of
from expiac.plan.model import Plan
from expiac.plan.preflight import with_prices
from expiac.plan.sweeps import sweep_facts
from expiac.providers.base import Provider
from expiac.state.model import State


class PlanBudgets:
    """The budgets of the sweeps of one stack; they do nothing to the plan of a stack that has none."""

    def __init__(self, stack: Stack | None, providers: Mapping[str, Provider]) -> None:
        """`stack` is None where all is to be destroyed: then nothing is bounded."""
        self._stack, self._providers = stack, providers

    @property
    def count_dollars(self) -> bool:
        """Whether the price of a launch decides what else may be launched."""
        return self._stack is not None and any(sweep.budget for sweep in self._stack.sweeps)

    def stop(self, plan: Plan, state: State) -> Plan:
        """The plan, in which what runs is stopped of a sweep whose budget is spent."""
        return stop_overspending(plan, self._of(state))

    def bound(self, plan: Plan, state: State) -> Plan:
        """The plan, in which launches wait that the budget of their sweep does not allow."""
        if not (budgets := self._of(state)):
            return plan
        return bound_launches(with_prices(plan, self._providers) if self.count_dollars else plan, budgets)

    def tell(self, plan: Plan, state: State) -> Plan:
        """The plan, which says how far each budget reaches."""
        return tell_of_budgets(plan, self._of(state))

    def _of(self, state: State) -> Budgets:
        sweeps = sweep_facts(self._stack) if self._stack is not None else {}
        return budgets_of(sweeps, state, datetime.now(UTC))
