"""A stack whose jobs are real processes of this machine, and its twin: the same stack on a backend in memory.

The twin says what ought to come of an apply, and how many instants it has. Runs and launches have the same names there.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random

import psutil
from scene import Figures, is_killed, telling

from expiac import Job, SkypilotJobConfig, Stack
from expiac.providers.base import Provider
from expiac.providers.local import LocalProvider, Machine
from expiac.state.status import Status
from expiac.testing import World
from expiac.testing.contract import wait_until
from expiac.testing.instants import Instants, WatchedDisk, WatchedProvider
from expiac.testing.integrity import flaws
from expiac.testing.memory import MemoryProvider

NAMES = "abc"
LIMIT = 120.0
TEMPLATES = Path(__file__).parents[2] / "templates"

Specs = Mapping[str, tuple[int, int]]
"""A setting and a number of GPUs, by job."""


class Side:
    """One of the two: a state file and a provider that is called `local`."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        folder.mkdir()
        (folder / "templates").symlink_to(TEMPLATES)
        self.folder, self.provider = folder, provider

    def world(self, die_at: int = 0) -> tuple[World, Instants]:
        instants = Instants(die_at)
        watched = WatchedProvider(self.provider, instants)
        return World(self.folder, others={"local": watched}, disk=WatchedDisk(instants)), instants

    def apply(self, stack: Stack | None, die_at: int = 0) -> int:
        """Applies, and launches again what failed; how many instants it took."""
        world, instants = self.world(die_at)
        world.apply(stack, parallelism=3, retry=True)
        return instants.count

    @property
    def known(self) -> tuple[object, ...]:
        """What the state says of every run, present or archived."""
        state = self.world()[0].state
        assert flaws(state) == []
        return ({name: (record.run, record.status.is_live) for name, record in state.records.items()},
                {record.run.instance: record.run for record in state.history})


class LocalScene:
    """Both sides in one folder. The jobs write down that they were born, with their pid, and sleep."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.births_file, self.memory = folder / "births", MemoryProvider()
        machine = Machine(folder / "machine", cpus=1000, gpus=0)
        self.real = Side(folder / "real", LocalProvider(folder / "real", machine=machine))
        self.twin = Side(folder / "twin", self.memory)

    def stack(self, specs: Specs) -> Stack | None:
        born = f'echo $EXPIAC_INSTANCE $EXPIAC_LAUNCH $$ >> "{self.births_file}"; exec sleep 900'
        jobs = [Job(name, run=f"{born} # {setting}", skypilot=SkypilotJobConfig(workdir=None, gpus=gpus))
                for name, (setting, gpus) in specs.items()]
        return Stack("ppo", jobs) if jobs else None

    def starts(self) -> dict[int, tuple[str, int]]:
        """The launch that says that it was born, by its pid."""
        lines = self.births_file.read_text().splitlines() if self.births_file.exists() else []
        return {int(pid): (instance, int(launch)) for instance, launch, pid in map(str.split, lines)}

    def running(self) -> dict[str, int]:
        """The pid of each job that is alive, by instance."""
        return {instance: pid for pid, (instance, _) in self.starts().items() if _is_asleep(pid)}

    def fail(self, instance: str) -> None:
        """A job dies by itself, here and there."""
        os.kill(self.running()[instance], signal.SIGKILL)
        self.memory.finish(instance, Status.FAILED)
        for side in (self.real, self.twin):
            wait_until(lambda side=side: _is_failed(side, instance), LIMIT)

    def assert_twins(self) -> None:
        """The same runs are known, live and have been born, each once."""
        wait_until(lambda: len(self.starts()) >= len(self.memory.starts), LIMIT)
        assert sorted(self.starts().values()) == sorted((id.instance, id.launch) for id in self.memory.starts)
        wait_until(lambda: sorted(self.running()) == sorted(self.memory.running()), LIMIT)
        assert self.real.known == self.twin.known


def kill_once_each(scene: LocalScene, seed: int, chapters: int, figures: Figures) -> None:
    """Plays so many chapters of the program of this seed; each apply is killed once or twice, at some instant."""
    chance, specs = Random(seed), dict[str, tuple[int, int]]()
    for number in range(chapters):
        specs = _edited(chance, specs) if number < chapters - 1 else {}
        if scene.running() and chance.random() < 0.4:
            scene.fail(chance.choice(sorted(scene.running())))
        stack = scene.stack(specs)
        instants = scene.twin.apply(stack)
        kills = [chance.randint(1, instants) for _ in range(chance.choice([1, 1, 2]))] if instants else []
        with telling(f"seed {seed}, chapter {number}, killed at {kills} of {instants} instants"):
            figures.kills += sum(is_killed(partial(scene.real.apply, stack, die_at=at)) for at in kills)
            scene.real.apply(stack)
            scene.assert_twins()
    figures.programs += 1
    figures.starts += len(scene.memory.starts)


def _edited(chance: Random, specs: Specs) -> dict[str, tuple[int, int]]:
    """Some jobs stay as they are; some get another setting, or other GPUs, or go, or come."""
    edited = {}
    for name in NAMES:
        setting, gpus = specs.get(name, (1, 1))
        what = chance.random()
        if what < 0.75:
            changed = (chance.choice([1, 2, 3]), gpus) if what < 0.3 else (setting, 3 - gpus)
            edited[name] = changed if what < 0.5 else (setting, gpus)
    return edited


def _is_failed(side: Side, instance: str) -> bool:
    world, _ = side.world()
    world.observe()
    return any(one.run.instance == instance and one.status is Status.FAILED for one in world.state.records.values())


def _is_asleep(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.name() in ("sleep", "bash") and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
