"""The HOME of SkyPilot's client and API server: one cloud, the loopback cluster, and nothing that asks the internet."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import yaml

from tests.slurm.packages import PATH, SKY_VERSION
from tests.slurm.ports import Ports

PRICES = {"cpu": 0.04, "memory": 0.005, "accelerators": {"H100": 2.5}}
"""Made-up dollars an hour: for a CPU, a GiB and a GPU."""

ACCELERATORS = ("A100", "A100-80GB", "B200", "H100", "H200")

SSH_CONFIG = """\
Host {name}
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {folder}/etc/user_key
    IdentitiesOnly yes
"""

PLUGIN = '''\
"""SkyPilot's job controller asks public addresses whether there is a network; here it asks the API server beside it."""

from sky.server import plugins


class Loopback(plugins.BasePlugin):
    def __init__(self, url):
        self.url = url

    def install(self, extension_context):
        from sky.backends import backend_utils

        backend_utils._TEST_IP_LIST[:] = [self.url]
'''

FOREVER = 4102444800
"""The year 2100, in seconds: what was looked up then is not looked up again."""


def write(folder: Path, name: str, user: str, ports: Ports) -> None:
    """Writes what SkyPilot reads, and seeds what it would otherwise download."""
    files = {
        ".slurm/config": SSH_CONFIG.format(name=name, port=ports.ssh, user=user, folder=folder),
        ".sky/config.yaml": yaml.safe_dump(_config(folder, name)),
        ".sky/plugins.yaml": yaml.safe_dump({"plugins": [{"class": "sky_loopback.Loopback",
                                                          "parameters": {"url": f"{url(ports)}/api/health"}}]}),
        ".sky/version_cache.json": json.dumps({"release_version": SKY_VERSION, "cached_at": FOREVER}),
        ".sky/catalogs/v8/common/accelerators.csv": _catalog(),
        "plugin/sky_loopback.py": PLUGIN,
    }
    for path, text in files.items():
        (folder / "home" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "home" / path).write_text(text)


def url(ports: Ports) -> str:
    """Where the API server answers."""
    return f"http://127.0.0.1:{ports.api}"


def environment(folder: Path, ports: Ports) -> dict[str, str]:
    """What the API server and its clients see: nothing of the user's own settings, and nowhere to report to."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SKYPILOT_", "SLURM_", "EXPIAC_"))}
    nowhere = "http://127.0.0.1:9"
    return {
        **kept,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PATH": f"{Path(sys.executable).parent}:{PATH}",
        "PYTHONPATH": str(folder / "home" / "plugin"),
        "SLURM_CONF": str(folder / "etc" / "slurm.conf"),
        "SKYPILOT_API_SERVER_LOCAL_PORT": str(ports.api),
        "SKYPILOT_DISABLE_USAGE_COLLECTION": "1",
        "SKYPILOT_USAGE_LOG_URL": nowhere,
        "SKYPILOT_SCARF_GATEWAY_URL": nowhere,
        "SKYPILOT_POD_MEMORY_GB_LIMIT": "6",  # it starts as many job controllers as fit: a few will do
    }


def _config(folder: Path, name: str) -> dict[str, object]:
    return {
        "allowed_clouds": ["slurm"],
        "slurm": {"pricing": PRICES, "cluster_configs": {name: {"tmpdir": str(folder / "scratch")}}},
        "jobs": {"controller": {"consolidation_mode": True}},
    }


def _catalog() -> str:
    return "AcceleratorName,Clouds\n" + "".join(f"{name},\"['Slurm']\"\n" for name in ACCELERATORS)
