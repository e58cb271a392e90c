"""Chooses the metrics that a table shows, and writes their values. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from expiac.apply.events import Progress
from expiac.declare.metrics import Metric, MetricSettings

_MOST = 3
_EVALUATION = ("eval", "val", "valid", "validation", "test")
_TELLING = ("loss", "acc", "accuracy", "reward", "return", "score", "error", "f1", "auc", "perplexity")
_TECHNICAL = ("lr", "time", "epoch", "fps", "sps", "second", "seconds", "memory", "grad", "norm")


def columns(settings: MetricSettings, runs: Iterable[Progress | None]) -> tuple[Metric, ...]:
    """The metrics of a table of runs: those of the settings that a run has, else up to three that all runs share."""
    known = [progress.metrics.keys() for progress in runs if progress is not None and progress.metrics]
    if settings.show:
        return tuple(metric for metric in settings.show if any(metric.name in names for names in known))
    if not known:
        return ()
    shared = [name for name in known[0] if all(name in names for names in known)]
    most_telling = sorted(shared, key=_rank)[:_MOST]  # a stable sort: otherwise in the order of the file
    return tuple(Metric(name) for name in most_telling)


def value(metric: Metric, progress: Progress | None) -> str:
    """The newest value of a metric; empty where the run has none."""
    if progress is None or metric.name not in progress.metrics:
        return ""
    return format(progress.metrics[metric.name], metric.format)


def first_and_last(metric: Metric, progress: Progress | None) -> str:
    """A metric at the beginning and at the end: `1.32 → 9.87`; one figure where there is only one."""
    last = value(metric, progress)
    if progress is None or not last or not progress.step or metric.name not in progress.first:
        return last
    return f"{format(progress.first[metric.name], metric.format)} → {last}"


def line(shown: Iterable[Metric], progress: Progress | None) -> str:
    """The metrics of one run in a row: `reward 3.14  loss 0.75`."""
    values = [(metric.title, value(metric, progress)) for metric in shown]
    return "  ".join(f"{title} {text}" for title, text in values if text)


def _rank(name: str) -> int:
    words = name.lower().replace("/", " ").replace("_", " ").replace(".", " ").replace("-", " ").split()
    if any(word in _TECHNICAL for word in words):
        return 3
    is_telling = any(word in _TELLING for word in words)
    if is_telling:
        return 0 if any(word in _EVALUATION for word in words) else 1
    return 2
