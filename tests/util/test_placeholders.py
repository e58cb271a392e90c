"""A placeholder is filled; the same text where a user means it is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from expiac.util.placeholders import DATA_DIR, INSTANCE, escape, fill, fill_data_dir

PARTS = st.sampled_from(["@", "instance", "data_dir", "literal-", INSTANCE, DATA_DIR, "@literal-instance@", "a "])
TEXTS = st.lists(PARTS, max_size=8).map("".join)


@given(TEXTS)
def test_a_users_own_text_comes_out_as_it_went_in(text):
    """Whatever it looks like, and in whatever it is nested."""
    value = {text: [text, {"a": text, "b": 1}], "c": None}
    assert fill(escape(value), {INSTANCE: "run", DATA_DIR: "folder"}) == value
    assert fill(escape(value)) == value


def test_a_placeholder_is_filled_beside_a_users_text():
    text = f"{INSTANCE}: {escape('@instance@ in @data_dir@')}"
    assert fill(text, {INSTANCE: "lab.a.0a1b2c3d"}) == "lab.a.0a1b2c3d: @instance@ in @data_dir@"
    assert fill(text) == "@instance@: @instance@ in @data_dir@"


def test_the_folder_of_results_is_filled_alone():
    """The rest of the path is left to the launch."""
    path = f"{DATA_DIR}/{INSTANCE}/{escape('@data_dir@')}"
    assert fill_data_dir(path, "runs") == "runs/@instance@/@literal-data_dir@"
