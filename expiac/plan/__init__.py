"""What would change, and why: the pure planner, its values, and what is checked of a plan before it is carried out."""

from expiac.plan.model import MISSING, Action, Change, Desired, Plan, Step

__all__ = ["MISSING", "Action", "Change", "Desired", "Plan", "Step"]
