"""Who takes part, and with which settings: on one core, and on two with what was fastest for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """How a contestant uses its cores."""

    workers: int = 1
    """Processes that step environments; one: the contestant's own."""
    threads: int = 1
    """Of torch."""
    ranks: int = 1
    """Processes that train together, as under torchrun."""
    ahead: bool = False
    """Whether rollouts are collected while the policy learns: `async_rollouts` of expiac's trainer."""

    @property
    def cores(self) -> int:
        return max(self.workers, self.threads, self.ranks, 1 + self.ahead)

    @property
    def overrides(self) -> tuple[str, ...]:
        """Those of the config."""
        vtrace = [f"trainer.vtrace.{clip}=1.0" for clip in ("rho_clip", "c_clip")]
        ahead = ("trainer.async_rollouts=true", *vtrace) if self.ahead else ()
        return (f"trainer.num_workers={self.workers}", f"trainer.torch_threads={self.threads}", *ahead)

    def __str__(self) -> str:
        named = {"environment processes": self.workers, "torch threads": self.threads, "ranks": self.ranks}
        several = [f"{count} {name}" for name, count in named.items() if count > 1]
        return ", ".join([*several, *(["collects while it learns"] if self.ahead else [])]) or "one thread"


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant with its settings."""

    title: str
    contestant: str
    setting: Setting
    overrides: tuple[str, ...] = ()

    @property
    def arguments(self) -> list[str]:
        """Those of `benchmarks.trainer_peers.contestant`."""
        return [self.contestant, *self.overrides, *self.setting.overrides]


REFERENCE = "Stable-Baselines3"
"""By which ratios are taken."""
ALONE = Setting()
BOTH, WORKERS, THREADS, RANKS = Setting(2, 2), Setting(workers=2), Setting(threads=2), Setting(ranks=2)
OURS, THEIRS = (ALONE, RANKS, BOTH, WORKERS, THREADS), (ALONE, WORKERS, BOTH, THREADS)
BFLOAT16 = ("trainer.precision=bfloat16",)
TITLES: Mapping[str, tuple[str, tuple[str, ...], tuple[Setting, ...]]] = {
    "simulator alone": ("simulator", (), (ALONE, WORKERS)),
    "expiac": ("expiac", (), OURS),
    "expiac, bfloat16": ("expiac", BFLOAT16, OURS),
    "expiac, async_rollouts": ("expiac", (), (Setting(ahead=True),)),
    "expiac, async_rollouts, bfloat16": ("expiac", BFLOAT16, (Setting(ahead=True),)),
    REFERENCE: ("sb3", (), THEIRS),
    "Stable-Baselines3, separate layers": ("sb3-separate", (), THEIRS),
    "loop as CleanRL's ppo.py": ("loop", (), THEIRS),
    "TorchRL": ("torchrl", (), (ALONE, THREADS, BOTH, WORKERS)),
}
"""Of each: the contestant, its overrides, and its settings. Of those on two cores the first was the fastest."""
CONTESTANTS = {name for name, _, _ in TITLES.values()}
NEEDED = {"sb3": "stable_baselines3", "sb3-separate": "stable_baselines3", "torchrl": "torchrl"}
"""The modules without which a contestant is left out."""


def entries(*, every_setting: bool = False, sizes: tuple[str, ...] = ()) -> list[Entry]:
    """Everyone on one core, then everyone on two. `sizes` are further overrides, for all of them."""
    known = [
        Entry(title, name, setting, overrides + sizes)
        for title, (name, overrides, settings) in TITLES.items()
        for setting in settings
    ]
    alone = [entry for entry in known if entry.setting.cores == 1]
    two = [entry for entry in known if entry.setting.cores == 2]
    first = {entry.title: entry for entry in reversed(two)}
    return alone + [entry for entry in two if every_setting or entry == first[entry.title]]
