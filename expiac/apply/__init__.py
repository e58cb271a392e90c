"""Carries out plans, and asks the providers how each run is.

Others use `planning.Planning`, `refreshing.Refresher` and `applying.Applying`, which work on one stack for one command;
`wait`, which asks again and again; and `events`: what a `Reporter` gets while a command works, and its `Result`.
"""
