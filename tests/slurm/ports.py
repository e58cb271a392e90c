"""Ports that nobody listens on. Knows nothing of who will."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass

NODES = 4
_RANGE = range(20000, 30000, 10)
"""Below the ports that the kernel hands out by itself, so that none is taken by a passing connection."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One for each server of a cluster: the nodes' follow `first_node`."""

    ssh: int
    slurmctld: int
    api: int
    first_node: int

    @property
    def nodes(self) -> range:
        return range(self.first_node, self.first_node + NODES)

    @property
    def queue(self) -> int:
        """Where SkyPilot's API server keeps its queue: it reckons this port from its own."""
        return 50000 + (11 + self.api - 46580) % 10000


def choose() -> Ports:
    """Free ports; at random, so that two clusters that come up at once do not choose the same."""
    for first in random.sample(_RANGE, len(_RANGE)):
        ports = Ports(first, first + 1, first + 2, first + 3)
        if all(map(_free, (ports.ssh, ports.slurmctld, ports.api, ports.queue, *ports.nodes))):
            return ports
    raise OSError(f"no free ports between {_RANGE.start} and {_RANGE.stop}")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
