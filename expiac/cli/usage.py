"""What is said of a command line that typer refuses; of a setting that is written as a flag, how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from expiac.cli.completion import stacks
from expiac.util.errors import UsageError


def usage_error(error: Any, words: Sequence[str]) -> UsageError:
    """What typer says of these words, as an error of ours."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "expiac"
    if override := _override_instead(error, words):
        return UsageError("Usage error", f"No such option: {error.option_name}; settings are key=value", override)
    message = getattr(error, "format_message", error.__str__)()
    return UsageError("Usage error", message, f"{command} --help")


def _override_instead(error: Any, words: Sequence[str]) -> str:
    """The override that a flag is meant as: `gpus=4` for `--gpus 4`; empty for what is a misspelt option."""
    option, context = getattr(error, "option_name", ""), getattr(error, "ctx", None)
    takes_overrides = context is not None and any(one.name == "overrides" for one in context.command.params)
    is_misspelt = get_close_matches(option, getattr(error, "possibilities", None) or (), cutoff=0.75)
    if not option.startswith("--") or not takes_overrides or is_misspelt:
        return ""
    key = option.removeprefix("--").replace("-", "_")
    place = next((at for at, word in enumerate(words) if word.partition("=")[0] == option), len(words))
    given, following = words[place:place + 1], words[place + 1:place + 2]
    if given and "=" in given[0]:
        return f"{key}={given[0].partition('=')[2]}"
    if following and not following[0].startswith("-") and "=" not in following[0] and following[0] not in stacks(""):
        return f"{key}={following[0]}"
    return f"{key.removeprefix('no_')}=false" if key.startswith("no_") else f"{key}=true"
