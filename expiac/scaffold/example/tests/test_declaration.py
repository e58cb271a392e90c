"""A stack is a value: tests compare it, and launch nothing."""

from stacks.digits import Digits, stack


def test_the_arms_differ_in_their_optimizer_only():
    """That is what makes it an A/B test."""
    sgd, adam = (job.inputs() for job in stack(Digits()).resources)
    assert sgd["config"].pop("defaults") == [{"/optimizer": "sgd"}, "_self_"]
    assert adam["config"].pop("defaults") == [{"/optimizer": "adam"}, "_self_"]
    assert sgd == adam


def test_the_same_config_gives_an_equal_stack():
    """And another one does not."""
    assert stack(Digits(epochs=5)) == stack(Digits(epochs=5)) != stack(Digits(epochs=6))


def test_seeds_make_several_runs_of_each_arm():
    """Named after their seeds; without them, nothing is said of a seed."""
    jobs = stack(Digits(seeds=2)).resources
    assert [job.name for job in jobs] == ["sgd_seed_0", "sgd_seed_1", "adam_seed_0", "adam_seed_1"]
    assert [job.training.seed for job in jobs] == [0, 1, 0, 1]
    assert [job.training.seed for job in stack(Digits()).resources] == [None, None]
