"""Manifest and audio in, shards of clean 16 kHz waveforms out: the expensive stage, run once.

A change of a voice activity or MFCC parameter never comes back here.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import torch

from featurize.audio import SAMPLE_RATE, load_audio, quantise
from featurize.denoise import DenoiseParams, Denoiser, denoise_demucs, load_denoiser
from featurize.errors import AudioError
from featurize.shards import Row, write_shard
from pipeline.manifest import COLUMNS, read_manifest
from pipeline.progress import Advance, clip_progress
from pipeline.provenance import versions
from pipeline.rejects import Reject, check_rejects, write_rejects

CLIPS_PER_SHARD = 500


def denoise(params: DenoiseParams, data: Path, max_reject_fraction: float, device: str = "cpu") -> None:
    """Denoise every clip of data/manifest.csv into data/denoised/*.h5 and list the rejects beside them.

    Raises:
        WeightsError: the denoiser's weights cannot be had.
        RejectsError: more clips were rejected than allowed.
    """
    manifest = read_manifest(data / "manifest.csv")
    denoiser = load_denoiser(params, device)
    attributes = {
        "denoiser": json.dumps({"name": denoiser.name, "sha256": denoiser.sha256}),
        "denoise": params.model_dump_json(exclude={"weights"}),
        "sample_rate": str(SAMPLE_RATE),
        "device": device,
        "versions": json.dumps(versions()),
    }
    folder = data / "denoised"
    folder.mkdir(parents=True, exist_ok=True)
    rejects: list[Reject] = []
    written: set[Path] = set()
    with clip_progress(f"denoise ({denoiser.name})", len(manifest)) as advance:
        for number, start in enumerate(range(0, len(manifest), CLIPS_PER_SHARD)):
            clips = manifest.iloc[start : start + CLIPS_PER_SHARD]
            rows = list(_denoised_rows(clips, denoiser, rejects, advance))
            if rows:
                path = folder / f"part-{number:05}.h5"
                write_shard(path, "waveform", rows, attributes)
                written.add(path)
    for stale in set(folder.glob("*.h5")) - written:
        stale.unlink()
    write_rejects(folder / "rejects.csv", rejects)
    check_rejects(folder / "rejects.csv", rejects, len(manifest), max_reject_fraction)


def _denoised_rows(
    clips: pd.DataFrame, denoiser: Denoiser, rejects: list[Reject], advance: Advance
) -> Iterator[Row]:
    """Yield a shard row for each usable clip; append the others to `rejects`."""
    for values in clips[list(COLUMNS)].itertuples(index=False, name=None):
        clip: dict[str, str] = dict(zip(COLUMNS, values, strict=True))
        try:
            waveform = clean_waveform(Path(clip["path"]), clip["sha256"], denoiser)
        except AudioError as error:
            rejects.append(Reject(clip["clip_id"], clip["path"], error.reason, error.detail))
            advance(0.0)
            continue
        samples, peak = quantise(waveform)
        yield Row(columns={**clip, "peak": peak}, data=samples)
        advance(len(samples) / SAMPLE_RATE)


def clean_waveform(path: Path, sha256: str, denoiser: Denoiser) -> torch.Tensor:
    """Load and denoise one clip, after making sure that it is still the clip of the manifest.

    Returns:
        Waveform (num_samples,) at 16 kHz.

    Raises:
        AudioError: the clip cannot be used, or its bytes have changed.
    """
    waveform = load_audio(path)
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise AudioError(
                "changed", f"{path}: changed since the manifest was made; run `ser manifest` again"
            )
    return denoise_demucs(waveform, denoiser=denoiser)
