"""Speed of Tier 0 compared with a simple loop over the files, on the same clips.

    python benchmarks/tier0.py [--clips 256] [--rounds 3] [--audio FOLDER] [--denoiser CHECKPOINT]

The reference loop processes file by file: load, Demucs.forward, Silero's `get_speech_timestamps`, torchaudio's MFCC;
once with all cores ("all cores"), and once with one thread ("one thread"), which is the setting after `import
silero_vad`. The pipeline loads clips ahead in threads, denoises them in streams, and finds speech with the plain
network. Without `--denoiser`, DNS64 has random weights, which takes the same time. All are run alternately in several
rounds, and each ratio is the median over the rounds; absolute rates vary with the machine. The rate of a loop does not
depend on the number of clips, so that each loop runs on an eighth of the clips, and never on the same clips twice:
torch prepares each convolution again for every new length, and in a corpus nearly every clip has a new length.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import silero_vad
import torch
import torchaudio
from denoiser.demucs import Demucs

from featurize.audio import SAMPLE_RATE, dequantise, load_audio, quantise
from featurize.denoise import DenoiseParams, Denoiser, Streamed, denoise_clips, load_denoiser
from featurize.mfcc import MfccParams, mfcc_40
from featurize.vad import VadParams, find_speech, keep_segments
from featurize.vad_network import InputSpeech, input_speech, load_vad
from pipeline.audit.hashing import hash_audio
from pipeline.extraction.loading import load_ahead

STEPS = ("load", "denoise", "vad", "mfcc")
DEMO = Path("data/raw/demo")
GFLOP_PER_SECOND_OF_AUDIO = 9.0  # DNS64, counted from its layers


class Clock:
    """Seconds spent in each step."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STEPS, 0.0)
        self._last = time.perf_counter()

    def start(self) -> None:
        """Start a new interval."""
        self._last = time.perf_counter()

    def stop(self, step: str) -> None:
        """Add the time since the last call to a step."""
        now = time.perf_counter()
        self.seconds[step] += now - self._last
        self._last = now

    @property
    def total(self) -> float:
        """Seconds of all steps."""
        return sum(self.seconds.values())


def reference_loop(paths: list[Path], module: Demucs, threads: int) -> Clock:
    """File by file, with the functions of the libraries."""
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
        clock.stop("load")
        with torch.inference_mode():
            clean = module(waveform[None])[0, 0]
        clock.stop("denoise")
        found = silero_vad.get_speech_timestamps(clean, vad)
        clock.stop("vad")
        speech = torch.cat([clean[s["start"] : s["end"]] for s in found]) if found else clean
        mfcc(speech)
        clock.stop("mfcc")
    return clock


def pipeline_path(paths: list[Path], denoiser: Denoiser, threads: int) -> Clock:
    """The work of the stages, without writing."""
    torch.set_num_threads(threads)
    clips = [(i, {"path": str(path), "sha256": hash_audio(path)}) for i, path in enumerate(paths)]
    vad = load_vad()
    clock = Clock()

    before: dict[int, InputSpeech] = {}

    def listen(index: int, waveform: torch.Tensor, _: object) -> None:
        before[index] = input_speech(waveform, vad)

    def loaded() -> Iterator[tuple[int, torch.Tensor]]:
        for index, waveform in load_ahead(clips, also=listen):
            assert isinstance(waveform, torch.Tensor)  # noqa: S101 - no clip is rejected
            yield index, waveform

    done = [(index, *quantise(clean)) for index, clean, _ in denoise_clips(loaded(), denoiser)]
    clock.stop("denoise")  # includes loading and the VAD of the input, in threads
    torch.set_num_threads(1)
    for index, samples, peak in done:
        clock.start()
        clean = dequantise(samples, peak)
        segments = find_speech(clean, vad, VadParams(), before[index])
        clock.stop("vad")
        mfcc_40(keep_segments(clean, segments))
        clock.stop("mfcc")
    return clock


