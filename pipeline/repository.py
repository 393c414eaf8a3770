"""The git repository around the project: calls of git, and in one line why it cannot be used."""

import os
import subprocess
from pathlib import Path

from featurize.errors import SerError


def git(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str] | None:
    """Run git, in English, in a folder or in the working directory; None where it is not installed."""
    place = [] if folder is None else ["-C", str(folder)]
    try:
        return subprocess.run(
            ["git", *place, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError:
        return None


def require_commit(why: str) -> None:
    """Make sure that the working directory is in a git repository with a commit.

    Args:
        why: what needs it, for the message.

    Raises:
        SerError: git is not installed, does not trust the repository, or there is no repository or no commit.
    """
    here = Path.cwd()
    found = git("rev-parse", "--verify", "HEAD")
    if found is None:
        raise SerError(f"git is not installed; {why}")
    if found.returncode == 0:
        return
    if "dubious ownership" in found.stderr:
        raise SerError(
            f"{here}: git does not trust this repository, since its files belong to another user; {why}; "
            f"run `git config --global --add safe.directory '{here}'`"
        )
    raise SerError(f'{here}: no git commit; {why}; run `git init && git add -A && git commit -m "Baseline"`')


def require_inside(*folders: Path) -> None:
    """Where DVC runs the command: make sure that it will accept outputs in these folders.

    DVC finds out only after the stage has run.

    Raises:
        SerError: a folder is a link that leads out of the project.
    """
    root = os.environ.get("DVC_ROOT")
    for folder in folders:
        if root and folder.is_symlink() and not folder.resolve().is_relative_to(Path(root).resolve()):
            raise SerError(
                f"{folder}: a link to {folder.resolve()}, and DVC accepts no output outside of the project; move the "
                "folder back, and link what is large in it (README: On another disk)"
            )
