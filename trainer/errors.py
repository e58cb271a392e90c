"""Errors that a user can correct. `python -m trainer` prints these without a traceback and exits 1."""


class TrainerError(Exception):
    """Carries a message for people; the only exception that the command line catches."""
