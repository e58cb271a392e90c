"""`apply --interactive`: asks about each step; leaves out the steps that you decline, and the steps that need them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from expiac.plan.model import Action, Plan, Step
from expiac.plan.selection import select
from expiac.util.errors import Interrupted

_HELP = """\
  y  do it
  n  leave it, and what needs it
  a  do it and all that follows
  d  show it with all of its details
  q  leave it and all that follows"""


def select_steps(plan: Plan, ask: Callable[[str], str], say: Callable[[str], None],
                 details: Callable[[Step], str]) -> Plan:
    """The part of the plan that you say yes to; raises `Interrupted` if that is nothing. `details` tells all of a step.
    """
    todo = [step for step in plan.steps if step.action is not Action.KEEP]
    declined: list[str] = []
    answer_to_all = ""
    for number, step in enumerate(todo, start=1):
        what = f"[{number}/{len(todo)}] {step.action.value} {step.address}"
        if step.address in select(plan, exclude=declined).left_out:
            say(f"{what}: left out, it needs what was declined")
            continue
        answer = answer_to_all or _ask_until_answered(f"{what}?", ask, say, partial(details, step))
        if answer in ("a", "q"):
            answer_to_all = answer
        if answer in ("n", "q"):
            declined.append(step.address)
    selected = select(plan, exclude=declined)
    if todo and selected.is_empty:
        raise Interrupted("Declined", "nothing was changed")
    return selected


def _ask_until_answered(question: str, ask: Callable[[str], str], say: Callable[[str], None],
                        details: Callable[[], str]) -> str:
    while True:
        try:
            answer = ask(f"{question} [y,n,a,d,q,?] ").strip().lower()
        except EOFError:
            return "q"
        except KeyboardInterrupt:
            say("")
            raise Interrupted("Interrupted", "nothing was changed") from None
        word = {"yes": "y", "no": "n", "all": "a", "details": "d", "quit": "q"}.get(answer, answer)
        if word in ("y", "n", "a", "q"):
            return word
        say(details() if word == "d" else _HELP)
