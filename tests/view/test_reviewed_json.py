"""A review as JSON values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from jsonschema import Draft202012Validator

from expiac.declare.project import Project
from expiac.review.changes import Review, compare, gather
from expiac.review.snapshots import Snapshots, SnapshotSet
from expiac.view import schema
from expiac.view.reviewed import ReviewDocument, document

PROJECT = Project(Path("/project"))


def of(review: Review, snapshots: Snapshots | None = None) -> ReviewDocument:
    """The document, as the schema has it."""
    found = document(review, snapshots or Snapshots(PROJECT))
    Draft202012Validator(schema.schema()).validate(found)
    return found


def review(before: str, after: str, which: SnapshotSet | None = None) -> Review:
    accepted = {"a.composed.yaml": before.encode(), "same.task.yaml": b"x: 1\n", "gone.task.yaml": b"x: 1\n"}
    rendered = {"a": {"composed.yaml": after}, "same": {"task.yaml": "x: 1\n"}}
    return gather([compare(which or SnapshotSet("lab"), rendered, accepted)], {})


def test_nothing_to_review():
    assert of(Review(unchanged=3)) == {
        "format_version": 1, "is_clean": True, "unchanged": 3, "changes": [], "errors": {}}


def test_an_error_is_not_clean():
    found = of(Review(errors={"lab": "Invalid config"}))
    assert (found["is_clean"], found["errors"]) == (False, {"lab": "Invalid config"})


def test_each_kind_of_difference():
    found = of(review("null_: null\nx: 1\ny: {lr: 0.5}\nz: {}\ndir: ${x}/a\n",
                      "null_: 2\ny: {}\nz: {lr: 0.5}\ndir: ${z.lr}/a\n"))
    changed, removed = found["changes"]
    assert (found["unchanged"], changed["kind"], changed["like"], removed["kind"], removed["like"]) == (
        1, "changed", 1, "removed", 2)
    by_path = {one["path"]: one for one in changed["files"][0]["differences"]}
    assert by_path["null_"] == {"path": "null_", "before": None, "after": 2, "absent": None, "moved_to": None,
                                "resolved": None}
    assert (by_path["x"]["after"], by_path["x"]["absent"]) == (None, "after")
    assert (by_path["y.lr"]["moved_to"], by_path["y.lr"]["absent"]) == ("z.lr", "after")
    assert by_path["dir"]["resolved"] == {"before": "1/a", "after": "0.5/a"}


def test_the_path_of_a_snapshot_and_the_overrides():
    """A folder outside of the project has its whole path."""
    which = SnapshotSet("lab", ("gpus=4", "a=1,2"))
    (change, _) = of(review("a: 1\n", "a: 2\n", which))["changes"]
    assert (change["stack"], change["overrides"]) == ("lab", ["gpus=4", "a=1,2"])
    assert change["files"][0]["path"] == "snapshots/lab@gpus=4,a=1%2C2/a.composed.yaml"
    elsewhere = Snapshots(replace(PROJECT, snapshots=Path("/reviewed")))
    (change, _) = of(review("a: 1\n", "a: 2\n"), elsewhere)["changes"]
    assert change["files"][0]["path"] == "/reviewed/lab/a.composed.yaml"


def test_a_difference_of_text_alone():
    (change, _) = of(review("a: 1\nb: 2\n", "b: 2\na: 1\n"))["changes"]
    (file,) = change["files"]
    assert (file["is_text_only"], file["differences"]) == (True, [])
