"""Records in the journal who lets the steps of a plan be done: the launches that follow belong to that approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from expiac.apply.code import project_code
from expiac.apply.reviews import review_facts
from expiac.declare.project import Project
from expiac.plan.approval import approval_event
from expiac.plan.model import Plan
from expiac.plan.sweeps import limits_of, recorded_sweeps
from expiac.state.facts import SweepFacts
from expiac.state.journal import Journal
from expiac.util.errors import Stale
from expiac.util.git import provenance


class Approvals:
    """The approvals of one command."""

    def __init__(self, project: Project, journal: Journal, *, waits: bool = False,
                 max_failures: int | None = None) -> None:
        """`max_failures` is how many trials of each sweep may fail, as a command says that `waits`."""
        self._project, self._journal = project, journal
        self._waits, self._given = waits, max_failures
        self._of_plan = journal.state.approval
        """The serial of the approval of the whole plan; until then, of the last one."""
        self.serial = 0
        """That of the last one under which this command launches."""

    def decides(self, plan: Plan) -> bool:
        """Whether there is something to record of the plan."""
        if not plan.is_empty or plan.previous_overrides is not None or plan.previous_outputs is not None:
            return True
        if plan.destroys:  # though every trial was ended early, and so is archived
            return self._has_search and not plan.left_out
        if plan.program and limits_of(plan.sweeps) != limits_of(recorded_sweeps(self._journal.state)):
            return True
        return bool(plan.changed_searches) or bool(plan.searches and self.max_failures != self._recorded)

    @property
    def max_failures(self) -> int | None:
        """How many trials of each sweep may fail: as this command says, or as the last one did that waited."""
        return self._given if self._waits else self._recorded

    @property
    def _recorded(self) -> int | None:
        last = self._journal.state.approved
        return last.max_failures if last is not None else None

    @property
    def _has_search(self) -> bool:
        """Whether what was applied last, and not destroyed since, has a search."""
        last = self._journal.state.approved
        return last is not None and any(facts.is_search for facts in last.sweeps.values())

    def record(self, plan: Plan) -> None:
        """Records that a plan is approved, with the searches that it declares. Needs the lock."""
        self._record(plan, self._provenance(plan))
        self._of_plan = self.serial

    def record_part(self, part: Plan) -> None:
        """Records it of steps of an approved plan, or of what its searches propose."""
        part = self._without_searches(part)
        self._record(part, self._provenance(part))

    def record_again(self, part: Plan) -> None:
        """As `record_part`, where the last approval is another command's or has other code."""
        part = self._without_searches(part)
        provenance, last = self._provenance(part), self._journal.state.approved
        is_own = self._journal.state.approval == self.serial
        if last is None or not is_own or last.provenance.get("code") != provenance.get("code"):
            self._record(part, provenance)

    def sweeps(self, plan: Plan) -> Mapping[str, SweepFacts]:
        """The sweeps of a plan: as it says, or as was approved since, such as a larger budget by another command."""
        state = self._journal.state
        last = state.approved
        is_later = last is not None and last.program and state.approval > self._of_plan
        return last.sweeps if last is not None and is_later else plan.sweeps

    def refuse_other(self, plan: Plan) -> None:
        """Raises `Stale` where a plan was approved meanwhile that declares other runs: ours may not be wanted now."""
        for one in self._journal.state.approvals:
            if one.serial <= self.serial:
                continue
            is_other = one.approved.provenance.get("declared") != plan.declared
            if is_other or any(plan.searches.get(name, new) != new for name, new in one.approved.searches.items()):
                raise Stale("Stale plan", "another plan was approved while this command waited, with other "
                            "declarations", f"expiac plan {plan.stack}")

    def _record(self, plan: Plan, known: Mapping[str, Any]) -> None:
        rendered, reviewed = review_facts(plan, self._project)
        most = self.max_failures if plan.program else None  # a destroy ends what was approved
        self._journal.append(approval_event(plan, known, rendered=rendered, reviewed=reviewed, max_failures=most))
        self.serial = self._journal.state.approval

    def _provenance(self, plan: Plan) -> Mapping[str, Any]:
        """Where the launches of a plan come from: digests of what is declared, and of the code where there are any."""
        known = provenance(self._project.root, self._project.state_folder / "provenance")
        launches = any(step.action.launches for step in plan.steps)
        code = project_code(self._project, plan.program) if launches else ""
        return known | {"declared": plan.declared} | ({"code": code} if code else {})

    def _without_searches(self, part: Plan) -> Plan:
        """Steps that come later approve no search anew, and no other budget than was approved since."""
        return replace(part, changed_searches={}, sweeps=self.sweeps(part))
