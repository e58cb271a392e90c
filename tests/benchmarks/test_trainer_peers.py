"""The trainer beside its peers: turns, arithmetic, tables, and the contestants that need no peer, in a tiny case."""

import io
import json
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from benchmarks.trainer_peers import plain_loop, table
from benchmarks.trainer_peers.__main__ import main, present
from benchmarks.trainer_peers.case import config_of, layout_of
from benchmarks.trainer_peers.contestant import run
from benchmarks.trainer_peers.entries import ALONE, BOTH, REFERENCE, THREADS, Entry, Setting, entries
from benchmarks.trainer_peers.running import QUIET, Turn, environments, quiet_turn
from benchmarks.trainer_peers.turns import NoMoreTurns, Turns
from trainer.advantage import gae
from trainer.config import PPOConfig

TINY = ("trainer.batch_size=64", "trainer.minibatch_size=32", "trainer.horizon=8", "trainer.ppo.update_epochs=1",
        "curriculum.agents=2", "curriculum.width=6", "curriculum.height=6", "curriculum.mines=2",
        "curriculum.generators=2", "curriculum.altars=2", "curriculum.max_steps=20")  # fmt: skip


def test_a_turn_counts_whole_updates_after_its_first():
    """The clock says 0, 1, 2, …: one second passes with each look at it."""
    answers, ticks = io.StringIO(), count()
    turns = Turns(io.StringIO("2\n"), answers, clock=lambda: next(ticks), cpu_clock=lambda: 0)
    turns.count(10)  # the end of the preparation
    turns.count(10)  # the first of the turn, which does not count
    turns.count(10)
    with pytest.raises(NoMoreTurns):
        turns.count(10)
    assert [json.loads(line) for line in answers.getvalue().splitlines()] == [
        {"samples": 10, "seconds": 1, "cpu": 0},
        {"samples": 20, "seconds": 2, "cpu": 0},
    ]


def test_ratios_are_of_turns_in_the_same_round():
    """A round in which the machine is half as fast changes the speeds, and no ratio."""
    ours, theirs = [40.0, 20.0, 42.0], [20.0, 10.0, 20.0]
    assert table.ratios(ours, theirs) == [2.0, 2.0, 2.1]
    assert table.spread(table.ratios(ours, theirs), ".2f") == "2.00 (2.00–2.10)"


def test_the_fastest_setting_counts():
    slow, fast = Entry("expiac", "expiac", BOTH), Entry("expiac", "expiac", THREADS)
    alone, reference = Entry("expiac", "expiac", ALONE), Entry(REFERENCE, "sb3", BOTH)
    speeds = {alone: 9.0, slow: 1000.0, fast: 3000.0, reference: 2000.0}
    turns = {entry: [Turn(speed, 2 * speed, 0.0)] for entry, speed in speeds.items()}
    assert table.fastest(turns, 2) == {"expiac": fast, REFERENCE: reference}
    one, two = table.tables(turns).split("\n\n")
    assert "| expiac | 9 (9–9) | – | 18 (18–18) | – |" in one
    assert "| expiac | 2 torch threads | 3,000 (3,000–3,000) | 1.50 (1.50–1.50) |" in two


def test_turns_beside_other_work_are_left_out_where_there_are_quiet_ones():
    """In the first round the reference had company, and in the second the other one did."""
    busy = 2 * QUIET
    ours = [Turn(30.0, 1.0, 0.0), Turn(1.0, 1.0, busy), Turn(20.0, 1.0, 0.0)]
    theirs = [Turn(5.0, 1.0, busy), Turn(9.0, 1.0, 0.0), Turn(10.0, 1.0, 0.0)]
    assert table.quiet_rounds(ours) == [0, 2]
    assert table.quiet_rounds(ours, theirs) == [2]
    assert table.quiet_rounds(ours[1:2], theirs[:1]) == [0]
    found = table.tables({Entry("expiac", "expiac", BOTH): ours, Entry(REFERENCE, "sb3", BOTH): theirs})
    assert "| 25 (20–30) | 2.00 (2.00–2.00) |" in found


def test_json_has_every_turn():
    rows = table.rows({Entry("expiac", "expiac", BOTH): [Turn(10.0, 12.0, 0.5), Turn(11.0, 13.0, 0.0)]})
    assert rows[0]["samples per second"] == [10.0, 11.0]
    assert rows[0]["samples per CPU second"] == [12.0, 13.0]
    assert rows[0]["cores of other work"] == [0.5, 0.0]


def test_everyone_is_there_once_on_two_cores_and_all_but_async_rollouts_on_one():
    found = [(entry.title, entry.setting.cores) for entry in entries()]
    assert len(found) == len(set(found))
    alone, two = ({title for title, cores in found if cores == count} for count in (1, 2))
    assert two - alone == {"expiac, async_rollouts", "expiac, async_rollouts, bfloat16"}
    assert alone < two
    assert set(entries()) < set(entries(every_setting=True))


def test_a_setting_says_what_is_more_than_one():
    assert str(ALONE) == "one thread"
    assert str(Setting(workers=2, threads=2)) == "2 environment processes, 2 torch threads"
    assert str(Setting(ranks=2)) == "2 ranks"
    assert str(Setting(ahead=True)) == "collects while it learns"


