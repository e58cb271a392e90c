"""A project in a folder of its own, and expiac's command line in it, as a user on the cluster's head would have it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.repository_settings import TRAINING
from tests.slurm import processes

ROOT = Path(__file__).parents[2]
LIMIT = 600
SECRET = "hush-9f0c1e7a"
STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack


class Small(ExperimentConfig):
    name: str = "small"
    seconds: int = 1
    jobs: int = 1
    managed: bool = True


def stack(config: Small) -> Stack:
    where = SkypilotJobConfig(gpus=1, cpus=1, memory=1, secrets=["TOKEN"], managed=config.managed,
                              file_mounts={"~/sky_workdir/extra/note.txt": "note.txt"})
    run = f"cat extra/note.txt; test ${{#TOKEN}} = 13 && echo told; echo I am $EXPIAC_INSTANCE; sleep {config.seconds}"
    return Stack(config.name, [
        Job(f"job{number}", run=run, skypilot=where, outputs={"result": "out/r"}) for number in range(config.jobs)])
'''
STARTED, NOTED, REQUESTED = '"started"', '"endpoint"', '"request"'
"""What stands in a journal before the request, between the two, and while its answer is awaited or there."""
WORDS, DELAYS = (STARTED, NOTED, REQUESTED), (0, 0.1, 0.3, 0.6, 1.0, 1.5, 2.5)
"""21 moments of an apply: a word in the journal, and seconds after it."""
QUEUE = """
import json
from expiac.providers.skypilot import get_skypilot_service
from expiac.providers.skypilot.snapshot import envs
for job in get_skypilot_service().list():
    told = envs(job.task)
    print(json.dumps([told.get("EXPIAC_LINEAGE"), told.get("EXPIAC_INSTANCE"), told.get("EXPIAC_LAUNCH"), job.status]))
