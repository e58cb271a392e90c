"""What changed against the snapshots, and which jobs changed alike."""

from __future__ import annotations

from expiac.review.changes import Kind, compare, gather, varying
from expiac.review.snapshots import SnapshotSet

LAB = SnapshotSet("lab")


def job(lr: float = 0.1, *, name: str = "a", composed: str = "") -> dict[str, str]:
    files = {"config.yaml": f"# of {name} in lab\nlr: {lr}\n", "task.yaml": "run: train\n"}
    return files | ({"composed.yaml": composed} if composed else {})


def accepted(rendered: dict[str, dict[str, str]]) -> dict[str, bytes]:
    return {f"{name}.{file}": text.encode() for name, files in rendered.items() for file, text in files.items()}


def test_nothing_changed():
    rendered = {"a": job(), "b": job()}
    assert compare(LAB, rendered, accepted(rendered)) == ([], 2)


def test_new_changed_and_removed_jobs():
    before = accepted({"a": job(), "gone": job(), "same": job()})
    changes, unchanged = compare(LAB, {"a": job(0.2), "new": job(), "same": job()}, before)
    assert ({one.job: one.kind for one in changes}, unchanged) == (
        {"a": Kind.CHANGED, "new": Kind.NEW, "gone": Kind.REMOVED}, 1)


def test_a_job_with_a_new_file_is_changed_and_not_new():
    (change,), _ = compare(LAB, {"a": job(composed="lr: 0.1\n")}, accepted({"a": job()}))
    assert (change.kind, [file.kind for file in change.files]) == (Kind.CHANGED, [Kind.NEW])


def test_a_file_that_is_no_snapshot_is_left_alone():
    rendered = {"a": job()}
    assert compare(LAB, rendered, accepted(rendered) | {"README.md": b"x"})[0] == []


def test_what_the_rendered_config_says_is_not_said_again_of_the_composed_one():
    before = accepted({"a": job(0.1, composed="lr: 0.1\nsize: 1\n")})
    (change,), _ = compare(LAB, {"a": job(0.2, composed="lr: 0.2\nsize: 2\n")}, before)
    assert [(file.name, [one.path for one in found]) for file, found in change.differences] == [
        ("config.yaml", ["lr"]), ("composed.yaml", ["size"])]


def test_the_same_change_of_many_jobs_is_one_group():
    before = accepted({name: job(0.1, name=name) for name in "abc"} | {"d": job(0.5, name="d")})
    changes, _ = compare(LAB, {name: job(0.2, name=name) for name in "abcd"}, before)
    groups = gather([(changes, 0)], {}).alike
    assert [[one.job for one in group] for group in groups] == [["a", "b", "c"], ["d"]]


def test_a_change_of_text_alone_is_alike_whatever_the_names_of_the_jobs():
    before = accepted({name: job(name=name) for name in ("one", "two")})
    rendered = {name: {**job(name=name), "config.yaml": f"# Of {name} in lab\nlr: 0.1\n"} for name in ("one", "two")}
    changes, _ = compare(LAB, rendered, before)
    assert all(file.is_text_only for change in changes for file in change.files)
    assert len(gather([(changes, 0)], {}).alike) == 1


def test_new_jobs_with_the_same_settings_are_one_group_that_says_what_differs():
    changes, _ = compare(LAB, {"a": job(0.1), "b": job(0.2), "c": {"task.yaml": "run: x\nmore: y\n"}}, {})
    alike, other = gather([(changes, 0)], {}).alike
    assert (varying(alike), len(other)) == ({"lr": [0.1, 0.2]}, 1)


def test_bytes_that_are_no_text_differ_and_are_shown():
    before = accepted({"a": job()}) | {"a.config.yaml": b"lr: \xff\n"}
    (change,), _ = compare(LAB, {"a": job()}, before)
    assert any("\\xff" in line for line in change.files[0].text_lines)
