"""For tests of expiac, and of your own stacks and providers: real small parts instead of mocks.

You import `World` from here: a stack with a memory provider and a real journal. If you write a provider, your tests
subclass `contract.ProviderContract`. `instants` kills a process at a chosen point.
"""

from expiac.testing.world import Clock, Run, Shown, World, ppo

__all__ = ["Clock", "Run", "Shown", "World", "ppo"]
