"""Noise from a folder of recordings: which piece of which one a clip gets is a matter of its name and a seed."""

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurize.audio import load_audio
from featurize.errors import CorpusError
from featurize.snr import Samples, scale_noise
from pipeline.corpora.recordings import sounds_in

TRIES = 8
AUDIBLE = 1e-2
"""A piece 20 dB below its recording is a pause in it, or the digital silence that it was padded with."""


class NoiseFolder:
    """Recordings of noise; those that lie in the same folder are of one kind, and every kind is drawn as often.

    Args:
        root: folder of audio files, at any depth.
        seed: another one deals other pieces to the clips.

    Raises:
        CorpusError: there is no such folder, or no audio file in it.
    """

    def __init__(self, root: Path, seed: int) -> None:
        if not root.is_dir():
            what = "is a file" if root.exists() else "does not exist"
            raise CorpusError(f"--noise {root}: {what}; give a folder of noise recordings")
        paths = sounds_in(root)
        if not paths:
            raise CorpusError(f"--noise {root}: no audio file in it; give a folder of noise recordings")
        self.root, self.seed = root, seed
        self.kinds: dict[str, list[Path]] = {}
        for path in paths:
            self.kinds.setdefault(str(path.parent), []).append(root / path)

    def __str__(self) -> str:
        paths = [path for kind in self.kinds.values() for path in kind]
        listing = "\n".join(
            f"{path.relative_to(self.root).as_posix()} {path.stat().st_size}" for path in paths
        )
        digest = hashlib.sha256(listing.encode()).hexdigest()[:8]
        names = ", ".join(kind if kind != "." else self.root.resolve().name for kind in self.kinds)
        return f"{len(paths)} recordings ({names}; list {digest}), seed {self.seed}"

    def piece(self, clip_id: str, num_samples: int) -> Samples:
        """The noise of a clip: (num_samples,), 16 kHz, never silent; a recording that is too short repeats.

        Raises:
            AudioError: the recording cannot be used.
        """
        name = f"{self.seed}/{clip_id}".encode(errors="surrogateescape")
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name).digest()[:8]))
        kinds = list(self.kinds.values())
        kind = kinds[rng.integers(len(kinds))]
        for _ in range(TRIES):
            recording = _recording(kind[rng.integers(len(kind))])
            piece = _cut(recording, int(rng.integers(len(recording))), num_samples)
            if _power(piece) > AUDIBLE * _power(recording):
                return piece
        return _cut(recording, int(np.abs(recording).argmax()), num_samples)


def add_noise(clip: Samples, noise: Samples, snr_db: float) -> Samples:
    """A clip with noise, at peak 1 as if it had been loaded from a file; all (num_samples,).

    The SNR is the mean power of the clip's active speech over that of the noise, see `featurize.snr`.
    """
    noisy = clip + scale_noise(clip, noise, snr_db)
    return np.asarray(noisy / np.abs(noisy).max(), dtype=np.float32)


@lru_cache(maxsize=32)
def _recording(path: Path) -> Samples:
    samples: Samples = load_audio(path).numpy()
    return samples


def _cut(recording: Samples, start: int, num_samples: int) -> Samples:
    """A piece from `start` on that begins anew at the end: (num_samples,)."""
    return np.take(recording, np.arange(start, start + num_samples), mode="wrap")


def _power(samples: NDArray[np.float32]) -> float:
    return float(np.mean(samples.astype(np.float64) ** 2))
