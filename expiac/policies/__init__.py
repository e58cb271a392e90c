"""The rules that a plan has to pass before expiac carries it out.

You import `Refuse` and `Warn` from here for policies of your own. `SHIPPED` has the built-in policies by name, and
`runner.Policies`, which `apply` uses, evaluates all policies of a project.
"""

from expiac.policies.builtin import SHIPPED, Policy, Refuse, Warn

__all__ = ["SHIPPED", "Policy", "Refuse", "Warn"]
