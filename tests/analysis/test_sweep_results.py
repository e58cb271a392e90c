"""Results of sweeps: which run is which trial, the best trials first, and by the metric of the sweep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import jsonschema
import pytest

import expiac
from expiac import api
from expiac.analysis.again import command_again
from expiac.analysis.axes import axis_of, drawn
from expiac.analysis.ranking import ranking_of, rankings_of
from expiac.analysis.runs import runs_of
from expiac.analysis.trials import path_of
from expiac.cli import run
from expiac.session import Session
from expiac.util.errors import UsageError
from expiac.view.schema import schema

STACK = '''
from expiac import Job, SkypilotJobConfig, Stack, Sweep

WRITE = """
awk -v lr=$LR -v seed=$SEED 'BEGIN {
  row = "{\\\\"step\\\\": 1, \\\\"elapsed\\\\": 1, \\\\"metrics\\\\": {\\\\"loss\\\\": %f, \\\\"reward\\\\": %f}}"
  printf row "\\\\n", (lr - 0.5) ^ 2 + seed / 1000, lr
}' > metrics.jsonl
"""

def stack():
    here = SkypilotJobConfig(gpus=0, workdir=None, envs={"LR": "0", "SEED": "0", "KIND": "a"})
    job = Job("train", run=WRITE, outputs={"metrics": "metrics.jsonl"}, skypilot=here)
    rates = [round(0.1 * place, 1) for place in range(1, 10)]
    return Stack("lab", [Sweep("grid", job, metric="loss", goal="minimize",
                               over={"LR": rates, "KIND": ["a", "b"], "SEED": range(2)})])
'''


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """We stand in a project with a sweep of 36 trials that have ended."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "pyproject.toml").write_text(
        '[tool.expiac.metrics]\nshow = [{ name = "reward", format = ".1f", direction = "max" }]\n')
    (folder / "stacks").mkdir()
    (folder / "stacks" / "lab.py").write_text(STACK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("EXPIAC_LOCAL_CPUS", "8")
        patch.setenv("EXPIAC_LOCAL_MACHINE", str(folder / "machine"))
        assert api.apply("lab", wait=True, timeout=120).is_well
        yield folder


def command(*words: str) -> str:
    with redirect_stdout(StringIO()) as out:
        assert run(list(words)) == 0
    return out.getvalue()


def test_trials_know_their_sweep_and_where_its_settings_stand(swept):
    """The value that was swept, also where the setting is a text."""
    with Session.open("lab", reporter=api.Silent(), declared=False) as session:
        first = runs_of(session.state)[0]
    assert (first.trial.sweep, first.trial.job) == ("grid", "")
    assert first.trial.swept == {"envs.LR": 0.1, "envs.KIND": "a", "envs.SEED": 0}
    assert first.settings["envs.LR"] == "0.1"
    assert first.seed == "0"


def test_a_key_means_the_setting_of_its_name_and_value():
    settings = {"trainer.lr": 0.1, "critic.lr": 0.2, "seed": 3, "envs.FLAG": "true"}
    assert path_of("training.trainer.lr", 0.1, settings) == "trainer.lr"
    assert path_of("lr", 0.2, settings) == "critic.lr"
    assert path_of("training.seed", 3, settings) == "seed"
    assert path_of("FLAG", True, settings) == "envs.FLAG"
    assert path_of("rate", 0.1, settings) == "rate"
    assert path_of("lr", 7, settings) == "lr"


def test_the_table_of_results_has_the_sweep(swept):
    table = expiac.results("lab").runs
    assert table.columns[5:9] == ["sweep", "seed", "envs.KIND", "envs.LR"]
    assert {*table["sweep"]} == {"grid"}
    document = json.loads(command("results", "lab", "--json"))
    jsonschema.validate(document, schema())
    assert document["results"][0]["sweep"] == "grid"


def test_a_sweep_is_compared_by_its_own_metric(swept):
    """Though tables show another; another is compared if it is named."""
    found = expiac.compare("lab")
    assert (found.metric.name, found.metric.direction) == ("loss", "min")
    assert expiac.compare("lab", metric="reward").metric.direction == "max"


def test_the_best_trials_stand_first(swept):
    found = expiac.results("lab")
    compared = expiac.compare("lab")
    (ranking,) = rankings_of(found, compared)
    best = ranking.arms[:2]
    assert [arm.settings["envs.LR"] for arm in best] == ["0.5", "0.5"]
    assert [len(arm.runs) for arm in best] == [2, 2]
    assert all(arm.interval is not None for arm in best)
    means = [arm.mean for arm in ranking.arms]
    assert means == sorted(means)
    assert next(iter(ranking.importance.shares)) == "envs.LR"
    table = ranking.to_polars()
    assert table.row(0, named=True)["envs.LR"] == 0.5
    assert table["rank"].to_list() == [*range(1, 19)]


def test_the_command_ranks_many_arms(swept):
    text = command("compare", "lab")
    lines = text.splitlines()
    assert "The best 10 of 18 trials of the sweep grid" in text
    assert next(line.split()[:2] for line in lines if line[:1].isdigit()) == ["1", "grid/LR_0_5-KIND_a-SEED_0"]
    assert any(line.startswith("LR ") and "%" in line for line in lines)
    assert "the best of 18 is in part the luckiest" in text
    assert "expiac rerun lab.grid.LR_0_5-KIND_a-SEED_0." in text
    assert "too few seeds to tell" not in text


def test_the_ranking_in_json(swept):
    document = json.loads(command("compare", "lab", "--json"))
    jsonschema.validate(document, schema())
    (ranking,) = document["rankings"]
    assert (ranking["sweep"], ranking["metric"], ranking["direction"]) == ("grid", "loss", "min")
    assert len(ranking["ranking"]) == 18
    assert ranking["ranking"][0]["settings"] == {"envs.KIND": "a", "envs.LR": 0.5}
    assert next(iter(ranking["importance"]["shares"])) == "envs.LR"


def test_one_sweep_of_a_stack_can_be_asked_for(swept):
    assert len(expiac.compare("lab", sweep="grid").arms) == 18
    with pytest.raises(UsageError, match="has no sweep 'gird'"):
        expiac.compare("lab", sweep="gird")


def test_the_command_that_launches_the_best_one_again_works(swept):
    """Of a run whose code no commit has, it says that it launches the present code."""
    with Session.open("lab", reporter=api.Silent(), declared=False) as session:
        best = ranking_of(expiac.compare("lab", refresh=False)).arms[0].runs[0][0]
        again = command_again(session.state, best.instance)
    assert again.command == f"expiac rerun {best.instance} --anyway"
    assert "no commit is recorded" in again.note
    command(*again.command.split()[1:], "--yes", "--wait")
    with Session.open("lab-reruns", reporter=api.Silent(), declared=False) as session:
        (repeated,) = runs_of(session.state)
    assert repeated.settings == best.settings


def test_axes_of_numbers_and_of_choices(swept):
    """Each has its own scale; the settings that matter most come first, and the metric last."""
    shown = drawn(ranking_of(expiac.compare("lab", refresh=False)))
    assert [axis.name for axis in shown.axes] == ["LR", "KIND", "loss"]
    assert shown.trials[0] == "grid/LR_0_5-KIND_a-SEED_0"
    assert shown.axes[0].places[0] == pytest.approx(0.5)
    rates = axis_of("lr", [1e-5, 1e-4, 1e-3, 2e-3, 1e-2, 1e-1, 3e-4])
    assert rates.is_log
    assert [label for _, label in rates.ticks] == ["1e-05", "0.0001", "0.001", "0.01", "0.1"]
    mixed = axis_of("kind", [True, None, "b"])
    assert not mixed.is_number
    assert [label for _, label in mixed.ticks] == ["b", "null", "true"]
