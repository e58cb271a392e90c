"""Asks the providers about a plan before it is applied: remarks, prices, and whether each launch is possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

from expiac.plan.cost import add_price, refuse_over, will_run
from expiac.plan.model import Action, Desired, Plan, Step
from expiac.providers.base import Estimates, Examines, Inputs, Provider, RunsJobs
from expiac.providers.registry import no_provider
from expiac.state.events import Run
from expiac.util.errors import ExpiacError, NoAccess, Unavailable
from expiac.util.placeholders import INSTANCE, fill


def examine_plan(
    plan: Plan, providers: Mapping[str, Provider], *, ask: bool, budget: float | None, all_prices: bool = False,
) -> Plan:
    """The plan with its providers' remarks and prices; without `ask` and a budget no provider is asked anything.

    `all_prices` asks for those of jobs that go on running too, as a budget does.
    """
    steps = tuple(_add_remark(step, providers, ask=ask) for step in plan.steps)
    plan = replace(plan, steps=steps)
    if ask or budget is not None or all_prices:
        plan = with_prices(plan, providers, kept=all_prices or budget is not None)
    if budget is not None:
        refuse_over(budget, plan)
    return plan


def with_prices(plan: Plan, providers: Mapping[str, Provider], *, kept: bool = False) -> Plan:
    """The plan with the price of each launch; with `kept`, that of what goes on running too."""
    return replace(plan, steps=tuple(_add_price(step, providers, kept=kept) for step in plan.steps))


def _add_remark(step: Step, providers: Mapping[str, Provider], *, ask: bool) -> Step:
    want = step.desired
    if want is None or not step.action.launches:
        return step
    provider: object = providers.get(want.provider)
    if provider is None:
        raise no_provider(step.address, want.provider)
    if isinstance(provider, RunsJobs):
        _refuse_long_name(step, want.provider, provider.longest_name)
    if not ask or not isinstance(provider, Examines):
        return step
    with _name_in_errors(step.address):
        return replace(step, note=provider.examine(_inputs(want, step.run)))


def _refuse_long_name(step: Step, backend: str, longest: int) -> None:
    """Raises where the backend takes no name as long as the new run's; one that was launched before has a name."""
    name, is_new = step.run.instance, step.action is not Action.RELAUNCH and not step.adopts
    if not is_new or len(name) <= longest:
        return
    room = longest - len(name) + len(step.address)
    hint = f"a name of at most {room} characters" if room > 0 else "a shorter name of the stack"
    raise ExpiacError("Name too long", f"{step.address}: its run is called {name}, which has {len(name)} characters, "
                      f"and {backend} takes at most {longest}", hint)


def _inputs(want: Desired, run: Run) -> Inputs:
    """What the provider would be given, as far as it is known before the launch."""
    return Inputs(want.inputs, fill(dict(want.texts), {INSTANCE: run.instance}))


def _add_price(step: Step, providers: Mapping[str, Provider], *, kept: bool) -> Step:
    """The step with its price; with `kept`, that of a job which goes on running too."""
    want = step.desired
    is_known = step.cost_per_hour is not None or step.unpriced
    if want is None or is_known or not (step.action.launches or (kept and will_run(step))):
        return step
    provider: object = providers.get(want.provider)
    if not isinstance(provider, Estimates):
        return step
    try:
        with _name_in_errors(step.address):
            return add_price(step, provider.estimate(_inputs(want, step.run)))
    except NoAccess as error:
        return replace(step, unpriced=True, price_error=f"{error.summary} ({error.hint})")


def refuse_without_access(plan: Plan, providers: Mapping[str, Provider]) -> None:
    """Raises `NoAccess` where a provider lacks the credentials for a launch of the plan; what has a price has them."""
    for step in plan.steps:
        if step.action.launches and step.cost_per_hour is None and not step.adopts:
            _ask_for_access(step, providers)


def _ask_for_access(step: Step, providers: Mapping[str, Provider]) -> None:
    want = step.desired
    provider: object = providers.get(want.provider) if want is not None else None
    if want is None or not isinstance(provider, Estimates):
        return
    with suppress(Unavailable), _name_in_errors(step.address):
        provider.estimate(_inputs(want, step.run))


@contextmanager
def _name_in_errors(address: str) -> Iterator[None]:
    """A provider's error about one resource names it."""
    try:
        yield
    except ExpiacError as error:
        kind = type(error) if isinstance(error, NoAccess | Unavailable) else ExpiacError
        raise kind(error.summary, f"{address}: {error.detail}", error.hint, code=error.code) from error
