"""Removes what archived runs left on this machine: decides under the stack's lock, deletes after it.

Each run is set aside as a whole before anything of it is deleted. If the process is killed, the next prune goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from expiac.apply.refresh import id_of
from expiac.declare.project import Project
from expiac.plan.pruning import Kept, Prunable, PruneOptions, Pruning, referrers, select_runs, why_referred
from expiac.providers.base import Id, Provider, Prunes
from expiac.state.events import Pruned
from expiac.state.journal import Journal
from expiac.state.locking import lock_state
from expiac.state.model import Record, State
from expiac.state.stores import states

_TEXTS = (".py", ".yaml", ".yml", ".json", ".toml")
"""Files of a project that may name a run."""


class Pruner:
    """Prunes the runs of one stack."""

    def __init__(self, project: Project, journal: Journal, providers: Mapping[str, Provider]) -> None:
        self._project, self._journal, self._providers = project, journal, providers

    def plan(self, options: PruneOptions) -> Pruning:
        """What a prune would remove now; changes nothing."""
        state = self._journal.state
        texts = referrers(self._states(state), _files(self._project))
        runs: list[Prunable] = []
        kept: list[Kept] = []
        records = _by_provider(select_runs(state, options, datetime.now(UTC)))
        for name, provider in self._pruning_providers().items():
            ids = {id_of(record, state.lineage): record for record in records.get(name, ())}
            for id, stored in provider.stored(list(ids)).items():
                why = stored.why_kept or why_referred(ids[id], texts)
                if why:
                    kept.append(Kept(ids[id], why))
                else:
                    runs.append(Prunable(ids[id], stored.size))
        pruning = Pruning(state.stack, state.lineage, state.serial, options, tuple(runs), tuple(kept))
        return replace(pruning, size=self._size(pruning))

    def carry_out(self, planned: Pruning) -> Pruning:
        """Removes what was planned and may still go; returns that. Raises `Stale` where the state moved on."""
        with lock_state(self._journal, planned, purpose="prune"):
            known = {run.record.run.instance for run in planned.runs}
            now = self.plan(planned.options)
            runs = tuple(run for run in now.runs if run.record.run.instance in known)
            pruned = replace(now, runs=runs)
            pruned = replace(pruned, size=self._size(pruned))
            if runs:
                # Before anything is gone: a plan that was to let one of them stand again is stale from here on.
                self._journal.append(Pruned(tuple(run.record.run.instance for run in runs)))
            for name, ids in _ids(pruned).items():
                self._pruning_providers()[name].set_aside(ids)
        for provider in self._pruning_providers().values():
            provider.delete_aside()
        return pruned

    def _size(self, pruning: Pruning) -> int:
        ids = _ids(pruning)
        return sum(provider.freed_bytes(ids.get(name, ())) for name, provider in self._pruning_providers().items())

    def _states(self, own: State) -> list[State]:
        """Those of the whole project, each as it is now."""
        known = states(self._project)
        return [own, *(known.read(name).state for name in known.names() if name != own.stack)]

    def _pruning_providers(self) -> dict[str, Prunes]:
        """Those of the archived runs that keep what runs leave behind, by name."""
        names = sorted({record.provider for record in self._journal.state.history})
        found: dict[str, object] = {name: self._providers.get(name) for name in names}
        return {name: provider for name, provider in found.items() if isinstance(provider, Prunes)}


def _by_provider(records: Sequence[Record]) -> Mapping[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[record.provider].append(record)
    return found


def _ids(pruning: Pruning) -> Mapping[str, list[Id]]:
    records = _by_provider([run.record for run in pruning.runs])
    return {name: [id_of(record, pruning.lineage) for record in found] for name, found in records.items()}


def _files(project: Project) -> Mapping[str, str]:
    """The texts of the project's stack files, configs and templates, by path."""
    folders = {project.root / folder for folder in (project.stacks, project.configs, project.templates)}
    files = (file for folder in folders for file in folder.rglob("*") if file.suffix in _TEXTS and file.is_file())
    return {_path_in(project, file): file.read_text("utf-8", errors="replace") for file in sorted(files)}


def _path_in(project: Project, file: Path) -> str:
    return str(file.relative_to(project.root)) if file.is_relative_to(project.root) else str(file)
