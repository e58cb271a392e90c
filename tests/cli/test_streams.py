"""Closed streams, a reader that goes away, a full disk: a command ends quietly, with the code of what it did."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def shell(project, line):
    """What bash makes of a line in which `expiac` is the command: its exit code is that of expiac."""
    command = f"{shlex.quote(sys.executable)} -m expiac"
    env = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run(["bash", "-c", f"expiac() {{ {command} \"$@\"; }}; {line}"], cwd=project, env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("words", ["plan lab", "plan lab --json", "--help", "version", "render lab", "status"])
def test_a_closed_stdout_is_no_error(project, expiac, words):
    assert expiac("apply", "lab", "--yes", "--wait").code == 0
    assert shell(project, f"expiac {words} >&-") == (0, "", "")


def test_output_to_a_closed_stdout_goes_into_no_file(project):
    """The next file that is opened gets the descriptor: it may be the state."""
    assert shell(project, "expiac apply lab --yes --wait >&- 2>&-")[0] == 0
    code, out, _ = shell(project, "expiac state list lab")
    assert code == 0
    assert "say_0" in out


@pytest.mark.parametrize(("line", "code"), [
    ("expiac plan nope 2>&-", 64), ("expiac plan lab jobs=x 2>&-", 64), ("expiac plan lab >&- 2>&- <&-", 0),
    ("expiac plan nope 2>/dev/full", 64), ("expiac apply lab 2>&- <&-", 64),
])
def test_a_closed_stderr_leaves_the_code_as_it_is(project, line, code):
    assert shell(project, line) == (code, "", "")


@pytest.mark.parametrize("words", ["plan lab jobs=500", "plan lab jobs=500 --json", "render lab jobs=500", "--help"])
def test_a_reader_that_goes_away_ends_the_command_quietly(project, words):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-m", "expiac", *words.split()], cwd=project, stdin=subprocess.DEVNULL,
                          env={**os.environ, "PYTHONPATH": ROOT}, stdout=writer, stderr=subprocess.PIPE, check=False,
                          timeout=120)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
@pytest.mark.parametrize("words", ["plan lab", "plan lab --json", "--help"])
def test_a_full_disk_is_told(project, words):
    code, _, err = shell(project, f"expiac {words} > /dev/full")
    assert (code, err) == (1, "Cannot write\n  standard output: No space left on device\n")
