"""Tells others how runs ended: calls the commands and the webhook of notices that are due, and records that.

If expiac is killed between a call and its record, the next command calls again. A call that fails is a warning, and is
not made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from expiac.apply.events import Reporter, Warned
from expiac.apply.hooks import ShellHooks
from expiac.apply.notices import unsent
from expiac.apply.webhook import post
from expiac.declare.notify import NotifySettings
from expiac.declare.project import Project
from expiac.state.events import NoticeSent
from expiac.state.journal import Journal
from expiac.state.model import Record
from expiac.util.errors import ExpiacError

_AT_ONCE = 32
"""How many notices are sent under one lock, side by side."""
Call = Callable[[], None]


class Notifier:
    """Sends the notices of a project's runs."""

    def __init__(self, project: Project, reporter: Reporter) -> None:
        self.settings: NotifySettings = project.notify
        self._reporter = reporter
        self._run = ShellHooks(project.root, timeout=self.settings.timeout)

    def send_due(self, journal: Journal) -> None:
        """Sends notices that are due, at most `_AT_ONCE`, and records each. Needs the lock, so that nobody else sends
        it too: others wait for it no longer than the three calls of a notice may take."""
        due = unsent(journal.state)[:_AT_ONCE]
        if not due:
            return
        stack = journal.state.stack
        with ThreadPoolExecutor(len(due), thread_name_prefix="expiac-notice") as pool:
            calls = {pool.submit(self._send, stack, record, occasion): (record, occasion) for record, occasion in due}
            for call in as_completed(calls):
                record, occasion = calls[call]
                failures = call.result()
                journal.append(NoticeSent(record.run.instance, occasion, "; ".join(failures)), durable=False)
                for failure in failures:
                    self._reporter.on_event(Warned(f"{record.address} {occasion}, but a notice failed: {failure}"))
        journal.flush()  # whatever becomes of the rest of the command, nobody sends them again

    def _send(self, stack: str, record: Record, occasion: str) -> Sequence[str]:
        """Makes every call of a notice, and says which failed."""
        body = _body(stack, record, occasion)
        failures: list[str] = []
        for call in self._calls(record, occasion, body):
            try:
                call()
            except ExpiacError as error:
                failures.append(f"{error.summary}: {error.detail}")
            except Exception as error:  # whatever it is, it stops no apply
                failures.append(type(error).__name__)
        return failures

    def _calls(self, record: Record, occasion: str, body: dict[str, Any]) -> list[Call]:
        settings, hook, calls = self.settings, record.options.hooks.notify, list[Call]()
        env = _variables(body)
        if hook:
            calls.append(lambda: self._run(f"{record.address}: notify", hook, env))
        if settings.wants(occasion) and settings.command:
            calls.append(lambda: self._run("notify", settings.command, env))
        if settings.wants(occasion) and settings.webhook:
            calls.append(lambda: post(settings.webhook, settings.headers, body, timeout=settings.timeout))
        return calls


def _body(stack: str, record: Record, occasion: str) -> dict[str, Any]:
    reason = record.notices[occasion].reason
    words = f"is stuck: {reason}" if occasion == "stuck" else occasion
    text = f"{stack}: {record.address} {words}" + (f": {reason}" if words == occasion and reason != occasion else "")
    return {"event": occasion, "text": text, "stack": stack, "job": record.address, "instance": record.run.instance,
            "launch": record.run.launch, "status": record.status.value, "reason": reason, "seconds": record.seconds,
            "provider": record.provider}


def _variables(body: dict[str, Any]) -> dict[str, str]:
    names = ("event", "stack", "job", "instance", "launch", "status", "reason", "text")
    return {f"EXPIAC_{name.upper()}": str(body[name]) for name in names} | {"EXPIAC_NOTICE": json.dumps(body)}
