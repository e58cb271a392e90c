"""The steps that an engine has under way, and the threads that do them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue

from expiac.plan.model import Step
from expiac.state.status import Status

Answers = Mapping[str, Future[Status]]
"""The end of each step of a group, by address: whoever does the group sets them."""
_LONGEST_WAIT = 0.5
"""Seconds, so that a signal handler runs while long effects do."""


class Work:
    """Steps under way. A group of them takes the place of one step, and each of its steps ends by itself."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._news: SimpleQueue[tuple[Step, Future[Status]] | None] = SimpleQueue()
        """Steps that have ended; None for a thread that has."""
        self._steps = 0
        self.places = 0
        """How many are taken: one by each step or group."""

    @property
    def is_under_way(self) -> bool:
        """Whether something has not ended."""
        return bool(self._steps or self.places)

    def begin(self, step: Step, do: Callable[[], Status]) -> None:
        """Does a step in a thread."""
        self.begin_group([step], lambda answers: answers[step.address].set_result(do()))

    def begin_group(self, steps: Sequence[Step], do: Callable[[Answers], None]) -> None:
        """Does steps in one thread; what it raises is the end of those for which it has set none."""
        answers = {step.address: self._answer_to(step) for step in steps}
        self._steps += len(steps)
        self.places += 1
        self._pool.submit(_do, do, answers).add_done_callback(lambda _: self._news.put(None))

    def ended(self) -> Iterator[tuple[Step, Future[Status]]]:
        """The steps that have ended since, with their ends; waits for news, half a second at most."""
        timeout = _LONGEST_WAIT
        while True:
            try:
                news = self._news.get(timeout=timeout)
            except Empty:
                return
            timeout = 0.0
            if news is None:
                self.places -= 1
            else:
                self._steps -= 1
                yield news

    def _answer_to(self, step: Step) -> Future[Status]:
        answer: Future[Status] = Future()
        answer.add_done_callback(lambda ended: self._news.put((step, ended)))
        return answer


def _do(do: Callable[[Answers], None], answers: Answers) -> None:
    try:
        do(answers)
    except BaseException as error:
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(error)
