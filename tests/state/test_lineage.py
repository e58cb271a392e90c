"""A preview's names are the launch's names; another checkout has others."""

from __future__ import annotations

from expiac.state.lineage import lineage


def test_a_checkout_keeps_to_one_lineage_per_stack(tmp_path):
    """Asked again, the same; another stack, another."""
    assert lineage(tmp_path / "a", "x") == lineage(tmp_path / "a", "x")
    assert lineage(tmp_path / "a", "x") != lineage(tmp_path / "a", "y")


def test_another_checkout_has_another_lineage(tmp_path):
    """So neither touches the other's jobs."""
    assert lineage(tmp_path / "a", "x") != lineage(tmp_path / "b", "x")


def test_where_no_seed_can_be_kept_it_is_drawn(tmp_path):
    """Planning goes on in a folder that can't be written."""
    (tmp_path / "file").write_text("")
    assert len(lineage(tmp_path / "file", "x")) == 32
