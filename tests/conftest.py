"""Fixtures of all tests: threads, and real recordings if they are available."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# pytest-xdist runs a process for each core: with a thread for each core as well, they would wait for each other. Set
# before torch is imported, and as a variable, so that it reaches the processes that the tests start.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# The first example of a property pays for loading a network, and any machine may be busy: time is not tested.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real recordings beside the project."""
    if not SHARED.is_dir():
        pytest.skip(f"no recordings at {SHARED}: real-audio tests need them")
    return SHARED


@pytest.fixture(scope="session")
def oddities(shared: Path) -> Path:
    """Folder of odd audio files: stereo, 96 kHz, AIFF named .wav, a clip without speech."""
    return shared / "oddities"


@pytest.fixture(scope="session")
def ravdess_clips(shared: Path) -> list[Path]:
    """Twelve RAVDESS clips of different actors and emotions."""
    clips = sorted((shared / "corpora" / "ravdess").glob("Actor_*/*.flac"))
    return clips[:: len(clips) // 12][:12]
