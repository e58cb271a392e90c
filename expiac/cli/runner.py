"""A stack file run by itself: `python stacks/lr_ab_test.py --gpus=4 --spot=false --no-launch`.

Turns flags into the `key=value` overrides that `expiac apply` takes, and does what that command does: without a flag
that says otherwise it plans and asks; with `--launch` it does not ask, and with `--no-launch` it only plans.
"""

from __future__ import annotations

import dataclasses
import gc
import inspect
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from expiac.cli.exits import DONE, exit_code_of
from expiac.cli.flags import LAUNCH, Flags, parse_flags, usage
from expiac.cli.streams import prepare_streams
from expiac.declare.experiment import Experiment, ExperimentConfig
from expiac.util.encoding import decode
from expiac.util.errors import UsageError


def runner(experiment: type[Experiment], config: type[ExperimentConfig]) -> NoReturn:
    """Makes the experiment's file a command: `if __name__ == "__main__": runner(A, AConfig)`."""
    prepare_streams()
    file = Path(inspect.getfile(experiment))
    code = exit_code_of(lambda: _run(file, config, [decode(word) for word in sys.argv[1:]]))
    gc.freeze()  # as `expiac` does
    sys.exit(code)


def _run(file: Path, config: type[ExperimentConfig], arguments: Sequence[str]) -> int:
    flags = parse_flags(arguments, config)
    if flags.help:
        about = inspect.getdoc(sys.modules["__main__"]) or ""
        print(usage(config, _display_path(file), about))
        return DONE
    launch = _default_launch(config) if flags.launch is None else flags.launch
    if flags.markdown and launch is not False:
        raise UsageError("Conflicting options", "--markdown prints a plan, and applies none", "--no-launch --markdown")
    return _plan_and_apply(file, flags, launch)


def _plan_and_apply(file: Path, flags: Flags, launch: bool | None) -> int:
    from expiac.cli import execution, output
    from expiac.declare.project import find_project

    if launch is None:
        output.demand_consent(yes=False, json=False, hint="--launch to apply, --no-launch to plan only")
    program = _display_path(file)
    project = find_project(file.resolve().parent)
    with execution.open_session(str(file), flags.overrides, project=project) as (session, reporter):
        plan = session.plan()
        if launch is False:
            output.print_plan(plan, program, verbose=flags.verbose, markdown=flags.markdown)
            return DONE
        question = "" if launch else execution.QUESTION
        return execution.carry_out(session, plan, reporter, program=program, question=question,
                                   verbose=flags.verbose, make_anew=session.plan)


def _default_launch(config: type[ExperimentConfig]) -> bool | None:
    """True if the config class itself consents to a launch; None if the user is to be asked."""
    default = next(field.default for field in dataclasses.fields(config) if field.name == LAUNCH)
    return True if default is True else None


def _display_path(file: Path) -> str:
    path = os.path.relpath(file)
    return str(file) if path.startswith("..") else path
