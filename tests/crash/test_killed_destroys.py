"""A destroy that ends several jobs in one call is killed at every instant; the next one leaves nothing running.

An instant is right before or right after each call of SkyPilot and each change of the store.
"""

from __future__ import annotations

import pytest
from rivals import JOBS, FiledSky, Rivals, SkyBackend

from expiac.testing.instants import Instants, die


@pytest.mark.slow
def test_a_destroy_killed_anywhere_is_finished_by_the_next(tmp_path):
    whole = Rivals(tmp_path / "whole", f"file://{tmp_path}/store/whole", SkyBackend)
    whole.command("one").ended()
    count = int(whole.command("one", verb="destroy").ended().split()[0])
    assert FiledSky(tmp_path / "whole" / "sky", Instants()).server.asked.count("cancel") == 1
    for at in range(1, count + 1):
        rivals = Rivals(tmp_path / str(at), f"file://{tmp_path}/store/{at}", SkyBackend)
        rivals.command("one").ended()
        assert len(rivals.backend.live()) == JOBS
        rivals.command("one", verb="destroy", deeds={at: die}).ended()
        said = rivals.command("one", verb="destroy").ended()
        assert rivals.backend.live() == [], f"killed at {at} of {count}: {said}"
        assert "no changes" in said or "Not" not in said, f"killed at {at} of {count}: {said}"
