"""Rules that a plan has to pass: those that come with expiac, and what a project's own are made of."""

from expiac.policies.builtin import SHIPPED, Policy, Refuse, Warn

__all__ = ["SHIPPED", "Policy", "Refuse", "Warn"]
