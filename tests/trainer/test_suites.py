"""Evaluation in several suites."""

from trainer.config import CurriculumConfig

SUITES = {"plain": {}, "walls": {"walls": 6}}
ROOM = CurriculumConfig(agents=2, width=8, height=8, mines=2, generators=2, altars=2, max_steps=20)


def evaluated(runs, suites: dict[str, dict[str, object]]) -> list[dict[str, float]]:
    config = runs.config(curriculum=ROOM, total_timesteps=512)
    config.sim.suites = suites
    return [line["metrics"] for line in runs.train(config) if any(name.startswith("eval") for name in line["metrics"])]


def test_each_of_several_suites_has_metrics_and_a_replay(runs):
    first, last = evaluated(runs, SUITES)
    names = {"eval/plain/hearts", "eval/plain/reward", "eval/walls/hearts", "eval/walls/reward"}
    assert set(first) == set(last) == names
    replays = sorted(path.name for path in (runs.folder / "run" / "replays").iterdir())
    assert replays == [f"step_{step:012d}_{name}.json.z" for step in (0, 512) for name in SUITES]


def test_one_suite_is_named_as_none_is(runs):
    first, _ = evaluated(runs, {"walls": {"walls": 6}})
    assert set(first) == {"eval/hearts", "eval/reward"}


def test_a_suite_without_differences_is_the_base(runs):
    """So that the first figure of several says what a single one would."""
    several, _ = evaluated(runs, SUITES)
    runs.train(single := runs.config("single", curriculum=ROOM, total_timesteps=512))
    alone = runs.lines(single.run_name)[0]["metrics"]
    assert (several["eval/plain/hearts"], several["eval/plain/reward"]) == (alone["eval/hearts"], alone["eval/reward"])


def test_a_suite_may_have_other_agents_and_longer_episodes(runs):
    first, last = evaluated(runs, {"long": {"agents": 1, "max_steps": 40}, "short": {"max_steps": 5}})
    assert last.keys() == first.keys()
