"""Audio files to waveforms, so that every later step sees one form: mono, 16 kHz, peak 1, finite.

Whatever cannot become such a waveform is an `AudioError` with a reason, never another exception: a corpus
of ten thousand clips always holds a few that are cut short, empty or not audio at all.
"""

import math
import re
import stat
from pathlib import Path
from typing import BinaryIO, NoReturn

import av
import numpy as np
import soundfile
import torch
import torchaudio
from av.container import InputContainer
from numpy.typing import NDArray
from torch import Tensor

from featurize.errors import AudioError

SAMPLE_RATE = 16_000
"""Rate of every waveform after `load_audio`, in Hz: that of DNS64, Silero VAD and the MFCCs."""

_LOWEST_RATE, _HIGHEST_RATE = 1_000, 1_000_000  # Hz; a header outside is damaged, and would cost gigabytes
_UNKNOWN_LENGTH = 0x7FFF_0000  # bytes; a writer into a pipe states such a length, since it cannot know it
_MALFORMED = 3  # libsndfile's SF_ERR_MALFORMED_FILE: a format that it reads, but damaged
_INT16_MAX = 32_767
_LARGEST_KERNEL = 1_000_000  # taps of torchaudio's resampling kernel: 8 MB; 16,001 Hz would take 256 million
_LOBES, _ROLLOFF = 6, 0.99  # torchaudio's defaults: zero crossings of the sinc, share of Nyquist that is kept


def load_audio(path: str | Path, sample_rate: int = SAMPLE_RATE) -> Tensor:
    """Decode a file, average its channels, resample it and scale its peak to 1.

    Args:
        path: an audio file, or a video file with sound; the content decides about the format, not the name.
        sample_rate: of the result, in Hz.

    Returns:
        Waveform (num_samples,), float32, finite, max |x| = 1.

    Raises:
        AudioError: as `decode`, and `silent` if every sample is zero.
    """
    channels, file_rate = decode(path)
    waveform = _scale_to_peak(channels.double().mean(dim=0), path)
    if file_rate != sample_rate:
        waveform = _scale_to_peak(resample(waveform, file_rate, sample_rate), path)
    return waveform.float()


def decode(path: str | Path) -> tuple[Tensor, int]:
    """Decode a file as it is: soundfile (WAV, FLAC, OGG, MP3, AIFF...), else PyAV (M4A, MP4, WebM, AAC...).

    A clip that is cut short is refused where that can be told: a WAV, AIFF or MP3 that holds less than 99 %
    of the samples its header promises, a damaged FLAC, an MP4 or WebM that ends more than 0.25 s early. Where
    the format carries no length (raw MP3 or AAC frames, Ogg), what is there is taken as the clip.

    Returns:
        Samples (num_channels, num_samples), float32, finite, full scale 1, and their rate in Hz.

    Raises:
        AudioError: missing, directory, unreadable, empty, lfs-pointer, undecodable or non-finite.
    """
    path = Path(path)
    _check_file(path)
    try:
        with path.open("rb") as file:
            decoded = _decode_soundfile(file, path)
            samples, rate = decoded if decoded is not None else _decode_pyav(file, path)
    except AudioError:
        raise
    except PermissionError:
        _reject("unreadable", path, "no permission to read it")
    except Exception as error:  # third-party decoders raise anything on damaged bytes
        _reject("undecodable", path, f"not audio that can be decoded ({error})", cause=error)
    if samples.size == 0:
        _reject("empty", path, "a header, but no samples")
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        _reject("undecodable", path, f"a sample rate of {rate} Hz")
    if not np.isfinite(samples).all():
        _reject("non-finite", path, "NaN or infinite samples")
    return torch.from_numpy(np.ascontiguousarray(samples)), rate


