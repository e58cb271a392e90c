"""The rules that a plan has to pass before expiac carries it out.

You import `Refuse` and `Warn` from here for policies of your own, and the built-in policies to call them. `SHIPPED` has
these by name, and `runner.Policies`, which `apply` uses, evaluates all policies of a project.
"""

from expiac.policies.builtin import (
    SHIPPED,
    Policy,
    Refuse,
    Warn,
    budget,
    max_gpus,
    required_tags,
    reviewed_snapshots,
    spot_only,
)

__all__ = [
    "SHIPPED", "Policy", "Refuse", "Warn", "budget", "max_gpus", "required_tags", "reviewed_snapshots", "spot_only",
]
