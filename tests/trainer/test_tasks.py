"""From a curriculum's settings to its tasks."""

import pytest

from trainer.config import BucketConfig, CurriculumConfig, DrawConfig
from trainer.tasks import varied

ROOM = {"agents": 2, "width": 12, "height": 12, "mines": 2, "generators": 2, "altars": 2, "max_steps": 20}


def curriculum(**more: object) -> CurriculumConfig:
    return CurriculumConfig(**ROOM, **more)


def test_without_tasks_there_is_the_base():
    (task,) = curriculum().expanded()
    assert (task.name, task.config()) == ("base", varied(curriculum(), {}))


def test_a_task_is_what_differs_from_the_base():
    easy, hard = curriculum(tasks={"easy": {}, "hard": {"walls": 9}}).expanded()
    assert (easy.name, easy.config().walls) == ("easy", 0)
    assert (hard.name, hard.config().walls, hard.config().width) == ("hard", 9, 12)


def test_buckets_combine():
    """Every value of the one with every value of the other, for every task."""
    buckets = {"walls": BucketConfig(values=[0, 5]), "shaped_reward": BucketConfig(values=[0, 0.5, 1])}
    tasks = curriculum(tasks={"a": {}, "b": {"altars": 3}}, buckets=buckets).expanded()
    assert len(tasks) == 2 * 2 * 3
    assert (tasks[0].name, tasks[-1].name) == ("a,walls=0,shaped_reward=0", "b,walls=5,shaped_reward=1")
    assert (tasks[-1].config().altars, tasks[-1].config().walls, tasks[-1].config().shaped_reward) == (3, 5, 1.0)


def test_a_range_is_cut_into_parts_and_a_value_drawn_in_each():
    low, high = curriculum(buckets={"shaped_reward": BucketConfig(range=(0, 1), bins=2)}).expanded()
    assert (low.name, high.name) == ("shaped_reward=0-0.5", "shaped_reward=0.5-1")
    assert low.config([0.5]).shaped_reward == 0.25
    assert high.config([0.5]).shaped_reward == 0.75


def test_whole_numbers_stay_whole():
    (task,) = curriculum(buckets={"width": BucketConfig(range=(12, 20), bins=1)}).expanded()
    assert [task.config([draw]).width for draw in (0.0, 0.33, 1.0)] == [12, 15, 20]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tasks": {"a": {"wals": 3}}}, "task a: wals: Unexpected keyword argument"),
        ({"tasks": {"a": {"walls": 999}}}, "task a: 1007 things fill more than half"),
        ({"tasks": {"a": {}, "b": {"agents": 3}}}, "as many agents"),
        ({"tasks": {"a": {}, "b": {"observe": "tokens"}}}, "observed in the same way"),
        ({"buckets": {"wals": {"values": [3]}}}, "wals is no setting with a number"),
        ({"buckets": {"kind": {"values": [3]}}}, "kind is no setting with a number"),
        ({"buckets": {"combat": {"values": [1]}}}, "combat is no setting with a number"),
        ({"buckets": {"walls": {"range": (0, 500)}}}, "fill more than half"),
        ({"buckets": {"walls": {"range": (5, 5)}}}, "no range"),
        ({"buckets": {"walls": {}}}, "either values or a range"),
        ({"buckets": {"walls": {"values": list(range(40))}, "shaped_reward": {"range": (0, 1), "bins": 30}}}, "1000"),
        ({"draw": {"weights": {"b": 2.0}}}, "draw.weights has b; the tasks are base"),
        ({"draw": {"rule": "progressive", "weights": {"base": 2.0}}}, "weights is for draw.rule random"),
        ({"draw": {"success": 0}}, "greater than 0"),
        ({"mines": 0}, "arena needs mines"),
        ({"gymnasium_id": "CartPole-v1"}, "gymnasium_id is for kind gymnasium"),
        ({"kind": "navigation", "combat": True, "laseries": 1}, "combat is for kind arena"),
        ({"kind": "navigation", "width": 3}, "at least 4"),
    ],
)
def test_a_wrong_curriculum_says_why(wrong: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        CurriculumConfig(**(ROOM | wrong))


def test_a_curriculum_survives_json():
    one = curriculum(
        tasks={"a": {"walls": 3}}, buckets={"width": BucketConfig(range=(12, 20))}, draw=DrawConfig(score="hearts")
    )
    assert CurriculumConfig.from_json(one.to_json()) == one
