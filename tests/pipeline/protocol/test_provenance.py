"""The code version is recorded, including local changes."""

import subprocess
from pathlib import Path

import pytest

from pipeline.protocol import provenance


def test_the_code_is_named_by_its_commit_and_says_where_it_was_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert " " not in provenance.code_version()
    source = tmp_path / "a.py"
    source.write_text("1")
    identity = ["-c", "user.name=x", "-c", "user.email=x"]
    for command in (["init", "-q"], ["add", "a.py"], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    version, commit = provenance.code_version().split(" ", 1)
    assert len(commit) == 12
    (tmp_path / "params.yaml").write_text("not code")
    assert provenance.code_version() == f"{version} {commit}"
    source.write_text("2")
    assert provenance.code_version() == f"{version} {commit} with edits"
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert provenance.code_version() == f"{version} commit unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.code_version() == f"{version} commit unknown"
