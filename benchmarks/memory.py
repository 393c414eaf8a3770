"""Peak memory of Tier 0 (the stages denoise and featurize) over corpora of different sizes, and over one long file.

    python benchmarks/memory.py [--clips 100 1000 10000] [--minutes 30]

Each row is measured in a new process that runs both stages on synthetic clips of 0.3 s (noise, in a temporary folder),
without worker processes, so that its peak memory is the total. `compact` runs on up to 1,000 clips. Memory must not
grow with the number of clips beyond what one shard of 500 clips needs.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from featurize.denoise import DenoiseParams
from featurize.mfcc import MfccParams
from featurize.vad import VadParams
from pipeline.audit.hashing import hash_audio
from pipeline.protocol.manifest_file import COLUMNS
from pipeline.stages.denoise import denoise
from pipeline.stages.featurize import featurize

CLIP_S = 0.3
MOST_CLIPS_DENOISED = 1000


def make_corpus(data: Path, clips: int, clip_s: float) -> None:
    """Write noise clips, in blocks to use little memory, and their manifest."""
    noise = np.random.default_rng(0)
    (data / "raw").mkdir()
    with (data / "manifest.csv").open("w") as manifest:
        manifest.write(",".join(COLUMNS) + "\n")
        for number in range(clips):
            path = data / "raw" / f"{number}.wav"
            with soundfile.SoundFile(path, "w", 16_000, 1) as file:
                for start in range(0, int(clip_s * 16_000), 16_000):
                    file.write(noise.normal(0, 0.1, min(16_000, int(clip_s * 16_000) - start)))
            clip = {"clip_id": f"t/{number}", "path": path, "sha256": hash_audio(path), "corpus": "t"}
            clip |= {"speaker": "s", "emotion": "happy", "label": "happy", "split": "train"}
            manifest.write(",".join(str(clip.get(column, "")) for column in COLUMNS) + "\n")


def measure(model: str, clips: int, clip_s: float) -> None:
    """Run both stages, and print peak memory and time."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        make_corpus(data, clips, clip_s)
        start = time.perf_counter()
        sys.stderr = (data / "log").open("w")
        denoise(DenoiseParams(model=model), data, data / "reports", 0.0)
        featurize(VadParams(), MfccParams(), data, data / "reports", 0.0)
        sys.stderr = sys.__stderr__
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # KiB on Linux
        wall_s = time.perf_counter() - start
    print(f"{model:10} {clips:8,} {clip_s:10,.1f} {peak:12,.0f} {wall_s:8,.0f}", flush=True)


def main() -> None:
    """Measure each case in a separate process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--minutes", type=float, default=30.0, help="length of the long file; 0: none")
    args = parser.parse_args()
    cases = [("none", clips, CLIP_S) for clips in args.clips]
    cases += [("compact", clips, CLIP_S) for clips in args.clips if clips <= MOST_CLIPS_DENOISED]
    cases += [("compact", 1, 60 * args.minutes)] if args.minutes else []
    print(f"{'denoiser':10} {'clips':>8} {'each, s':>10} {'peak, MiB':>12} {'took, s':>8}", flush=True)
    for case in cases:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=case)
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(f"{case}: exit code {process.exitcode}")


if __name__ == "__main__":
    main()
