"""Runs as trackers have them."""
