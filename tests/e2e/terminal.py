"""A command on a terminal: what it shows, and what is typed."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

CTRL_C = "\x03"


class Terminal:
    """One `expiac` command that believes in a user; killed at the end of the `with`."""

    def __init__(self, root: Path, env: Mapping[str, str], *arguments: str, limit: float = 60.0) -> None:
        self.text = ""
        self._until = time.monotonic() + limit
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            try:
                os.chdir(root)
                signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it, and so would this
                os.execve(sys.executable, [sys.executable, "-m", "expiac", *arguments], {**env, "TERM": "xterm"})
            finally:
                os._exit(127)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._fd)

    def sees(self, words: str) -> None:
        """Returns once the words are on the screen."""
        while words not in self.text:
            assert self._read(), f"it ended without {words!r}:\n{self.text[-2000:]}"

    def listens(self) -> None:
        """Returns once the command sleeps: a ^C between the last letter of a prompt and the read after it is lost."""
        asleep = 0
        while asleep < 3:
            assert time.monotonic() < self._until, f"it never listens:\n{self.text[-2000:]}"
            state = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()[0]
            asleep = asleep + 1 if state == "S" else 0
            time.sleep(0.02)

    def types(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def ends(self, again: str = "") -> int:
        """The exit code; keys to type `again` are those that a user repeats where nothing happens."""
        while True:
            while again and not select.select([self._fd], [], [], 2.0)[0] and time.monotonic() < self._until:
                self.types(again)
            if not self._read():
                break
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(0.0, self._until - time.monotonic()))
        assert ready, f"it hangs:\n{self.text[-2000:]}"
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # Linux says so when the other side has closed
            return False
        self.text += data.decode(errors="replace")
        return bool(data)
