"""New projects: `expiac new` writes one that trains from the first minute, or an empty one.

`base` has the files of every new project, `example` those of its trainer and its stack, `bare` what a project without
them has in their place. They are data: nothing here imports them. A file that ends with `.j2` is a template, and `dot_`
at the beginning of a name stands for a dot.
"""

from expiac.scaffold.create import NewProject, create

__all__ = ["NewProject", "create"]
