"""`make golden`: stores what each step of Tier 0 makes of fixed clips, so that no number moves unnoticed.

Finished shards are taken over by the VERSION of the steps that made them. A change of code that moves a number without
raising its step's VERSION would leave old numbers in place: `tests/featurize/test_golden.py` fails then.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from featurize import audio, augment, denoise, fingerprint, mfcc, vad, vad_network
from tests.synthetic_voice import synthetic_voice

FILE = Path(__file__).with_name("golden.json")
TOLERANCE = 1e-5
"""Of the largest number of a list: float32 sums differ by less from processor to processor."""
KEPT = 40
"""Numbers of each result, evenly spread over it."""

Numbers = dict[str, list[float]]


def clip() -> torch.Tensor:
    """Five seconds of speech at 16 kHz, peak 1: (num_samples,)."""
    return torch.from_numpy(synthetic_voice(0, 5.0, audio.SAMPLE_RATE)).float()


def loaded() -> Numbers:
    """Files of several rates, channels and levels."""
    numbers = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        for rate, channels, level in ((8_000, 1, 1.0), (44_100, 2, 0.1), (48_000, 1, 2.0), (15_999, 1, 0.5)):
            samples = np.stack([level * synthetic_voice(k, 1.0, rate) for k in range(channels)], axis=1)
            soundfile.write(path, samples, rate, subtype="FLOAT")
            waveform = audio.load_audio(path)
            stored, peak = audio.quantise(waveform)
            numbers[f"{rate} Hz, {channels} channels"] = some(waveform)
            numbers[f"{rate} Hz, {channels} channels, stored"] = [*some(stored), peak]
    return numbers


def denoised() -> Numbers:
    """The built-in denoiser alone, with a share of the input, and behind a gate."""
    compact = denoise.load_denoiser(denoise.DenoiseParams())
    mixed = denoise.load_denoiser(denoise.DenoiseParams(dry=0.3))
    return {
        "compact": some(denoise.denoise_demucs(clip(), denoiser=compact)),
        "compact, dry 0.3": some(denoise.denoise_demucs(clip(), denoiser=mixed)),
        "SNR in dB": [denoise.estimate_snr_db(clip())],
    }


def segmented() -> Numbers:
    """Segments in samples."""
    network = vad_network.load_vad()
    loose = vad.VadParams(threshold=0.3, min_silence_ms=30)
    before = vad_network.input_speech(clip(), network)
    return {
        "default": vad.find_speech(clip(), network).ravel().tolist(),
        "loose": vad.find_speech(clip(), network, loose).ravel().tolist(),
        "before and behind a denoiser": vad.find_speech(clip().roll(9000), network, before=before)
        .ravel()
        .tolist(),
        "probabilities": some(vad_network.speech_probabilities(clip(), network)),
    }


def before_denoising() -> Numbers:
    """What is stored of the speech of a clip behind silence."""
    silent = torch.nn.functional.pad(clip(), (5000, 0))
    network = vad_network.load_vad()
    start = vad_network.input_speech(silent, network).sound_from
    return {
        "sound from": [start],
        "probabilities": some(vad_network.speech_probabilities(silent[start:], network)),
    }


def coefficients() -> Numbers:
    """A short clip, and one that is long enough to be analysed in blocks."""
    long = clip().repeat(1 + 2 * mfcc.BLOCK * 160 // (5 * audio.SAMPLE_RATE))
    # Without the 0th, the loudness: it is so large that the tolerance would hide changes of all others.
    return {"default": some(mfcc.mfcc_40(clip())[1:]), "in blocks": some(mfcc.mfcc_40(long)[1:])}


def copies() -> Numbers:
    """One copy by each method, and one with noise from a folder."""
    methods: tuple[augment.Method, ...] = ("voice", "stretch", "pitch", "noise")
    made = {}
    for method in methods:
        params = augment.AugmentParams(methods=(method,))
        copy = augment.augment(clip(), "ab" * 32, 1, params, speaker="anna")
        made[f"{method}: {copy.name}"] = some(copy.waveform)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(3):
            samples = synthetic_voice(number, 2.0 + 3 * number, audio.SAMPLE_RATE)
            soundfile.write(Path(folder) / f"{number}.wav", samples, audio.SAMPLE_RATE, subtype="FLOAT")
        params = augment.AugmentParams(methods=("noise",), noise=folder)
        copy = augment.augment(clip(), "ab" * 32, 1, params, augment.open_noise(params))
        made[f"noise from a folder: {copy.name}"] = some(copy.waveform)
    return made


def words() -> Numbers:
    """Bits of some fingerprint words."""
    found = fingerprint.fingerprint(torch.from_numpy(synthetic_voice(0, 4.0, fingerprint.FINGERPRINT_RATE)))
    return {"words": some(found)}


STEPS: dict[str, tuple[Any, Callable[[], Numbers]]] = {
    "audio": (audio, loaded),
    "denoise": (denoise, denoised),
    "vad_network": (vad_network, before_denoising),
    "vad": (vad, segmented),
    "mfcc": (mfcc, coefficients),
    "augment": (augment, copies),
    "fingerprint": (fingerprint, words),
}
"""Module with the VERSION, and what is computed with it."""


def some(values: Any) -> list[float]:
    """Some of the numbers of an array, evenly spread over it, their mean and their root mean square."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    spread: list[float] = flat[np.linspace(0, len(flat) - 1, KEPT).astype(int)].tolist()
    return [*spread, float(flat.mean()), float(np.sqrt(np.square(flat).mean()))]


def compute(step: str) -> dict[str, Any]:
    """Version and numbers of a step."""
    module, numbers = STEPS[step]
    torch.manual_seed(0)
    return {"version": module.VERSION, "numbers": numbers()}


def fault(step: str, stored: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What is wrong with a step, in one line; empty where nothing is."""
    moved = sorted(
        name
        for name in stored["numbers"].keys() | now["numbers"].keys()
        if not _alike(stored["numbers"].get(name, []), now["numbers"].get(name, []))
    )
    if now["version"] != stored["version"]:
        return f"featurize/{step}.py: VERSION {now['version']} is not stored yet; run `make golden`"
    if moved:
        return f"featurize/{step}.py: numbers have moved ({', '.join(moved)}); bump VERSION, then run `make golden`"
    return ""


def _alike(one: list[float], other: list[float]) -> bool:
    if len(one) != len(other):
        return False
    scale = max(map(abs, one), default=0.0)
    return bool(np.allclose(one, other, rtol=0, atol=TOLERANCE * max(scale, 1e-3)))


def main() -> None:
    """Store the numbers of steps whose version has changed; refuse where numbers moved and the version did not."""
    stored = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    for step in STEPS:
        now = compute(step)
        if step in stored and stored[step]["version"] == now["version"]:
            if found := fault(step, stored[step], now):
                sys.exit(found)
        else:
            stored[step] = now
    FILE.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
