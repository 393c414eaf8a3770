"""Manifest and audio in, shards of clean 16 kHz waveforms out: the expensive stage, run once.

A change of a voice activity or MFCC parameter never comes back here, and a clip that is done is not done again.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pandas as pd
import torch

from featurize.audio import SAMPLE_RATE, load_audio, quantise
from featurize.denoise import DenoiseParams, Denoiser, denoise_clips, load_denoiser
from featurize.errors import AudioError
from featurize.shards import Row
from pipeline.manifest import COLUMNS, read_manifest
from pipeline.progress import Advance, clip_progress
from pipeline.provenance import versions
from pipeline.rejects import Reject, check_rejects, write_rejects
from pipeline.reuse import ShardFolder
from pipeline.stopwatch import Stopwatch

log = logging.getLogger(__name__)

Fields = dict[str, str]
Item = TypeVar("Item")

CLIPS_PER_SHARD = 500
BYTES_PER_SHARD = 64 << 20
"""Of audio files; a shard is put together in memory."""
LOADERS = 4
CLIPS_AHEAD = 32
SETTINGS_THAT_MATTER = ("denoiser", "denoise", "sample_rate")


def denoise(
    params: DenoiseParams, data: Path, reports: Path, max_reject_fraction: float, device: str = "cpu"
) -> None:
    """Denoise every clip of data/manifest.csv into data/denoised/*.h5 and list the rejects beside them.

    Raises:
        WeightsError: the denoiser's weights cannot be had.
        RejectsError: more clips were rejected than allowed.
        SerError: the shards cannot be written.
    """
    clips = _clips(read_manifest(data / "manifest.csv"))
    denoiser = load_denoiser(params, device)
    attributes = {
        "denoiser": json.dumps(
            {"name": denoiser.name, "sha256": denoiser.sha256, "trained_on": denoiser.trained_on}
        ),
        "denoise": params.model_dump_json(exclude={"weights"}),
        "sample_rate": str(SAMPLE_RATE),
        "device": device,
        "versions": json.dumps(versions()),
    }
    shards = ShardFolder(data / "denoised", "waveform", attributes, SETTINGS_THAT_MATTER)
    rejects: list[Reject] = []
    watch = Stopwatch()
    number = num_left = 0
    with clip_progress(f"denoise ({denoiser.name})", len(clips)) as advance:
        for group in groups(clips):
            rows = _denoised_rows(group, denoiser, shards, rejects, watch, advance)
            num_left += sum(not row.columns["denoised"] for row in rows)
            if rows:
                with watch("write"):
                    shards.write(number, rows)
                number += 1
    if params.gate_snr_db is not None:
        log.info("%d of %d clips left as they are (gate at %g dB)", num_left, len(clips), params.gate_snr_db)
    shards.finish()
    watch.report(reports / "timing" / "denoise.json")
    write_rejects(shards.folder / "rejects.csv", rejects)
    check_rejects(shards.folder / "rejects.csv", rejects, len(clips), max_reject_fraction)


def _clips(manifest: pd.DataFrame) -> list[Fields]:
    return [
        dict(zip(COLUMNS, values, strict=True))
        for values in manifest[list(COLUMNS)].itertuples(index=False, name=None)
    ]


def groups(clips: list[Fields]) -> Iterator[list[Fields]]:
    """Cut the manifest into the clips of each shard, bounded in number and in bytes of audio."""
    group: list[Fields] = []
    size = 0
    for clip in clips:
        path = Path(clip["path"])
        num_bytes = path.stat().st_size if path.is_file() else 0
        if group and (len(group) == CLIPS_PER_SHARD or size + num_bytes > BYTES_PER_SHARD):
            yield group
            group, size = [], 0
        group.append(clip)
        size += num_bytes
    if group:
        yield group


def _denoised_rows(
    group: list[Fields],
    denoiser: Denoiser,
    shards: ShardFolder,
    rejects: list[Reject],
    watch: Stopwatch,
    advance: Advance,
) -> list[Row]:
    """A shard row for each usable clip, in the group's order; the others go to `rejects`."""
    rows: dict[int, Row] = {}
    for index, clip in enumerate(group):
        if (found := shards.find(clip["sha256"])) is not None:
            fields, samples, _ = found
            rows[index] = Row({**clip, "peak": fields["peak"], "denoised": fields["denoised"]}, samples)
            advance(len(samples) / SAMPLE_RATE)
    refused: dict[int, Reject] = {}
    left_alone: set[int] = set()

    def usable() -> Iterator[tuple[int, torch.Tensor]]:
        todo = [(index, clip) for index, clip in enumerate(group) if index not in rows]
        loading = load_ahead(todo)
        while (loaded := _next("decode", loading, watch)) is not None:
            index, waveform = loaded
            if isinstance(waveform, AudioError):
                refuse(index, waveform)
            else:
                if denoiser.leaves(waveform):
                    left_alone.add(index)
                yield index, waveform

    def refuse(index: int, error: AudioError) -> None:
        clip = group[index]
        refused[index] = Reject(clip["clip_id"], clip["path"], error.reason, error.detail)
        advance(0.0)

    denoising = denoise_clips(usable(), denoiser)
    while (denoised := _next("denoise", denoising, watch)) is not None:
        index, waveform = denoised
        if not torch.isfinite(waveform).all():
            refuse(
                index,
                AudioError("non-finite", f"{group[index]['path']}: the denoiser gave no finite samples"),
            )
            continue
        samples, peak = quantise(waveform)
        rows[index] = Row({**group[index], "peak": peak, "denoised": index not in left_alone}, samples)
        with watch("write"):
            shards.save(rows[index])
        watch.audio_s += len(samples) / SAMPLE_RATE
        advance(len(samples) / SAMPLE_RATE)
    rejects += [refused[index] for index in sorted(refused)]
    return [rows[index] for index in sorted(rows)]


def _next(step: str, items: Iterator[Item], watch: Stopwatch) -> Item | None:
    """The next item, or None; the wait for it is booked to a step."""
    with watch(step):
        return next(items, None)


def load_ahead(clips: Iterable[tuple[int, Fields]]) -> Iterator[tuple[int, torch.Tensor | AudioError]]:
    """Load clips in threads, a few ahead of where they are needed, in order."""
    waiting = iter(clips)
    with ThreadPoolExecutor(LOADERS) as threads:
        ahead = [(index, threads.submit(_load, clip)) for index, clip in islice(waiting, CLIPS_AHEAD)]
        while ahead:
            index, loading = ahead.pop(0)
            yield index, loading.result()
            ahead += [(index, threads.submit(_load, clip)) for index, clip in islice(waiting, 1)]


def _load(clip: Fields) -> torch.Tensor | AudioError:
    """Waveform (num_samples,), after making sure that the file is still the clip of the manifest."""
    path = Path(clip["path"])
    try:
        waveform = load_audio(path)
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != clip["sha256"]:
                changed = f"{path}: changed since the manifest was made; run `ser manifest` again"
                return AudioError("changed", changed)
    except AudioError as error:
        return error
    return waveform
