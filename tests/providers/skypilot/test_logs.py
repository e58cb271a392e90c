"""What a job printed, as SkyPilot shows it: the job's lines only, each once, whatever becomes of the connection."""

from __future__ import annotations

import dataclasses

import pytest

from expiac.providers.base import Id, Inputs
from expiac.providers.skypilot import SkypilotProvider
from expiac.providers.skypilot.follow import follow_lines
from expiac.providers.skypilot.log_lines import job_lines, nodes_of
from expiac.testing.sky import FakeSky, Server
from expiac.util.errors import ExpiacError, Unavailable

A = Id("lineage-a", "stack.job.0a1b2c3d", 1)
TASK = Inputs({}, {"task.yaml": "name: stack.job.0a1b2c3d\nnum_nodes: 2\nrun: succeeds\n"})
LINES = ["node-0 | hello", "node-1 | hello", "node-0 | bye"]


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def provider(tmp_path, server):
    made = SkypilotProvider(tmp_path, sky=FakeSky(server), timeout=1, pause=0.01)
    made.create(A, TASK, {}.update)
    return made


def until_over(server):
    for _ in range(4):
        server.proceed()


def test_each_line_names_its_node_as_on_this_machine(server, provider):
    until_over(server)
    assert list(provider.logs(A)) == list(provider.logs(A, follow=True)) == LINES
    assert list(provider.logs(A, node=1)) == ["hello"]


def test_a_job_that_waits_has_printed_nothing(server, provider):
    """SkyPilot would wait for its first line."""
    assert list(provider.logs(A)) == []
    assert "lines" not in server.asked


def test_a_node_that_is_none_is_refused(server, provider):
    until_over(server)
    with pytest.raises(ExpiacError, match="No such node") as raised:
        provider.logs(A, node=2)
    assert raised.value.hint == "--node 1"


@pytest.mark.parametrize("breaks", [1, 3])
def test_following_outlives_breaks(server, provider, breaks):
    """No line is lost, and none comes twice."""
    server.breaks = breaks
    assert list(provider.logs(A, follow=True)) == LINES


def test_following_gives_up_where_nothing_comes_any_more(server, provider):
    server.breaks = 10**9
    with pytest.raises(Unavailable):
        list(provider.logs(A, follow=True))


def test_following_waits_for_a_launch_under_way(tmp_path):
    server = Server()
    sky = FakeSky(server, loses="await_launch")
    handle = {}
    with pytest.raises(ExpiacError):
        SkypilotProvider(tmp_path, sky=sky, timeout=0.1, pause=0.01).create(A, TASK, handle.update)
    lines = SkypilotProvider(tmp_path, sky=FakeSky(server), timeout=1, pause=0.01).logs(
        dataclasses.replace(A, handle=handle), follow=True)
    server.settle()
    assert list(lines) == LINES


def test_a_launch_that_never_was_has_none(tmp_path, server):
    with pytest.raises(ExpiacError, match="No logs"):
        SkypilotProvider(tmp_path, sky=FakeSky(server)).logs(A)


def test_a_recovered_job_begins_another_log():
    """Of which everything is shown, though its first lines are the same."""
    readings = iter([["a", "b", "c"], ["a", "b", "x", "c"], ["a", "b", "x", "c", "d"]])
    live = iter([True, True, False])
    lines = follow_lines(lambda: iter(next(readings)), lambda: next(live), timeout=1, pause=0)
    assert list(lines) == ["a", "b", "c", "x", "c", "d"]


SIGN, RESET = "\x1b[36m(head, rank=0, pid=296)\x1b[0m", "\x1b[0m"


@pytest.mark.parametrize(("shown", "lines"), [
    (f"{SIGN} tail\x1b[36m(worker1, rank=1, pid=131, ip=127.0.1.2)\x1b[0m next", ["node-0 | tail", "node-1 | next"]),
    (f"{SIGN} ", ["node-0 | "]),
    (f"{SIGN} \x1b[31mred\x1b[0m (a, b) └── c", ["node-0 | \x1b[31mred\x1b[0m (a, b) └── c"]),
    ("\x1b[36m(setup pid=12)\x1b[0m set up", ["set up"]),
    ("srun: error: n1: task 0: Exited with exit code 3", ["srun: error: n1: task 0: Exited with exit code 3"]),
    (f"{RESET}\x1b[32m✓ Job finished (status: SUCCEEDED).{RESET}{RESET}", []),
    ("\x1b[0m\x1b[32m✓ Managed job finished: 1 (status: SUCCEEDED).\x1b[0m\x1b[0m", []),
    ("\x1b[2m└── \x1b[0mJob started. Streaming logs... \x1b[2m(Ctrl-C to exit log streaming)\x1b[0m", []),
    ("", []),
])
def test_what_skypilot_says_itself_is_left_out(shown, lines):
    assert list(job_lines([shown], nodes=2, node=None)) == lines


def test_a_single_node_needs_no_name():
    shown = ["\x1b[36m(a.b.12345678, pid=8)\x1b[0m hello", "srun: error"]
    for node in (None, 0):
        assert list(job_lines(shown, nodes=1, node=node)) == ["hello", "srun: error"]


@pytest.mark.parametrize(("task", "nodes"), [
    ("run: x", 1), ("num_nodes: 3", 3), ("name: a\n---\nnum_nodes: 2", 2), ("[", 1), ("num_nodes: many", 1), ("", 1)])
def test_the_number_of_nodes(task, nodes):
    assert nodes_of(task) == nodes


def test_a_line_of_colours_takes_no_time():
    """A pattern that tries all ways to part them would never end."""
    assert len(list(job_lines(["\x1b[0m" * 5_000 + "x"], nodes=1, node=None))) == 1


def test_a_long_log_is_read_once_and_in_order():
    """The reader keeps a number a line, and no line."""
    readings = iter([range(50_000), range(50_001)])
    live = iter([True, False])
    lines = follow_lines(lambda: map(str, next(readings)), lambda: next(live), timeout=1, pause=0)
    assert all(line == str(number) for number, line in zip(range(50_001), lines, strict=True))
