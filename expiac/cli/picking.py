"""`apply --interactive`: each step is asked for by itself; what needs a declined one is left out with it."""

from __future__ import annotations

from collections.abc import Callable

from expiac.plan.model import Action, Plan
from expiac.plan.selection import select
from expiac.util.errors import Interrupted

_HELP = """\
  y  do it
  n  leave it, and what needs it
  a  do it and all that follows
  q  leave it and all that follows"""


def pick(plan: Plan, ask: Callable[[str], str], say: Callable[[str], None]) -> Plan:
    """The part of the plan that was said yes to; raises `Interrupted` where that is nothing."""
    todo = [step for step in plan.steps if step.action is not Action.KEEP]
    declined: list[str] = []
    rest = ""
    for number, step in enumerate(todo, start=1):
        if step.address in select(plan, exclude=declined).left_out:
            say(f"[{number}/{len(todo)}] {step.action.value} {step.address}: left out, it needs what was declined")
            continue
        answer = rest or _answer(f"[{number}/{len(todo)}] {step.action.value} {step.address}?", ask, say)
        rest = answer if answer in ("a", "q") else rest
        if answer in ("n", "q"):
            declined.append(step.address)
    picked = select(plan, exclude=declined)
    if todo and picked.is_empty:
        raise Interrupted("Declined", "nothing was changed")
    return picked


def _answer(question: str, ask: Callable[[str], str], say: Callable[[str], None]) -> str:
    while True:
        try:
            answer = ask(f"{question} [y,n,a,q,?] ").strip().lower()
        except EOFError:
            return "q"
        word = {"yes": "y", "no": "n", "all": "a", "quit": "q"}.get(answer, answer)
        if word in ("y", "n", "a", "q"):
            return word
        say(_HELP)
