"""Optuna: makes a study of the trials that there are, and asks it for proposals and for trials to end early.

The only place that meets Optuna. Each proposal is made by a sampler of its own, seeded by the search and the number of
the trial: the same earlier trials give the same proposal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expiac.declare.distributions import Choice, IntUniform
from expiac.declare.search import Distribution, Search
from expiac.state.facts import COMPLETE, PRUNED, TRIAL_FAILED
from expiac.util.errors import ExpiacError, did_you_mean

if TYPE_CHECKING:
    import optuna

FAILED, LIVE = TRIAL_FAILED, "live"
_SAMPLERS = {"tpe": "TPESampler", "cmaes": "CmaEsSampler", "nsga2": "NSGAIISampler", "nsga3": "NSGAIIISampler",
             "gp": "GPSampler", "random": "RandomSampler"}
_STATEFUL = ("QMCSampler",)
"""Samplers that count in the study itself how far they are, which is made anew each time."""
_PRUNERS = {"median": "MedianPruner", "percentile": "PercentilePruner", "halving": "SuccessiveHalvingPruner",
            "hyperband": "HyperbandPruner", "patient": "PatientPruner", "threshold": "ThresholdPruner"}
_STATELESS = ("MedianPruner", "PercentilePruner", "ThresholdPruner")
"""Pruners that keep nothing from one answer to the next: only the last one about a live trial counts."""
_ON_RUNGS = ("SuccessiveHalvingPruner", "HyperbandPruner")
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {"TPESampler": {"constant_liar": True},
                                              "PercentilePruner": {"percentile": 25.0}}


@dataclass(frozen=True, slots=True)
class Past:
    """A trial that there is."""

    number: int
    values: Mapping[str, Any]
    """The value of each setting."""
    state: str
    """`complete`, `pruned`, `failed` or `live`."""
    results: tuple[float, ...] = ()
    """The value of each metric, of a complete one; of a pruned one, that of the first."""
    sampler: Mapping[str, Any] = field(default_factory=dict)
    """What its sampler noted of it."""
    curve: Mapping[int, float] = field(default_factory=dict)
    """The first metric at each check that it has come to."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The values of the next trial."""

    number: int
    values: Mapping[str, Any]
    sampler: Mapping[str, Any]


