"""A server that answers wrongly, late or not at all: an error with a code and a hint, in bounded time."""

from __future__ import annotations

from pathlib import Path

import pytest

from expiac.testing.wandb_server import Failure, WandbServer
from expiac.tracking import WandbService, get_wandb_service
from expiac.util.errors import ExpiacError

WRONG = [
    (Failure(status=401), "wandb-refuses-key"), (Failure(status=403), "wandb-refuses-key"),
    (Failure(status=500), "wandb-does-not-answer"), (Failure(status=404), "wandb-does-not-answer"),
    (Failure.garbage(), "wandb-does-not-answer"), (Failure(is_cut=True), "wandb-does-not-answer"),
    (Failure(delay=1.0), "wandb-does-not-answer"), (Failure(status=200, body=b"[1]"), "wandb-does-not-answer"),
    (Failure(status=200, body=b'{"data": null}'), "wandb-does-not-answer"),
    (Failure(status=200, body=b'{"data": {"viewer": null}}'), "wandb-refuses-key")]


@pytest.fixture
def hurried(server: WandbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WandbService:
    """A service that waits for half a second at most."""
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    return get_wandb_service(tmp_path, project="lab", timeout=0.5)


def code_of(service: WandbService) -> str:
    with pytest.raises(ExpiacError) as caught:
        service.find_runs()
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize(("failure", "code"), WRONG)
def test_a_wrong_first_answer(server: WandbServer, hurried: WandbService, failure: Failure, code: str):
    """W&B's client is not even begun, as it would try for days."""
    server.fail(failure)
    assert code_of(hurried) == code


@pytest.mark.parametrize(("failure", "code"), WRONG[:2] + WRONG[2:3] + WRONG[4:7] + WRONG[8:9])
def test_a_wrong_answer_later(server: WandbServer, hurried: WandbService, failure: Failure, code: str):
    """What the client raises, and that it does not return, becomes the same errors; then all is well again."""
    server.add_run("lab", "one")
    assert len(hurried.find_runs()) == 1
    server.fail(failure)
    assert code_of(hurried) in {code, "no-such-wandb-project"}
    server.recover()
    assert len(hurried.find_runs()) == 1


def test_a_server_that_is_gone(server: WandbServer, hurried: WandbService):
    server.stop()
    assert code_of(hurried) == "wandb-does-not-answer"


def test_a_connection_that_breaks_in_the_middle_of_a_history(server: WandbServer, hurried: WandbService):
    """The rows before it are there; then there is an error, and no end that looks like one."""
    server.add_run("lab", "one", rows=1_500)
    rows = hurried.get_history("one")
    assert next(rows)["_step"] == 0
    server.fail(Failure(status=500, where="HistoryPage"))
    with pytest.raises(ExpiacError, match="does not answer"):
        list(rows)


def test_a_key_that_the_server_does_not_know(server: WandbServer, hurried: WandbService, monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_API_KEY", "1" * 40)
    assert code_of(get_wandb_service(tmp_path, project="lab")) == "wandb-refuses-key"


def test_a_project_that_there_is_not(hurried: WandbService):
    assert code_of(hurried) == "no-such-wandb-project"