def matrix_product_rate(threads: int) -> float:
    """Rate of matrix products of the size of Demucs' middle layers, measured for two seconds, in GFLOP/s."""
    torch.set_num_threads(threads)
    a, b = torch.randn(4096, 512), torch.randn(512, 1024)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < 2:
        a @ b
        count += 1
    return count * 2 * 4096 * 512 * 1024 / (time.perf_counter() - start) / 1e9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--audio", type=Path, default=DEMO)
    parser.add_argument(
        "--denoiser", default=None, help="as denoise.model; default: DNS64 with random weights"
    )
    args = parser.parse_args()
    found = sorted(path for path in args.audio.rglob("*") if path.suffix in {".wav", ".flac"})
    paths = found[:: max(1, len(found) // args.clips)][: args.clips]
    torch.manual_seed(0)
    if args.denoiser:
        denoiser = load_denoiser(DenoiseParams(model=args.denoiser))
    else:
        denoiser = Denoiser("dns64, random", "", Streamed(Demucs(hidden=64).eval()))
    cores = os.cpu_count() or 1
    print(
        f"{len(paths)} clips of {args.audio}, denoiser {denoiser.name}, {cores} cores, {args.rounds} rounds"
    )
    rounds = []
    for number in range(1, args.rounds + 1):
        rounds.append(one_round(paths, number, denoiser, cores))
        print(f"round {number}: " + "  ".join(f"{name} {rate:.1f} ×" for name, rate in rounds[-1].items()))
    print_medians(rounds, dns64=not args.denoiser)


def one_round(paths: list[Path], number: int, denoiser: Denoiser, cores: int) -> dict[str, float]:
    """Rates in × real time; "product" is the rate of a matrix product, in GFLOP/s."""
    assert isinstance(denoiser.method, Streamed)  # noqa: S101 - the benchmark compares ways to run a causal Demucs
    module = denoiser.method.module
    first, second = (paths[(2 * number + i) % 8 :: 8] for i in (0, 1))
    clocks = {
        "loop, all cores": (reference_loop(first, module, cores), first),
        "loop, one thread": (reference_loop(second, module, 1), second),
        "pipeline": (pipeline_path(paths, denoiser, cores), paths),
    }
    rates = {}
    for name, (clock, clips) in clocks.items():
        audio_s = sum(len(load_audio(path)) for path in clips) / SAMPLE_RATE
        rates[name] = audio_s / clock.total
        rates |= {f"{name}: {step}": audio_s / s for step, s in clock.seconds.items() if s}
    return {**rates, "product": matrix_product_rate(cores)}


def print_medians(rounds: list[dict[str, float]], dns64: bool) -> None:
    """Print the medians of the main ratios."""

    def median_of(ratio: Callable[[dict[str, float]], float]) -> float:
        return statistics.median(ratio(each) for each in rounds)

    print("medians:")
    for loop in ("loop, all cores", "loop, one thread"):
        whole = median_of(lambda r, loop=loop: r["pipeline"] / r[loop])
        vad = median_of(lambda r, loop=loop: r["pipeline: vad"] / r[f"{loop}: vad"])
        denoise = median_of(lambda r, loop=loop: r["pipeline: denoise"] / r[f"{loop}: denoise"])
        print(f"  pipeline / {loop:17} {whole:5.2f}   (denoise {denoise:.2f}, vad {vad:.2f})")
    print(f"  pipeline {median_of(lambda r: r['pipeline']):.1f} × real time")
    if dns64:
        rate = median_of(lambda r: r["pipeline: denoise"]) * GFLOP_PER_SECOND_OF_AUDIO
        share = median_of(lambda r: r["pipeline: denoise"] * GFLOP_PER_SECOND_OF_AUDIO / r["product"])
        print(f"  denoising: {rate:.0f} GFLOP/s, {share:.0%} of the rate of a matrix product")


if __name__ == "__main__":
    main()
