"""Fixtures that every floor's tests share: real recordings, where they lie beside the project."""

from pathlib import Path

import pytest
from hypothesis import settings

# The first example of a property pays for loading a network; a deadline would test the machine.
settings.register_profile("default", deadline=None)
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
