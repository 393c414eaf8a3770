"""Hashes of the recordings' bytes, by which equal files are found; every file is read once."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from featurize.containers.readable import check_file
from featurize.errors import AudioError
from pipeline.audit.finding import Entry
from pipeline.corpora.clip import Clip
from pipeline.locations import Location, fetched
from pipeline.rejects import Reject

HASHING_THREADS = 8
AT_ONCE = 16
"""Files that a thread takes at once: small ones cost less to hash than to hand over."""


def hash_clips(clips: Sequence[Clip], label_of: Mapping[str, str]) -> tuple[list[Entry], list[Reject]]:
    """Hash the bytes of every file once: returns entries without a split, and rejects for unusable files."""
    hashed, rejects = [], []
    for clip, digest in zip(clips, digests_of(clips), strict=True):
        if isinstance(digest, AudioError):
            rejects.append(Reject(clip.clip_id, clip.path.as_posix(), digest.reason, digest.detail))
        else:
            hashed.append(Entry(clip, label_of[clip.emotion], digest, ""))
    return hashed, rejects


def digests_of(clips: Sequence[Clip]) -> list[str | AudioError]:
    """SHA-256 of each clip, or what is wrong with its file; a part of a file has one of its own."""
    with ThreadPoolExecutor(HASHING_THREADS) as threads:
        places = list(dict.fromkeys(clip.path for clip in clips))
        parts = [places[at : at + AT_ONCE] for at in range(0, len(places), AT_ONCE)]
        digests = dict(zip(places, chain.from_iterable(threads.map(_try_each, parts)), strict=True))
    found = []
    for clip in clips:
        digest = digests[clip.path]
        if clip.span is not None and isinstance(digest, str):
            digest = clip.span.try_digest(digest, clip.path.as_posix())
        found.append(digest)
    return found


def hash_audio(place: Location) -> str:
    """SHA-256 of a file's bytes, in hex.

    Raises:
        AudioError: missing, directory, unreadable, empty, or lfs-pointer.
        SerError: an address cannot be reached.
    """
    try:
        with fetched(place) as path:
            return _hash_file(path)
    except FileNotFoundError as error:
        raise AudioError("missing", "no such file", place) from error
    except AudioError as error:
        raise error.of(place) from error


def _hash_file(path: Path) -> str:
    check_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError("unreadable", f"cannot be read ({error.strerror})", path) from error


def _try_each(paths: Sequence[Location]) -> list[str | AudioError]:
    return [_try_hash(path) for path in paths]


def _try_hash(path: Location) -> str | AudioError:
    try:
        return hash_audio(path)
    except AudioError as error:
        return error
