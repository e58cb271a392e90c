"""How a plan shows the settings of what is new: what jobs share once, of each what it has alone."""

from __future__ import annotations

from plans import new, plan

from expiac.plan.model import Plan
from expiac.view import show


def sweep(jobs: int) -> Plan:
    return plan(*(new(f"job_{seed}", {"config": {"seed": seed, "optimizer": {"lr": 0.1}}, "gpus": 4})
                  for seed in range(jobs)))


def test_a_new_job_shows_what_it_sets():
    """As compactly as a change: a line for each setting; a training config's key paths stand alone."""
    train = new("train", {"config": {"optimizer": {"lr": 0.1}}, "gpus": 4, "tags": ["a"], "envs": {}})
    assert show.steps(plan(train)) == [
        "+ train   optimizer.lr: 0.1", "          gpus: 4", '          tags: ["a"]', "          envs: {}"]


def test_a_new_job_that_sets_nothing_is_new():
    assert show.steps(plan(new("train", {}))) == ["+ train   new"]


def test_what_it_waits_for_is_said_besides():
    train = new("train", {"gpus": 4}, reason="new; waits for base", deferred=True)
    assert show.steps(plan(train)) == ["+ train   gpus: 4", "          deferred: waits for base"]


def test_what_jobs_share_is_said_once():
    """Each has a line with what it has alone."""
    assert show.text(sweep(2)).splitlines() == [
        "+ job_0   seed: 0", "+ job_1   seed: 1", "",
        "Shared by job_0, job_1:", "  optimizer.lr: 0.1", "  gpus: 4", "",
        "2 to create"]


def test_a_thousand_jobs_fit_a_screen():
    """The others are counted; with --verbose, each has its line."""
    short, full = show.text(sweep(1000)), show.text(sweep(1000), verbose=True)
    assert len(short.splitlines()) < 30
    assert "980 more, to job_999: --verbose lists them" in short
    assert "Shared by all 1000 to create:" in short
    assert len([line for line in full.splitlines() if "seed: " in line]) == 1000


def test_a_job_that_is_warned_of_is_never_folded():
    several = plan(*sweep(100).steps, new("odd", {"config": {"seed": 7, "optimizer": {"lr": 0.1}}, "gpus": 4},
                                          warning="differs in gpus"))
    assert "+ odd      seed: 7\n           ! differs in gpus" in show.text(several)


def test_a_default_is_named_where_other_jobs_say_otherwise():
    """It is no setting of its own, but the one thing in which the job differs."""
    common = {"config": {"lr": 0.1, "depth": 2}}
    first = new("a", common, {"config": {"lr": 0.1, "depth": 2, "seed": 0}})
    second = new("b", {"config": {"lr": 0.1, "depth": 2, "seed": 1}})
    assert show.steps(plan(first, second)) == ["+ a   seed: 0", "+ b   seed: 1"]


def test_a_default_is_not_named_where_few_jobs_say_otherwise():
    """A job that has something of its own is told apart by that."""
    first = new("a", {"gpus": 4, "config": {"seed": 1}}, {"gpus": 4, "config": {"seed": 1, "init": None}})
    second = new("b", {"gpus": 4, "config": {"init": "a.pt"}}, {"gpus": 4, "config": {"seed": 0, "init": "a.pt"}})
    assert show.steps(plan(first, second)) == ["+ a   seed: 1", "+ b   init: a.pt"]


def test_jobs_that_are_unlike_are_not_grouped():
    one, other = new("a", {"run": "echo a", "gpus": 1}), new("b", {"run": "echo b", "cpus": 2})
    assert "Shared" not in show.text(plan(one, other))


def test_two_kinds_of_jobs_are_two_groups():
    jobs = [new(f"fit_{seed}", {"run": "fit", "envs": {"SEED": seed}}) for seed in range(5)]
    jobs += [new(f"plot_{seed}", {"run": "plot", "envs": {"FILE": seed}, "cpus": 2, "memory": 8}) for seed in range(5)]
    text = show.text(plan(*jobs))
    assert "Shared by fit_0, fit_1, fit_2 and 2 more:\n  run: fit\n" in text
    assert "Shared by plot_0, plot_1, plot_2 and 2 more:\n  run: plot\n  cpus: 2\n" in text


def test_long_values_and_long_lists_are_cut_unless_verbose():
    many = {f"key_{number}": number for number in range(30)}
    one = plan(new("train", {"run": "x" * 200, "config": many}))
    short, full = show.text(one, 80), show.text(one, 80, verbose=True)
    assert max(map(len, short.splitlines())) <= 80
    assert "and 19 more: --verbose" in short
    assert "x" * 200 in full
    assert "key_29: 29" in full


def test_verbose_shows_every_input():
    """Also what the program itself does not say; a script stands as it is."""
    one = plan(new("train", {"gpus": 4}, {"gpus": 4, "config": {"lr": 0.1}, "run": "set -e\npython train.py\n"}))
    assert show.text(one, verbose=True).splitlines()[:5] == [
        "+ train   gpus: 4", "          lr: 0.1", "          run:", "            set -e", "            python train.py"]


def test_a_script_cannot_steer_the_terminal():
    """Text with control characters is quoted."""
    one = plan(new("train", {"run": "a\n\x1b[2J"}))
    assert "\x1b" not in show.text(one, verbose=True)


def test_a_price_that_all_share_is_said_once():
    """And each by itself where they differ."""
    alike = [new(f"job_{seed}", {"lr": 0.1, "seed": seed}, cost_per_hour=2.0) for seed in range(3)]
    text = show.text(plan(*alike))
    assert text.count("$2.00 per hour") == 1
    assert "  each: $2.00 per hour\n" in text
    other = new("job_3", {"lr": 0.1, "seed": 3}, cost_per_hour=5.0)
    assert show.text(plan(*alike, other)).count("$2.00 per hour") == 3
