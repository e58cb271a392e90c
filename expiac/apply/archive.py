"""Says which runs of the past can be used again: results that the present code made and whose outputs are there, and
unfinished runs whose checkpoints are not on another machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from expiac.apply.code import project_code
from expiac.apply.refresh import id_of
from expiac.declare.project import Project
from expiac.plan.history import code_of
from expiac.providers.base import Observation, Presence, Provider, Prunes
from expiac.providers.outputs import CLUSTER, METRICS
from expiac.state.model import Record, State
from expiac.state.status import Status
from expiac.util.errors import ExpiacError


class ProjectArchive:
    """The archived runs of one stack; asks their backends, and git, at the first need."""

    def __init__(self, project: Project, state: State, providers: Mapping[str, Provider], program: str, *,
                 any_code: bool, ask: bool = True) -> None:
        self._project, self._state, self._providers, self._program = project, state, providers, program
        self._any_code, self._ask = any_code, ask

    def obstacles(self, records: Sequence[Record]) -> Mapping[str, str]:
        """Why a result can't stand again, or an unfinished run can't go on here, by its instance."""
        found: dict[str, str] = {}
        results: dict[str, list[Record]] = defaultdict(list)
        unfinished: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            if not record.has_result:
                unfinished[record.provider].append(record)
            elif why := "" if self._any_code else self._other_code(record):
                found[record.run.instance] = why
            else:
                results[record.provider].append(record)
        for name, of_provider in results.items():
            found |= self._without_outputs(name, of_provider)
        for name, of_provider in unfinished.items():
            found |= self._elsewhere(name, of_provider)
        return found

    def _other_code(self, record: Record) -> str:
        then = code_of(self._state, record)
        if not then or not self._code:
            return "and which code made them is not known (--reuse takes it)"
        return "" if then == self._code else "and other code than the present one (--reuse takes it)"

    @cached_property
    def _code(self) -> str:
        return project_code(self._project, self._program)

    def _without_outputs(self, name: str, records: Sequence[Record]) -> Mapping[str, str]:
        """Why the results of one provider are not there; if it is not to be asked, they are taken to be."""
        answers = self._read(name, records) if self._ask else ()
        return {record.run.instance: why for record, answer in answers if (why := _why_gone(record, answer))}

    def _elsewhere(self, name: str, records: Sequence[Record]) -> Mapping[str, str]:
        """Why unfinished runs can't go on here: of a provider that keeps them on a machine, they may be on another."""
        provider: object = self._providers.get(name)
        answers = self._read(name, records) if self._ask and isinstance(provider, Prunes) else ()
        return {record.run.instance: f"and {seen.detail}" for record, seen in answers
                if seen is not None and seen.presence is Presence.UNKNOWN}

    def _read(self, name: str, records: Sequence[Record]) -> Sequence[tuple[Record, Observation | None]]:
        """Each record with what its provider sees of it; None where it gives no answer."""
        ids = {id_of(record, self._state.lineage): record for record in records}
        try:
            seen = self._providers[name].read_many(list(ids))
        except (ExpiacError, KeyError):
            seen = {}
        return [(record, seen.get(id_)) for id_, record in ids.items()]


def _why_gone(record: Record, seen: Observation | None) -> str:
    """Why a result is not there; empty where it is."""
    if seen is None or seen.presence is Presence.UNKNOWN:
        return f"and {record.provider} can't say whether its outputs are still there"
    if seen.presence is Presence.ABSENT or seen.status is not Status.SUCCEEDED:
        return "and is gone"
    gone = sorted(record.outputs.keys() - seen.outputs.keys() - {METRICS, CLUSTER})
    return f"and its {', '.join(gone)} {'are' if len(gone) > 1 else 'is'} gone" if gone else ""
