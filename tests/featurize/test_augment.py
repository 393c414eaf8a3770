"""Copies have the changes in their names, and are deterministic."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from featurize.audio import load_audio
from featurize.augment import (
    AugmentParams,
    augment,
    change_voice,
    open_noise,
    pitch_shift,
    time_stretch,
)
from featurize.errors import ParamsError
from featurize.vad import find_speech
from featurize.vad_network import load_vad

CLIP = "ab" * 32
ALL = ("stretch", "pitch", "noise")
VOICES = AugmentParams(copies=3)


def tone(hz: float, seconds: float = 1.0) -> torch.Tensor:
    return torch.sin(2 * torch.pi * hz * torch.arange(round(16_000 * seconds)) / 16_000)


def loudest_hz(waveform: torch.Tensor) -> float:
    """Frequency of the highest peak of the spectrum, away from the ends."""
    middle = waveform[2000:-2000]
    spectrum = torch.fft.rfft(middle * torch.hann_window(len(middle)), n=1 << 18).abs()
    return float(spectrum.argmax()) * 16_000 / (1 << 18)


def power(waveform: torch.Tensor) -> float:
    return float(waveform.double().square().mean())


def decibels(one: torch.Tensor, other: torch.Tensor) -> float:
    """Level of one over the other, away from their ends."""
    return float(10 * np.log10(power(one[2000:-2000]) / power(other[2000:-2000])))


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.1, 2.0])
def test_a_stretched_tone_keeps_its_pitch_and_level_at_another_length(rate: float) -> None:
    stretched = time_stretch(tone(440), rate)
    assert len(stretched) == round(16_000 / rate)
    assert loudest_hz(stretched) == pytest.approx(440, rel=0.002)
    assert decibels(stretched, tone(440)) == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize("semitones", [-12.0, -2.0, -0.3, 1.0, 3.7, 12.0])
def test_a_shifted_tone_keeps_its_length_and_level_at_another_pitch(semitones: float) -> None:
    shifted = pitch_shift(tone(440), semitones)
    assert len(shifted) == 16_000
    assert loudest_hz(shifted) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.004)  # 7 cents
    assert decibels(shifted, tone(440)) == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize(("semitones", "rate"), [(4.0, 0.8), (-4.0, 1.25), (0.0, 1.1), (3.0, 1.0)])
def test_another_voice_changes_pitch_and_speed(semitones: float, rate: float) -> None:
    voice = change_voice(tone(440), semitones, rate)
    assert len(voice) == round(16_000 / rate)
    assert loudest_hz(voice) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.004)
    assert decibels(voice, tone(440)) == pytest.approx(0, abs=1.5)
    one_after_the_other = pitch_shift(time_stretch(tone(440), rate), semitones)
    assert loudest_hz(voice) == pytest.approx(loudest_hz(one_after_the_other), rel=0.002)


@settings(max_examples=30)
@given(st.floats(0.5, 2), st.integers(1, 3000))
def test_any_length_stretches_and_shifts(rate: float, num_samples: int) -> None:
    waveform = tone(300)[:num_samples]
    assert len(time_stretch(waveform, rate)) == max(1, round(num_samples / rate))
    shifted = pitch_shift(waveform, 12 * np.log2(rate))
    assert len(shifted) == num_samples
    assert torch.isfinite(shifted).all()


def test_stretched_speech_keeps_its_share_of_speech(ravdess_clips: list[Path]) -> None:
    vad = load_vad()
    waveform = load_audio(ravdess_clips[0])

    def speech_s(clip: torch.Tensor) -> float:
        return float(np.diff(find_speech(clip, vad)).sum() / 16_000)

    assert speech_s(time_stretch(waveform, 0.8)) == pytest.approx(speech_s(waveform) / 0.8, rel=0.15)


def test_a_copy_depends_on_seed_clip_and_number_only() -> None:
    params = AugmentParams(copies=3, methods=ALL)
    waveform = tone(200)
    once = [augment(waveform, CLIP, number, params) for number in (1, 2, 3)]
    torch.manual_seed(5)
    again = [augment(waveform, CLIP, number, params) for number in (3, 1, 2)]
    for copy, same in zip(once, [again[1], again[2], again[0]], strict=True):
        assert copy[:2] == same[:2]
        assert torch.equal(copy.waveform, same.waveform)
    others = [
        augment(waveform, "cd" * 32, 1, params)[0],
        augment(waveform, CLIP, 4, params)[0],
        augment(waveform, CLIP, 1, AugmentParams(copies=3, methods=ALL, seed=1))[0],
    ]
    assert len({once[0][0], *others}) == 4


def test_methods_alternate_and_clips_start_with_different_ones() -> None:
    params = AugmentParams(copies=3, methods=ALL)
    names = [augment(tone(200, 0.1), CLIP, number, params)[0] for number in range(1, 7)]
    kinds = [name.split("-", 1)[1].rstrip("+-.0123456789dB") for name in names]
    assert sorted(kinds[:3]) == ["noise", "pitch", "stretch"]
    assert kinds[3:] == kinds[:3]
    firsts = {
        augment(tone(200, 0.1), f"{clip:064x}", 1, params)[0].rstrip("+-.0123456789dB") for clip in range(20)
    }
    assert firsts == {"1-noise", "1-pitch", "1-stretch"}


def test_only_copies_of_one_speaker_share_voices() -> None:
    def voices(clip: str, speaker: str, params: AugmentParams = VOICES) -> list[str]:
        copies = [augment(tone(200, 0.1), clip, number, params, None, speaker) for number in (1, 2, 3)]
        for number, copy in enumerate(copies, start=1):
            assert copy.voice.startswith(str(number))
            assert copy.name == f"{number}-voice{copy.voice.removeprefix(str(number))}"
        return [copy.voice for copy in copies]

    anna = voices(CLIP, "a/anna")
    assert len({voice[1:] for voice in anna}) == 3
    assert voices("cd" * 32, "a/anna") == anna
    others = (
        voices(CLIP, "b/anna"),
        voices(CLIP, ""),
        voices("cd" * 32, ""),
        voices(CLIP, "a/anna", seeded(1)),
    )
    assert all(not set(anna) & set(other) for other in others)
    assert not set(others[1]) & set(others[2])  # with unknown speakers, each clip has a different voice


def test_other_copies_keep_the_voice() -> None:
    params = AugmentParams(methods=ALL)
    assert {augment(tone(200, 0.1), CLIP, number, params, None, "a/anna").voice for number in (1, 2, 3)} == {
        ""
    }


def seeded(seed: int) -> AugmentParams:
    return AugmentParams(copies=3, seed=seed)


def test_a_copy_has_the_peak_of_its_original() -> None:
    waveform = 0.7 * tone(200)
    for number in (1, 2, 3):
        copy = augment(waveform, CLIP, number, AugmentParams(methods=ALL, snr_db=(0.0, 0.0))).waveform
        assert float(copy.abs().max()) == pytest.approx(0.7, rel=1e-3)
        assert copy.dtype == torch.float32


def test_silence_stays_silence() -> None:
    for number in (1, 2, 3):
        copy = augment(torch.zeros(4000), CLIP, number, AugmentParams(methods=ALL)).waveform
        assert float(copy.abs().max()) == 0


def test_noise_comes_from_the_folder_or_is_white_and_at_the_snr_of_active_speech(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", tone(100, 3.0), 16_000)
    params = AugmentParams(copies=1, methods=("noise",), snr_db=(5.0, 5.0), noise=str(tmp_path))
    speech = torch.cat([torch.zeros(16_000), tone(1000)])  # the silence does not count
    for noise, hums in ((open_noise(params), True), (None, False)):
        name, voice, copy = augment(speech, CLIP, 1, params, noise)
        assert (name, voice) == ("1-noise5dB", "")
        scale = float(copy @ speech / (speech @ speech))  # the copy is scaled to the peak of its original
        added = copy / scale - speech
        assert 10 * np.log10(power(speech[16_000:]) / power(added)) == pytest.approx(5.0, abs=0.3)
        spectrum = torch.fft.rfft(added).abs().square()
        assert (spectrum[190:211].sum() > 0.5 * spectrum.sum()) == hums


def test_an_unused_noise_folder_is_not_read() -> None:
    for params in (
        AugmentParams(copies=0, methods=ALL, noise="absent"),
        AugmentParams(copies=1, methods=("pitch",), noise="absent"),
        AugmentParams(copies=1, methods=ALL),
    ):
        assert open_noise(params) is None
    with pytest.raises(ParamsError, match=r"augment\.noise: absent does not exist"):
        open_noise(AugmentParams(copies=1, methods=ALL, noise="absent"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"stretch_rate": (0.1, 1.0)}, "greater than or equal to 0.5"),
        ({"stretch_rate": (1.0, 3.0)}, "less than or equal to 2"),
        ({"stretch_rate": (1.2, 0.9)}, r"a range is \[lowest, highest\]"),
        ({"pitch_semitones": (-13.0, 0.0)}, "greater than or equal to -12"),
        ({"snr_db": (0.0, float("nan"))}, "snr_db"),
        ({"methods": ()}, "at least 1 item"),
        ({"methods": ("echo",)}, "'stretch', 'pitch' or 'noise'"),
        ({"copies": -1}, "greater than or equal to 0"),
        ({"noise": ""}, "at least 1 character"),
    ],
)
def test_invalid_params_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AugmentParams.model_validate(wrong)
