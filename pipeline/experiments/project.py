"""The project in git and DVC: the files that experiments depend on, and calls of DVC.

DVC is called as a command, since its Python interface leaves git's files open and prints to the terminal.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from featurize.errors import SerError
from pipeline.params import Params
from pipeline.repository import git, require_commit

PATHS = ("corpus.root", "denoise.model", "denoise.weights", "augment.noise", "train.init")
"""Parameters that may name files."""


def require_project() -> None:
    """Make sure that experiments can run in the working directory.

    Raises:
        SerError: it is not the root of a DVC project in a git repository with a commit.
    """
    for file in ("params.yaml", "dvc.yaml", ".dvc"):
        if not Path(file).exists():
            raise SerError(f"{Path.cwd()}: no {file} here; experiments run from the root of the project")
    require_commit("DVC's experiments are git commits")


def run_dvc(log_file: Path, *arguments: str) -> str:
    """Run DVC, with the stages' commands on its PATH, and write its output to a log.

    Returns:
        The output.

    Raises:
        SerError: DVC fails; the message is the error line of the log.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as output:
        status = subprocess.run(
            [sys.executable, "-m", "dvc", *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": path},
            check=False,
        )
    text = log_file.read_text(encoding="utf-8", errors="replace")
    if status.returncode:
        raise SerError(f"{explain(text)} (log: {log_file})")
    return text


def code_digest() -> str:
    """SHA-256 of dvc.yaml and of every file that some stage depends on and no stage writes."""
    stages = _stages()
    made = tuple(_made(stages))
    deps = {_path(dep) for stage in stages for dep in stage.get("deps", [])}
    files = sorted(dep for dep in deps if Path(dep).is_file() and not dep.startswith(made))
    digest = hashlib.sha256()
    for file in ("dvc.yaml", *files):
        content = Path(file).read_bytes()
        digest.update(f"{file} {len(content)}\0".encode() + content)
    return digest.hexdigest()


def absolute_paths(params: Params) -> dict[str, str]:
    """Absolute paths of parameters that name untracked files, which a copy of the project lacks.

    Returns:
        Absolute path by the parameter's dotted name, for relative paths that neither git nor DVC tracks.
    """
    made = _made(_stages())
    found = {}
    for name in PATHS:
        value: Any = params
        for part in name.split("."):
            value = getattr(value, part)
        path = Path(value or "")
        if not value or path.is_absolute() or not path.exists():
            continue
        tracked = path.as_posix() in made or Path(f"{path}.dvc").exists()
        listed = None if tracked else git("ls-files", "--", str(path))
        if not tracked and not (listed and listed.stdout):
            found[name] = str(path.absolute())
    return found


def _stages() -> list[dict[str, Any]]:
    written = YAML(typ="safe", pure=True).load(Path("dvc.yaml").read_text(encoding="utf-8"))
    return list(written["stages"].values())


def _made(stages: list[dict[str, Any]]) -> set[str]:
    return {
        _path(out) for stage in stages for kind in ("outs", "metrics", "plots") for out in stage.get(kind, [])
    }


def _path(entry: str | dict[str, Any]) -> str:
    """Path of a dep or an out, which is a string or a mapping from the path to its options."""
    return entry if isinstance(entry, str) else next(iter(entry))


def explain(text: str) -> str:
    """The error line of a log: the last one from ser, else the last one from DVC, else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for start in ("ser: ", "ERROR: "):
        if found := [line.removeprefix(start) for line in lines if line.startswith(start)]:
            return found[-1]
    return lines[-1] if lines else "DVC failed without any output"
