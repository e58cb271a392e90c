"""Components: addresses, names in them, options that pass down, outputs."""

from __future__ import annotations

import pytest

from expiac import Component, ExpiacError, Job, Options, Resource, Stack, TrainingJob, TrainingRunConfig


def _base(name: str = "base", **how: object) -> Job:
    return Job(name, run="true", outputs={"checkpoint": "model.pt"}, **how)  # type: ignore[arg-type]


def _by_name(stack: Stack) -> dict[str, Resource]:
    return {resource.name: resource for resource in stack.resources}


def test_children_stand_at_their_addresses() -> None:
    stack = Stack("lab", [Component("eval", [_base("a"), Component("deep", [_base("b")])]), _base("c")])
    assert [resource.name for resource in stack.resources] == ["eval/a", "eval/deep/b", "c"]
    assert [part.name for part in stack.components] == ["eval", "eval/deep"]


def test_a_name_means_the_nearest() -> None:
    """A child's reference means its sibling of that name; where there is none, what stands outside."""
    base, outer = _base(), _base("outer")
    tuned = Job("tuned", run=f"tune {base.output('checkpoint')} {outer.output('checkpoint')}",
                depends_on=("base", "outer"))
    stack = Stack("lab", [outer, base, Component("part", [base, tuned])])
    found = _by_name(stack)["part/tuned"]
    assert [ref.resource for ref in found.refs()] == ["part/base", "outer"]
    assert found.depends_on == ("part/base", "outer")


def test_references_in_parts_of_configs_move_and_the_original_stays() -> None:
    base = _base()
    tuned = TrainingJob("tuned", training=TrainingRunConfig(trainer={"from": [f"x={base.output('checkpoint')}"]}))
    stack = Stack("lab", [Component("part", [base, tuned])])
    assert _by_name(stack)["part/tuned"].refs()[0].variable == "EXPIAC_REF_part_base_checkpoint"
    assert tuned.refs()[0].resource == "base"


def test_nothing_is_renamed_without_components() -> None:
    jobs = [_base("a"), Job("b", run=f"x {_base('a').output('checkpoint')}")]
    stack = Stack("lab", jobs)
    assert all(one is other for one, other in zip(stack.resources, jobs, strict=True))


def test_options_pass_down_where_a_child_does_not_say() -> None:
    kept = _base("kept", options=Options(timeout="2h"))
    part = Component("part", [_base("a"), kept], options=Options(protect=True, timeout="1h", aliases=("old",)))
    found = _by_name(Stack("lab", [part]))
    assert found["part/a"].options == Options(protect=True, timeout="1h", aliases=("old/a",))
    assert found["part/kept"].options.timeout == "2h"
    assert found["part/kept"].options.protect


def test_a_dependency_on_a_component_is_one_on_each_child() -> None:
    part = Component("part", [_base("a"), Component("deep", [_base("b")])], depends_on=("first",))
    found = _by_name(Stack("lab", [_base("first"), part, _base("last", depends_on=("part",))]))
    assert found["last"].depends_on == ("part/a", "part/deep/b")
    assert found["part/deep/b"].depends_on == ("first",)


def test_outputs_of_a_component() -> None:
    base = _base()
    inner = Component("inner", [base], outputs={"best": base.output("checkpoint")})
    outer = Component("outer", [inner], outputs={"model": inner.output("best")})
    assert (outer.output("model").resource, outer.output("model").output) == ("outer/inner/base", "checkpoint")
    stack = Stack("lab", [outer, Job("use", run=f"cat {outer.output('model')}")])
    assert _by_name(stack)["use"].refs()[0].resource == "outer/inner/base"
    assert outer.child("inner/base").output("checkpoint") == outer.output("model")


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Component("a/b", []), "Invalid name"),
    (lambda: Component("part", [_base()]).output("x"), "Unknown output"),
    (lambda: Component("part", [_base()]).child("bas"), "base"),
    (lambda: Stack("lab", [_base("part"), Component("part", [_base()])]), "Duplicate name"),
    (lambda: Stack("lab", [Component("part", [_base()]), Component("part", [_base("b")])]), "Duplicate name"),
    (lambda: Stack("lab", [Component("a", [_base("b")]), _base("a_b")]), "Duplicate name"),
    (lambda: Component("part", [_base(), _base()]), "Duplicate name"),
    (lambda: Stack("lab", [Component("part", [Job("x", run="true", depends_on=("nobody",))])]), "Unknown dependency"),
])
def test_mistakes_are_named(make: object, message: str) -> None:
    with pytest.raises(ExpiacError, match=message):
        make()  # type: ignore[operator]


def test_components_in_components_stand_once() -> None:
    """Each at its own address, with its resources, however deep; and each can be depended on."""
    inner = Component("c", [_base("x")])
    stack = Stack("lab", [Component("a", [Component("b", [inner])]), Component("b", [inner]),
                          _base("last", depends_on=("a/b", "b/c"))])
    assert sorted(part.name for part in stack.components) == ["a", "a/b", "a/b/c", "b", "b/c"]
    assert _by_name(stack)["last"].depends_on == ("a/b/c/x", "b/c/x")
    assert {part.name: [one.name for one in part.resources] for part in stack.components}["a/b"] == ["a/b/c/x"]
