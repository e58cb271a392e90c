"""A job of others is compared with what we would launch, by names and never by values."""

import yaml

from expiac.providers.skypilot.differences import differences

OURS = {"name": "a", "run": "train", "num_nodes": 2, "envs": {"SEED": "1", "EXPIAC_LAUNCH": "x"}}


def test_the_same_task_does_not_differ() -> None:
    theirs = {"name": "b", "run": "train", "num_nodes": 2, "envs": {"SEED": "1"}}
    assert differences(yaml.safe_dump_all([{"name": "b"}, theirs]), OURS) == ()


def test_fields_and_variables_are_named_without_their_values() -> None:
    theirs = {"run": "other", "num_nodes": 2, "envs": {"SEED": "hush"}, "secrets": {"KEY": "hush"}}
    assert differences(yaml.safe_dump(theirs), OURS) == ("run", "envs.SEED", "secrets.KEY")


def test_what_cannot_be_read_cannot_be_compared() -> None:
    assert {differences(text, OURS) for text in ("", "a: [", "just words")} == {("cannot be compared",)}


def test_a_pipeline_is_not_a_job_of_ours() -> None:
    assert differences(yaml.safe_dump_all([{"run": "a"}, {"run": "b"}]), OURS) == ("2 tasks",)
