"""What expiac knows of a stack: the events in its journal, and the `State` that they add up to.

Others use `stores.states`, which opens a journal in a file or in a shared store, `locking.lock_state`, and the values
in `events`, `model` and `status`. `edit` and `repair` change a state by hand.
"""
