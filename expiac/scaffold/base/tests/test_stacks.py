"""What the stacks render to is what was reviewed, and each can be planned. Launches nothing.

A change of a snapshot is a change of what runs. `make review` shows it, and accepts it or not.
"""


def test_rendered(expiac_each_stack, expiac_snapshot):
    """The config and the task of each job, as they are in snapshots/."""
    assert expiac_each_stack.renderings == expiac_snapshot


def test_planned(expiac_each_stack):
    """Each config can be composed and is of the schema."""
    assert not expiac_each_stack.plan.is_empty
