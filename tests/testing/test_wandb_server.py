"""The W&B server for tests: what its filters mean, and that it fails as it is told."""

from __future__ import annotations

import pytest

from expiac.testing.wandb_server import WandbServer
from expiac.testing.wandb_server.filters import matches
from expiac.testing.wandb_server.stored import StoredRun

RUN = StoredRun("me", "lab", "r1", display_name="first", tags=["a", "b"], group="g", created_at="2026-01-02T00:00:00Z",
                config={"net": {"value": {"layers": 3}}}, summary={"loss": 0.5, "eval": {"hearts": 2}})


@pytest.mark.parametrize(("filters", "is_meant"), [
    ({}, True), ({"tags": "a"}, True), ({"tags": "c"}, False), ({"tags": {"$in": ["c", "b"]}}, True),
    ({"tags": {"$nin": ["a"]}}, False), ({"tags": {"$ne": "c"}}, True), ({"group": "g", "state": "running"}, True),
    ({"group": {"$eq": "g"}, "state": "finished"}, False), ({"$or": [{"group": "x"}, {"name": "r1"}]}, True),
    ({"$nor": [{"group": "g"}]}, False), ({"$and": [{"tags": "a"}, {"tags": "b"}]}, True),
    ({"createdAt": {"$gte": "2026-01-02"}}, True), ({"created_at": {"$lt": "2026-01-02T00:00:00Z"}}, False),
    ({"summary_metrics.loss": {"$gt": 0.4, "$lte": 0.5}}, True), ({"summary_metrics.eval.hearts": 2}, True),
    ({"config.net.layers": 3}, True), ({"config.net.value.layers": 3}, False),
    ({"config.lr": {"$exists": False}}, True),
    ({"display_name": {"$regex": "^fi"}}, True), ({"jobType": None}, True), ({"group": {"$not": {"$eq": "g"}}}, False),
    ({"summary_metrics.loss": {"$gt": "a"}}, False)])
def test_filters(filters, is_meant):
    """As MongoDB has them."""
    assert matches(RUN, filters) is is_meant


@pytest.mark.parametrize("filters", [{"mood": "good"}, {"group": {"$near": "g"}}])
def test_a_filter_that_wandb_does_not_have(filters):
    """It is an error, so that no test passes with it."""
    with pytest.raises(ValueError, match="unknown"):
        matches(RUN, filters)


def test_two_servers_share_nothing():
    with WandbServer() as one, WandbServer() as other:
        one.add_run("lab", "r1", rows=3)
        assert (len(one.runs), other.runs, one.url == other.url) == (1, [], False)


def test_a_server_that_was_never_started_can_be_stopped():
    WandbServer().stop()
