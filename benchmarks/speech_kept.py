"""How much speech a denoiser takes from a corpus, and how much "speech" is found in recordings of noise.

    python benchmarks/speech_kept.py FOLDER... [--denoiser compact] [--seconds 0.25] [--workers 2]

Each folder is searched for audio. Every clip goes through Tier 0's loading, denoiser and voice activity detection with
default parameters. Its speech without a denoiser is compared with what is found behind the denoiser alone, and with
what Tier 0 finds, which takes the clip before the denoiser into account as well. A clip has lost speech if it has
more than `--seconds` less. One row for each folder, and the names of the clips that Tier 0 loses speech of.
"""

import argparse
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from featurize.audio import SAMPLE_RATE, dequantise, load_audio, quantise
from featurize.decoders import walk_audio
from featurize.denoise import DenoiseParams, denoise_clips, load_denoiser
from featurize.errors import AudioError
from featurize.vad import find_speech
from featurize.vad_network import InputSpeech, input_speech, load_vad

CLIPS_PER_TASK = 50


class Speech(NamedTuple):
    """Seconds of a clip, and of the speech that is found in it."""

    path: Path
    clip_s: float
    without: float
    """Without a denoiser."""
    alone: float
    """Behind the denoiser alone."""
    tier0: float
    """As Tier 0 finds it."""


def speech_of(paths: list[Path], model: str) -> list[Speech]:
    """The speech of some clips; those that cannot be used are left out."""
    torch.set_num_threads(1)
    vad, denoiser = load_vad(), load_denoiser(DenoiseParams(model=model))
    before: dict[Path, InputSpeech] = {}
    without: dict[Path, float] = {}

    def loaded() -> Iterator[tuple[Path, torch.Tensor]]:
        for path in paths:
            try:
                waveform = load_audio(path)
            except AudioError as error:
                print(error, flush=True)
                continue
            before[path] = input_speech(waveform, vad)
            without[path] = seconds(find_speech(dequantise(*quantise(waveform)), vad))
            yield path, waveform

    found = []
    for path, waveform, _ in denoise_clips(loaded(), denoiser):
        stored = dequantise(*quantise(waveform))
        both = [seconds(find_speech(stored, vad, before=given)) for given in (None, before[path])]
        found.append(Speech(path, len(stored) / SAMPLE_RATE, without[path], *both))
    return found


def seconds(segments: NDArray[np.int64]) -> float:
    """Length of all segments (num_segments, 2), in s."""
    return float(np.diff(segments, axis=1).sum()) / SAMPLE_RATE


def main() -> None:
    """Print one row for each folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--denoiser", default="compact", help="as denoise.model")
    parser.add_argument("--seconds", type=float, default=0.25)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    print(f"{'':24} {'':>6} {'':>8} {'without':>9} {'behind it alone':>22} {'Tier 0':>22}")
    print(
        f"{'folder':24} {'clips':>6} {'s':>8} {'speech, s':>9}" + 2 * f" {'speech, s':>11} {'clips lose':>10}"
    )
    with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
        for folder in args.folders:
            paths = [folder / path for path in sorted(walk_audio(folder))]
            tasks = [
                (paths[i : i + CLIPS_PER_TASK], args.denoiser) for i in range(0, len(paths), CLIPS_PER_TASK)
            ]
            clips = [clip for done in pool.starmap(speech_of, tasks, chunksize=1) for clip in done]
            row = f"{folder.name:24} {len(clips):6,} {sum(c.clip_s for c in clips):8,.0f}"
            row += f" {sum(c.without for c in clips):9,.1f}"
            for found in ("alone", "tier0"):
                lost = [c for c in clips if c.without - getattr(c, found) > args.seconds]
                row += f" {sum(getattr(c, found) for c in clips):11,.1f} {len(lost):10}"
            print(row, flush=True)
            for clip in lost:
                print(f"    {clip.path.name}: {clip.without:.2f} s, {clip.tier0:.2f} s")


if __name__ == "__main__":
    main()
