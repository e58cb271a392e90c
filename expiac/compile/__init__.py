"""Turns a stack into what the planner compares: rendered files, composed configs and digests.

Others use `prepare.desired` for a whole stack, and before an apply `compose.Composer`, `content.content_of` and
`content.tree_digest`, to see whether a config, a mounted file or the code has changed since.
"""
