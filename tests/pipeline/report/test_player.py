"""A player contains the audio, and describes its pictures in words."""

import numpy as np

from pipeline.report.mistakes import Sound
from pipeline.report.pictures.sound import WIDTH
from pipeline.report.player import make_player


def sound(speech: list[list[int]], start_s: float = 0.0, clip_s: float = 1.0) -> Sound:
    waveform = np.asarray(9000 * np.sin(np.arange(16_000) / 4), dtype=np.int16)
    segments = np.array(speech, dtype=np.int64).reshape(-1, 2)
    return Sound(waveform, segments, 16_000, start_s, clip_s)


def test_segments_are_marked_at_their_times() -> None:
    player = make_player(sound([[4000, 8000], [12_000, 16_000]]))
    assert player.segments == [(WIDTH / 4, WIDTH / 4), (3 * WIDTH / 4, WIDTH / 4)]
    assert player.caption == "1.0 s; speech in 50\u00a0% of it: 0.2 to 0.5 s, 0.8 to 1.0 s"
    assert player.spectrum_caption == "0 to 8 kHz; half of the energy lies below 625 Hz"


def test_a_cut_clip_says_so_in_the_times_of_the_whole() -> None:
    caption = make_player(sound([[8000, 16_000]], start_s=7.0, clip_s=94.0)).caption
    assert caption == "1.0 s of 94.0 s, from 7.0 s on; speech in 50\u00a0% of it: 7.5 to 8.0 s"


def test_a_clip_without_speech_was_kept_whole() -> None:
    assert make_player(sound([])).caption == "1.0 s; no speech was found, so the whole clip was kept"


def test_many_segments_are_not_all_listed() -> None:
    caption = make_player(sound([[1000 * i, 1000 * i + 500] for i in range(12)])).caption
    assert caption.endswith("0.4 to 0.5 s, and more")
