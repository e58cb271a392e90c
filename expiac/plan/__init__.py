"""Decides what would change, and why. `planner.plan` is a pure function: it reads no file and asks no backend.

You import the values from here: a `Plan` has `Step`s, each with its `Action`, its `Change`s and what is `Desired`.
The other modules select a part of a plan, price it, check it, save it, and read the history of approved plans.
"""

from expiac.plan.model import MISSING, Action, Change, Desired, Plan, Step

__all__ = ["MISSING", "Action", "Change", "Desired", "Plan", "Step"]
