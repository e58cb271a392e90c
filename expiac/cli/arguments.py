"""The arguments and options that commands share, each described once."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from expiac.cli.completion import actions, jobs, overrides, runs, stacks, stacks_or_overrides

if TYPE_CHECKING:
    from expiac.plan.model import Action

StackArg = Annotated[
    str | None,
    typer.Argument(metavar="STACK", autocompletion=stacks_or_overrides, show_default=False,
                   help="A stack file or its stem in stacks/; may be left out where there is only one."),
]
SyncedStacks = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STACK]...", autocompletion=stacks, show_default=False,
                   help="Stack files or their stems in stacks/; all stacks where none is named."),
]
StacksArg = Annotated[
    str | None,
    typer.Argument(metavar="STACK", autocompletion=stacks, show_default=False,
                   help="A stack file or its stem in stacks/; all stacks where it is left out."),
]
StacksList = Annotated[
    list[str] | None,
    typer.Argument(metavar="STACK…", autocompletion=stacks, show_default=False,
                   help="Stack files or their stems in stacks/; all stacks where none is named."),
]
StackOrPlan = Annotated[
    str | None,
    typer.Argument(metavar="STACK|FILE", autocompletion=stacks_or_overrides, show_default=False,
                   help="A stack file or its stem in stacks/, or a plan saved by `plan --out`; may be left out where "
                        "there is only one stack."),
]
OverridesArg = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", autocompletion=overrides, show_default=False,
                   help="Settings of the stack's config: gpus=4 trainer.optimizer.learning_rate=1e-3"),
]
JobArg = Annotated[
    str | None, typer.Argument(metavar="JOB", autocompletion=jobs, show_default=False,
                                  help="The job's name; may be left out where there is only one."),
]
StackName = Annotated[str, typer.Argument(metavar="STACK", autocompletion=stacks, show_default=False,
                                          help="A stack file or its stem in stacks/.")]
ImportedAs = Annotated[str, typer.Argument(metavar="NAME", show_default=False,
                                           help="The job of the stack that it becomes.")]
JobId = Annotated[str, typer.Argument(metavar="JOB_ID", show_default=False,
                                      help="Its id among SkyPilot's managed jobs.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every setting of what is new, every step, and "
                                                              "every value in full.")]
AllRuns = Annotated[bool, typer.Option("--verbose", "-v", help="Show each run of a sweep and of a component.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print GitHub-flavoured markdown, for a comment on a "
                                                            "pull request, and nothing else.")]
Sweep = Annotated[bool, typer.Option(
    "--sweep", help="Make a trial of each combination of values: lr=1e-4,3e-4 seed='range(3)' (Hydra's grammar).")]
NoRefresh = Annotated[bool, typer.Option("--no-refresh", help="Believe the state; ask no backend.")]
Replace = Annotated[list[str] | None, typer.Option("--replace", metavar="NAME", autocompletion=jobs, show_default=False,
                                                      help="Run this job or component anew though nothing changed; "
                                                           "repeatable.")]
Target = Annotated[list[str] | None, typer.Option("--target", metavar="NAME", autocompletion=jobs, show_default=False,
                                                     help="Only this job or component (globs too), and what it needs; "
                                                          "repeatable.")]
Exclude = Annotated[list[str] | None, typer.Option("--exclude", metavar="NAME", autocompletion=jobs, show_default=False,
                                                      help="Not this job or component (globs too), nor what needs it; "
                                                           "repeatable.")]
Only = Annotated[str | None, typer.Option("--only", metavar="ACTION,…", autocompletion=actions, show_default=False,
                                          help="Only steps that do this: create, update, replace, relaunch, restore, "
                                               "stop, forget. Said to apply, it is consent to them.")]
Interactive = Annotated[bool, typer.Option("--interactive", "-i", help="Ask for each step by itself.")]
Extend = Annotated[list[str] | None, typer.Option("--extend", metavar="NAME", autocompletion=jobs, show_default=False,
                                                  help="Let this job's run go on to more steps instead of a new run; "
                                                       "repeatable.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Take no run of the past: what is new gets a new run.")]
Reuse = Annotated[bool, typer.Option("--reuse", help="Take results of the past also where they were destroyed, or made "
                                                     "by other code.")]
ReviewedOnly = Annotated[bool, typer.Option("--reviewed-only", help="Refuse to launch what `expiac review` did not "
                                                                    "accept as it would be launched.")]
Retry = Annotated[bool, typer.Option("--retry", help="Launch failed and cancelled runs again.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Parallelism = Annotated[int, typer.Option("--parallelism", min=1, metavar="N", help="How many steps at a time.")]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until every run has ended, and begin what waited for them.")]
MaxFailures = Annotated[int | None, typer.Option(
    "--max-failures", min=0, metavar="N", show_default=False,
    help="With --wait: begin no further trial of a sweep once more than N of its runs have failed.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Stay until every run has ended.")]
Continue = Annotated[bool, typer.Option(
    "--continue", help="With --watch: begin the next trials of a search too, just as the last apply approved them.")]
Timeout = Annotated[float, typer.Option(
    "--timeout", parser=lambda given: parse_timeout(given), metavar="DURATION", show_default=False,
    help="With --wait or --watch: how long at most, in seconds or such as 90m, 12h, 2d; a week where it is not said.")]
DetailedExitcode = Annotated[bool, typer.Option("--detailed-exitcode",
                                                help="Exit with 2 where something would change.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")]
Node = Annotated[int | None, typer.Option("--node", min=0, metavar="RANK", show_default=False,
                                             help="Of this node only.")]
Save = Annotated[Path | None, typer.Option("--out", metavar="FILE", show_default=False, dir_okay=False,
                                          help="Save the plan there, for `expiac apply FILE`.")]
RunOrPlan = Annotated[str, typer.Argument(
    metavar="RUN|FILE", autocompletion=runs, show_default=False,
    help="An instance name, its 8 hex digits, the beginning of either, stack/job, or a job: its present run; or a plan "
         "that was saved.")]
RecordName = Annotated[str, typer.Argument(metavar="NAME", autocompletion=jobs, show_default=False,
                                       help="The name of a resource.")]
RecordNames = Annotated[list[str], typer.Argument(metavar="NAME…", autocompletion=jobs, show_default=False,
                                                  help="The names of resources.")]
NewName = Annotated[str, typer.Argument(metavar="NEW", show_default=False, help="Its name from now on.")]
StateFile = Annotated[Path, typer.Argument(metavar="FILE", show_default=False,
                                           help="What `state pull` printed; `-` for standard input.")]
StateUrl = Annotated[str | None, typer.Option(
    "--state", metavar="URL", show_default=False,
    help="Where the states are, in place of what the project says: a folder, or a shared store: s3://bucket/expiac.")]
Version = Annotated[bool, typer.Option("--version", callback=lambda asked: exit_with_version(asked), is_eager=True,
                                       help="Print the version.")]
Keep = Annotated[int, typer.Option("--keep", min=0, metavar="N", help="Leave the last N archived runs of each job.")]
OlderThan = Annotated[str | None, typer.Option("--older-than", metavar="TIME", show_default=False,
                                               help="Only runs archived longer ago than that: 90m, 12h, 30d.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")]
SyncDryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be uploaded, and upload nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Also where it is of another lineage, or older.")]
Archived = Annotated[bool, typer.Option("--archived", help="The runs of the past too.")]
ResultsFormat = Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, csv, parquet or json.")]
At = Annotated[str, typer.Option("--at", metavar="STEP|last|best|auc", help="Which value of a metric counts: at a "
                                 "step, the last, the best, or the mean over the steps (auc).")]
MetricName = Annotated[str | None, typer.Option("--metric", metavar="METRIC", show_default=False,
                                               help="The metric; the first one that tables show if left out.")]
By = Annotated[list[str] | None, typer.Option("--by", metavar="KEY", show_default=False,
                                              help="Runs with an equal value of this setting are an arm; repeatable. "
                                                   "All settings that differ, but for the seed, if left out.")]
Baseline = Annotated[str | None, typer.Option(
    "--baseline", metavar="ARM|KEY=VALUE", show_default=False,
    help="Compare each arm with this one, by its letter or a setting that it alone has; with the first if left out.")]
Where = Annotated[str | None, typer.Option(
    "--where", metavar="CONDITION", show_default=False,
    help="Only runs for which this holds: 'lr<1e-3 and status=failed'. Settings, metrics, stack, job, status, seed, "
         "age, launched, seconds, cost, user, commit; and, or, not, parentheses; ~ for a glob or a part.")]
RerunName = Annotated[str | None, typer.Option(
    "--name", metavar="NAME", show_default=False,
    help="What the job is called; by default after the job and the run, so that a second rerun is the first one.")]
Anyway = Annotated[bool, typer.Option("--anyway", help="From the present code, where its own is not to be had.")]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME|DATE", show_default=False,
                                           help="Only runs launched since then: 12h, 30d, or 2026-01-31.")]
CostBy = Annotated[str, typer.Option("--by", metavar="stack|job|user|week", help="A row for each of these.")]
SortBy = Annotated[str | None, typer.Option("--sort", metavar="KEY", show_default=False,
                                            help="By a setting, a metric or a field; -KEY: the greatest first. The "
                                                 "newest launch first if left out.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", show_default=False,
                                           help="The first N only.")]
Histories = Annotated[bool, typer.Option("--histories", help="All that the runs logged, as CSV or Parquet.")]
ReportFile = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", show_default=False,
                                                help="The page; STACK.html if left out.")]
NotebookFile = Annotated[Path | None, typer.Option("--notebook", metavar="FILE", show_default=False,
                                                  help="Write a Jupyter notebook.")]
Serve = Annotated[bool, typer.Option("--serve", help="Serve the page on 127.0.0.1, and refresh it as runs go on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, metavar="PORT",
                                   help="With --serve: the port; 0 takes a free one.")]
OutputName = Annotated[str | None, typer.Argument(metavar="NAME", show_default=False,
                                                  help="One output: its value is printed, and nothing else.")]
OutputsOf = Annotated[str | None, typer.Argument(metavar="JOB", autocompletion=jobs, show_default=False,
                                                 help="The outputs of this job, or one that the stack exports.")]
FetchedJob = Annotated[str, typer.Argument(metavar="JOB", autocompletion=jobs, show_default=False,
                                          help="The name of the job.")]
FetchedOutput = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="The name of the output.")]
Destination = Annotated[Path | None, typer.Argument(
    metavar="DEST", show_default=False, help="A new name, or a folder to put it in; the present folder if left out.")]
Overwrite = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
FetchTimeout = Annotated[float, typer.Option(
    "--timeout", parser=lambda given: parse_timeout(given), metavar="DURATION", show_default=False,
    help="How long at most: seconds, 90m, 12h; an hour where it is not said.")]
SyncTimeout = Annotated[float, typer.Option(
    "--timeout", parser=lambda given: parse_timeout(given), metavar="DURATION", show_default=False,
    help="How long each run may take: seconds, 90m, 12h; ten minutes where it is not said.")]
Serial = Annotated[int | None, typer.Argument(metavar="SERIAL", show_default=False,
                                              help="One of them, with its plan.")]
_RUN = "An instance name, its 8 hex digits, the beginning of either, stack/job, or a job: its present run."
RunName = Annotated[str, typer.Argument(metavar="RUN", autocompletion=runs, show_default=False, help=_RUN)]
RunNames = Annotated[list[str], typer.Argument(metavar="RUN RUN…", autocompletion=runs, show_default=False, help=_RUN)]
Eject = Annotated[bool, typer.Option(
    "--eject", help="Write the templates that expiac ships into templates/, to change them there.")]
NewProject = Annotated[str, typer.Argument(
    metavar="NAME", show_default=False, help="The name of its folder; `.` makes the present folder a project.")]
Bare = Annotated[bool, typer.Option("--bare", help="Without the trainer and the example.")]
Out = Annotated[str | None, typer.Option("--out", metavar="FOLDER", show_default=False,
                                            help="Write the files there instead of printing them.")]


def results_format(word: str, *, json: bool) -> str:
    """The form in which results are printed; raises `UsageError` for one that there is not."""
    from expiac.util.errors import UsageError, did_you_mean

    known = ("table", "csv", "parquet", "json")
    if word not in known:
        raise UsageError("Invalid value", f"--format {word}", did_you_mean(word, known))
    if json and word in ("csv", "parquet"):
        raise UsageError("Conflicting options", f"--json is --format json, and not --format {word}", "one of them")
    return "json" if json else word


def set_state_url(context: typer.Context, state: str) -> None:
    """Until the command ends, every project that it loads keeps its states there."""
    import os

    from expiac.declare.project import STATE

    before = os.environ.get(STATE)

    def restore() -> None:
        if before is None:
            del os.environ[STATE]
        else:
            os.environ[STATE] = before

    os.environ[STATE] = state
    context.call_on_close(restore)


def parse_timeout(given: str | float) -> float:
    """The seconds that `--timeout` names."""
    from expiac.util import duration

    with suppress(ValueError):
        seconds = float(given)
        if 0 <= seconds < math.inf:
            return seconds
    try:
        duration.validate(str(given))
    except ValueError as error:
        raise typer.BadParameter(f"{given!r}: {error}") from error
    return float(duration.seconds(str(given)))


def refuse_two_forms(*, json: bool, markdown: bool) -> None:
    """Raises `UsageError` if a plan is to be printed as JSON and as markdown."""
    if json and markdown:
        from expiac.util.errors import UsageError

        raise UsageError("Conflicting options", "--json and --markdown each print one document", "give one of them")


def parse_actions(words: str) -> tuple[Action, ...]:
    """The actions that `--only` names."""
    from expiac.plan.model import Action
    from expiac.util.errors import UsageError, did_you_mean

    known = {action.value: action for action in Action if action is not Action.KEEP}
    parts = [word.strip() for word in words.split(",")]
    names = [name for name in parts if name]
    for word in names:
        if word not in known:
            raise UsageError("No such action", f"--only {words}: {word!r}", did_you_mean(word, known))
    if not names:
        raise UsageError("No such action", "--only names none", f"known: {', '.join(known)}")
    return tuple(known[word] for word in names)


def print_version() -> None:
    """Prints the release this is."""
    from expiac.util.version import VERSION

    print(f"expiac {VERSION}")


def exit_with_version(asked: bool) -> None:
    """Prints the version and ends the command, if it was asked for."""
    if asked:
        print_version()
        raise typer.Exit
