"""Shows plans, events and results as text.

Others use `show` for a plan as text or as a JSON document, `figures` for numbers and durations, and `console` to print
on a terminal.
"""
