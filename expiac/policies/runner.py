"""Finds a project's policies, and lets a plan pass by them before anything happens."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace

from expiac.declare import program
from expiac.declare.project import Project
from expiac.plan.model import Plan
from expiac.policies.builtin import PRICED, SHIPPED, Policy, Refuse, Warn
from expiac.util.errors import ExpiacError, did_you_mean


class Policies:
    """The policies of one project: those of `[tool.expiac.policies]`, then those of its file."""

    def __init__(self, project: Project) -> None:
        self._project = project
        own = _project_policies(project)
        self._policies = [*_builtin_policies(project), *own]
        self.need_prices = bool(own) or PRICED in project.policies
        """Whether one may go by prices: then backends are asked for these, even where they are not otherwise."""

    def evaluate(self, plan: Plan) -> Plan:
        """The plan with what the policies warn of besides; raises `ExpiacError` where one of them refuses it.

        A plan that changes nothing passes.
        """
        if plan.is_empty:
            return plan
        verdicts = [verdict for policy in self._policies for verdict in self._ask(policy, plan)]
        if refused := [verdict for verdict in verdicts if isinstance(verdict, Refuse)]:
            raise ExpiacError("Refused by policy", "\n".join(map(_text, refused)),
                              f"[tool.expiac.policies] and {self._project.stacks / program.POLICIES} say what is "
                              "allowed")
        return replace(plan, warnings=(*plan.warnings, *map(_text, verdicts)))

    def _ask(self, policy: Policy, plan: Plan) -> Iterable[Warn | Refuse]:
        """What a policy says; whatever goes wrong in one of the project's own is its author's mistake."""
        path = self._project.root / self._project.stacks / program.POLICIES
        with program.attribute_errors(path, self._project), redirect_stdout(sys.stderr):
            verdicts = list(policy(plan, self._project) or ())
        for verdict in verdicts:
            if not isinstance(verdict, Warn | Refuse):
                raise ExpiacError("Not a verdict", f"{_name(policy)} yields {verdict!r}",
                                  "from expiac.policies import Refuse, Warn")
        return verdicts


def _builtin_policies(project: Project) -> Iterable[Policy]:
    from pydantic import ValidationError, validate_call

    for name, value in project.policies.items():
        if name not in SHIPPED:
            raise ExpiacError("No such policy", f"[tool.expiac.policies] {name}", did_you_mean(name, SHIPPED))
        make = validate_call(SHIPPED[name])
        try:
            yield make(*value) if isinstance(value, list) else make(value)
        except ValidationError as error:
            raise ExpiacError("Invalid pyproject.toml", f"[tool.expiac.policies] {name} = {value!r}: "
                              f"{error.errors()[0]['msg']}") from error


def _project_policies(project: Project) -> Sequence[Policy]:
    path = project.root / project.stacks / program.POLICIES
    if not path.is_file():
        return ()
    policies = vars(program.execute_file(path, project)).get("POLICIES")
    if not isinstance(policies, list | tuple) or not all(map(callable, policies)):
        raise ExpiacError("No policies", f"{path} has no list POLICIES of functions",
                          "POLICIES = [max_gpus(16), my_policy]")
    return tuple(policies)


def _text(verdict: Warn | Refuse) -> str:
    return f"{verdict.address}: {verdict.message}" if verdict.address else verdict.message


def _name(policy: Policy) -> str:
    return getattr(policy, "__name__", repr(policy))