class Study:
    """The study of one search. Raises `ExpiacError` where Optuna is missing, or does not know what is asked for."""

    def __init__(self, name: str, search: Search, goals: Sequence[str]) -> None:
        self._name, self._search, self._goals = name, search, tuple(goals)
        self._optuna = _import_optuna(name)
        with self._named():
            self._space = {key: self._distribution(one) for key, one in search.space.items()}
        self._sampler(0)  # which tells what is wrong with its name or its options, as does the pruner
        if search.pruner is not None:
            self._pruner()

    def propose(self, past: Sequence[Past], numbers: Sequence[int]) -> list[Proposal]:
        """A proposal for each number, each of which knows of those before it."""
        known, made = list(past), []
        for number in numbers:
            with self._named():
                study = self._study(self._sampler(number))
                study.add_trials([frozen for one in known if (frozen := self._frozen(one)) is not None])
                asked = study.ask(self._space)
            attrs = study.get_trials(deepcopy=False)[-1].system_attrs
            kept = {key: value for key, value in attrs.items() if not key.startswith("tpe:")}
            made.append(Proposal(number, dict(asked.params), kept))
            known.append(Past(number, made[-1].values, LIVE, sampler=kept))
        return made

    def losing(self, past: Sequence[Past]) -> set[int]:
        """The numbers of the live trials that are to end early, by their curves and those of the others.

        Each trial is told to the pruner check by check, those that have ended first. A pruner that halves the trials
        looks at few of the checks: what it says at one of them stands.
        """
        if self._search.pruner is None or not any(one.state == LIVE and one.curve for one in past):
            return set()
        with self._named():
            return self._losing({one.number: one for one in past if one.curve and self._frozen(one) is not None})

    def _losing(self, past: Mapping[int, Past]) -> set[int]:
        study, states = self._study(self._optuna.samplers.RandomSampler(seed=0), self._pruner()), self._optuna.trial
        trials: dict[int, optuna.Trial] = {}
        for number in range(max(past) + 1):  # a pruner goes by the numbers too
            if number in past:
                study.enqueue_trial(dict(past[number].values))
            trials[number] = study.ask(self._space)
            if number not in past:
                study.tell(trials[number], state=states.TrialState.FAIL)
        pruner = _PRUNERS.get(self._search.pruner or "", self._search.pruner)
        stands, is_stateless = pruner in _ON_RUNGS, pruner in _STATELESS
        found: set[int] = set()
        for one in sorted(past.values(), key=lambda one: (one.state == LIVE, one.number)):
            last, verdicts = max(one.curve), []
            for check, value in sorted(one.curve.items()):
                trials[one.number].report(value, check)
                if not is_stateless or (one.state == LIVE and check == last):  # each answer takes long
                    verdicts.append(trials[one.number].should_prune())
            if one.state == COMPLETE:
                study.tell(trials[one.number], one.results)
            elif one.state != LIVE:
                study.tell(trials[one.number], state=states.TrialState.PRUNED)
            elif any(verdicts) if stands else verdicts[-1]:
                found.add(one.number)
        return found

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Makes an `ExpiacError` of what Optuna raises."""
        try:
            yield
        except ExpiacError:
            raise
        except Exception as error:
            raise ExpiacError("Invalid sweep", f"search {self._name}: Optuna: {type(error).__name__}: {error}",
                              "another sampler, pruner or space") from error

    def _study(self, sampler: Any, pruner: Any = None) -> optuna.Study:
        study: optuna.Study = self._optuna.create_study(
            study_name=self._name, directions=list(self._goals), sampler=sampler, pruner=pruner)
        return study

    def _frozen(self, one: Past) -> optuna.trial.FrozenTrial | None:
        """The trial as Optuna has it; None where its values do not lie in the space that is searched now."""
        states = self._optuna.trial.TrialState
        state = {COMPLETE: states.COMPLETE, PRUNED: states.PRUNED, FAILED: states.FAIL, LIVE: states.RUNNING}[one.state]
        curve = dict(one.curve) or ({1: one.results[0]} if one.state == PRUNED and one.results else {})
        try:
            frozen: optuna.trial.FrozenTrial = self._optuna.trial.create_trial(
                state=state, values=list(one.results) if one.state == COMPLETE else None, params=dict(one.values),
                distributions=self._space, system_attrs=dict(one.sampler), intermediate_values=curve)
        except ValueError:
            return None
        return frozen

    def _sampler(self, number: int) -> Any:
        name = self._search.sampler
        return self._make("sampler", self._optuna.samplers, _SAMPLERS, name, "Sampler",
                          {"seed": (self._search.seed * 100_003 + number) % 2**32, **self._search.sampler_options})

    def _pruner(self) -> Any:
        assert self._search.pruner is not None, "asked only where there is one"
        return self._make("pruner", self._optuna.pruners, _PRUNERS, self._search.pruner, "Pruner",
                          self._search.pruner_options)

    def _make(self, what: str, module: Any, known: Mapping[str, str], name: str, ending: str,
              options: Mapping[str, Any]) -> Any:
        full = known.get(name, name)
        made_by = getattr(module, full, None) if full.endswith(ending) else None
        if made_by is None or full in _STATEFUL:
            raise ExpiacError("Invalid sweep", f"search {self._name}: {what}={name!r} is none of Optuna's",
                              did_you_mean(name, known))
        try:
            return made_by(**{**_DEFAULTS.get(full, {}), **options})
        except (TypeError, ValueError, ImportError) as error:
            raise ExpiacError("Invalid sweep", f"search {self._name}: {what}={name!r}: {error}",
                              f"{what}_options={{…}} as in Optuna's documentation of {full}") from error

    def _distribution(self, one: Distribution) -> Any:
        kinds = self._optuna.distributions
        if isinstance(one, Choice):
            return kinds.CategoricalDistribution(one.values)
        if isinstance(one, IntUniform):
            return kinds.IntDistribution(one.low, one.high, log=one.log)
        return kinds.FloatDistribution(one.low, one.high, log=one.log)


class Verdicts:
    """Which trials of one search are losing.

    Optuna is asked again only where there is something new to go by: for a thousand trials it takes seconds, and an
    apply looks several times before anything is new.
    """

    def __init__(self) -> None:
        self._past: tuple[Past, ...] | None = None
        self._losing: frozenset[int] = frozenset()

    def of(self, study: Study, past: Sequence[Past]) -> frozenset[int]:
        """As `study.losing`; the study is made for the same search each time."""
        if self._past != (now := tuple(past)):
            self._losing, self._past = frozenset(study.losing(now)), now
        return self._losing


def _import_optuna(name: str) -> Any:
    try:
        import optuna
    except ImportError as error:
        raise ExpiacError("Missing package", f"search {name} needs it: {error}",
                          "pip install 'expiac[search]'") from error
    import warnings

    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
