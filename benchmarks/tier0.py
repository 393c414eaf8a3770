"""Tier 0 against the loop that one would write oneself, on the same clips in the same minute.

    python benchmarks/tier0.py [--clips 24] [--audio FOLDER] [--denoiser CHECKPOINT]

The reference loop goes file by file: load, Demucs' own forward, Silero's `get_speech_timestamps`, torchaudio's MFCC;
once with all cores ("honest") and once with the single thread that importing silero_vad leaves ("as it comes").
The pipeline's path loads ahead in threads, denoises in streams, and finds speech with the plain network. Without
`--denoiser` DNS64 has random weights: the same arithmetic. Printed are ratios; absolute rates vary with the machine.
"""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import silero_vad
import torch
import torchaudio
from denoiser.demucs import Demucs

from featurize.audio import SAMPLE_RATE, dequantise, load_audio, quantise
from featurize.denoise import DenoiseParams, Denoiser, denoise_clips, load_denoiser
from featurize.mfcc import MfccParams, mfcc_40
from featurize.vad import VadParams, keep_segments, load_vad, speech_probabilities, speech_segments
from pipeline.stages.denoise import load_ahead
from pipeline.stages.manifest import hash_audio

STEPS = ("load", "denoise", "vad", "mfcc")
RAVDESS = Path("../shared/corpora/ravdess")
DEMO = Path("data/raw/demo")
GFLOP_PER_SECOND_OF_AUDIO = 9.0  # DNS64, counted from its layers


class Clock:
    """Seconds spent in each step."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STEPS, 0.0)
        self._last = time.perf_counter()

    def start(self) -> None:
        """What follows is not booked to the step before."""
        self._last = time.perf_counter()

    def book(self, step: str) -> None:
        """Book the time since the last call to a step."""
        now = time.perf_counter()
        self.seconds[step] += now - self._last
        self._last = now

    @property
    def total(self) -> float:
        """Seconds of all steps."""
        return sum(self.seconds.values())


def reference_loop(paths: list[Path], module: Demucs, threads: int) -> Clock:
    """File by file, with the libraries' own calls."""
    torch.set_num_threads(threads)
    vad = silero_vad.load_silero_vad()
    params = MfccParams()
    mfcc = torchaudio.transforms.MFCC(
        SAMPLE_RATE,
        params.n_mfcc,
        melkwargs={
            "n_fft": params.n_fft,
            "hop_length": params.hop_length,
            "win_length": params.win_length,
            "n_mels": params.n_mels,
            "f_min": params.f_min,
            "window_fn": torch.hamming_window,
        },
    )
    clock = Clock()
    for path in paths:
        waveform = load_audio(path)
        clock.book("load")
        with torch.inference_mode():
            clean = module(waveform[None])[0, 0]
        clock.book("denoise")
        found = silero_vad.get_speech_timestamps(clean, vad)
        clock.book("vad")
        speech = torch.cat([clean[s["start"] : s["end"]] for s in found]) if found else clean
        mfcc(speech)
        clock.book("mfcc")
    return clock


def pipeline_path(paths: list[Path], denoiser: Denoiser, threads: int) -> Clock:
    """What the stages do, without writing."""
    torch.set_num_threads(threads)
    clips = [(i, {"path": str(path), "sha256": hash_audio(path)}) for i, path in enumerate(paths)]
    vad = load_vad()
    clock = Clock()

    def loaded() -> Iterator[tuple[int, torch.Tensor]]:
        for index, waveform in load_ahead(clips):
            assert isinstance(waveform, torch.Tensor)  # noqa: S101 - the clips are good
            yield index, waveform

    done = [quantise(clean) for _, clean in denoise_clips(loaded(), denoiser)]
    clock.book("denoise")  # loading happens beside it
    torch.set_num_threads(1)
    for samples, peak in done:
        clock.start()
        clean = dequantise(samples, peak)
        segments = speech_segments(speech_probabilities(clean, vad), len(clean), VadParams())
        clock.book("vad")
        mfcc_40(keep_segments(clean, segments))
        clock.book("mfcc")
    return clock


def matrix_product_rate(threads: int) -> float:
    """The best of many products of the size of Demucs' middle layers, in GFLOP/s."""
    torch.set_num_threads(threads)
    a, b = torch.randn(4096, 512), torch.randn(512, 1024)
    best = float("inf")
    for _ in range(30):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * 4096 * 512 * 1024 / best / 1e9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=32)
    parser.add_argument("--audio", type=Path, default=RAVDESS if RAVDESS.is_dir() else DEMO)
    parser.add_argument(
        "--denoiser", default=None, help="as denoise.model; default: DNS64 with random weights"
    )
    args = parser.parse_args()
    found = sorted(path for path in args.audio.rglob("*") if path.suffix in {".wav", ".flac"})
    paths = found[:: max(1, len(found) // args.clips)][: args.clips]
    audio_s = sum(len(load_audio(path)) for path in paths) / SAMPLE_RATE
    torch.manual_seed(0)
    if args.denoiser:
        denoiser = load_denoiser(DenoiseParams(model=args.denoiser))
    else:
        denoiser = Denoiser("dns64, random", "", Demucs(hidden=64).eval(), torch.device("cpu"))
    assert denoiser.module is not None  # noqa: S101 - a benchmark of "none" compares nothing
    cores = os.cpu_count() or 1
    print(f"{len(paths)} clips, {audio_s:.0f} s of {args.audio}, denoiser {denoiser.name}, {cores} cores")
    peak = matrix_product_rate(cores)
    clocks = {
        "honest loop": reference_loop(paths, denoiser.module, cores),
        "loop as it comes": reference_loop(paths, denoiser.module, 1),
        "pipeline": pipeline_path(paths, denoiser, cores),
    }
    ours = clocks["pipeline"]
    for name, clock in clocks.items():
        steps = "  ".join(f"{step} {audio_s / max(s, 1e-9):6.1f}×" for step, s in clock.seconds.items() if s)
        ratio = np.divide(clock.total, ours.total)
        print(
            f"{name:17} {audio_s / clock.total:6.1f} × real time  ({steps})  pipeline is {ratio:.2f} × as fast"
        )
    vad_ratio = clocks["honest loop"].seconds["vad"] / ours.seconds["vad"]
    print(f"vad alone: {vad_ratio:.1f} × Silero's file-by-file loop")
    if not args.denoiser:
        rate = GFLOP_PER_SECOND_OF_AUDIO * audio_s / ours.seconds["denoise"]
        print(
            f"denoising: {rate:.0f} GFLOP/s, {rate / peak:.0%} of the {peak:.0f} GFLOP/s of a matrix product"
        )


if __name__ == "__main__":
    main()
