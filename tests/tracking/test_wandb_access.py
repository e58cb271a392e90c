"""When W&B is asked: where there is a key, unless somebody says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from expiac.testing.wandb_server import WandbServer
from expiac.tracking import get_wandb_service
from expiac.tracking.access import Access, find_access
from expiac.tracking.sync_key import refuse_without_access
from expiac.util.errors import ExpiacError, NoAccess

KEY = "k" * 40


def test_a_key_in_the_environment(tmp_path: Path):
    assert find_access({"WANDB_API_KEY": KEY, "HOME": str(tmp_path)}) == Access("https://api.wandb.ai", KEY)


def test_a_key_in_netrc_is_one_for_its_host(tmp_path: Path):
    (tmp_path / ".netrc").write_text(f"machine wandb.lab.org\n  login user\n  password {KEY}\n")
    there = {"HOME": str(tmp_path), "WANDB_BASE_URL": "https://wandb.lab.org/"}
    assert find_access(there) == Access("https://wandb.lab.org", KEY)
    assert find_access({"HOME": str(tmp_path)}) is None


def test_a_port_is_a_part_of_the_host(tmp_path: Path):
    """As W&B's client writes it."""
    (tmp_path / ".netrc").write_text(f"machine wandb.lab.org:8080\n  login user\n  password {KEY}\n")
    there = {"HOME": str(tmp_path), "WANDB_BASE_URL": "http://wandb.lab.org:8080"}
    assert find_access(there) == Access("http://wandb.lab.org:8080", KEY)


def test_the_server_of_the_users_settings(tmp_path: Path):
    """`wandb login --host` writes them."""
    (tmp_path / ".config" / "wandb").mkdir(parents=True)
    (tmp_path / ".config" / "wandb" / "settings").write_text("[default]\nbase_url = https://wandb.lab.org\n")
    found = find_access({"HOME": str(tmp_path), "WANDB_API_KEY": KEY})
    assert found is not None
    assert found.host == "wandb.lab.org"


def test_sync_asks_that_server_with_its_key(tmp_path: Path):
    with WandbServer() as server:
        (tmp_path / ".config" / "wandb").mkdir(parents=True)
        (tmp_path / ".config" / "wandb" / "settings").write_text(f"[default]\nbase_url = {server.url}\n")
        host, key = server.url.removeprefix("http://"), server.env["WANDB_API_KEY"]
        (tmp_path / ".netrc").write_text(f"machine {host}\n  login user\n  password {key}\n")
        refuse_without_access({"HOME": str(tmp_path)})
        assert len(server.requests) == 1
        with pytest.raises(ExpiacError, match="No W&B key"):
            refuse_without_access({"HOME": str(tmp_path), "WANDB_BASE_URL": "https://api.wandb.ai"})


@pytest.mark.parametrize("content", ["machine", "\xff\xfe", "machine api.wandb.ai\n login x\n"])
def test_a_netrc_that_says_nothing(tmp_path: Path, content: str):
    (tmp_path / ".netrc").write_text(content, encoding="latin-1")
    assert find_access({"HOME": str(tmp_path)}) is None


def test_the_key_is_shown_nowhere():
    assert KEY not in repr(Access("https://api.wandb.ai", KEY))


def test_offline_asks_for_no_key(tmp_path: Path, server: WandbServer, monkeypatch: pytest.MonkeyPatch):
    """`online=False`, and `WANDB_MODE=offline`: the server hears nothing."""
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    assert get_wandb_service(tmp_path, online=False).find_runs() == ()
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert not get_wandb_service(tmp_path).is_online
    assert get_wandb_service(tmp_path).find_runs() == ()
    assert server.requests == []


def test_online_without_a_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(NoAccess) as caught:
        get_wandb_service(tmp_path, online=True)
    assert caught.value.code == "no-wandb-key"
