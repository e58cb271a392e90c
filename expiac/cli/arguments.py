"""The words and flags that commands share, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from expiac.cli.complete import stacks

if TYPE_CHECKING:
    from expiac.plan.model import Action

StackArg = Annotated[
    str | None,
    typer.Argument(metavar="STACK", autocompletion=stacks, show_default=False,
                   help="A stack file or its stem in stacks/; may be left out where there is only one."),
]
StackOrPlan = Annotated[
    str | None,
    typer.Argument(metavar="STACK|FILE", autocompletion=stacks, show_default=False,
                   help="A stack file or its stem in stacks/, or a plan saved by `plan --out`; may be left out where "
                        "there is only one stack."),
]
OverridesArg = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", show_default=False,
                   help="Settings of the stack's config: gpus=4 trainer.optimizer.learning_rate=1e-3"),
]
JobArg = Annotated[
    str | None, typer.Argument(metavar="JOB", show_default=False,
                                  help="The job's name; may be left out where there is only one."),
]
StackName = Annotated[str, typer.Argument(metavar="STACK", autocompletion=stacks, show_default=False,
                                          help="A stack file or its stem in stacks/.")]
ImportedAs = Annotated[str, typer.Argument(metavar="NAME", show_default=False,
                                           help="The job of the stack that it becomes.")]
JobId = Annotated[str, typer.Argument(metavar="JOB_ID", show_default=False,
                                      help="Its id among SkyPilot's managed jobs.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]
NoRefresh = Annotated[bool, typer.Option("--no-refresh", help="Believe the state; ask no backend.")]
Replace = Annotated[list[str] | None, typer.Option("--replace", metavar="NAME", show_default=False,
                                                      help="Run this job anew though nothing changed; repeatable.")]
Target = Annotated[list[str] | None, typer.Option("--target", metavar="NAME", show_default=False,
                                                     help="Only this job (globs too), and what it needs; repeatable.")]
Exclude = Annotated[list[str] | None, typer.Option("--exclude", metavar="NAME", show_default=False,
                                                      help="Not this job (globs too), nor what needs it; repeatable.")]
Only = Annotated[str | None, typer.Option("--only", metavar="ACTION,…", show_default=False,
                                          help="Only steps that do this: create, update, replace, relaunch, stop, "
                                               "forget. Said to apply, it is consent to them.")]
Interactive = Annotated[bool, typer.Option("--interactive", "-i", help="Ask for each step by itself.")]
Retry = Annotated[bool, typer.Option("--retry", help="Launch failed and cancelled runs again.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Parallelism = Annotated[int, typer.Option("--parallelism", min=1, metavar="N", help="How many steps at a time.")]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until every run has ended, and begin what waited for them.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Stay until every run has ended.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0, metavar="SECONDS", show_default=False,
                                        help="With --wait or --watch: how long at most; a week where it is not said.")]
DetailedExitcode = Annotated[bool, typer.Option("--detailed-exitcode",
                                                help="Exit with 2 where something would change.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")]
Node = Annotated[int | None, typer.Option("--node", min=0, metavar="RANK", show_default=False,
                                             help="Of this node only.")]
Save = Annotated[Path | None, typer.Option("--out", metavar="FILE", show_default=False, dir_okay=False,
                                          help="Save the plan there, for `expiac apply FILE`.")]
PlanFile = Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="A plan that was saved.")]
RecordName = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="The name of a resource.")]
RecordNames = Annotated[list[str], typer.Argument(metavar="NAME…", show_default=False,
                                                  help="The names of resources.")]
NewName = Annotated[str, typer.Argument(metavar="NEW", show_default=False, help="Its name from now on.")]
StateFile = Annotated[Path, typer.Argument(metavar="FILE", show_default=False,
                                           help="What `state pull` printed; `-` for standard input.")]
StateUrl = Annotated[str | None, typer.Option(
    "--state", metavar="URL", show_default=False,
    help="Where the states are, in place of what the project says: a folder, or a shared store: s3://bucket/expiac.")]
Force = Annotated[bool, typer.Option("--force", help="Also where it is of another lineage, or older.")]
Archived = Annotated[bool, typer.Option("--archived", help="The runs of the past too.")]
Serial = Annotated[int | None, typer.Argument(metavar="SERIAL", show_default=False,
                                              help="One of them, with its plan.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", show_default=False,
                                        help="An instance name, its 8 hex digits, or a job: its present run.")]
Out = Annotated[str | None, typer.Option("--out", metavar="FOLDER", show_default=False,
                                            help="Write the files there instead of printing them.")]


def for_one_command(context: typer.Context, state: str) -> None:
    """Has every project that is looked for until the command ends keep its states there."""
    import os

    from expiac.declare.project import STATE

    before = os.environ.get(STATE)
    os.environ[STATE] = state
    context.call_on_close(lambda: os.environ.pop(STATE) if before is None else os.environ.update({STATE: before}))


def actions(words: str) -> tuple[Action, ...]:
    """The actions that `--only` names."""
    from expiac.plan.model import Action
    from expiac.util.errors import UsageError, did_you_mean

    known = {action.value: action for action in Action if action is not Action.KEEP}
    given = [word.strip() for word in words.split(",") if word.strip()]
    for word in given:
        if word not in known:
            raise UsageError("No such action", f"--only {words}: {word!r}", did_you_mean(word, known))
    if not given:
        raise UsageError("No such action", "--only names none", f"known: {', '.join(known)}")
    return tuple(known[word] for word in given)


def told_apart(stack: str | None, overrides: list[str] | None) -> tuple[str | None, list[str]]:
    """The stack and the overrides: where the stack is left out, the first override stands in its place."""
    given = overrides or []
    return (None, [stack, *given]) if stack is not None and "=" in stack else (stack, given)


def stack_and_serial(stack: str | None, serial: int | None) -> tuple[str | None, int | None]:
    """The two words of `history`: where there is only one stack, a single number is the serial."""
    return (None, int(stack)) if serial is None and stack is not None and stack.isdigit() else (stack, serial)


def stack_and_job(stack: str | None, job: str | None) -> tuple[str | None, str | None]:
    """The two words of `logs`: where there is only one stack, a single word may be the job."""
    known = stacks("")
    if job is None and stack is not None and len(known) == 1 and stack not in known and "/" not in stack:
        return None, stack
    return stack, job
