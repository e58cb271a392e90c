"""The configuration of a small Slurm: a head, and nodes with eight pretended GPUs each. Starts nothing."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from tests.slurm.ports import NODES, Ports

GPUS = 8
CPUS = 64
MEMORY = 512 * 1024
"""MB of each node: what Slurm hands out, not what is there."""

HOSTS = "127.0.0.1 localhost head\n" + "".join(f"127.0.1.{n} n{n}\n" for n in range(1, NODES + 1))

SLURM_CONF = """\
ClusterName={name}
SlurmctldHost=head(127.0.0.1)
SlurmctldPort={ports.slurmctld}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
# The controller listens on loopback alone. The nodes may not: their steps call back to 127.0.0.1, not to 127.0.1.N.
CommunicationParameters=NoCtldInAddrAny

# Without cgroups and accounting: a process is found by its parent.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none

# Each node says that it has more than this machine has, and is believed.
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
GresTypes=gpu

# Quick to start a job and quick to end one; the ended are remembered for five minutes.
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=100000
KillWait=5
MinJobAge=300
ReturnToService=2

StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid

NodeName=DEFAULT CPUs={cpus} RealMemory={memory} Gres=gpu:H100:{gpus}
NodeName=n[1-{nodes}] NodeAddr=127.0.1.[1-{nodes}] Port=[{first}-{last}]
PartitionName=dev Nodes=ALL Default=YES MaxTime=24:00:00
PartitionName=long Nodes=ALL MaxTime=7-00:00:00
"""

HEAD = """\
setpriv --reuid=munge --regid=munge --clear-groups munged --foreground --socket={folder}/munge/socket \\
    --key-file={folder}/munge/key --pid-file={folder}/munge/pid --seed-file={folder}/munge/seed \\
    --log-file={folder}/munge/log &
until [ -S {folder}/munge/socket ]; do sleep 0.1; done
slurmctld -D -f {folder}/etc/slurm.conf &
/usr/sbin/sshd -D -e -f {folder}/etc/sshd_config &
"""

NODE = "slurmd -D -f {folder}/etc/slurm.conf -N {name} &"


def write(folder: Path, name: str, ports: Ports) -> None:
    """Writes the configuration, munge's key, the pretended GPUs and the nodes' own folders."""
    for part in ("state", "spool", "scratch", "dev"):
        (folder / part).mkdir(exist_ok=True)
    conf = SLURM_CONF.format(name=name, folder=folder, ports=ports, nodes=NODES, first=ports.nodes[0],
                             last=ports.nodes[-1], cpus=CPUS, memory=MEMORY, gpus=GPUS)
    (folder / "etc" / "slurm.conf").write_text(conf)
    (folder / "etc" / "hosts").write_text(HOSTS)
    (folder / "etc" / "gres.conf").write_text(
        f"NodeName=n[1-{NODES}] Name=gpu Type=H100 File={folder}/dev/gpu[0-{GPUS - 1}]\n")
    for number in range(GPUS):
        _make_device(folder / "dev" / f"gpu{number}")
    _make_key(folder / "munge")


def machines() -> tuple[str, ...]:
    """The head first: the nodes need its munge."""
    return ("head", *(f"n{number}" for number in range(1, NODES + 1)))


def daemons(folder: Path, machine: str) -> str:
    """What runs on a machine, in shell."""
    return (HEAD if machine == "head" else NODE).format(folder=folder, name=machine)


def _make_device(path: Path) -> None:
    """A GPU counts for Slurm when its file is there: a second /dev/null will do."""
    if not path.exists():
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))


def _make_key(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "socket").unlink(missing_ok=True)
    key = folder / "key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
    shutil.chown(folder, "munge", "munge")
    shutil.chown(key, "munge", "munge")
