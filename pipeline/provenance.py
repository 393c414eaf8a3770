"""What made a number: versions of everything that touches it."""

import platform
from importlib.metadata import version

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


def versions() -> dict[str, str]:
    """Versions of Python and of the packages whose arithmetic or format the results depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
