"""What a job printed, out of what SkyPilot shows of it: without SkyPilot's own words, and with one sign for a node.

Pure. SkyPilot puts `(worker1, rank=1, pid=131, ip=127.0.1.2) `, coloured, before each line of a job; where a job's
last line has no end, the next sign stands in the middle of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from expiac.providers.skypilot.snapshot import documents

_SIGN = re.compile(r"\x1b\[36m\(([^()]*\bpid=\d+[^()]*)\)\x1b\[0m ?")
_RANK = re.compile(r"\brank=(\d+)\b")
_COLOUR = r"\x1b\[[0-9;]*m"
_OWN = re.compile(rf"^(?:{_COLOUR})*(?:├──|└──) |^(?:{_COLOUR}|\s)*$")
_ENDING = re.compile(
    rf"(?:{_COLOUR})*\S (?:Job finished|Managed job finished: \d+) \(status: [A-Z_]+\)\.(?:{_COLOUR})*$")


def job_lines(shown: Iterable[str], *, nodes: int, node: int | None) -> Iterator[str]:
    """The lines of the job, or of one of its nodes; with several, each names its own."""
    for line in shown:
        for rank, text in _parts(_ENDING.sub("", line)):
            if node is None and nodes > 1 and rank is not None:
                yield f"node-{rank} | {text}"
            elif node in (None, rank or 0):
                yield text


def has_begun(line: str) -> bool:
    """Whether a line of what SkyPilot shows is of the job, or says that it has started or ended on its machine."""
    return bool(_SIGN.search(line)) or "Job started" in line or "Job finished" in line


def nodes_of(task: str) -> int:
    """How many nodes a task's YAML asks for."""
    counts = [document.get("num_nodes") for document in documents(task)]
    return max((count for count in counts if isinstance(count, int)), default=1)


def _parts(line: str) -> Iterator[tuple[int | None, str]]:
    """The line cut before each sign: the node that each part names, if it names one, and the part's words."""
    before, *signed = _SIGN.split(line)
    if not _OWN.match(before):
        yield None, before
    for sign, text in zip(signed[::2], signed[1::2], strict=True):
        rank = _RANK.search(sign)
        yield (int(rank[1]) if rank else None), text
