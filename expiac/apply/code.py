"""The code of a project: the files that decide what a run does, without those that only declare runs."""

from __future__ import annotations

from expiac.declare.project import Project
from expiac.util.code import digest_of_code


def project_code(project: Project, program: str) -> str:
    """The digest of a project's code as it is now; empty where git does not know it.

    Stack files are left out, since what they declare stands in the inputs of each run; so is what runs leave behind.
    """
    return digest_of_code(project.root, project.stacks, program, project.state_folder, project.data_dir)
