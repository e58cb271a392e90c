"""The runs of a state as an analysis sees them: their settings, key path by key path, and their seeds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from expiac.analysis.trials import NO_TRIAL, TrialOf, sweeps_of, trial_of
from expiac.declare.fields import Kind, kinds_of
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.plan.kinds import CONFIG, kind_of
from expiac.plan.references import inputs_of
from expiac.providers.outputs import metrics_in
from expiac.state.model import Record, State
from expiac.state.status import Status
from expiac.util.hashing import canonical

_KINDS = {**kinds_of(SkypilotJobConfig), **kinds_of(Job), "tags": Kind.ANNOTATION, "notes": Kind.ANNOTATION}
_SEED = "seed"


@dataclass(frozen=True, slots=True)
class Run:
    """One run, present or archived."""

    job: str
    instance: str
    launch: int
    status: Status
    is_archived: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What decides its result, by key path; the seed among them."""
    launched_at: str = ""
    seconds: float | None = None
    """How long its last launch ran, where that is known."""
    cost: float | None = None
    """Dollars, where the backend wrote them into the outputs of the run."""
    metrics_path: str | None = None
    """The file or folder of its metrics on this machine."""
    trial: TrialOf = NO_TRIAL
    """What it has to do with a sweep."""

    @property
    def seed(self) -> Any:
        """Its seed: the setting called `seed` that stands highest; None where it has none."""
        return next((self.settings[path] for path in sorted(self.settings, key=_depth) if is_seed(path)), None)


def runs_of(state: State, *, archived: bool = False) -> tuple[Run, ...]:
    """The present runs of a state, in its order; with `archived`, those of the past before them."""
    past, sweeps = state.history if archived else (), [*sweeps_of(state)]
    return tuple(run_of(record, sweeps) for record in (*past, *state.records.values()))


def run_of(record: Record, sweeps: Sequence[str] = ()) -> Run:
    """The run of a record; of a trial of one of these sweeps, what was swept is among its settings."""
    cost, settings = record.outputs.get("cost"), dict(_settings(inputs_of(record)))
    trial = trial_of(record, settings, sweeps)
    return Run(record.address, record.run.instance, record.run.launch, record.status, bool(record.ended_at),
               {**trial.swept, **settings}, record.at, record.seconds,
               float(cost) if isinstance(cost, int | float) else None, _local_path(record.outputs), trial)


def all_settings(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of every kind by key path: where a run runs, and its tags, too."""
    return {path: value for key in inputs for path, value in _leaves("" if key == CONFIG else key, inputs[key])}


def is_seed(path: str) -> bool:
    """Whether the setting of this key path is a seed: `seed`, `trainer.seed`, `envs.SEED`."""
    return path.rpartition(".")[2].lower() == _SEED


def differing(runs: Sequence[Run]) -> tuple[str, ...]:
    """The key paths, other than seeds, at which the settings of the runs differ, in their order.

    Of the trials of one sweep, what else differs with the swept values, such as a command, follows from them, and is
    none of these.
    """
    paths = dict.fromkeys(path for run in runs for path in run.settings if not is_seed(path))
    found = tuple(path for path in sorted(paths) if _differ(runs, path))
    trials = {(run.trial.sweep, run.trial.job) for run in runs}
    if len(trials) != 1 or not all(run.trial.sweep for run in runs):
        return found
    same: dict[str, list[Run]] = {}
    for run in runs:
        same.setdefault(canonical(run.trial.swept), []).append(run)
    swept = {path for run in runs for path in run.trial.swept}
    return tuple(path for path in found if path in swept or any(_differ(group, path) for group in same.values()))


def _differ(runs: Sequence[Run], path: str) -> bool:
    return len({canonical(run.settings.get(path)) for run in runs}) > 1


def _local_path(outputs: Mapping[str, Any]) -> str | None:
    path = metrics_in(outputs)
    return None if path is None or "://" in path else path


def _settings(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings of kind identity by key path, as a plan shows them."""
    for key in inputs:
        for path, value in _leaves("" if key == CONFIG else key, inputs[key]):
            if kind_of(_KINDS, key, path) is Kind.IDENTITY:
                yield path, value


def _leaves(path: str, value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield path or CONFIG, value
        return
    for key, inner in value.items():
        yield from _leaves(f"{path}.{key}" if path else str(key), inner)


def _depth(path: str) -> tuple[int, str]:
    return path.count("."), path
