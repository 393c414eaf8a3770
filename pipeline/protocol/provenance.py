"""Provenance of numbers: the device, the versions of Python and packages, and this project's version and commit."""

import hashlib
import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from pydantic import BaseModel

from pipeline.repository import git

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = (
    "torch",
    "torchaudio",
    "denoiser",
    "silero-vad",
    "soundfile",
    "av",
    "numpy",
    "h5py",
    "scikit-learn",
)
EXTRAS = ("transformers",)
"""Those that need not be installed."""


class Maker(BaseModel, frozen=True):
    """The device and the versions that made rows of a shard, or the weights of a network."""

    device: str
    """Such as "cpu", or "cuda (NVIDIA H100 80GB HBM3)"."""
    versions: dict[str, str]
    """Versions of Python and of the packages that influence the numbers."""
    code: str
    """This project's version and commit."""

    @property
    def digest(self) -> str:
        """A hash of the content: 12 hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


@cache
def this_maker(device: str) -> Maker:
    """This process, on a device such as "cpu"."""
    return Maker(device=device_name(device), versions=versions(), code=code_version())


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that influence the numbers."""
    found = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    for name in EXTRAS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def code_version() -> str:
    """This project's version and git commit, such as "0.1.0 6e430806c1d2", with a mark if its code was edited since.

    Where the project is not a git repository, only the version; where git cannot read it, "0.1.0 commit unknown".
    """
    try:
        released = version("ser")
    except PackageNotFoundError:
        released = "uninstalled"
    if not (ROOT / ".git").exists():
        return released
    commit = git("rev-parse", "--short=12", "HEAD", folder=ROOT)
    if commit is None or commit.returncode:
        return f"{released} commit unknown"
    status = git("status", "--porcelain", "--untracked-files=no", "--", "*.py", folder=ROOT)
    edited = status is not None and status.stdout.strip()
    return f"{released} {commit.stdout.strip()}{' with edits' if edited else ''}"


def device_name(device: str) -> str:
    """A device with the name of its GPU: "cpu", or "cuda (NVIDIA H100 80GB HBM3)"."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.startswith("cuda") else device
