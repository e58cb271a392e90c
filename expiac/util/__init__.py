"""What every other package may use, and what imports none of them: errors, durable files, locks, time limits, git."""
