"""Random programs, each decided by its seed: in a chapter the jobs first meet their fates, then the user acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from expiac.declare.stack import Stack
from expiac.state.status import Status
from expiac.testing import Run

NAMES = "abcde"
FATES = {None: 4, Status.RUNNING: 2, Status.SUCCEEDED: 5, Status.FAILED: 2, Status.CANCELLED: 1, Status.LOST: 1}


@dataclass(frozen=True, slots=True)
class Chapter:
    """One edit of a program and its apply."""

    fates: Mapping[str, Status]
    """What becomes of each address's job before it, if it lives."""
    stack: Stack | None
    """None where everything is to go."""
    options: Mapping[str, Any]
    refuses: tuple[str, ...]
    """Addresses whose create the backend refuses this time."""
    parallelism: int
    prunes: bool
    """Whether what archived runs left is removed afterwards."""
    fetches: bool
    """Whether the outputs of what succeeded are brought here afterwards."""
    compact_above: int
    """Bytes above which the journal is compacted: small, so that it is."""


@dataclass(frozen=True, slots=True)
class _Spec:
    """What a program says of one run."""

    lr: int
    gpus: int
    tags: tuple[str, ...]
    needs: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def drawn(cls, chance: Random) -> _Spec:
        return cls(chance.choice([1, 2, 3, 4]), chance.choice([1, 8]), chance.choice([(), ("t",)]),
                   frozenset(name for name in NAMES if chance.random() < 0.25))


def chapters(seed: int) -> list[Chapter]:
    """The program of this seed."""
    chance = Random(seed)
    specs = {name: _Spec.drawn(chance) for name in NAMES if chance.random() < 0.7}
    told = [_chapter(chance, specs)]
    for _ in range(chance.randint(1, 4)):
        specs = _edited(chance, specs)
        told.append(_chapter(chance, specs))
    return told


def _edited(chance: Random, specs: Mapping[str, _Spec]) -> dict[str, _Spec]:
    """Most runs stay as they are; some are changed, added or removed."""
    edited: dict[str, _Spec] = {}
    for name in NAMES:
        kept, drawn = specs.get(name), _Spec.drawn(chance)
        what = chance.random()
        if kept is None and what < 0.4:
            edited[name] = drawn
        elif kept is not None and what < 0.85:
            moved = _Spec(kept.lr, drawn.gpus, drawn.tags, kept.needs)
            edited[name] = kept if what < 0.4 else moved if what < 0.7 else drawn
    return edited


def _chapter(chance: Random, specs: Mapping[str, _Spec]) -> Chapter:
    fates = {name: chance.choices(list(FATES), list(FATES.values()))[0] for name in NAMES}
    options: dict[str, Any] = {"retry": chance.random() < 0.4}
    if specs and chance.random() < 0.15:
        options[chance.choice(["target", "exclude"])] = [chance.choice(sorted(specs))]
    return Chapter(
        fates={name: fate for name, fate in fates.items() if fate}, stack=_stack(specs), options=options,
        refuses=tuple(name for name in NAMES if chance.random() < 0.05),
        parallelism=chance.choice([1, 1, 4]), prunes=chance.random() < 0.3, fetches=chance.random() < 0.3,
        compact_above=chance.choice([1000, 1 << 20]))


def _stack(specs: Mapping[str, _Spec]) -> Stack | None:
    runs: dict[str, Run] = {}
    for name, spec in sorted(specs.items()):
        needed = [runs[other].output("checkpoint") for other in sorted(spec.needs) if other in runs]
        runs[name] = Run(name, config={"lr": spec.lr, "from": needed}, gpus=spec.gpus, tags=spec.tags)
    return Stack("ppo", list(runs.values())) if runs else None
