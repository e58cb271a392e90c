"""`python -m benchmarks.learning [--images docs/images]`: the tables and pictures of docs/learning-curves.md.

From the runs of `expiac apply benchmarks/learning/stack.py --yes --wait`, beside agents that know nothing and agents
that see the whole map.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import altair as alt
import polars as pl

import expiac
from benchmarks.learning import baselines, curves
from benchmarks.learning.tasks import NAVIGATION, SUITES, configs_of


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description="What the trainer learns.")
    parser.add_argument("--stack", default="learning")
    parser.add_argument("--images", type=Path, default=Path("docs/images"), help="where the pictures go")
    given = parser.parse_args(arguments)
    given.images.mkdir(parents=True, exist_ok=True)
    histories = expiac.results(given.stack, refresh=False).histories
    print(_arena(histories, given.images))
    print(_navigation(histories, given.images))


def _arena(histories: pl.DataFrame, images: Path) -> str:
    found = curves.evaluations(histories, "eval/hearts")
    random = baselines.hearts_of_random(*configs_of("arena"))
    title = "arena/small, the shipped configs"
    curves.save(curves.seeds_chart(found, {"random policy": random}, title), images / "learning-arena.png")
    last = curves.last_of_each_seed(found)
    rows = [["random policy", f"{random:.1f}"]]
    rows += [[f"seed {row['seed']}", f"{row['hearts']:.1f}"] for row in last.iter_rows(named=True)]
    rows += [["mean", f"{last['hearts'].mean():.1f}"]]
    return curves.table(["arena/small", f"hearts after {last['step'].max():,.0f} samples"], rows) + "\n"


def _navigation(histories: pl.DataFrame, images: Path) -> str:
    charts, columns = [], []
    task, sim = configs_of("navigation")
    for suite, config in sim.suites_of(task).items():
        found = curves.evaluations(histories, f"eval/{suite}/hearts")
        bounds = {
            "random policy": baselines.hearts_of_random(config, sim),
            "shortest ways": baselines.hearts_of_oracle(config, sim),
        }
        charts.append(curves.trainings_chart(found, _plain(NAVIGATION), bounds, SUITES[suite]))
        ends = [f"{hearts:.1f}" for hearts in bounds.values()]
        columns.append([ends[0], *[curves.summary(found, training) for training in NAVIGATION], ends[1]])
    curves.save(alt.hconcat(*charts).resolve_scale(color="shared", y="shared"), images / "learning-navigation.png")
    names = ["random policy", *NAVIGATION.values(), "shortest ways, the whole map known"]
    rows = [[name, *(column[i] for column in columns)] for i, name in enumerate(names)]
    return curves.table(["navigation", *SUITES.values()], rows)


def _plain(names: Mapping[str, str]) -> dict[str, str]:
    """Names without the marks of Markdown."""
    return {training: name.replace("`", "") for training, name in names.items()}


if __name__ == "__main__":
    main()
