"""Ten jobs at once through a real SkyPilot: `expiac apply` against SkyPilot's own calls for the same ten tasks.

    python -m tests.slurm.cluster up FOLDER
    python -m benchmarks.launching FOLDER [--runs N]

In turns on one cluster, so that a busy moment of the machine meets both alike. Every job is cancelled before the next
turn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from benchmarks.measure import Cost, in_turns, python
from tests.slurm.cluster import Cluster
from tests.slurm.desk import Desk

JOBS = 10
LIMIT = 600
_ASKED = """
import json, sky, sys
since = float(sys.argv[1])
print(json.dumps([one.name for one in sky.api_status(all_status=True, limit=None) if one.created_at >= since]))
"""
_CANCEL = """
import time, sky, sky.jobs
def live():
    return [job.job_id for job in sky.get(sky.jobs.queue_v2(refresh=False))[0] if not job.status.is_terminal()]
if jobs := live():
    sky.get(sky.jobs.cancel(job_ids=jobs))
    until = time.monotonic() + 600
    while live() and time.monotonic() < until:
        time.sleep(20)  # each look costs the server seconds of work
"""


class Ten:
    """Ten small jobs, as a stack and as ten bare tasks."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.desk = Desk(folder, cluster.env, cluster.infra)
        self.tasks = folder / "tasks"
        self.turn = 0
        self.own: list[float] = []
        """Seconds of each apply before its first launch and after its last answer, less those of SkyPilot's import."""
        self.queue_calls = 0
        """Of the last plan without changes, while the ten run."""
        os.environ.update(self.desk.env)

    def apply(self) -> Cost:
        """A stack of a new name, so that all of it is new; then a plan of it, of which the queue calls are counted."""
        self.turn += 1
        imports = python(["-c", "import sky, sky.jobs"], self.desk.folder).wall
        cost = python(["-m", "expiac", "apply", "small", *self._settings, "--yes"], self.desk.folder)
        self.own.append(cost.wall - self._launching() - imports)
        print(f"own: {self.own[-1]:.1f} s, after {imports:.1f} s for the import of SkyPilot, which both do", flush=True)
        began = time.time()
        assert "no changes" in self.desk.done("plan", "small", *self._settings)
        asked = json.loads(self._client(_ASKED, str(began)))
        self.queue_calls = sum("queue" in name for name in asked)
        return self._then_cancelled("expiac apply", cost)

    def bare(self) -> Cost:
        """The same tasks, as `expiac render` gives them."""
        self.turn += 1
        shutil.rmtree(self.tasks, ignore_errors=True)
        self.desk.done("render", "small", *self._settings, "--out", "tasks")
        for number, file in enumerate(sorted(self.tasks.glob("*.yaml"))):
            file.write_text(file.read_text(encoding="utf-8").replace("@instance@", f"bare{self.turn}-{number}"),
                            encoding="utf-8")
        cost = python(["-m", "benchmarks.bare_launch", "tasks"], self.desk.folder)
        return self._then_cancelled("sky.jobs.launch", cost)

    def _launching(self) -> float:
        """Seconds from the first launch to the last answer, by the journal: it is written before and after each."""
        lines = map(json.loads, self.desk.journal(f"turn{self.turn}").splitlines()[1:])
        at = [datetime.fromisoformat(line["at"]) for line in lines if line["event"] in ("submitted", "done")]
        return (max(at) - min(at)).total_seconds()

    @property
    def _settings(self) -> list[str]:
        return [f"name=turn{self.turn}", f"jobs={JOBS}", "seconds=1000"]

    def _then_cancelled(self, what: str, cost: Cost) -> Cost:
        print(f"{what}: {cost.wall:.1f} s, of which the client computes {cost.cpu:.1f} s", flush=True)
        self._client(_CANCEL)
        return cost

    def _client(self, code: str, *words: str) -> str:
        return subprocess.run([sys.executable, "-c", code, *words], cwd=self.desk.folder, env=self.desk.env,
                              encoding="utf-8", capture_output=True, check=True, timeout=LIMIT).stdout


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.launching", description=__doc__.splitlines()[0])
    parser.add_argument("cluster", type=Path, help="the folder of a cluster that is up")
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="expiac-launching-") as folder:
        ten = Ten(Path(folder), Cluster.at(given.cluster))
        costs = in_turns({"sky.jobs.launch": ten.bare, "expiac apply": ten.apply}, given.runs)
        bare, ours = costs["sky.jobs.launch"], costs["expiac apply"]
        own = statistics.median(ten.own)
        print(f"apply against the bare calls: {ours.wall / bare.wall - 1:+.1%}")
        print(f"expiac's own time, before the first launch and after the last answer: {own:.1f} s, "
              f"{own / (ours.wall - own):.1%} of the rest")
        print(f"queue calls of a plan of the {JOBS}: {ten.queue_calls}")


if __name__ == "__main__":
    main()