"""


class Desk:
    """A project in a folder of its own, and expiac's command line in it."""

    def __init__(self, folder: Path, env: dict[str, str], infra: str) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))  # the expiac of this checkout
        self.folder, self.env = folder, {**env, "TOKEN": SECRET, "PYTHONPATH": path}
        (folder / "stacks").mkdir()
        (folder / "stacks" / "small.py").write_text(STACK)
        (folder / "note.txt").write_text("a note\n")
        (folder / ".gitignore").write_text(".expiac\n")
        # The folder is no git tree.
        (folder / "pyproject.toml").write_text(f'[tool.expiac]\nbackend = "{infra}"\naccelerator = "H100"\n'
                                               "git_check = false\n")
        shutil.copytree(ROOT / "templates", folder / "templates")

    def with_trainer(self) -> Desk:
        """The project has the trainer too, and the A/B test with runs that are short."""
        generated = shutil.ignore_patterns("__pycache__", "experiments")
        for part in ("configs", "trainer"):
            shutil.copytree(ROOT / part, self.folder / part, ignore=generated)
        program = (ROOT / "stacks" / "lr_ab_test.py").read_text()
        program = program.replace("git_check: bool = True", "git_check: bool = False")
        short = program.replace("num_workers=4", 'num_workers=1, total_timesteps=6_000, checkpoint=CheckpointConfig('
                                "interval=2_000)").replace("import Opt", "import CheckpointConfig, Opt")
        assert short != program
        shutil.copy(ROOT / "stacks" / "arena.py", self.folder / "stacks")
        (self.folder / "stacks" / "lr_ab_test.py").write_text(short)
        with (self.folder / "pyproject.toml").open("a") as file:
            file.write('schema = "trainer.config:Config"\n[tool.expiac.outputs]\n'
                       'checkpoint = "${run_dir}/checkpoints/latest.pt"\nmetrics = "${run_dir}/metrics.jsonl"\n'
                       f"{TRAINING}\n")
        return self

    def start(self, *words: str, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "expiac", *words], cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**self.env, **changes})

    def expiac(self, *words: str, limit: float = LIMIT, **changes: str) -> tuple[int, str]:
        process = self.start(*words, **changes)
        try:
            output, _ = process.communicate(timeout=limit)
        finally:
            process.kill()  # of one that has ended, nothing is left to kill
        return process.returncode, output

    def done(self, *words: str, limit: float = LIMIT) -> str:
        code, output = self.expiac(*words, limit=limit)
        assert code == 0, output
        return output

    def until(self, word: str, stack: str) -> None:
        """Watches the stack until a job's status is the word."""
        watch = self.start("status", stack, "--watch", "--json", "--timeout", str(LIMIT))
        assert watch.stdout is not None
        said = []
        for line in watch.stdout:
            said.append(line)
            if f'"status": "{word}"' in line:
                watch.terminate()
                break
        watch.stdout.close()
        watch.wait()
        assert word in said[-1], "".join(said)

    @staticmethod
    def until_true(holds: Callable[[], bool], what: str, pause: float = 0.05) -> None:
        deadline = time.monotonic() + LIMIT
        while not holds():
            assert time.monotonic() < deadline, f"waited too long: {what}"
            time.sleep(pause)

    def killed_once(self, word: str, stack: str, *command: str, delay: float = 0) -> None:
        """Kills the command some seconds after the word stands in the stack's journal."""
        process = self.reached(word, stack, *command, delay=delay)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it had ended by itself"

    def launches_each_once(self, stack: str, jobs: int, *apply: str) -> None:
        """After this apply each job gets into the queue exactly once, and nothing is left; then all are destroyed.

        A killed client's request may still be under way when an apply finds it: it is in no queue yet.
        """
        said = self.done(*apply)
        self.until_true(lambda: len(self.queue(stack)) >= jobs, f"{jobs} jobs in the queue, after\n{said}", 2)
        assert "no changes" in self.done("plan", *apply[1:-1])
        self.done("destroy", stack, "--yes")
        launches = [(instance, launch) for _, instance, launch, _ in self.queue(stack)]
        assert len(launches) == len(set(launches)) == jobs, (launches, said, self.journal(stack), self.sky_log())

    def reached(self, word: str, stack: str, *command: str, delay: float = 0) -> subprocess.Popen[str]:
        """The running command, some seconds after the word was written in the stack's journal, unless it ended."""
        before = self.journal(stack).count(word)
        process = self.start(*command)
        self.until_true(lambda: self.journal(stack).count(word) > before or process.poll() is not None, word, 0.01)
        time.sleep(delay)
        return process

    def journal(self, stack: str) -> str:
        file = self.folder / ".expiac" / f"{stack}.jsonl"
        return file.read_text() if file.exists() else ""

    def sky(self, *words: str) -> str:
        """What SkyPilot's own command line says."""
        done = subprocess.run([Path(sys.executable).parent / "sky", *words], cwd=self.folder, env=self.env,
                              text=True, capture_output=True, timeout=LIMIT, check=True)
        return done.stdout

    def sky_log(self) -> str:
        """What SkyPilot shows of every job, and the end of what its API server printed."""
        log = Path(self.env[processes.MARK]) / "log" / "api.log"
        return self.sky("jobs", "queue", "--all-users") + (log.read_text()[-20_000:] if log.exists() else "")

    def run(self, *words: str) -> str:
        """What a command of Slurm's says."""
        return subprocess.run(words, env=self.env, capture_output=True, text=True, check=True, timeout=60).stdout

    def slurm_jobs(self, word: str) -> list[str]:
        """The ids in Slurm's queue of the jobs whose name has the word in it."""
        listed = self.run("squeue", "-h", "-o", "%i %j")
        return [line.split()[0] for line in listed.splitlines() if word in line]

    def records(self, stack: str) -> dict[str, dict[str, object]]:
        """How each job is, as `status --json` says it."""
        return {one["address"]: one for one in json.loads(self.done("status", stack, "--json"))["resources"]}

    def asked(self, program: str) -> list[Any]:
        """The lines of JSON that a program prints which asks SkyPilot; again where a busy server gives no answer."""
        deadline = time.monotonic() + LIMIT
        while True:
            done = subprocess.run([sys.executable, "-c", program], cwd=self.folder, env=self.env, text=True,
                                  capture_output=True, timeout=LIMIT)
            if done.returncode == 0:
                return [json.loads(line) for line in done.stdout.splitlines()]
            assert time.monotonic() < deadline, done.stderr
            time.sleep(2)

    def queue(self, stack: str) -> list[list[str]]:
        """Lineage, instance, launch and status of each of the stack's managed jobs."""
        jobs = self.asked(QUEUE)
        lineage = json.loads(self.journal(stack).splitlines()[0])["lineage"]
        return [job for job in jobs if job[0] == lineage]