def resample(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Change the sample rate by windowed-sinc interpolation (Smith and Gossett, ICASSP 1984).

    torchaudio's, except where the two rates share so small a divisor that its kernel, which holds one row per
    output phase, would take gigabytes: there the same taps are computed for each output sample on its own.

    Args:
        waveform: (num_samples,), best as float64: torchaudio computes its taps in the waveform's precision,
            and in float32 they are wrong by up to 1e-4 of the peak.
        from_rate: in Hz.
        to_rate: in Hz.

    Returns:
        (ceil(num_samples * to_rate / from_rate),), of the waveform's type.
    """
    divisor = math.gcd(from_rate, to_rate)
    if (from_rate // divisor) * (to_rate // divisor) <= _LARGEST_KERNEL:
        resampled: Tensor = torchaudio.functional.resample(waveform, from_rate, to_rate)
        return resampled
    return _resample_each_sample(waveform, from_rate, to_rate)


def quantise(waveform: Tensor) -> tuple[NDArray[np.int16], float]:
    """Round a waveform to 16 bits for storage: samples = round(x / peak * 32767).

    Tier 0 contains this rounding by definition, so that features are the same from a file and from a shard.

    Args:
        waveform: (num_samples,), finite.

    Returns:
        Samples (num_samples,), int16, and peak = max |x|, or 1.0 where that is 0.
    """
    values = waveform.detach().cpu().numpy().astype(np.float64)
    peak = float(np.abs(values).max(initial=0.0)) or 1.0
    return np.round(values / peak * _INT16_MAX).astype(np.int16), peak


def dequantise(samples: NDArray[np.int16], peak: float) -> Tensor:
    """Invert `quantise` to within half a step: x = samples / 32767 * peak, (num_samples,), float32."""
    return torch.from_numpy((samples.astype(np.float64) / _INT16_MAX * peak).astype(np.float32))


def _reject(reason: str, path: Path, found: str, cause: Exception | None = None) -> NoReturn:
    raise AudioError(reason, " ".join(f"{path}: {found}".split())) from cause


def _check_file(path: Path) -> None:
    """Refuse what is no file with content, before a decoder words it worse (or waits on a pipe)."""
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            _reject("directory", path, "a directory, not an audio file")
        if not stat.S_ISREG(info.st_mode):
            _reject("undecodable", path, "a device or pipe, not an audio file")
        if info.st_size == 0:
            _reject("empty", path, "zero bytes")
        with path.open("rb") as file:
            head = file.read(64)
    except PermissionError:
        _reject("unreadable", path, "no permission to read it")
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL character in the name
        _reject("missing", path, "no such file")
    except OSError as error:
        _reject("unreadable", path, f"cannot be read ({error.strerror})")
    if head.startswith(b"version https://git-lfs"):
        _reject("lfs-pointer", path, "a git-LFS pointer, not the audio itself; run `git lfs pull`")


def _decode_soundfile(file: BinaryIO, path: Path) -> tuple[NDArray[np.float32], int] | None:
    """Samples (channels, N) and rate; None for a format that libsndfile does not know."""
    try:
        sound = soundfile.SoundFile(file)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: the name ends in .raw
        if getattr(error, "code", None) == _MALFORMED:
            raise
        file.seek(0)
        return None
    with sound:
        samples = sound.read(dtype="float32", always_2d=True)
        promised, unit, found = sound.frames, "samples", len(samples)
        # WAV and AIFF: `frames` already counts what is there; only the log tells what the header said.
        log = re.search(r"^\s*(?:data|SSND) : (\d+) \(should be (\d+)\)", sound.extra_info, re.MULTILINE)
        if log and int(log[1]) < _UNKNOWN_LENGTH:
            promised, unit, found = int(log[1]), "bytes of samples", int(log[2])
        if found < 0.99 * promised:
            _reject("undecodable", path, f"truncated: header promises {promised} {unit}, file has {found}")
        return samples.T, int(sound.samplerate)


def _decode_pyav(file: BinaryIO, path: Path) -> tuple[NDArray[np.float32], int]:
    """Samples (channels, N) and rate of the first audio stream."""
    with av.open(file, mode="r") as container:
        if not container.streams.audio:
            _reject("undecodable", path, "a media file without an audio stream")
        stream = container.streams.audio[0]
        to_planar_float = av.AudioResampler(format="fltp")
        frames = [out for frame in container.decode(stream) for out in to_planar_float.resample(frame)]
        if not frames:
            return np.empty((0, 0), dtype=np.float32), SAMPLE_RATE
        frames += to_planar_float.resample(None)
        samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
        rate = frames[0].sample_rate
        promised_s, found_s = _promised_s(container), samples.shape[1] / rate
    if found_s < promised_s - 0.25:  # codecs with a delay may trim up to 0.13 s from the stated duration
        _reject(
            "undecodable", path, f"truncated: header promises {promised_s:.2f} s, file has {found_s:.2f} s"
        )
    return samples.astype(np.float32, copy=False), rate


def _promised_s(container: InputContainer) -> float:
    """Duration of the audio that the header states; 0 where FFmpeg only estimates one from the bit rate."""
    stream = container.streams.audio[0]
    if "mp4" in container.format.name and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if "matroska" in container.format.name and len(container.streams) == 1:
        return (container.duration or 0) / av.time_base
    return 0.0


def _scale_to_peak(waveform: Tensor, path: str | Path) -> Tensor:
    """Divide float64 samples by their peak: exact for subnormal and huge float32 samples too."""
    peak = waveform.abs().max()
    if peak == 0:
        _reject("silent", Path(path), "every sample is zero")
    return waveform / peak


def _resample_each_sample(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Evaluate torchaudio's windowed sinc at each output sample, instead of tabulating it per phase.

    y[n] = sum over k of x[k] h(k / from_rate - n / to_rate), with c = 0.99 min(from_rate, to_rate) and
    h(t) = c / from_rate sinc(c t) cos^2(pi c t / 12) for |c t| < 6, else 0.
    """
    cutoff = _ROLLOFF * min(from_rate, to_rate)
    width = math.ceil(_LOBES * from_rate / cutoff)
    taps = torch.arange(2 * width + 2)
    padded = torch.nn.functional.pad(waveform, (width, width + 1))
    num_out = -(-len(waveform) * to_rate // from_rate)
    chunk = max(1, 1_000_000 // len(taps))  # bounds the memory by about 8 MB per array
    out = []
    for start in range(0, num_out, chunk):
        position = torch.arange(start, min(start + chunk, num_out)) * from_rate  # in 1 / to_rate samples
        nearest, phase = position // to_rate, (position % to_rate).double() / to_rate
        lobe = ((taps - width - phase[:, None]) * (cutoff / from_rate)).clamp(-_LOBES, _LOBES)
        window = torch.cos(lobe * (math.pi / (2 * _LOBES))) ** 2
        kernel = (torch.sinc(lobe) * window * (cutoff / from_rate)).to(waveform.dtype)  # (chunk, taps)
        out.append((kernel * padded[nearest[:, None] + taps]).sum(dim=1))
    return torch.cat(out)
