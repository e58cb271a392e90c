"""Review of what is rendered against the snapshots that were accepted before: what changed, and who decided what.

`renderings` says what there is to see of a job, `snapshots` keeps the accepted files, `changes` compares the two,
`differences` two texts, and `decisions` holds what the reviewer said.
"""
