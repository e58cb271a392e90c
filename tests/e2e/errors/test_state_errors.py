"""A state that cannot be read is refused by its line, and left as it is."""

from __future__ import annotations

from refusals import APPLY, GOOD, OTHER, refused
from throwaway import Folder

from expiac.state import codec


def test_a_flipped_byte_in_the_state(project: Folder):
    """Named by line, whatever the command; nothing is half-read."""
    journal = project.journal()
    lines = journal.read_bytes().splitlines(keepends=True)
    middle = len(lines) // 2
    flipped = bytearray(lines[middle])
    flipped[len(flipped) // 2] ^= 1
    journal.write_bytes(b"".join([*lines[:middle], bytes(flipped), *lines[middle + 1 :]]))
    for command in (APPLY, ("status",), ("destroy", "--yes")):
        refused(project, "Damaged state", f"small.jsonl: line {middle + 1}: its checksum does not match", by=command)


def test_a_state_of_a_newer_format(project: Folder):
    """What a newer release wrote is not guessed at."""
    journal = project.journal()
    header, rest = journal.read_bytes().split(b"\n", 1)
    content = codec.content_of(header)
    assert content is not None
    journal.write_bytes(codec.seal(content.replace(b'"format":%d' % codec.FORMAT, b'"format":99')) + rest)
    for command in (APPLY, ("destroy", "--yes")):
        refused(project, "State of a newer format", "format 99", "upgrade", by=command)


def test_a_torn_last_line(project: Folder):
    """It was never whole: it is left out, and said aloud; the next decision takes its place."""
    journal = project.journal()
    journal.write_bytes(journal.read_bytes() + b'{"n":99,"at":"2026-01-0')
    done = project.expiac("plan")
    assert (done.returncode, "no changes" in done.stdout) == (0, True)
    assert "was cut short after 23 bytes" in done.stderr
    project.stack(OTHER)
    assert "was cut short" in project.expiac(*APPLY, "--wait").stderr
    done = project.expiac("plan")
    assert (done.returncode, "no changes" in done.stdout, done.stderr) == (0, True, "")


def test_a_second_program_of_the_same_name(project: Folder):
    """It would replace the jobs of the first."""
    project.stack(GOOD, name="copy")
    refused(project, "small belongs to stacks/small.py", "stacks/copy.py gives the same name",
            by=("apply", "copy", "--yes"))
