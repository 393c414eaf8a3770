"""Tier 0: from an audio file to MFCCs. Arrays in, arrays out; imports nothing from the floors above.

    from featurize import denoise_demucs, load_audio, mfcc_40, vad_silero_keep_speech

    waveform = load_audio("clip.wav")  # (num_samples,), 16 kHz, peak 1
    mfcc = mfcc_40(vad_silero_keep_speech(denoise_demucs(waveform)))  # (40, num_frames)

`tier0_to_mfcc` does the same for a path, including the rounding to 16 bits. The function `tier0`, which returns every
intermediate result, is imported as `from featurize.tier0 import tier0`: on this package its name is that of the module.
These names are loaded on first use, so `import featurize` itself loads neither torch nor numpy.

    audio            load_audio: decode, mono, 16 kHz, peak 1; 16-bit storage
    level            DC offset, channels, clicks: mixing to one waveform and measuring its level
    decoders         finding audio files; decoding them block by block: libsndfile, then FFmpeg
    containers/      files whose header does not describe their content
    resampling       sample rate conversion: windowed sinc, block by block
    denoise          load_denoiser, denoise_demucs, denoise_clips
    demucs/          Demucs on many clips at once, each with the same result as alone
    spectral_gate    the package noisereduce, as a baseline
    snr              signal-to-noise ratio: definition, scaling noise to it, estimating it from a clip
    noise            drawing segments of noise recordings, adding them to clips
    vad              Silero VAD: speech probabilities, segments, speech only
    vad_network      Silero's network as a plain module: all windows of a block in one call
    mfcc             mfcc_40
    encoders/        frames of frozen, pre-trained encoders
    augment          augmented copies of a clip: other voices, time stretch, pitch shift, noise
    fingerprint      acoustic fingerprints: copies of a recording at any level, format and sample rate
    tier0            tier0_to_mfcc, tier0: all of Tier 0 for one file, the reference

Foundations, which the floors above may use as well:

    shards           the HDF5 shard format: writer, reader, checksum
    atomic           writing files completely or not at all
    errors           the exception tree, and counts with their nouns for messages
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "denoise_demucs",
    "load_audio",
    "mfcc_40",
    "tier0_to_mfcc",
    "vad_silero_keep_speech",
]

if TYPE_CHECKING:
    from featurize.audio import load_audio
    from featurize.denoise import denoise_demucs
    from featurize.mfcc import mfcc_40
    from featurize.tier0 import tier0_to_mfcc
    from featurize.vad import vad_silero_keep_speech
else:
    _MODULES = {
        "denoise_demucs": "featurize.denoise",
        "load_audio": "featurize.audio",
        "mfcc_40": "featurize.mfcc",
        "tier0_to_mfcc": "featurize.tier0",
        "vad_silero_keep_speech": "featurize.vad",
    }

    def __getattr__(name: str) -> object:
        """Load a public name on first use (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
