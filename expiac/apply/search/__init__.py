"""Searches: what trials came to, what Optuna proposes next, and which trials it ends early.

The study is the state itself. Each plan makes Optuna's study anew from the records of the trials: their values, what
their sampler noted of them, and what they came to. So a process that is killed loses nothing but a proposal that was
not launched, and the next one makes the same proposal again.
"""

from expiac.apply.search.recording import Proposals, record_told
from expiac.apply.search.searching import Found, Searching, only_proposed, with_searches

__all__ = ["Found", "Proposals", "Searching", "only_proposed", "record_told", "with_searches"]
