"""`expiac runs`, of real runs with metrics files."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from expiac.cli import run

VALID = Draft202012Validator(json.loads(files("expiac.view").joinpath("schema.json").read_text("utf-8")))


@pytest.fixture
def runs(applied, capfd, monkeypatch):
    """`runs(...)` is the command; gives its exit code and what it printed."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "110")

    def command(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(["runs", *words])
        return code, *capfd.readouterr()

    return command


def jobs(said: tuple[int, str, str]) -> list[str]:
    return [line.split()[1] for line in said[1].splitlines()[1:]]


def test_the_table(runs):
    """Settings that differ, the main metric, the time."""
    code, out, err = runs("--sort", "job")
    header, first, *_ = out.splitlines()
    assert (code, err) == (0, "")
    assert header.split() == ["stack", "job", "status", "age", "settings", "reward", "time", "instance"]
    words = first.split()
    assert words[:3] + words[4:7] == ["lab", "lr_1_seed_0", "succeeded", "LR=1", "seed=0", "40.0"]


@pytest.mark.parametrize(("words", "found"), [
    (["--where", "LR=2 and seed=1"], ["lr_2_seed_1"]),
    (["--where", "reward>=50", "--sort", "-reward"], ["lr_2_seed_1", "lr_2_seed_0"]),
    (["--where", "status=succeeded and job~lr_1*", "--sort", "reward", "--limit", "1"], ["lr_1_seed_0"]),
    (["lab", "--where", "not LR=1", "--sort", "seed"], ["lr_2_seed_0", "lr_2_seed_1"])])
def test_runs_are_chosen(runs, words, found):
    assert jobs(runs(*words)) == found


def test_none(runs):
    """That no run has a cost is told from that none was as dear."""
    assert runs("--where", "reward>100") == (0, "no runs\n", "")
    code, out, err = runs("--where", "cost>100")
    assert (code, out, err.startswith("! no run here has a value of cost")) == (0, "no runs\n", True)


def test_json(runs):
    code, out, _ = runs("--json", "--where", "LR=2", "--sort", "seed")
    document = json.loads(out)
    VALID.validate(document)
    first, second = document["listed"]
    assert (code, first["settings"], first["seed"], first["metrics"]) == (0, {"envs.LR": "2"}, "0", {"reward": 50.0})
    assert (second["address"], second["archived"], second["cost"], document["as_of"]) == (
        "lr_2_seed_1", False, None, None)


def test_archived_runs_are_there_if_asked_for(runs):
    assert run(["destroy", "lab", "--yes"]) == 0
    assert runs()[1] == "no runs\n"
    assert len(jobs(runs("--archived", "--where", "archived=true"))) == 4


def test_errors(runs):
    """A wrong condition, a stack that there is not, one that can't be read."""
    code, out, err = runs("--where", "LR=2 and statsu=failed")
    assert (code, out) == (64, "")
    assert err.splitlines()[1:3] == ["  LR=2 and statsu=failed", "           ^ no run here has statsu"]
    assert runs("lap")[0] == 64
    assert runs("--sort", "lr_decay")[0] == 64


def test_a_stack_that_cannot_be_read_hides_no_other(runs, applied):
    (applied / ".expiac" / "torn.jsonl").write_text("{}\n{}\n")
    code, out, err = runs()
    assert (code, len(out.splitlines()) - 1, "torn: Damaged state" in err) == (1, 4, True)


def test_a_hostile_setting_is_inert(runs, applied):
    """No colour and no change of direction reaches the terminal."""
    text = (applied / "stacks" / "lab.py").read_text()
    hostile = text.replace('"LR": str(lr)', '"LR": str(lr), "NOTE": "\\x1b[31m\\u202e" + str(seed)')
    (applied / "stacks" / "lab.py").write_text(hostile)
    assert run(["apply", "lab", "--yes"]) == 0
    _, out, _ = runs()
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_json_too_says_whose_metrics_cannot_be_read(runs, applied):
    for file in applied.glob(".expiac/local/lab.lr_1_seed_0.*/home/metrics.jsonl"):
        file.write_bytes(b"\0" * 100)
    (note,) = json.loads(runs("--json")[1])["notes"]
    assert note.startswith("lab: lr_1_seed_0: ")
