"""Carries out a plan, and looks at what runs: the engine, refresh, waiting, and what is told meanwhile."""
