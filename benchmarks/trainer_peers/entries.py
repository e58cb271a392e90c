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

    @property
    def cores(self) -> int:
        return max(self.workers, self.threads, self.ranks)

    def __str__(self) -> str:
        named = {"environment process": self.workers, "torch thread": self.threads, "rank": self.ranks}
        several = [f"{count} {name}{'e' * name.endswith('s')}s" for name, count in named.items() if count > 1]
        return ", ".join(several) or "one thread"


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
        setting = (f"trainer.num_workers={self.setting.workers}", f"trainer.torch_threads={self.setting.threads}")
        return [self.contestant, *self.overrides, *setting]


REFERENCE = "Stable-Baselines3"
"""By which ratios are taken."""
ALONE = Setting()
BOTH, WORKERS, THREADS, RANKS = Setting(2, 2), Setting(workers=2), Setting(threads=2), Setting(ranks=2)
TITLES: Mapping[str, tuple[str, tuple[str, ...], tuple[Setting, ...]]] = {
    "simulator alone": ("simulator", (), (WORKERS,)),
    "expiac": ("expiac", (), (RANKS, BOTH, WORKERS, THREADS)),
    "expiac, bfloat16": ("expiac", ("trainer.precision=bfloat16",), (RANKS, BOTH, WORKERS, THREADS)),
    REFERENCE: ("sb3", (), (BOTH, WORKERS, THREADS)),
    "Stable-Baselines3, separate layers": ("sb3-separate", (), (BOTH, WORKERS, THREADS)),
    "loop as CleanRL's ppo.py": ("loop", (), (BOTH, WORKERS, THREADS)),
    "TorchRL": ("torchrl", (), (BOTH, WORKERS, THREADS)),
}
"""Of each: the contestant, its overrides, and its settings on two cores, of which the first was the fastest."""
CONTESTANTS = {name for name, _, _ in TITLES.values()}
NEEDED = {"sb3": "stable_baselines3", "sb3-separate": "stable_baselines3", "torchrl": "torchrl"}
"""The modules without which a contestant is left out."""


def entries(*, every_setting: bool = False, sizes: tuple[str, ...] = ()) -> list[Entry]:
    """Everyone on one core, then everyone on two. `sizes` are further overrides, for all of them."""
    alone = [Entry(title, name, ALONE, overrides + sizes) for title, (name, overrides, _) in TITLES.items()]
    two = [
        Entry(title, name, setting, overrides + sizes)
        for title, (name, overrides, settings) in TITLES.items()
        for setting in (settings if every_setting else settings[:1])
    ]
    return alone + two