@pytest.mark.parametrize("entry", entries(every_setting=True), ids=lambda entry: f"{entry.title}, {entry.setting}")
def test_every_setting_is_one_of_the_config(entry: Entry, tmp_path: Path):
    """An override that the schema does not know, or refuses, would end the contestant."""
    trainer = config_of(tmp_path, *entry.arguments[1:]).trainer
    assert (trainer.num_workers, trainer.torch_threads) == (entry.setting.workers, entry.setting.threads)
    assert trainer.async_rollouts == entry.setting.ahead


def test_ranks_know_each_other():
    one, two = environments(Entry("expiac", "expiac", Setting(ranks=2)))
    assert (one["RANK"], two["RANK"], one["WORLD_SIZE"]) == ("0", "1", "2")
    assert one["MASTER_PORT"] == two["MASTER_PORT"]
    assert "RANK" not in next(environments(Entry("expiac", "expiac", ALONE)))


@pytest.mark.parametrize(("patience", "speed"), [(60.0, 20.0), (0.0, 10.0)])
def test_a_turn_beside_other_work_is_repeated(patience: float, speed: float, monkeypatch: pytest.MonkeyPatch):
    """The second one is quiet. Without patience the first one counts, whatever else the machine does."""
    monkeypatch.setattr("benchmarks.trainer_peers.running.cores_in_use", lambda: 0.0)
    left = iter([Turn(10.0, 10.0, 2 * QUIET), Turn(20.0, 20.0, 0.0), Turn(30.0, 30.0, 0.0)])
    assert quiet_turn(SimpleNamespace(turn=lambda seconds: next(left)), 1.0, patience).speed == speed


def test_who_lacks_a_module_is_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("benchmarks.trainer_peers.__main__.has", lambda python, module: module != "torchrl")
    titles = {entry.title for entry in present(entries(), "python")}
    assert "TorchRL" not in titles
    assert {"expiac", REFERENCE} < titles


def test_the_case_is_what_a_job_of_the_arena_trains(tmp_path: Path):
    config = config_of(tmp_path)
    assert (config.agent.hidden_size, config.agent.hidden_layers) == (128, 2)
    assert (config.curriculum.agents, config.curriculum.width) == (4, 12)
    layout = layout_of(config)
    assert (layout.environments, layout.steps, layout.samples, layout.minibatch) == (64, 32, 8192, 2048)


def test_the_plain_loop_has_the_advantages_of_gae():
    """Where every end is an end: the trainer's own, with a value of nothing after it."""
    reward, value, start = torch.rand(3, 6, 4).unbind(0)
    buffers = plain_loop.Buffers(value, value, value, reward, (start > 0.7).float(), value)
    after, ended = torch.rand(4), torch.tensor([0.0, 1.0, 0.0, 1.0])
    environments = SimpleNamespace(block=SimpleNamespace(features=[[0]]))
    ppo = PPOConfig(gamma=0.9, gae_lambda=0.8)
    ours = plain_loop.advantages(lambda _: (None, after), environments, buffers, ended, ppo)
    done = torch.cat([buffers.done_TN[1:], ended[None]]).bool()
    next_value = torch.cat([value[1:], after[None]]).masked_fill(done, 0.0)
    torch.testing.assert_close(ours, gae(reward, value, next_value, done, gamma=0.9, lam=0.8))


@pytest.mark.parametrize("name", ["simulator", "loop", "expiac"])
def test_a_contestant_trains_in_its_turns(name: str):
    """Two answers: at the end of the preparation, which is one update, and of a turn."""
    threads, answers = torch.get_num_threads(), io.StringIO()
    run(name, list(TINY), Turns(io.StringIO("0\n"), answers))
    torch.set_num_threads(threads)
    assert [json.loads(line)["samples"] for line in answers.getvalue().splitlines()] == [64, 64]


def measured(folder: Path, *words: str) -> set[tuple[str, int]]:
    """The title and the cores of each row, all of which have a speed."""
    results = folder / "peers.json"
    main(["--peers", sys.executable, "--seconds", "0", "--rounds", "1", "--results", str(results), *words, *TINY])
    rows = json.loads(results.read_text(encoding="utf-8"))["rows"]
    assert all(row["samples per second"][0] > 0 for row in rows)
    return {(row["title"], row["cores"]) for row in rows}


@pytest.mark.slow
def test_contestants_are_processes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    found = measured(tmp_path, "--only", "simulator", "--only", "loop", "--cores", "1")
    assert found == {("simulator alone", 1), ("loop as CleanRL's ppo.py", 1)}
    assert "| simulator alone |" in capsys.readouterr().out


@pytest.mark.soak
def test_the_table_has_all_who_need_no_peer(tmp_path: Path):
    """With two ranks too; SB3 and TorchRL may be there or not. More than ten processes, each with torch."""
    wanted = {("expiac", 1), ("expiac", 2), ("simulator alone", 1), ("loop as CleanRL's ppo.py", 2)}
    assert wanted <= measured(tmp_path)
