"""How `--help` is laid out: the commands in groups, each with an example. Knows their names, not what they do."""

from __future__ import annotations

from copy import copy
from typing import Any

import typer

GROUPS = {
    "Plan and apply": {
        "plan": "expiac plan lr_ab_test gpus=4 training.seed=1",
        "apply": "expiac apply lr_ab_test --wait",
        "destroy": "expiac destroy lr_ab_test --target job_0",
        "show": "expiac show 0a1b2c3d",
        "render": "expiac render lr_ab_test --out rendered",
        "review": "expiac review lr_ab_test",
        "verify": "expiac verify exported/manifest.json",
        "rerun": "expiac rerun 0a1b2c3d --wait",
        "promote": "expiac promote 0a1b2c3d",
        "import": "expiac import lr_ab_test job_0 17",
        "refresh": "expiac refresh lr_ab_test",
    },
    "Look": {
        "stacks": "expiac stacks",
        "status": "expiac status lr_ab_test --watch",
        "logs": "expiac logs lr_ab_test job_0 --follow",
        "history": "expiac history lr_ab_test 12",
    },
    "Results": {
        "runs": "expiac runs --where 'lr<1e-3 and status=failed'",
        "results": "expiac results lr_ab_test --format csv",
        "compare": "expiac compare lr_ab_test --metric reward --at auc",
        "report": "expiac report lr_ab_test -o report.html",
        "cost": "expiac cost --since 30d --by user",
        "output": "expiac output lr_ab_test job_0 checkpoint",
        "fetch": "expiac fetch lr_ab_test job_0 checkpoint",
        "diff": "expiac diff 0a1b2c3d 4e5f6a7b",
        "sync": "expiac sync lr_ab_test --dry-run",
    },
    "State and disk": {
        "state": "expiac state list lr_ab_test --archived",
        "prune": "expiac prune lr_ab_test --older-than 30d --dry-run",
    },
    "Project": {
        "new": "expiac new my_project",
        "version": "expiac version",
    },
}
"""The commands by group, in the order in which the help lists them; a test holds that none is missing."""
STATE = {
    "list": "expiac state list lr_ab_test --archived",
    "show": "expiac state show lr_ab_test job_0",
    "rm": "expiac state rm lr_ab_test job_0",
    "mv": "expiac state mv lr_ab_test job_0 small",
    "pull": "expiac state pull lr_ab_test > state.jsonl",
    "push": "expiac state push state.jsonl",
    "compact": "expiac state compact lr_ab_test",
    "repair": "expiac state repair lr_ab_test",
    "unlock": "expiac state unlock lr_ab_test",
}
"""The commands of `expiac state`."""


def arrange(app: typer.Typer, state: typer.Typer) -> None:
    """Gives each command its group and its example."""
    order = [name for commands in GROUPS.values() for name in commands]
    places = {name: place for place, name in enumerate(order)}
    app.registered_commands.sort(key=lambda command: places.get(_name(command), len(order)))
    for group, examples in GROUPS.items():
        known: list[Any] = [*app.registered_commands, *app.registered_groups]
        for command in known:
            if _name(command) in examples:
                command.rich_help_panel, command.epilog = group, _example(examples[_name(command)])
    for command in state.registered_commands:
        command.epilog = _example(STATE[_name(command)]) if _name(command) in STATE else None


def with_command(app: typer.Typer, name: str) -> typer.Typer:
    """The app with the command of this name alone, which is made faster than all; with all where it has none such."""
    named = [command for command in app.registered_commands if _name(command) == name]
    if not named:
        return app
    alone = copy(app)
    alone.registered_commands, alone.registered_groups = named, []
    return alone


def hide_types_of_flags(command: Any, context: typer.Context | None = None) -> None:
    """Lets no help say `<bool>` of an option that takes no value."""
    context = context or typer.Context(command, **command.context_settings)
    for option in command.get_params(context):
        if getattr(option, "is_flag", False):
            option.metavar = ""
    for name, inner in getattr(command, "commands", {}).items():
        hide_types_of_flags(inner, typer.Context(inner, parent=context, info_name=name))


def _name(command: Any) -> str:
    return str(command.name or command.callback.__name__.strip("_"))


def _example(command: str) -> str:
    return f"Example: {command}"
