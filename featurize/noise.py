"""Noise recordings: drawing a random segment of one, and adding it to a clip at a given SNR (defined in `snr`).

Used for augmented copies, by `ser robustness` and by the recipe of the compact denoiser.
"""

import hashlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurize.audio import dequantise, load_audio, quantise
from featurize.decoders import find_audio
from featurize.errors import AudioError, ParamsError
from featurize.snr import Samples, active_power, mean_power, scale_noise

TRIES = 8
AUDIBLE = 1e-2
"""Lowest power of a segment as a share of its recording's; 20 dB below, it is a pause or zero padding."""
CACHE_BYTES = 256 << 20
"""Size of the cache of decoded recordings in each process: 2.3 hours."""

Recording = tuple[NDArray[np.int16], float]
"""Samples (num_samples,), full scale 32,767, and the mean square of their active frames, full scale 1."""


class NoiseFolder:
    """Noise recordings; each subfolder is a noise class, and all classes are drawn equally often.

    Recordings are decoded when they are first drawn and cached as 16 bits; above `CACHE_BYTES` the least recently used
    ones are removed from the cache.

    Args:
        root: folder of audio files, at any depth.
        setting: the parameter or option that names the folder, for messages.

    Attributes:
        kinds: files of each class, by its folder relative to the root, in a stable order.
        sha256: hash of the names and bytes of all files.

    Raises:
        ParamsError: `root` is not a folder, cannot be read, or holds no audio file.
    """

    def __init__(self, root: Path, setting: str) -> None:
        self.root, self.setting = root, setting
        paths = find_audio(root, setting, "give a folder of noise recordings", ParamsError)
        self.kinds: dict[str, list[Path]] = {}
        for path in paths:
            self.kinds.setdefault(str(path.parent), []).append(root / path)
        self.sha256 = self._digest()
        self._kept: OrderedDict[Path, Recording] = OrderedDict()
        self._kept_bytes = 0

    def __str__(self) -> str:
        names = ", ".join(kind if kind != "." else self.root.resolve().name for kind in self.kinds)
        return f"{sum(map(len, self.kinds.values()))} recordings ({names}; sha256 {self.sha256[:8]})"

    def draw(self, num_samples: int, rng: np.random.Generator) -> Samples:
        """A random segment of a random recording of a random class, from `draw_segment`: (num_samples,), 16 kHz.

        Raises:
            ParamsError: the recording cannot be used.
        """
        kinds = list(self.kinds.values())
        kind = kinds[rng.integers(len(kinds))]
        return draw_segment(*self._recording(kind[rng.integers(len(kind))]), num_samples, rng)

    def _recording(self, path: Path) -> Recording:
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        try:
            waveform = load_audio(path)
        except AudioError as error:
            raise ParamsError(f"{self.setting}: {error.detail}; remove it, or name another folder") from error
        recording = quantise(waveform)[0], active_power(waveform.numpy())
        self._kept[path] = recording
        self._kept_bytes += recording[0].nbytes
        while self._kept_bytes > CACHE_BYTES and len(self._kept) > 1:
            _, (oldest, _) = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.nbytes
        return recording

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(path for kind in self.kinds.values() for path in kind):
            digest.update(path.relative_to(self.root).as_posix().encode(errors="surrogateescape") + b"\0")
            try:
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise ParamsError(f"{self.setting}: {path} cannot be read ({error.strerror})") from error
        return digest.hexdigest()


def draw_segment(
    recording: NDArray[np.int16], power: float, num_samples: int, rng: np.random.Generator
) -> Samples:
    """A random segment of a recording that is not a pause; a recording that is too short is repeated.

    Args:
        recording: (num_samples',), full scale 32,767, not silent.
        power: mean square of its active frames, full scale 1.
        num_samples: length of the segment.
        rng: draws its start.

    Returns:
        (num_samples,) in [-1, 1].
    """
    last = len(recording) - num_samples
    for _ in range(TRIES):
        start = int(rng.integers(last + 1 if last >= 0 else len(recording)))
        segment = _cut(recording, start, num_samples)
        if mean_power(segment) > AUDIBLE * power:
            return segment
    # Mostly silent: a segment with the loudest sample of the recording at a random position in it.
    start = int(np.abs(recording).argmax()) - int(rng.integers(num_samples))
    return _cut(recording, min(max(start, 0), last) if last >= 0 else start, num_samples)


def add_noise(clip: Samples, noise: Samples, snr_db: float) -> Samples:
    """A clip with added noise, scaled to the peak of the clip; all (num_samples,).

    The SNR refers to the clip's active frames as defined in `snr`, not to the segments of a voice activity detector.
    A silent clip is unchanged.
    """
    noisy = clip + scale_noise(clip, noise, snr_db)
    peak = np.abs(noisy).max()
    return np.asarray(noisy * (np.abs(clip).max() / peak) if peak > 0 else noisy, dtype=np.float32)


def _cut(recording: NDArray[np.int16], start: int, num_samples: int) -> Samples:
    """The segment that begins at `start`, continued from the start past the end: (num_samples,), full scale 1."""
    segment = np.take(recording, np.arange(start, start + num_samples), mode="wrap")
    samples: Samples = dequantise(segment, 1.0).numpy()
    return samples
