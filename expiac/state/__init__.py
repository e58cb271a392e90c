"""What is known: events in a journal, what they add up to, and where a journal is kept."""
