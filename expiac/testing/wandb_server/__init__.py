"""A small W&B server on 127.0.0.1, for tests with W&B's real client: real HTTP, runs in memory, no account.

    with WandbServer() as server:
        subprocess.run(["python", "train.py"], env={**os.environ, **server.env})
        assert len(server.run("project", "run-id").history) == 100

It proves the client's path, and that its filters mean what W&B's documentation says. It can't prove how the service
at wandb.ai behaves.
"""

from expiac.testing.wandb_server.failures import Failure
from expiac.testing.wandb_server.server import WandbServer
from expiac.testing.wandb_server.stored import StoredArtifact, StoredRun

__all__ = ["Failure", "StoredArtifact", "StoredRun", "WandbServer"]
