"""A Slurm cluster and a SkyPilot API server on loopback: up, down, and the environment of a client.

    python -m tests.slurm.cluster up DIR
    eval "$(python -m tests.slurm.cluster env DIR)"
    python -m tests.slurm.cluster down DIR

Everything of a cluster is under its folder, but for one user of the system, who goes with it. Two clusters can stand
beside each other. A folder that went down comes up again with what it knew.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import sys
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tests.slurm import login, machine, packages, ports, processes, sky_home, slurm

_SERVER = ["sky", "api", "start", "--foreground"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster, up or down."""

    folder: Path
    """Everything that it writes; open to other users, and not too deep for the path of a socket."""
    ports: ports.Ports
    name: str = "loop"

    @classmethod
    def at(cls, folder: Path) -> Self:
        """The cluster of this folder; with free ports, where it has none yet."""
        folder = folder.resolve()
        known = folder / "cluster.json"
        return cls(folder, ports.Ports(**json.loads(known.read_text())) if known.exists() else ports.choose())

    @property
    def infra(self) -> str:
        """Its name in SkyPilot's grammar."""
        return f"slurm/{self.name}"

    @property
    def user(self) -> str:
        """Who runs its jobs."""
        return f"expiac-{hashlib.sha256(bytes(self.folder)).hexdigest()[:8]}"

    @property
    def home(self) -> Path:
        """HOME of SkyPilot's client and API server."""
        return self.folder / "home"

    @property
    def env(self) -> dict[str, str]:
        """The environment of a client, complete: to start a process with, or to run the SDK in."""
        return {**sky_home.environment(self.folder, self.ports), processes.MARK: str(self.folder)}

    def up(self) -> None:
        """Brings it up and returns when it takes jobs; what came up is taken down again when the rest fails."""
        if processes.belonging(self.folder):
            raise processes.Failed(f"{self.folder}: its cluster is up already, or did not go down")
        if why := packages.install():
            raise processes.Failed(why)
        try:
            self._write()
            self._start()
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Ends every process of it, of an earlier and interrupted one too, and removes its user."""
        processes.end(self.folder)
        login.remove_user(self.user)

    def restart_server(self) -> None:
        """SkyPilot's API server dies in the middle of everything, and comes up again; the jobs go on meanwhile."""
        processes.kill_tree(self.folder, "api", spared="sky.jobs.controller")
        processes.start(self.folder, "api", _SERVER, self.env)
        processes.until("SkyPilot's API server answers", self._server_answers, self.folder, 120)

    def _write(self) -> None:
        for part in (".", "etc", "log", "run", "tmp"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        if machine.closed(self.folder) or len(str(self.folder)) > 80:
            raise processes.Failed(f"{self.folder} must be open to all users and shorter than 80 letters")
        (self.folder / "cluster.json").write_text(json.dumps(asdict(self.ports)))
        slurm.write(self.folder, self.name, self.ports)
        login.write(self.folder, self.user, self.ports)
        sky_home.write(self.folder, self.name, self.user, self.ports)

    def _start(self) -> None:
        processes.start(self.folder, "api", _SERVER, self.env)
        for name in slurm.machines():
            command = machine.command(self.folder, name, slurm.daemons(self.folder, name))
            processes.start(self.folder, name, command, self.env)
            if name == "head":
                processes.until("munge", (self.folder / "munge" / "socket").exists, self.folder, 20)
        processes.until("the nodes are idle", self._nodes_are_idle, self.folder, 60)
        processes.until("SkyPilot's API server answers", self._server_answers, self.folder, 120)

    def _nodes_are_idle(self) -> bool:
        idle = subprocess.run(["sinfo", "-h", "-p", "dev", "-t", "idle", "-o", "%D"], env=self.env, capture_output=True,
                              text=True, timeout=30)
        return idle.stdout.strip() == str(ports.NODES)

    def _server_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{sky_home.url(self.ports)}/api/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def main(arguments: list[str]) -> str | int:
    """What to leave with: 0, or the reason why not."""
    match arguments:
        case ["up", folder]:
            if why := packages.obstacle():
                return why
            cluster = Cluster.at(Path(folder))
            cluster.up()
            print(f"{cluster.infra} is up")
        case ["down", folder]:
            Cluster.at(Path(folder)).down()
        case ["env", folder]:
            changed = {"HOME", "TMPDIR", "PATH", "PYTHONPATH", "SLURM_CONF", processes.MARK}
            for key, value in Cluster.at(Path(folder)).env.items():
                if key in changed or key.startswith("SKYPILOT_"):
                    print(f"export {key}={shlex.quote(value)}")
        case _:
            return "usage: python -m tests.slurm.cluster up DIR | down DIR | env DIR"
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except processes.Failed as failed:
        sys.exit(str(failed))
