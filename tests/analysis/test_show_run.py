"""`expiac show RUN` and `expiac diff RUN RUN RUN…`, of real runs with metrics files."""

from __future__ import annotations

import json
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from expiac.cli import run

VALID = Draft202012Validator(json.loads(files("expiac.view").joinpath("schema.json").read_text("utf-8")))


@pytest.fixture
def expiac(applied, capfd, monkeypatch):
    """The command line; gives the exit code and what was printed."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")

    def command(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(words)
        return code, *capfd.readouterr()

    return command


def document(said: tuple[int, str, str]) -> dict:
    assert said[0] == 0, said
    value = json.loads(said[1])
    VALID.validate(value)
    return value


def test_all_that_is_known_of_a_run(expiac):
    """Its settings, its outputs, its metrics, last and best, its log."""
    shown = document(expiac("show", "lab/lr_2_seed_1", "--json"))["run"]
    assert (shown["address"], shown["status"], shown["launch"], shown["seed"]) == ("lr_2_seed_1", "succeeded", 1, "1")
    assert (shown["settings"]["envs.LR"], shown["settings"]["gpus"]) == ("2", 0)
    assert (shown["last"], shown["best"]) == ({"reward": 51.0}, {"reward": 51.0})
    assert (Path(shown["outputs"]["metrics"]).is_file(), [Path(log).name for log in shown["logs"]]) == (
        True, ["node-0.log"])
    assert shown["wandb_id"] == shown["instance"]
    assert (shown["approval"]["program"], shown["approval"]["overrides"]) == ("stacks/lab.py", {})


def test_as_text(expiac):
    code, out, err = expiac("show", "lr_2_seed_1")
    lines = out.splitlines()
    assert (code, err, lines[0].split()[1]) == (0, "", "succeeded")
    assert [line.split()[0] for line in lines[2:5]] == ["job", "launched", "plan"]
    assert "  envs.LR   " in out
    assert lines[-1].split() == ["reward", "51.0", "51.0"]


def test_a_run_is_found_by_its_beginning(expiac):
    """Of its digits or of its name, where it is one's alone."""
    instance = document(expiac("show", "lr_1_seed_0", "--json"))["run"]["instance"]
    digits = instance.rpartition(".")[2]
    for word in (digits[:6], f"lab.lr_1_seed_0.{digits[:2]}", "lab.lr_1_seed_0"):
        assert document(expiac("show", word, "--json"))["run"]["instance"] == instance
    code, _, err = expiac("show", "lab.lr_1")
    assert (code, err.splitlines()[:2]) == (64, ["Which run?", "  lab.lr_1 may be one of 2"])


def test_what_is_neither_a_run_nor_a_plan(expiac):
    assert expiac("show", "lr_1_seed_9")[2].splitlines()[0] == "No such run"
    assert expiac("show", "monday.plan")[2].splitlines()[0] == "No such plan"
    assert expiac("show", "lr_1_seed_0", "--markdown")[0] == 64


def test_the_commit_and_what_was_not_committed(expiac, applied):
    """And the file that has the difference."""
    identity = ["-c", "user.name=ada", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "-A", "stacks"], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=applied, check=True, timeout=30)
    stack = applied / "stacks" / "lab.py"
    stack.write_text(stack.read_text() + "# changed\n")
    assert expiac("apply", "lab", "--yes", "--replace", "lr_1_seed_0", "--wait")[0] == 0
    approval = document(expiac("show", "lr_1_seed_0", "--json"))["run"]["approval"]
    assert (approval["provenance"]["dirty"], "+# changed" in Path(approval["diff_file"]).read_text()) == (True, True)
    assert "changes that were not committed" in expiac("show", "lr_1_seed_0")[1]


def test_a_run_of_the_past(expiac):
    """Destroyed, it is still known."""
    assert expiac("destroy", "lab", "--yes")[0] == 0
    shown = document(expiac("show", "lr_1_seed_0", "--json"))["run"]
    assert (bool(shown["archived_at"]), shown["last"]) == (True, {"reward": 40.0})


# --------------------------------------------------------------------------------------------------- several runs

JOBS = ("lr_1_seed_0", "lr_1_seed_1", "lr_2_seed_0", "lr_2_seed_1")


def test_a_column_for_each_run(expiac):
    """Settings that differ, and the newest metrics."""
    code, out, _ = expiac("diff", *JOBS[:3])
    rows = [line.split() for line in out.split("\n\n")[1].splitlines()]
    assert (code, rows) == (0, [list(JOBS[:3]), ["LR", "1", "1", "2"], ["SEED", "0", "1", "0"],
                                ["reward", "40", "41", "50"]])


def test_more_runs_than_fit_the_screen(expiac, monkeypatch):
    """Stand below each other."""
    monkeypatch.setenv("COLUMNS", "50")
    _, first, second = expiac("diff", *JOBS)[1].split("\n\n")
    assert max(len(line.rstrip()) for line in (*first.splitlines(), *second.splitlines())) <= 50
    assert (first.split()[:3], second.split()[0]) == (list(JOBS[:3]), JOBS[3])


def test_several_as_json(expiac):
    """A run that is named twice counts once."""
    shown = document(expiac("diff", *JOBS, JOBS[0], "--json"))
    assert [run["address"] for run in shown["compared"]] == list(JOBS)
    lr = {one["path"]: list(one["values"].values()) for one in shown["differences"]}
    assert lr == {"envs.LR": ["1", "1", "2", "2"], "envs.SEED": ["0", "1", "0", "1"]}
    assert [list(figures.values()) for figures in shown["results"].values()] == [[40], [41], [50], [51]]


def test_two_runs_are_compared_as_ever(expiac):
    shown = document(expiac("diff", JOBS[0], JOBS[1], "--json"))
    assert ([run["address"] for run in shown["runs"]], shown["changes"][0]["path"]) == (list(JOBS[:2]), "envs.SEED")
    assert expiac("diff", JOBS[0])[0] == 64


def test_results_that_differ_have_four_digits(expiac, applied):
    """As in the table of more runs."""
    stack = applied / "stacks" / "lab.py"
    stack.write_text(stack.read_text().replace("$reward}}", "$reward.123456789}}"))
    assert expiac("apply", "lab", "--yes", "--wait")[0] == 0
    assert expiac("diff", *JOBS[:2])[1].splitlines()[-1] == "reward: 40.12 → 41.12"


def test_a_setting_and_a_metric_of_one_name_are_two_rows(expiac, applied):
    stack = applied / "stacks" / "lab.py"
    stack.write_text(stack.read_text().replace('"SEED": str(seed)', '"SEED": str(seed), "reward": f"x{lr}"'))
    assert expiac("apply", "lab", "--yes", "--wait")[0] == 0
    rows = [line.split() for line in expiac("diff", *JOBS[:3])[1].split("\n\n")[1].splitlines()]
    assert ["reward", "x1", "x1", "x2"] in rows
    assert ["metrics.reward", "40", "41", "50"] in rows
