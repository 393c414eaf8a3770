"""Fingerprints of a corpus: computed in several processes, and kept, so that they are computed once.

They are kept as a shard beside the manifest, under the SHA-256 of the audio. DVC knows nothing of that file and
therefore leaves it where it is; without it everything is computed again.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context

import numpy as np
import torch
from numpy.typing import NDArray

from featurize.audio import load_audio
from featurize.errors import AudioError, SerError, ShardError
from featurize.fingerprint import FINGERPRINT_RATE, VERSION, fingerprint
from featurize.shards import Row, Shard, write_shard
from pipeline.audit.finding import Entry
from pipeline.locations import Location, fetched, locate, written
from pipeline.progress import clip_progress

log = logging.getLogger(__name__)

Fingerprint = NDArray[np.uint32]

_CLIPS_PER_PROCESS = 500  # fewer are done before a process has started
_CHUNK = 16


def fingerprint_clips(entries: Sequence[Entry], kept: Location) -> dict[str, Fingerprint]:
    """Fingerprint every clip that can be decoded.

    Args:
        entries: the clips; those with the same bytes are decoded once.
        kept: file of fingerprints, read where it is there, and replaced.

    Returns:
        SHA-256 of the audio → fingerprint (num_frames,).

    Raises:
        SerError: a process was killed, or the file cannot be written.
    """
    paths = {entry.sha256: str(entry.clip.path) for entry in entries}
    known = {digest: words for digest, words in _read(kept).items() if digest in paths}
    missing = [digest for digest in paths if digest not in known]
    if missing:
        undecodable = 0
        with clip_progress("fingerprints", len(missing)) as advance:
            computed = _compute([paths[digest] for digest in missing])
            for digest, words in zip(missing, computed, strict=True):
                if words is None:
                    undecodable += 1
                else:
                    known[digest] = words
                advance(0.0 if words is None else len(words) * 0.012)
        if undecodable:
            log.warning(
                "audit: %d clips cannot be decoded: no fingerprint, and nothing to denoise", undecodable
            )
        _write(kept, known)
    return known


def _compute(paths: Sequence[str]) -> Iterator[Fingerprint | None]:
    processes = min(_num_cores(), len(paths) // _CLIPS_PER_PROCESS)
    if processes < 2:
        yield from map(_fingerprint, paths)
        return
    try:
        # Spawned, not forked: a fork of a process that runs threads may wait for a lock for ever.
        with ProcessPoolExecutor(
            processes, get_context("spawn"), initializer=partial(torch.set_num_threads, 1)
        ) as pool:
            yield from pool.map(_fingerprint, paths, chunksize=_CHUNK)
    except BrokenProcessPool as error:
        raise SerError(
            "audit: a process that computes fingerprints was killed, most likely for want of memory; "
            "audit.fingerprint: false does without them"
        ) from error


def _fingerprint(path: str) -> Fingerprint | None:
    """Fingerprint of a file, or None where it cannot be decoded: a later stage says why."""
    try:
        with fetched(locate(path)) as file:
            return fingerprint(load_audio(file, FINGERPRINT_RATE))
    except (AudioError, FileNotFoundError):
        return None


def _num_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read(kept: Location) -> dict[str, Fingerprint]:
    try:
        with fetched(kept) as path:
            if not path.exists():
                return {}
            shard = Shard(path)
            if shard.kind != "fingerprint" or shard.attributes.get("fingerprint") != VERSION:
                return {}
            digests = enumerate(shard.columns["sha256"])
            return {str(digest): np.array(shard.data(row)) for row, digest in digests}
    except FileNotFoundError:
        return {}
    except ShardError as error:
        log.warning("%s; fingerprints are made anew", str(error).split(";")[0])
        return {}


def _write(kept: Location, known: dict[str, Fingerprint]) -> None:
    if known:
        rows = [Row({"sha256": digest}, words) for digest, words in sorted(known.items())]
        with written(kept) as path:
            write_shard(path, "fingerprint", rows, {"fingerprint": VERSION})
