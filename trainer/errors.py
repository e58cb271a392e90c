"""What a user can have got wrong. `python -m trainer` prints these without a traceback and exits 1."""


class TrainerError(Exception):
    """Carries a message for people; the only exception that the command line catches."""
