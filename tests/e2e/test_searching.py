"""Searches on the local backend, by the real command line and the real Optuna."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from throwaway import Folder, until

WORK = '''
import json, math, os, sys, time
rate, steps, pause = float(os.environ["RATE"]), int(sys.argv[1]), float(sys.argv[2])
if rate > float(os.environ.get("BREAKS_ABOVE", "inf")):
    sys.exit("too fast")
with open("metrics.jsonl", "w") as file:
    for step in range(1, steps + 1):
        score = 10 - (math.log10(rate) + 3) ** 2 - (steps - step) / steps
        print(json.dumps({"step": step, "total_steps": steps, "score": score}), file=file, flush=True)
        time.sleep(pause)
'''

STACK = """\
from expiac import Search, Sweep, Uniform

def stack():
    job = Job("train", run="python {work} {steps} {pause}", outputs={{"metrics": "metrics.jsonl"}},
              skypilot=SkypilotJobConfig(gpus=0, workdir=None, envs={{"RATE": "0.1", **{env}}}))
    search = Search(space={{"RATE": Uniform(1e-5, 1, log=True)}}, **{search})
    return Stack("small", [Sweep("lr", job, search, metric="score")])
"""


def _declare(project: Folder, *, steps: int = 3, pause: float = 0, env: Mapping[str, str] | None = None,
             **search: Any) -> None:
    work = project.root / "work.py"
    work.write_text(WORK)
    project.stack(STACK.format(work=work, steps=steps, pause=pause, env=dict(env or {}), search=search))


def _events(project: Folder, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (project.root / ".expiac" / "small.jsonl").read_text().splitlines()[1:]]
    return [line["body"] for line in lines if line["event"] == kind]


def _launches(project: Folder) -> list[str]:
    return [event["address"] for event in _events(project, "started") if event["effect"] == "create"]


def _rates(project: Folder) -> list[float]:
    return [event["trial"]["RATE"] for event in _events(project, "started") if event["effect"] == "create"]


def _outlook(project: Folder) -> str:
    return str(json.loads(project.output("plan", "--json"))["outlook"][0])


def test_a_search_runs_to_its_end(project: Folder) -> None:
    _declare(project, trials=6, max_concurrent=2)
    plan = json.loads(project.output("plan", "--json"))
    assert [step["address"] for step in plan["steps"]] == ["lr/trial_0", "lr/trial_1"]
    assert plan["outlook"] == ["lr: 2 of 6 trials, 4 more, as results come in"]
    project.output("apply", "--yes", "--wait")
    assert sorted(_launches(project)) == [f"lr/trial_{number}" for number in range(6)]
    told = _events(project, "told")
    assert sorted(event["address"] for event in told) == [f"lr/trial_{number}" for number in range(6)]
    assert {event["outcome"]["state"] for event in told} == {"complete"}
    assert _outlook(project) == "lr: 6 of 6 trials, 6 complete"
    assert "no changes" in project.output("plan")


def test_without_wait_each_apply_goes_on_and_comes_to_the_same(project: Folder) -> None:
    """One trial at a time is the same sequence however it is driven."""
    _declare(project, trials=4)
    for _ in range(4):
        project.output("apply", "--yes")
        project.output("status", "--watch", "--timeout", "20")
    assert _launches(project) == [f"lr/trial_{number}" for number in range(4)]
    by_hand = _rates(project)
    project.output("destroy", "--yes")
    (project.root / ".expiac" / "small.jsonl").unlink()
    project.output("apply", "--yes", "--wait")
    assert _rates(project) == by_hand


def test_losing_trials_end_early(project: Folder) -> None:
    _declare(project, steps=30, pause=0.1, trials=8, max_concurrent=2, pruner="median",
             pruner_options={"n_startup_trials": 1})
    project.output("apply", "--yes", "--wait")
    told = {event["address"]: event["outcome"] for event in _events(project, "told")}
    pruned = [address for address, outcome in told.items() if outcome["state"] == "pruned"]
    assert len(told) == 8
    assert pruned
    assert all(told[address]["step"] < 1 for address in pruned)
    present = {run["address"] for run in json.loads(project.output("status", "--json"))["resources"]}
    assert present == told.keys() - set(pruned)
    assert "no changes" in project.output("plan")
    assert len(_launches(project)) == 8


def test_failed_trials_count_and_end_the_search(project: Folder) -> None:
    _declare(project, trials=9, env={"BREAKS_ABOVE": "0"}, max_failures=2)
    done = project.expiac("apply", "--yes", "--wait")
    assert done.returncode == 1
    assert len(_launches(project)) == 3
    assert _outlook(project) == "lr: 3 of 9 trials, 3 failed, no more: 3 trials have failed, and max_failures is 2"


def test_it_stops_when_it_has_found_enough(project: Folder) -> None:
    _declare(project, trials=9, stop_when=">= -100")
    project.output("apply", "--yes", "--wait")
    assert len(_launches(project)) == 1
    assert "no more: trial_0 has come to" in _outlook(project)


def test_more_trials_go_on_where_it_was(project: Folder) -> None:
    _declare(project, trials=2)
    project.output("apply", "--yes", "--wait")
    _declare(project, trials=3)
    project.output("apply", "--yes", "--wait")
    assert _launches(project) == ["lr/trial_0", "lr/trial_1", "lr/trial_2"]


def test_another_job_runs_all_trials_again_with_their_values(project: Folder) -> None:
    _declare(project, trials=2)
    project.output("apply", "--yes", "--wait")
    before = _rates(project)
    _declare(project, steps=5, trials=2)
    project.output("apply", "--yes", "--wait")
    assert _rates(project) == before * 2
    assert _outlook(project) == "lr: 2 of 2 trials, 2 complete"


def test_a_destroyed_search_begins_anew(project: Folder) -> None:
    _declare(project, trials=2)
    project.output("apply", "--yes", "--wait")
    project.output("destroy", "--yes")
    assert _outlook(project) == "lr: 1 of 2 trials, 1 more, as results come in"


def test_a_missing_metric_is_a_failed_trial(project: Folder) -> None:
    _declare(project, trials=1)
    stack = project.root / "stacks" / "small.py"
    stack.write_text(stack.read_text().replace('metric="score"', 'metric="scores"'))
    project.output("apply", "--yes", "--wait")
    assert _outlook(project) == "lr: 1 of 1 trials, 1 failed"


@pytest.mark.parametrize(("search", "message"), [
    ({"trials": 0}, "greater than or equal to 1"), ({"trials": 2, "sampler": "nobody"}, "none of Optuna's"),
    ({"trials": 2, "stop_when": "14"}, "is no bound"),
])
def test_mistakes_are_named_while_planning(project: Folder, search: Mapping[str, Any], message: str) -> None:
    _declare(project, **search)
    done = project.expiac("plan")
    assert done.returncode == 1
    assert message in done.stderr


def test_an_edit_while_it_waits_relaunches_nothing(project: Folder) -> None:
    """Nobody has been told of it: it is for the next plan."""
    data = project.root / "data.txt"
    data.write_text("one")
    _declare(project, steps=8, pause=0.25, trials=3)
    stack = project.root / "stacks" / "small.py"
    stack.write_text(stack.read_text().replace("gpus=0,", f"gpus=0, file_mounts={{'data.txt': '{data}'}},"))
    waiting = project.begin("apply", "--yes", "--wait")
    until(lambda: (project.root / ".expiac" / "small.jsonl").exists() and len(_launches(project)) >= 1, "a trial runs")
    data.write_text("two")
    waiting.communicate(timeout=60)
    assert sorted(_launches(project)) == ["lr/trial_0", "lr/trial_1", "lr/trial_2"]
    assert "replace" in project.output("plan")


def test_settings_that_were_pruned_are_not_taken_up(project: Folder) -> None:
    """In a small space the same settings come again: as runs of their own, and the search ends."""
    _declare(project, steps=20, pause=0.1, trials=4, pruner="threshold", pruner_options={"lower": 100})
    stack = project.root / "stacks" / "small.py"
    stack.write_text(stack.read_text().replace("Uniform(1e-5, 1, log=True)", "[0.1, 0.2]"))
    project.output("apply", "--yes", "--wait")
    assert _outlook(project) == "lr: 4 of 4 trials, 4 pruned"
    assert len(_launches(project)) == 4
    project.output("destroy", "--yes")
    assert _outlook(project) == "lr: 1 of 4 trials, 3 more, as results come in"


def test_what_was_left_out_stays_out_while_it_waits(project: Folder) -> None:
    _declare(project, trials=3)
    stack = project.root / "stacks" / "small.py"
    stack.write_text(stack.read_text().replace("[Sweep(", "[Job('other', run='true', skypilot=HERE), Sweep("))
    project.output("apply", "--yes", "--wait", "--exclude", "lr")
    assert _launches(project) == ["other"]
    project.output("apply", "--yes", "--wait", "--target", "lr")
    assert len(_launches(project)) == 4


def test_a_search_whose_upstream_failed_does_not_wait_for_ever(project: Folder) -> None:
    _declare(project, trials=3)
    stack = project.root / "stacks" / "small.py"
    stack.write_text(stack.read_text().replace("[Sweep(", "[Job('base', run='exit 3', skypilot=HERE), Sweep(")
                     .replace('metric="score")', 'metric="score", depends_on=("base",))'))
    done = project.expiac("apply", "--yes", "--wait", "--timeout", "40")
    assert done.returncode == 1
    assert "Still running" not in done.stderr
    assert _launches(project) == ["base"]


def test_one_search_that_ends_leaves_the_other(project: Folder) -> None:
    _declare(project, trials=3)
    stack = project.root / "stacks" / "small.py"
    stack.write_text(stack.read_text().replace("[Sweep(", "[Sweep('bad', Job('x', run='exit 3', skypilot="
                     "SkypilotJobConfig(gpus=0, workdir=None, envs={'RATE': '1'})), search, metric='score'), Sweep("))
    project.expiac("apply", "--yes", "--wait", "--max-failures", "0")
    assert sorted(_launches(project)) == ["bad/trial_0", "lr/trial_0", "lr/trial_1", "lr/trial_2"]
