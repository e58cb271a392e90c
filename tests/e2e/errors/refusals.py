"""A refusal: exit 1, or 64 where the command line is wrong; a message that names the user's own thing, no traceback,
and a state as it was."""

from __future__ import annotations

from throwaway import Folder

GOOD = "small = Stack('small', [Job('one', run='echo one', skypilot=HERE), TrainingJob('train', skypilot=HERE)])\n"
OTHER = GOOD.replace("echo one", "echo another")
APPLY = ("apply", "small", "--yes")


def refused(project: Folder, *words: str, by: tuple[str, ...] = APPLY, code: int = 1) -> str:
    """The command fails with these words on stderr and leaves the state as it was; what it said."""
    before = project.state
    done = project.expiac(*by)
    said = done.stderr
    assert "Traceback" not in said, said
    assert done.returncode == code, done.stdout + said
    assert not [word for word in words if word not in said], said
    assert project.state == before
    return said
