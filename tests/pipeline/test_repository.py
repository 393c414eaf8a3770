"""A repository that git cannot use is one line that says what to do."""

import subprocess
from pathlib import Path

import pytest

from featurize.errors import SerError
from pipeline.repository import git, require_commit, require_inside


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    subprocess.run(["git", "init", "-q"], check=True)
    return tmp_path


def refused(*words: str) -> None:
    with pytest.raises(SerError) as caught:
        require_commit("experiments are commits")
    line = str(caught.value)
    assert "\n" not in line
    assert [word for word in ("experiments are commits", *words) if word not in line] == []


def test_a_commit_is_enough_without_an_identity(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(str(repository), "no git commit", "git init")
    identity = ["-c", "user.name=x", "-c", "user.email=x"]
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    for kind in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{kind}", "/dev/null")
    require_commit("experiments are commits")


def test_another_users_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    refused("does not trust", f"git config --global --add safe.directory '{repository}'")


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    refused("no git commit", "git init")


def test_no_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert git("status") is None
    refused("git is not installed")


def test_a_link_out_of_the_project_is_said_before_dvc_runs_a_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, disk = tmp_path / "project", tmp_path / "disk"
    for folder in (project / "real", disk):
        folder.mkdir(parents=True)
    monkeypatch.chdir(project)
    Path("data").symlink_to(disk)
    Path("inside").symlink_to("real")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    require_inside(Path("data"))  # without DVC, a link is as good as a folder
    monkeypatch.setenv("DVC_ROOT", str(project))
    require_inside(Path("real"), Path("inside"), Path("absent"), disk)
    with pytest.raises(SerError, match=rf"data: a link to {disk}, and DVC accepts no output outside"):
        require_inside(Path("real"), Path("data"))
