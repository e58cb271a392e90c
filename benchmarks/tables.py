"""Figures as Markdown, the form in which `docs/performance.md` has them."""

from __future__ import annotations

import platform
import sys
from os import cpu_count
from typing import Any

_PHASES = ("imports", "declaring", "preparing", "rendering", "composition", "fingerprints", "journal reading",
           "looking", "planning", "showing", "journal writing", "other", "disk")


def machine() -> str:
    """What it was measured on."""
    return f"{cpu_count()} cores, {platform.system()} {platform.machine()}, Python {sys.version.split()[0]}"


def startup(rows: list[dict[str, Any]]) -> str:
    return _table(["command", "wall", "CPU", "peak", "CPU, × bare"], [
        [row["command"], _ms(row["wall"]), _ms(row["cpu"]), _mib(row["peak"]), f"{row['times bare']:.2f}"]
        for row in rows])


def scale(rows: list[dict[str, Any]]) -> str:
    """Costs, then phases, then bytes."""
    costs = _table(["command", "jobs", "wall", "CPU", "CPU per further job", "peak"], [
        [row["command"], f"{row['jobs']:,}", f"{row['wall']:.2f} s", f"{row['cpu']:.2f} s", _further(row, rows),
         _mib(row["peak"])] for row in _by_command(rows)])
    phases = _table(["command", "jobs", *_PHASES], [
        [row["command"], f"{row['jobs']:,}", *(_ms(row["phases"].get(phase, 0.0)) for phase in _PHASES)]
        for row in _by_command(rows)])
    bytes_ = _table(["jobs", "written per step", "state file per step"], [
        [f"{row['jobs']:,}", f"{row['written per step']:,.0f} B", f"{row['file per step']:,.0f} B"]
        for row in rows if "written per step" in row])
    return f"{costs}\n\n{phases}\n\n{bytes_}"


def composing(rows: list[dict[str, Any]]) -> str:
    return _table(["cache", "jobs", "wall", "CPU", "peak", "composition per job"], [
        [row["cache"], f"{row['jobs']:,}", f"{row['wall']:.2f} s", f"{row['cpu']:.2f} s", _mib(row["peak"]),
         _ms(row["composition per job"])] for row in rows])


def results(rows: list[dict[str, Any]]) -> str:
    return _table(["command", "runs", "wall", "CPU", "CPU after import", "peak", "CPU, × plain reading"], [
        [row["command"], f"{row['runs']:,}", _ms(row["wall"]), _ms(row["cpu"]), _ms(row["cpu after import"]),
         _mib(row["peak"]), f"{row['times plain']:.2f}"] for row in rows])


def calls(rows: list[dict[str, Any]]) -> str:
    """How often SkyPilot is called."""
    looks = ("requests", "jobs", "clusters", "jobs_on")
    names = ("launch", "await_launch", "cancel", "down", "lines")
    return _table(["command", "jobs", "looks", "launches", "waits for one", "cancels", "clusters down", "logs"], [
        [f"{row['command']}{'' if row['managed'] else ', managed=False'}", f"{row['number of jobs']:,}",
         str(sum(row["calls"].get(look, 0) for look in looks)), *(str(row["calls"].get(name, 0)) for name in names)]
        for row in rows])


def _by_command(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["command"], reverse=True)


def _further(row: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """What each job beyond those of the next smaller size cost."""
    smaller = [other for other in rows if other["command"] == row["command"] and other["jobs"] < row["jobs"]]
    if not smaller:
        return "–"
    least = max(smaller, key=lambda other: other["jobs"])
    return _ms((row["cpu"] - least["cpu"]) / (row["jobs"] - least["jobs"]))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.2f} ms" if seconds < 0.01 else f"{seconds * 1000:,.0f} ms"


def _mib(peak: float) -> str:
    return f"{peak:.0f} MiB"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
