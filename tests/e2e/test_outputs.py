"""An output that a run declares and does not leave behind is told, and fails the run if others refer to it."""

from __future__ import annotations

from throwaway import Folder

LONE = """base = Job("base", run="true", skypilot=HERE, outputs={"weights": "out/w.pt", "log": "log"})
small = Stack("small", [base])
"""
PAIR = """base = Job("base", run="touch log; sleep 0.2", skypilot=HERE, outputs={"weights": "out/w.pt", "log": "log"})
small = Stack("small", [base, Job("after", run=f"cat {base.output('weights')}", skypilot=HERE)])
"""


def test_an_output_that_nobody_needs_is_a_warning(project: Folder):
    """The run has succeeded, and says what it did not leave behind."""
    project.stack(LONE)
    assert "output weights is not there: out/w.pt (and 1 more)" in project.apply()
    (base,) = project.said("status")["resources"]
    assert base["status"] == "succeeded"
    assert "output weights is not there" in project.output("status")


def test_an_output_that_others_need_fails_the_run(project: Folder):
    """What refers to it is not launched; once the run leaves it behind, all goes on."""
    stack = project.stack(PAIR)
    done = project.expiac("apply", "--yes", "--wait")
    assert done.returncode == 1
    assert "output weights is not there: out/w.pt" in done.stdout
    status = {job["address"]: job["status"] for job in project.said("status")["resources"]}
    assert status == {"base": "failed"}
    assert len(project.launches()) == 1

    stack.write_text(stack.read_text().replace("touch log", "mkdir out; echo 1 > out/w.pt; touch log"))
    project.apply()
    assert {job["status"] for job in project.said("status")["resources"]} == {"succeeded"}


def test_an_output_that_the_system_refuses_is_not_there(project: Folder):
    """No file has so long a name: that is told, of a live run and of one that has ended."""
    project.stack("""long = "w" * 300
small = Stack("small", [Job("base", run="sleep 0.5", skypilot=HERE, outputs={"weights": f"{long}.pt"})])
""")
    project.output("apply", "--yes")
    project.output("status")
    project.apply()
    (base,) = project.said("status")["resources"]
    assert (base["status"], base["detail"]) == ("succeeded", f"output weights is not there: {'w' * 300}.pt")


def test_metrics_are_found_where_no_output_is_declared(project: Folder):
    """In the run's own folder among the results."""
    project.stack("""out = "$DATA_DIR/$EXPIAC_INSTANCE"
run = f"mkdir -p {out}; printf 'epoch,acc\\\\n3,0.75\\\\n' > {out}/metrics.csv"
small = Stack("small", [Job("base", run=run, skypilot=HERE)])
""")
    project.apply()
    (base,) = project.said("status")["resources"]
    assert (base["progress"]["step"], base["progress"]["metrics"]) == (3, {"acc": 0.75})


def test_a_text_that_looks_like_a_placeholder_reaches_the_job(project: Folder):
    """In its command and in a variable, through a saved plan too."""
    project.stack("""place = SkypilotJobConfig(gpus=0, workdir=None, envs={"WHO": "@instance@ of @data_dir@"})
small = Stack("small", [Job("base", run="echo $WHO, @instance@", skypilot=place)])
""")
    project.output("plan", "--out", "plan.json")
    project.output("apply", "plan.json", "--yes", "--wait")
    assert "@instance@ of @data_dir@, @instance@" in project.output("logs", "small", "base")
