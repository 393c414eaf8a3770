"""Speed of the stage encode compared with a simple loop over the files, on the same clips.

    python benchmarks/encode.py --corpus FOLDER [--encoder openai/whisper-base] [--clips 60] [--rounds 1] [--cores 2]

The reference loop uses `transformers` file by file: Whisper's feature extractor, which pads each clip to 30 s, the
encoder, the hidden states of the clip's own frames, averaged in pairs, as one .npy file of float16 for each clip. The
stage encodes clips without that padding, and writes shards. A second loop leaves the padding out as well:
`transformers` takes only whole windows, so the window is set to the length of each clip.

Each way is a process of its own on so many cores, and its time is that from its start to its end, with imports and
the loading of models. They run alternately, and ratios are medians over the rounds. Absolute rates vary with the
machine, and wall-clock times with what else it does; CPU times hardly do. Frames of a padded clip differ from those of
the clip alone, whatever computes them; so the stage's frames are compared with those of the loop without padding.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from featurize.atomic import write_json
from featurize.audio import SAMPLE_RATE, dequantise
from featurize.decoders import walk_audio
from featurize.denoise import DenoiseParams
from featurize.encoders.encoder import pool
from featurize.encoders.hub import find_encoder
from featurize.shards import Shard, list_shards
from pipeline.audit.audit_params import AuditParams
from pipeline.corpora import CorpusParams
from pipeline.protocol.labels import LabelParams
from pipeline.protocol.splits import SplitParams
from pipeline.stages.denoise import denoise
from pipeline.stages.manifest import manifest

TOLERANCE = 2e-3
"""Largest difference between values, as a share of the clip's largest value in that hidden state."""
Seconds = dict[str, tuple[float, float]]
"""Wall-clock and CPU time of each way."""
WAYS = ("padded loop", "unpadded loop", "encode")


def write_clips(paths: list[Path], work: Path) -> None:
    """Waveform shards of the clips without a denoiser, and the same samples as WAV files."""
    rows = [
        f"{path},{number % 2},{('train', 'val', 'test')[number // 2 % 3]}"
        for number, path in enumerate(paths)
    ]
    (work / "clips.csv").write_text("\n".join(["path,label,split", *rows]))
    corpus = CorpusParams(name="table", root=work / "clips.csv")
    labels, split = LabelParams(set="native"), SplitParams(method="predefined")
    manifest(corpus, labels, split, work / "data", AuditParams(fingerprint=False))
    denoise(DenoiseParams(model="none"), work / "data", work / "reports", 0.0)
    (work / "wav").mkdir()
    for path in list_shards(work / "data" / "denoised"):
        shard = Shard(path)
        for row, (name, peak) in enumerate(zip(shard.columns["sha256"], shard.columns["peak"], strict=True)):
            waveform = dequantise(shard.data(row), peak)
            soundfile.write(work / "wav" / f"{name}.wav", waveform.numpy(), SAMPLE_RATE, subtype="FLOAT")


