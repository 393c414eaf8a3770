"""Audio, waveform and spectrogram of one clip, embedded in the page as data URIs, so that it loads nothing."""

import base64
import io
from dataclasses import dataclass

import soundfile

from pipeline.report.mistakes import Mistake, Sound
from pipeline.report.pictures.sound import WIDTH, median_hz, outline, power, spectrogram_png
from pipeline.report.words import percent


@dataclass(frozen=True)
class Player:
    """What the template shows of a clip."""

    audio: str
    """Data URI of a FLAC file: lossless, and every browser plays it."""
    outline: str
    """Outline of the waveform as an SVG path."""
    spectrogram: str
    """Data URI of a PNG."""
    segments: list[tuple[float, float]]
    """Start and width of each speech segment, in columns of the picture."""
    shown_s: float
    """Length of the audio shown."""
    caption: str
    """Length, share of speech, and where a long clip was cut."""
    spectrum_caption: str
    """Frequency range, and the frequency below which half of the energy lies."""


def make_player(sound: Sound) -> Player:
    """Encode and draw a sound."""
    samples = len(sound.waveform)
    spectrum = power(sound.waveform)
    half = median_hz(spectrum, sound.sample_rate)
    return Player(
        audio=flac(sound),
        outline=outline(sound.waveform),
        spectrogram=spectrogram_png(spectrum),
        segments=[
            (WIDTH * start / samples, WIDTH * (end - start) / samples) for start, end in sound.segments
        ],
        shown_s=samples / sound.sample_rate,
        caption=_caption(sound),
        spectrum_caption=f"0 to {sound.sample_rate / 2000:g} kHz; half of the energy lies below {half:.0f} Hz",
    )


def make_players(mistakes: list[Mistake]) -> list[tuple[Mistake, Player | None]]:
    """Pair each mistake with its player, or with None where there is no audio."""
    return [(mistake, make_player(mistake.sound) if mistake.sound else None) for mistake in mistakes]


def flac(sound: Sound) -> str:
    """A sound as a FLAC data URI."""
    file = io.BytesIO()
    soundfile.write(
        file, sound.waveform, sound.sample_rate, format="FLAC", subtype="PCM_16", compression_level=1
    )
    return "data:audio/flac;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _caption(sound: Sound) -> str:
    shown_s = len(sound.waveform) / sound.sample_rate
    speech_s = (sound.segments + sound.start_s * sound.sample_rate) / sound.sample_rate  # (num_segments, 2)
    cut = (
        f"{shown_s:.1f} s of {sound.clip_s:.1f} s, from {sound.start_s:.1f} s on"
        if shown_s < sound.clip_s
        else f"{shown_s:.1f} s"
    )
    if not len(speech_s):
        return f"{cut}; no speech was found, so the whole clip was kept"
    share = float((speech_s[:, 1] - speech_s[:, 0]).sum()) / shown_s
    times = ", ".join(f"{start:.1f} to {end:.1f} s" for start, end in speech_s[:8])
    more = ", and more" if len(speech_s) > 8 else ""
    return f"{cut}; speech in {percent(share)} of it: {times}{more}"
