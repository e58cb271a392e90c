"""What tests of expiac, and of programs written with it, stand on: a world of real small parts."""

from expiac.testing.world import Clock, Run, Shown, World, ppo

__all__ = ["Clock", "Run", "Shown", "World", "ppo"]
