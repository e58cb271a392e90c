"""Two commands on one stack at once, as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from expiac.util.lock import Lock

ROOT = Path(__file__).parents[2]


def test_the_second_of_two_applies_plans_anew(project, expiac):
    """Both have planned before one of them gets the lock: neither fails, and the job is launched once."""
    (project / ".expiac").mkdir()
    with Lock(project / ".expiac" / "lab.lock", purpose="test"):
        both = [subprocess.Popen([sys.executable, "-m", "expiac", "apply", "lab", "seconds=600", "--yes", "--json"],
                                 cwd=project, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        firsts = [process.stdout.readline() for process in both if process.stdout is not None]
    outcomes = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], outcomes
    events = [[json.loads(line) for line in (first + out).splitlines()]
              for first, (out, _) in zip(firsts, outcomes, strict=True)]
    names = sorted([event["event"] for event in one] for one in events)
    assert names == [["began", "step_began", "step_ended", "finished"], ["began", "warned", "began", "finished"]]
    assert expiac("state", "list", "lab").out.count("lab.say_0.") == 1
