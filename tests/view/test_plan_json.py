"""The plan as a document for programs."""

from __future__ import annotations

import json
from importlib.resources import files

from jsonschema import Draft202012Validator
from plans import change, plan, step

from expiac.cli.events import dumps
from expiac.plan.model import MISSING, Action, Desired
from expiac.view import show


def test_the_keys_are_the_documented_ones(everything):
    """Programs rely on these names."""
    document = json.loads(dumps(show.document(everything)))
    assert {"format_version", "stack", "lineage", "serial", "steps", "summary"} <= document.keys()
    assert {"address", "type", "instance", "launch", "action", "reason", "changes", "cost_per_hour", "depends_on",
            "deferred"} <= document["steps"][0].keys()
    assert document["summary"] == {"create": 3, "update": 1, "replace": 2, "relaunch": 1, "stop": 1, "keep": 3,
                                   "restore": 0, "forget": 1}


def test_the_schema_describes_it(everything):
    """All that can be said of a step; a price, none where there are prices, a job of others; a part of a stack."""
    schema = json.loads(files("expiac.view").joinpath("schema.json").read_text(encoding="utf-8"))
    more = plan(step("bounded", Action.CREATE, "new", cost_per_hour=12.5, cost_at_most=50.0, depends_on=("base",)),
                step("unpriced", Action.CREATE, "new", unpriced=True),
                step("found", Action.CREATE, "adopts managed job 12, running", adopts={"job": 12}),
                along=("base",), left_out=("tuned",))
    documents = [json.loads(dumps(show.document(one))) for one in (everything, more)]
    for document in documents:
        Draft202012Validator(schema).validate(document)
    assert [(one["cost_at_most"], one["unpriced"], one["adopts"]) for one in documents[1]["steps"]] == [
        (50.0, False, False), (None, True, False), (None, False, True)]


def test_absent_is_told_from_null():
    """A field that is new, one that goes, and one that was null are three things."""
    document = show.document(plan(step("x", Action.REPLACE, "", change("a", MISSING, None), change("b", 1, MISSING),
                                       change("c", None, 2))))
    assert [(one["before"], one["after"], one["absent"]) for one in document["steps"][0]["changes"]] == [
        (None, None, "before"), (1, None, "after"), (None, 2, None)]


def test_a_number_that_is_none_is_null():
    """Every JSON parser reads the document, also where a loss has diverged."""
    assert dumps({"loss": float("nan"), "best": [float("inf"), 1.5]}) == '{"loss": null, "best": [null, 1.5]}'


def test_what_is_launched_has_its_inputs():
    """What the program sets, and all of it; a step that launches nothing has neither."""
    want = Desired("train", "job", "local", {"run": "x", "infra": "local"}, {}, "d", settings={"run": "x"})
    document = show.document(plan(step("train", Action.CREATE, "new", desired=want), step("old", Action.STOP)))
    assert [(one["settings"], one["inputs"]) for one in document["steps"]] == [
        ({"run": "x"}, {"run": "x", "infra": "local"}), (None, None)]
