"""What every other package may use, and what knows none of them: errors, files, locks, time limits, git."""
