"""What you declare: resources, jobs and experiments, in a `Stack`; and the project and the stack file that hold them.

You import these classes from `expiac`. The rest of expiac also uses `project.find`, which reads the settings of a
project, and `program.load`, which executes a stack file.
"""
