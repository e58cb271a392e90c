"""For tests of expiac, and of your own stacks and providers: real small parts instead of mocks.

You import `World` from here: a stack with a memory provider and a real journal. If you write a provider, your tests
subclass `contract.ProviderContract`. `instants` kills a process at a chosen point.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expiac.testing.world import Clock, Run, Shown, World, ppo

__all__ = ["Clock", "Run", "Shown", "World", "ppo"]


def __getattr__(name: str) -> Any:
    """Imports the world, which imports all of expiac, when it is asked for: the memory provider needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module 'expiac.testing' has no attribute {name!r}")
    from expiac.testing import world

    return getattr(world, name)
