"""The user who runs the jobs, how SkyPilot reaches the head by ssh, and what it finds in place of the internet."""

from __future__ import annotations

import pwd
import shutil
import subprocess
import sys
from pathlib import Path

from tests.slurm.packages import PATH, SKY_AT, SKY_VERSION
from tests.slurm.ports import Ports

SSHD_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/etc/host_key
PidFile {folder}/run/sshd.pid
AuthorizedKeysFile {folder}/etc/authorized_keys
AllowUsers {user}
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
UseDNS no
PrintMotd no
MaxSessions 200
MaxStartups 150:30:200
# rsync comes without a login shell: what the profile sets, it would not see.
SetEnv SLURM_CONF={folder}/etc/slurm.conf SKYPILOT_DISABLE_USAGE_COLLECTION=1
Subsystem sftp internal-sftp
"""

PROFILE = """\
export PATH={folder}/shims:{python}:{path}
export SLURM_CONF={folder}/etc/slurm.conf
export SKYPILOT_DISABLE_USAGE_COLLECTION=1
. ~/.bashrc
"""

CURL = """\
#!/bin/sh
# The installer of uv is answered here; nothing else leaves loopback.
for word in "$@"; do
    case "$word" in
        https://*/uv/install.sh) echo 'mkdir -p "$UV_INSTALL_DIR" && cp {folder}/shims/uv "$UV_INSTALL_DIR/uv"'; exit ;;
        http://127.0.0.1[:/]* | http://localhost[:/]*) ;;
        http://* | https://*) echo "curl: $word is not on loopback" >&2; exit 7 ;;
    esac
done
exec /usr/bin/curl "$@"
"""

UV = """\
#!/bin/sh
# SkyPilot makes an environment for its runtime and installs itself there. This one borrows all that the tests run with.
# Skylets of clusters that start together on one machine may choose the same port, which nobody asks on Slurm. All but
# one would die, and be started again every few seconds. Here each takes a port that is free.
any_port='import sys; sys.argv[1:] = ["--port=0" if "sky.skylet.skylet" in sys.orig_argv else w for w in sys.argv[1:]]'
case "$1 $2" in
    "venv --seed")
        "{executable}" -m venv --without-pip "$3"
        for site in "$3"/lib/python*/site-packages; do
            echo "{site}" > "$site/borrowed.pth"; echo "$any_port" > "$site/any_port.pth"
        done ;;
    "pip list") echo "skypilot {version}" ;;
    "pip install" | "pip uninstall") ;;
    "-V ") echo "uv 0 (borrowed)" ;;
    *) echo "uv: $* is not answered here" >&2; exit 2 ;;
esac
"""


def write(folder: Path, user: str, ports: Ports) -> None:
    """Makes the user, its home and shims, the keys and sshd's configuration."""
    _make_user(folder, user)
    words = {"folder": folder, "user": user, "port": ports.ssh, "path": PATH, "python": Path(sys.executable).parent,
             "executable": sys.executable, "site": SKY_AT, "version": SKY_VERSION}
    (folder / "etc" / "sshd_config").write_text(SSHD_CONFIG.format(**words))
    (folder / "user" / ".bash_profile").write_text(PROFILE.format(**words))
    for name in (".bashrc", ".hushlogin"):
        (folder / "user" / name).touch()
    for path in (folder / "user", *(folder / "user").iterdir()):
        shutil.chown(path, user, user)
    (folder / "shims").mkdir(exist_ok=True)
    for name, text in {"curl": CURL, "uv": UV}.items():
        shim = folder / "shims" / name
        shim.write_text(text.format(**words))
        shim.chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True)  # Debian's sshd wants it
    _make_key(folder / "etc" / "host_key")
    _make_key(folder / "etc" / "user_key")
    shutil.copyfile(folder / "etc" / "user_key.pub", folder / "etc" / "authorized_keys")


def remove_user(user: str) -> None:
    """Removes the user; its home goes with the folder of the cluster."""
    if user in {entry.pw_name for entry in pwd.getpwall()}:
        subprocess.run(["userdel", "--force", user], check=True, timeout=30, capture_output=True)


def _make_user(folder: Path, user: str) -> None:
    (folder / "user").mkdir(exist_ok=True)
    if user not in {entry.pw_name for entry in pwd.getpwall()}:
        # A password of "*" fits nothing; with "!" the account would be locked, and sshd would refuse it.
        subprocess.run(["useradd", "--no-create-home", "--user-group", "--home-dir", str(folder / "user"),
                        "--shell", "/bin/bash", "--password", "*", user], check=True, timeout=30, capture_output=True)


def _make_key(path: Path) -> None:
    if not path.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, timeout=30)
