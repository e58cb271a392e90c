"""`expiac new`: what it writes, and what it refuses to write."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from expiac.cli import run
from expiac.compile.templates import shipped_templates
from expiac.declare.project import find_project
from expiac.scaffold.create import create
from expiac.scaffold.files import project_files
from expiac.scaffold.source import pip_argument
from expiac.util.errors import ExpiacError, UsageError
from expiac.util.version import VERSION


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its content, and every folder."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
            for path in folder.rglob("*")}


def test_the_command_says_what_to_do_next(here, capsys):
    """In words that can be pasted."""
    assert run(["new", "demo"]) == 0
    name, *following = capsys.readouterr().out.splitlines()
    files = [path for path in (here / "demo").rglob("*") if path.is_file()]
    assert name == f"demo: {len(files)} files"
    assert following == ["", "  cd demo", "  make quickstart", "  make test"]


def test_the_layout(here):
    """Every kind of file that a project has; those with a dot under their own name."""
    create("demo", bare=False)
    names = {path.relative_to(here / "demo").parts[0] for path in (here / "demo").rglob("*")}
    assert names - {"local.mk"} == {".github", ".gitignore", "Makefile", "README.md", "configs", "pyproject.toml",
                                    "snapshots", "stacks", "templates", "tests", "trainer"}
    assert not [path for path in (here / "demo").rglob("*") if path.name.startswith("dot_")]


def test_a_bare_project_has_no_trainer_and_no_example(here):
    """Nor anything that speaks of them."""
    create("demo", bare=True)
    files = {path: path.read_text() for path in (here / "demo").rglob("*") if path.is_file()}
    stacks, others = here / "demo" / "stacks", [text for path, text in files.items() if path.name != "local.mk"]
    assert not (here / "demo" / "trainer").exists()
    assert list(stacks.iterdir()) == [stacks / ".gitkeep"]
    assert not [text for text in others if "digits" in text or "quickstart" in text]


@pytest.mark.parametrize("bare", [False, True])
def test_it_requires_the_running_release(bare):
    """And is named after its folder."""
    project = tomllib.loads(project_files("demo", bare=bare)["pyproject.toml"])["project"]
    assert project["name"] == "demo"
    assert f"expiac=={VERSION}" in project["dependencies"]


@pytest.mark.parametrize("bare", [False, True])
def test_its_templates_are_those_that_expiac_ships(bare):
    """Of the two texts that it renders."""
    files = project_files("demo", bare=bare)
    own = {path.removeprefix("templates/"): text for path, text in files.items() if path.startswith("templates/")}
    assert set(own) == {"experiment.yaml.j2", "task.yaml.j2"}
    assert own.items() <= shipped_templates().items()


def test_it_writes_over_nothing(here):
    """All that is in the way is named, and everything stays as it was."""
    folder = here / "demo"
    (folder / "trainer").mkdir(parents=True)
    (folder / "README.md").write_text("mine")
    (folder / "stacks").write_text("no folder")
    (folder / "Makefile").symlink_to("nowhere")
    (folder / "pyproject.toml").mkdir()
    before = tree(here)
    with pytest.raises(ExpiacError, match="Files in the way") as error:
        create("demo", bare=False)
    assert sorted(error.value.detail.splitlines()) == ["demo/Makefile", "demo/README.md", "demo/pyproject.toml",
                                                       "demo/stacks"]
    assert tree(here) == before


def test_other_files_are_left_alone(here):
    """A folder with a licence and a repository becomes a project."""
    (here / "LICENSE").write_text("mine")
    (here / ".git").mkdir()
    create(".", bare=False)
    assert (here / "LICENSE").read_text() == "mine"
    assert (here / "stacks" / "digits.py").is_file()


def test_a_file_of_the_project_s_name_is_in_the_way(here):
    """Once, not for every file below it."""
    (here / "demo").write_text("mine")
    with pytest.raises(ExpiacError, match="Files in the way") as error:
        create("demo", bare=False)
    assert error.value.detail == "demo"


def test_a_folder_with_a_pyproject_of_its_own_is_told_how_to_become_a_project(here):
    """The hint does what it says; a project is not told so again."""
    (here / "pyproject.toml").write_text("[project]\nname = 'mine'\n")
    with pytest.raises(ExpiacError, match="Files in the way") as error:
        create(".", bare=True)
    command = error.value.hint.removeprefix("nothing was written; to make the folder a project as it is: ")
    subprocess.run(["sh", "-c", command], check=True)
    assert find_project(here).root == here
    with pytest.raises(ExpiacError, match="Files in the way") as error:
        create(".", bare=True)
    assert "echo" not in error.value.hint


@pytest.mark.parametrize(("folder", "name"), [
    ("digits", "digits"), ("My runs (2)", "My-runs-2"), ("..odd..", "odd"), ("Ünïcode", "n-code"),
    ("___", "experiments"), ("numpy", "numpy-experiments"),
])
def test_the_present_folder(folder, name, tmp_path, monkeypatch):
    """It becomes a project, whatever it is called."""
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    assert create(".", bare=False).name == name
    assert tomllib.loads(Path("pyproject.toml").read_text())["project"]["name"] == name


def test_a_folder_in_another(here):
    """Its last part is the name; what is missing of the others is made."""
    assert create("lab/runs/demo/", bare=True).name == "demo"
    assert (here / "lab" / "runs" / "demo" / "pyproject.toml").is_file()


@pytest.mark.parametrize(("name", "hint"), [
    ("", "expiac new NAME"), (" ", "expiac new NAME"), ("my runs", "expiac new my-runs"), ("-x", "expiac new x"),
    (".hidden", "expiac new hidden"), ("demo_", "expiac new demo"), ("dem\no", "expiac new dem-o"),
    ("Ziffern für alle", "expiac new Ziffern-f-r-alle"), ("/", "expiac new experiments"),
    ("../..demo", "expiac new demo"),
])
def test_a_bad_name_is_refused(name, hint, here):
    """With one that would do; nothing is written."""
    with pytest.raises(UsageError, match="Invalid name") as error:
        create(name, bare=False)
    assert error.value.hint.startswith(hint)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("name", ["expiac", "NumPy", "scikit_learn", "pytest", "hatchling"])
def test_the_name_of_a_package_that_it_requires_is_refused(name, here):
    """pip would take the project for that package."""
    with pytest.raises(UsageError, match="Invalid name") as error:
        create(name, bare=False)
    assert (error.value.hint, list(here.iterdir())) == (f"expiac new {name}-experiments", [])


def test_a_bare_project_may_have_the_name_of_a_package_that_it_does_not_require(here):
    """It has no dependency on NumPy."""
    assert create("numpy", bare=True).name == "numpy"


SMALL_DISK = """
import resource, sys
from expiac.cli import run
resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))
sys.exit(run(["new", "lab/demo"]))
"""


def test_where_a_file_cannot_be_written_none_is(here):
    """After a failure halfway everything is as it was, its folders too."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", SMALL_DISK], env=env, capture_output=True, text=True, timeout=60,
                          check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "Cannot write")
    assert tree(here) == {}


@pytest.mark.parametrize(("origin", "argument"), [
    ({"url": "https://example.org/expiac.whl", "archive_info": {}}, "https://example.org/expiac.whl"),
    ({"url": "https://example.org/expiac", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
     "git+https://example.org/expiac@0a1b"),
    ({"url": "file:///gone/expiac.whl", "archive_info": {}}, ""),
])
def test_an_expiac_from_no_index_is_installed_from_where_it_is(origin, argument):
    """As PEP 610 records it."""
    assert pip_argument(origin) == argument


def test_a_wheel_is_installed_from_its_file(tmp_path):
    """Also if its path has letters that an address writes in another way."""
    wheel = tmp_path / "my wheels" / "expiac.whl"
    wheel.parent.mkdir()
    wheel.touch()
    assert pip_argument({"url": wheel.as_uri(), "archive_info": {}}) == str(wheel)


@pytest.mark.parametrize("source", ["", "/tmp/expiac.whl"])
def test_only_a_file_that_git_ignores_names_this_machine(source):
    """And it is there only if there is something to say."""
    files = project_files("demo", bare=False, source=source)
    assert [path for path, text in files.items() if "/tmp/" in text] == (["local.mk"] if source else [])
    assert "/local.mk" in files[".gitignore"].splitlines()
