"""`apply --interactive`: asks about each step; leaves out the steps that you decline, and the steps that need them."""

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


def select_steps(plan: Plan, ask: Callable[[str], str], say: Callable[[str], None]) -> Plan:
    """The part of the plan that you say yes to; raises `Interrupted` if that is nothing."""
    todo = [step for step in plan.steps if step.action is not Action.KEEP]
    declined: list[str] = []
    answer_to_all = ""
    for number, step in enumerate(todo, start=1):
        what = f"[{number}/{len(todo)}] {step.action.value} {step.address}"
        if step.address in select(plan, exclude=declined).left_out:
            say(f"{what}: left out, it needs what was declined")
            continue
        answer = answer_to_all or _ask_until_answered(f"{what}?", ask, say)
        if answer in ("a", "q"):
            answer_to_all = answer
        if answer in ("n", "q"):
            declined.append(step.address)
    selected = select(plan, exclude=declined)
    if todo and selected.is_empty:
        raise Interrupted("Declined", "nothing was changed")
    return selected


def _ask_until_answered(question: str, ask: Callable[[str], str], say: Callable[[str], None]) -> str:
    while True:
        try:
            answer = ask(f"{question} [y,n,a,q,?] ").strip().lower()
        except EOFError:
            return "q"
        except KeyboardInterrupt:
            say("")
            raise Interrupted("Interrupted", "nothing was changed") from None
        word = {"yes": "y", "no": "n", "all": "a", "quit": "q"}.get(answer, answer)
        if word in ("y", "n", "a", "q"):
            return word
        say(_HELP)
