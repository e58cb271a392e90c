"""The names with which a place of SkyPilot's begins, as of 0.14.1. Light to import: SkyPilot itself is not asked.

A later SkyPilot may know more. Nothing is refused for not being in this list; what is in it is a place and no misspelt
name of a backend.
"""

from __future__ import annotations

from difflib import get_close_matches

CLOUDS = frozenset({
    "*", "aws", "azure", "cudo", "digitalocean", "do", "fluidstack", "gcp", "hyperbolic", "ibm", "k8s", "kubernetes",
    "lambda", "mithril", "nebius", "oci", "paperspace", "primeintellect", "runpod", "scp", "seeweb", "shadeform",
    "slurm", "ssh", "vast", "verda", "vsphere", "yotta"})


def is_place(infra: str) -> bool:
    """Whether it begins as a place of SkyPilot's does, such as `aws/us-east-1` or `k8s/context`."""
    cloud = infra.partition("/")[0]
    return cloud.lower() in CLOUDS


def nearest_cloud(infra: str) -> str:
    """The place with its first word as the cloud that it resembles, `aws/us-east-1` for `awz/us-east-1`; else empty."""
    cloud, slash, rest = infra.partition("/")
    near = get_close_matches(cloud.lower(), sorted(CLOUDS), n=1, cutoff=0.6)
    return f"{near[0]}{slash}{rest}" if near else ""
