"""What a launch on SkyPilot left behind is brought here from where it is; `ssh` and `sky` are stand-ins."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from expiac.providers.base import Id, Inputs
from expiac.providers.skypilot import SkypilotProvider
from expiac.providers.skypilot.sdk_files import pull
from expiac.status import Status
from expiac.testing.bench import ignore_note, wait_until
from expiac.testing.sky import FakeSky, Server
from expiac.util.errors import ExpiacError, Unavailable

RUN = Id("lineage", "lab.job.0a1b2c3d", 1)


def ended(tmp_path: Path, path: str, mounts: dict[str, object] | None = None) -> SkypilotProvider:
    """A provider whose managed job has succeeded, and declares an output at the path."""
    provider = SkypilotProvider(tmp_path, sky=FakeSky(Server()), timeout=5.0, pause=0.01)
    task = {"name": RUN.instance, "run": "succeeds", "file_mounts": mounts or {}}
    provider.create(RUN, Inputs({}, {"task.yaml": yaml.safe_dump(task)}, outputs={"r": path}), ignore_note)
    wait_until(lambda: provider.read_many([RUN])[RUN].status is Status.SUCCEEDED, 5.0)
    return provider


@pytest.mark.parametrize("mount", [{"source": "{bucket}/results", "mode": "MOUNT"}, {"source": "{bucket}/results"}])
def test_a_mounted_bucket_is_asked_itself(tmp_path, bucket, mount):
    """A file and a folder, after the machine is gone."""
    import fsspec

    mount = {key: value.format(bucket=bucket) for key, value in mount.items()}
    for name in ("run/a", "run/in/b"):
        fsspec.filesystem("s3").pipe(f"{bucket}/results/{name}", name.encode())
    provider = ended(tmp_path, "/data/run", {"/data": mount})
    provider.fetch(RUN, "/data/run/a", tmp_path / "file", timeout=30)
    provider.fetch(RUN, "/data/run", tmp_path / "folder", timeout=30)
    assert (tmp_path / "file").read_text() == "run/a"
    assert (tmp_path / "folder/in/b").read_text() == "run/in/b"
    with pytest.raises(ExpiacError, match="there is nothing at s3://"):
        provider.fetch(RUN, "/data/none", tmp_path / "none", timeout=30)


def test_an_address_is_fetched_as_it_is(tmp_path):
    """Also one of a kind that fsspec does not know, which is refused by name."""
    (tmp_path / "made").write_text("42")
    provider = ended(tmp_path, "r")
    provider.fetch(RUN, f"file://{tmp_path}/made", tmp_path / "copy", timeout=30)
    assert (tmp_path / "copy").read_text() == "42"
    with pytest.raises(ExpiacError, match="nowhere://r"):
        provider.fetch(RUN, "nowhere://r", tmp_path / "other", timeout=30)


def test_a_folder_of_the_run_that_this_machine_shares_is_copied(tmp_path):
    """Its own, by its name: the same path on another machine may be anything."""
    own = tmp_path / "shared" / RUN.instance
    own.mkdir(parents=True)
    (own / "r").write_text("42")
    (tmp_path / "shared" / "r").write_text("somebody else's")
    provider = ended(tmp_path, f"{own}/r")
    provider.fetch(RUN, f"{own}/r", tmp_path / "copy", timeout=30)
    assert (tmp_path / "copy").read_text() == "42"
    with pytest.raises(ExpiacError, match="data_dir"):
        provider.fetch(RUN, f"{tmp_path}/shared/r", tmp_path / "other", timeout=30)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Programs `sky` and `ssh` on the path; this ssh runs the command here, with a home of its own."""
    home, programs = tmp_path / "home", tmp_path / "bin"
    for folder in (home, programs):
        folder.mkdir()
    for name, text in (("sky", 'echo "$@" > "$HOME/asked"'), ("ssh", 'for last; do :; done; eval "$last"')):
        (programs / name).write_text(f"#!/bin/sh\nHOME={home}\n{text}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr("sys.executable", str(programs / "python"))
    (home / "out dir").mkdir()
    (home / "out dir" / "r").write_bytes(bytes(range(256)) * 4096)
    (home / "out dir" / "latest").symlink_to("r")
    return home


def test_a_file_and_a_folder_of_a_cluster_come_over_ssh(cluster, tmp_path):
    """Whole, whatever is in their names and bytes; SkyPilot is asked first how to reach the cluster."""
    pull("lab-1", "~/out dir/r", tmp_path / "file", timeout=30)
    pull("lab-1", f"{cluster}/out dir", tmp_path / "folder", timeout=30)
    assert (cluster / "asked").read_text() == "status lab-1\n"
    assert (tmp_path / "file").read_bytes() == (tmp_path / "folder/latest").read_bytes() == bytes(range(256)) * 4096
    assert (tmp_path / "folder/latest").is_symlink()


def test_what_a_cluster_does_not_have_is_told(cluster, tmp_path):
    with pytest.raises(ExpiacError) as gone:
        pull("lab-1", "~/none", tmp_path / "file", timeout=30)
    assert gone.value.code == "output-gone"


@pytest.mark.parametrize(("ssh", "error"), [
    ("printf fhalf; echo refused >&2; exit 255", "refused"),
    ("printf dhalf", "lab-1: ~/r"),
    ("echo Welcome", "prints something before it runs a command"),
    ("printf f; sleep 600", "not within 1 s"),
])
def test_a_connection_that_breaks_is_an_error(cluster, tmp_path, ssh, error):
    """It is never taken for the end of the file, and has a time limit."""
    (tmp_path / "bin" / "ssh").write_text(f"#!/bin/sh\n{ssh}\n")
    with pytest.raises(ExpiacError, match=error):
        pull("lab-1", "~/r", tmp_path / "file", timeout=1)


def test_a_server_that_is_away_is_told(cluster, tmp_path):
    (tmp_path / "bin" / "sky").write_text("#!/bin/sh\necho no server >&2\nexit 1\n")
    with pytest.raises(Unavailable, match="no server"):
        pull("lab-1", "~/r", tmp_path / "file", timeout=30)
