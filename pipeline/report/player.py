"""One clip to listen to and to look at, as data URIs: the page carries it along and asks no network for it."""

import base64
import io
from dataclasses import dataclass

import soundfile

from pipeline.report.mistakes import Mistake, Sound
from pipeline.report.pictures.sound import WIDTH, median_hz, outline, power, spectrogram_png
from pipeline.report.words import percent


@dataclass(frozen=True)
class Player:
    """What the template needs of a clip."""

    audio: str
    """Data URI. FLAC: every browser plays it, and it is, bit for bit, what the network heard."""
    outline: str
    spectrogram: str
    """Data URI."""
    speech: list[tuple[float, float]]
    """Start and width of each segment, in columns of the picture."""
    shown_s: float
    told: str
    """Length, speech, and where a long clip was cut."""
    spectrum_told: str


def make_player(sound: Sound) -> Player:
    """Encode and draw a sound."""
    samples = len(sound.waveform)
    spectrum = power(sound.waveform)
    half = median_hz(spectrum, sound.sample_rate)
    return Player(
        audio=flac(sound),
        outline=outline(sound.waveform),
        spectrogram=spectrogram_png(spectrum),
        speech=[(WIDTH * start / samples, WIDTH * (end - start) / samples) for start, end in sound.speech],
        shown_s=samples / sound.sample_rate,
        told=_tell(sound),
        spectrum_told=f"0 to {sound.sample_rate / 2000:g} kHz; half of the energy lies below {half:.0f} Hz",
    )


def make_players(mistakes: list[Mistake]) -> list[tuple[Mistake, Player | None]]:
    """Each mistake with its player, where there is a sound."""
    return [(mistake, make_player(mistake.sound) if mistake.sound else None) for mistake in mistakes]


def flac(sound: Sound) -> str:
    """A sound as a FLAC data URI."""
    file = io.BytesIO()
    soundfile.write(
        file, sound.waveform, sound.sample_rate, format="FLAC", subtype="PCM_16", compression_level=1
    )
    return "data:audio/flac;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _tell(sound: Sound) -> str:
    shown_s = len(sound.waveform) / sound.sample_rate
    speech_s = (sound.speech + sound.start_s * sound.sample_rate) / sound.sample_rate  # (num_segments, 2)
    cut = (
        f"{shown_s:.1f} s of {sound.clip_s:.1f} s, from {sound.start_s:.1f} s on"
        if shown_s < sound.clip_s
        else f"{shown_s:.1f} s"
    )
    if not len(speech_s):
        return f"{cut}; no speech was found, so nothing was cut away"
    share = float((speech_s[:, 1] - speech_s[:, 0]).sum()) / shown_s
    times = ", ".join(f"{start:.1f} to {end:.1f} s" for start, end in speech_s[:8])
    more = ", and more" if len(speech_s) > 8 else ""
    return f"{cut}; speech in {percent(share)} of it: {times}{more}"
