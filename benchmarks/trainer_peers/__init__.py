"""Samples per second of expiac's trainer beside other PPO trainers: the same arena, network and sizes of an update.

    python -m benchmarks.trainer_peers [--rounds N] [--patience S] [--every-setting] [--peers PYTHON]

Each contestant is a process that trains without end, and waits while it is not its turn. Ratios are of turns in the
same round, so that a busy moment of the machine meets all alike.
"""
