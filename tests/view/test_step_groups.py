"""How a plan shows sweeps and components: one line each, a table of trials, and nothing folded that is to be minded."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

from jsonschema import Draft202012Validator
from plans import change, new, plan, step, trial

from expiac.cli.events import dumps
from expiac.plan.model import Action, Plan
from expiac.state.facts import SweepFacts
from expiac.view import show
from expiac.view.markdown import markdown

FACTS = {"lr": SweepFacts(("optimizer.lr", "seed"), "loss", "minimize", 3)}


def sweep(trials: int, **more: object) -> Plan:
    return plan(*(trial(f"lr/seed_{seed}", {"optimizer.lr": 0.1, "seed": seed}, **more) for seed in range(trials)),
                sweeps=FACTS)


def test_a_sweep_is_a_table_of_its_trials():
    """A column for each swept setting, under a short name; what all of them set stands once, below."""
    kept = step("lr/seed_3", Action.KEEP, "succeeded")
    assert show.text(replace(sweep(2), steps=(*sweep(2).steps, kept))).splitlines() == [
        "+ lr   2 to create, 1 unchanged",
        "    trial   lr   seed",
        "  + seed_0  0.1  0",
        "  + seed_1  0.1  1",
        "",
        "Shared by lr (2 to create):",
        "  optimizer.lr: 0.1",
        "  gpus: 4",
        "",
        "2 to create, 1 unchanged"]


def test_a_thousand_trials_fit_a_screen():
    """The first and the last ones are shown; with --verbose, each has its line."""
    short = show.text(sweep(1000), 80).splitlines()
    assert len(short) < 24
    assert max(map(len, short)) <= 80
    assert "  … 990 more (--verbose shows all)" in short
    assert "  + seed_999  0.1  999" in short
    assert len([line for line in show.text(sweep(1000), verbose=True).splitlines() if "+ lr/seed_" in line]) == 1000


def test_long_names_give_way_to_values():
    long = plan(trial(f"lr/{'a' * 60}", {"one": "b" * 30, "two": 2}), sweeps=FACTS)
    (line,) = [line for line in show.text(long, 80).splitlines() if line.startswith("  + ")]
    assert len(line) <= 80
    assert line.endswith("  2")


def test_what_a_folded_trial_is_warned_of_is_seen():
    """Alike warnings once, with whom they are about; also those of trials to which nothing happens."""
    failed = [step(f"lr/bad_{number}", Action.KEEP, "failed", warning="failed: exit code 3") for number in range(30)]
    odd = trial("lr/odd", {"seed": 7}, warning="differs in gpus")
    text = show.text(plan(*sweep(500).steps, odd, *failed, sweeps=FACTS))
    assert "    ! lr/odd: differs in gpus" in text
    assert "    ! lr/bad_0, lr/bad_1, lr/bad_2 and 27 more: failed: exit code 3" in text


def test_what_trials_have_in_common_is_said_once():
    """A change of all; and that some wait."""
    changed = [trial(f"lr/seed_{seed}", {"seed": seed}, Action.REPLACE, reason="") for seed in range(3)]
    of_all = [replace(one, changes=(change("steps", 10, 20),)) for one in changed]
    assert "    each: steps: 10 → 20" in show.text(plan(*of_all, sweeps=FACTS)).splitlines()
    waiting = [trial(f"lr/seed_{seed}", {"seed": seed}, reason="new; waits for a place", deferred=seed > 0)
               for seed in range(3)]
    assert "    2 deferred: waits for a place" in show.text(plan(*waiting, sweeps=FACTS)).splitlines()


def test_what_one_trial_alone_has_stands_below_it():
    alone = trial("lr/seed_9", {"seed": 9}, Action.REPLACE, reason="base is a new run")
    lines = show.text(plan(*sweep(2).steps, alone, sweeps=FACTS)).splitlines()
    assert lines[lines.index("  ± seed_9       9") + 1] == "      base is a new run"


def test_a_component_is_one_line_with_counts():
    """What changes in it is said; --verbose opens it."""
    part = plan(new("small/a", {"gpus": 1}), new("small/b", {"gpus": 1}), step("small/c", Action.STOP, "running"),
                step("base", Action.KEEP, "succeeded"))
    assert show.text(part).splitlines()[:3] == ["  small   2 to create, 1 to stop", "    - c: running",
                                                "= base    succeeded"]
    assert "+ small/a   gpus: 1" in show.text(part, verbose=True) or "+ small/a" in show.text(part, verbose=True)


def test_a_destroy_is_one_line_for_each():
    gone = plan(*(step(f"lr/seed_{seed}", Action.STOP, "running, to be destroyed") for seed in range(60)),
                step("lr/old", Action.FORGET, "succeeded, to be destroyed"), destroys=True)
    assert show.text(gone).splitlines() == ["  lr   60 to stop, 1 to forget", "", "60 to stop, 1 to forget"]


def test_jobs_left_out_are_counted():
    left = plan(step("base", Action.KEEP, "succeeded"), left_out=tuple(f"lr/{number}" for number in range(996)))
    assert "left out, and would change: lr (996)" in show.text(left)


def test_markdown_opens_a_group_by_a_click():
    text = markdown(sweep(3))
    assert "| + | `lr` | 3 to create |" in text
    assert "<details><summary>lr: 3 to create</summary>" in text
    assert "| + | `seed_2` | `0.1` | `2` |  |" in text
    assert len(markdown(sweep(5000))) < 65_536


def test_json_says_of_which_component_a_step_is():
    document = json.loads(dumps(show.document(sweep(2))))
    schema = json.loads(files("expiac.view").joinpath("schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert [(one["component"], one["trial"]["seed"]) for one in document["steps"]] == [("lr", 0), ("lr", 1)]
    assert document["sweeps"]["lr"]["metric"] == "loss"
