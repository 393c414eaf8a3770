"""Audio fingerprints of a corpus, by which the audit finds copies.

They are computed by an extraction job and stored in shards by the SHA-256 of the audio, so a later run does not decode
a clip again. They are of the same sound as the features: the channel and the shortest length are those of the stage
denoise. A clip that cannot be loaded, or that crashes its decoder, has no fingerprint: it is listed in the rejects.csv
beside the shards, and no other clip is affected.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from featurize.audio import VERSION as LOAD_VERSION
from featurize.audio import LoadParams, load_audio
from featurize.errors import AudioError, counted
from featurize.fingerprint import FINGERPRINT_RATE, HOP_S, VERSION, fingerprint
from featurize.shards import Row, Shard
from pipeline.audit.finding import Entry
from pipeline.extraction.clip_audio import Recordings
from pipeline.extraction.engine import Engine
from pipeline.extraction.grouping import group_clips
from pipeline.extraction.job import Make
from pipeline.extraction.run import extract, new_run
from pipeline.extraction.shard_writer import ShardWriter
from pipeline.extraction.tasks import Fields, Output
from pipeline.locations import Location, fetched, listed
from pipeline.rejects import named

log = logging.getLogger(__name__)

Fingerprint = NDArray[np.uint32]
"""(num_frames,)."""


def fingerprint_clips(
    entries: Sequence[Entry], folder: Location, engine: Engine, load: LoadParams | None = None
) -> dict[str, Fingerprint]:
    """Fingerprint every clip that can be loaded, as the stage denoise will load it.

    Args:
        entries: the clips; those with the same bytes are decoded once.
        folder: folder of the shards; fingerprints found there are reused.
        engine: runs the job.
        load: parameters of `load_audio`.

    Returns:
        SHA-256 of the audio → fingerprint (num_frames,).

    Raises:
        SerError: the shards cannot be written, or the engine's workers cannot go on.
    """
    clips = {
        entry.sha256: {
            "clip_id": entry.clip_id,
            "path": entry.clip.path.as_posix(),
            **entry.clip.part,
            "sha256": entry.sha256,
        }
        for entry in entries
    }
    load = load or LoadParams()
    step = {"version": LOAD_VERSION, "sample_rate": FINGERPRINT_RATE} | load.model_dump()
    settings = {"fingerprint": VERSION, "load_step": json.dumps(step)}
    output = Output(folder, "fingerprint", settings, (*settings,), new_run())
    rejects = extract(
        "fingerprints",
        FingerprintJob(output, load),
        lambda: group_clips(clips.values()),
        engine=engine,
        unusable="without a fingerprint",
    )
    if rejects:
        log.warning(
            "audit: %s no fingerprint, and will be rejected by the stage denoise: %s; see %s",
            counted(len(rejects), "clip has", "clips have"),
            named(rejects),
            folder / "rejects.csv",
        )
    return dict(_read(listed(folder, "*.h5")))


def _read(shards: Iterable[Location]) -> Iterable[tuple[str, Fingerprint]]:
    for place in shards:
        with fetched(place) as path:
            shard = Shard(path)
            for row, sha256 in enumerate(shard.columns["sha256"]):
                yield str(sha256), np.array(shard.data(row))


@dataclass(frozen=True)
class FingerprintJob:
    """Clips to fingerprints, one row each."""

    output: Output
    """Where the shards are written, and their attributes."""
    loading: LoadParams = field(default_factory=LoadParams)
    """Which channel of a recording, and how short a clip."""
    device: str = "cpu"
    cores: int | None = 1
    """Decoding and small Fourier transforms do not run faster on more threads."""

    def keys(self, clip: Fields) -> list[str]:
        """A fingerprint is stored under the hash of its audio."""
        return [clip["sha256"]]

    def load(self, threads: int | None) -> Make:
        """Nothing is loaded; the work runs on one thread."""
        if threads:
            torch.set_num_threads(1)
        return partial(_make, self.loading)


def _make(loading: LoadParams, writer: ShardWriter) -> None:
    todo = writer.todo
    with Recordings(clip for _, clip in todo) as recordings:
        for index, clip in todo:
            words = _fingerprint(index, clip, recordings, loading, writer)
            if isinstance(words, AudioError):
                writer.reject(index, words)
            else:
                writer.keep(index, [Row(dict(clip), words)], len(words) * HOP_S)


def _fingerprint(
    index: int, clip: Fields, recordings: Recordings, loading: LoadParams, writer: ShardWriter
) -> Fingerprint | AudioError:
    if (found := writer.found.row(clip["sha256"], clip)) is not None:
        return found.data
    writer.at(index, "decode")
    try:
        with recordings.open(clip) as recording, writer.watch("decode"):
            waveform = load_audio(recording.path, FINGERPRINT_RATE, **recording.part, params=loading)
    except AudioError as error:
        return error
    with writer.watch("fingerprint"):
        return fingerprint(waveform)