def loop(work: Path, encoder: str, padded: bool) -> None:
    """The reference loop: from WAV files to .npy files of (num_frames, L, D), float16."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(encoder)
    module: Any = transformers.WhisperForAudioClassification.from_pretrained(encoder, dtype=torch.float32)
    module = module.encoder.eval()
    positions = module.embed_positions.weight
    folder = work / ("padded" if padded else "unpadded")
    folder.mkdir(exist_ok=True)
    for path in sorted((work / "wav").glob("*.wav")):
        samples, rate = soundfile.read(path, dtype="float32")
        num_frames = -(-len(samples) // 320)
        if padded:
            mel = extractor(samples, sampling_rate=rate, return_tensors="pt").input_features
        else:
            samples = np.pad(samples, (0, rate // 4))
            mel = extractor(
                samples, sampling_rate=rate, padding="do_not_pad", return_tensors="pt"
            ).input_features
            # Only the double of the value is used; an assignment would be checked for whole numbers.
            vars(module.config)["max_source_positions"] = mel.shape[-1] / 2
            module.embed_positions = torch.nn.Embedding.from_pretrained(positions[: -(-mel.shape[-1] // 2)])
        with torch.no_grad():
            states = module(mel, output_hidden_states=True).hidden_states
        frames = torch.stack([state[0, :num_frames] for state in states], dim=1)
        np.save(folder / f"{path.stem}.npy", pool(frames, 2).numpy().astype(np.float16))


def stage(work: Path, encoder: str) -> list[str]:
    """The command of the stage; what an earlier round has made is removed."""
    for path in (work / "data" / "encodings").glob("*.h5"):
        path.unlink()
    write_json(work / "params.yaml", {"encode": {"model": encoder}})
    options = {"--params": "params.yaml", "--data": "data", "--reports": "reports"}
    named = [text for option, name in options.items() for text in (option, str(work / name))]
    return [sys.executable, "-m", "pipeline.cli", "encode", *named]


def one_round(work: Path, encoder: str, cores: int) -> Seconds:
    """The time of each way, as a process with so many threads or worker processes."""
    itself = [sys.executable, __file__, "--corpus", str(work), "--encoder", encoder, "--way"]
    commands: dict[str, Callable[[], list[str]]] = {
        "padded loop": lambda: [*itself, "padded loop"],
        "unpadded loop": lambda: [*itself, "unpadded loop"],
        "encode": partial(stage, work, encoder),
    }
    seconds: Seconds = {}
    environment = os.environ | {"OMP_NUM_THREADS": str(cores), "SER_WORKERS": str(cores), "SER_DEVICE": "cpu"}
    for way, command in commands.items():
        arguments = command()
        start, before = time.perf_counter(), cpu_s()
        done = subprocess.run(arguments, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        seconds[way] = time.perf_counter() - start, cpu_s() - before
        if done.returncode:
            sys.exit(f"{way} failed with exit code {done.returncode}:\n{done.stderr}")
    return seconds


def cpu_s() -> float:
    """CPU time of all child processes that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def largest_difference(work: Path) -> float:
    """Of the stage's frames and the unpadded loop's, as a share of the largest value of each hidden state of a clip."""
    largest = 0.0
    for path in list_shards(work / "data" / "encodings"):
        shard = Shard(path)
        for row, name in enumerate(shard.columns["sha256"]):
            ours = np.asarray(shard.data(row), dtype=np.float64)
            loops = np.load(work / "unpadded" / f"{name}.npy").astype(np.float64)
            assert ours.shape == loops.shape  # noqa: S101 - another number of frames is a fault, not a difference
            highest = np.abs(loops).max(axis=(0, 2), keepdims=True)
            largest = max(largest, float((np.abs(ours - loops) / highest).max()))
    return largest


def main() -> None:
    """Measure, compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder of recordings")
    parser.add_argument(
        "--encoder", default="openai/whisper-base", help="as encode.model, of Whisper's family"
    )
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--way", choices=WAYS[:2], help=argparse.SUPPRESS)
    args = parser.parse_args()
    files = find_encoder(args.encoder)
    if files.config.get("model_type") != "whisper":
        parser.error(f"{args.encoder} is not of Whisper's family: others do not pad clips")
    encoder = str(files.folder.resolve())
    if args.way:
        loop(args.corpus, encoder, padded=args.way == "padded loop")
        return
    found = sorted(walk_audio(args.corpus))
    paths = [
        (args.corpus / path).resolve() for path in found[:: max(1, len(found) // args.clips)][: args.clips]
    ]
    with tempfile.TemporaryDirectory(prefix="ser-") as folder:
        work = Path(folder)
        write_clips(paths, work)
        audio_s = sum(soundfile.info(path).duration for path in (work / "wav").glob("*.wav"))
        print(f"{len(paths)} clips of {args.corpus}, {audio_s:.0f} s, {files.name}, {args.cores} cores")
        rounds = [one_round(work, encoder, args.cores) for _ in range(args.rounds)]
        print_medians(rounds, audio_s)
        difference = largest_difference(work)
    print(f"frames: {difference:.1e} from the unpadded loop's at most (tolerance {TOLERANCE:.0e})")
    if difference > TOLERANCE:
        sys.exit("the frames differ")


def print_medians(rounds: list[Seconds], audio_s: float) -> None:
    """Times and speed of each way, and how much faster the stage is."""
    for way in WAYS:
        wall_s, used_s = (statistics.median(each[way][kind] for each in rounds) for kind in (0, 1))
        wall, used = (
            statistics.median(each[way][kind] / each["encode"][kind] for each in rounds) for kind in (0, 1)
        )
        than = f"; encode: {wall:.2f} × as fast, CPU {used:.2f} ×" if way != "encode" else ""
        print(f"{way:14} {wall_s:7.1f} s, CPU {used_s:7.1f} s, {audio_s / wall_s:6.1f} × real time{than}")


if __name__ == "__main__":
    main()
