"""A plan and its results as text: for a terminal, and for documents."""
