"""The recordings behind split files, where they are on this machine: hashes of their bytes, and fingerprints."""

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from featurize.errors import CorpusError, counted
from pipeline.audit.finding import Entry
from pipeline.audit.fingerprints import Fingerprint, fingerprint_clips
from pipeline.audit.hashing import digests_of
from pipeline.corpora.layouts.places import nearest_root
from pipeline.corpora.tables.table_paths import find_audio_of
from pipeline.extraction.engine import Engine


def with_hashes(
    entries: Sequence[Entry], sources: Sequence[Path], audio: Path | None
) -> tuple[list[Entry], dict[str, Entry]]:
    """The entries, with the hash of their recording where it was found.

    Args:
        entries: the rows of a fold.
        sources: the file that lists each.
        audio: folder of the recordings; None: they are looked for beside each file, and in the folders above it.

    Returns:
        The entries, and of each hash one entry with the path of its recording.

    Raises:
        CorpusError: `audio` is not a folder, or holds no recording of a file.
    """
    if audio is not None and not audio.is_dir():
        raise CorpusError(f"--audio {audio}: {'not a folder' if audio.exists() else 'does not exist'}")
    of_file: dict[Path, list[int]] = defaultdict(list)
    for index, source in enumerate(sources):
        of_file[source].append(index)
    found: dict[int, Path] = {}
    for source, indices in of_file.items():
        texts = [_written(entries[index]) for index in indices]
        root = audio if audio is not None else nearest_root(source, texts)
        if root is None:
            continue
        try:
            places = find_audio_of(source, texts, root)
        except CorpusError as error:
            of = counted(len(set(texts)), "path")
            raise CorpusError(
                f"--audio {root}: none of {of} of {source} is in it, such as {texts[0]}"
            ) from error
        found |= {
            index: place.location
            for index, place in zip(indices, places, strict=True)
            if isinstance(place.location, Path) and place.location.exists()
        }
    at = list(found)
    clips = [replace(entries[index].clip, path=found[index]) for index in at]
    hashed = list(entries)
    located: dict[str, Entry] = {}
    for index, clip, digest in zip(at, clips, digests_of(clips), strict=True):
        if isinstance(digest, str):
            hashed[index] = replace(entries[index], sha256=digest)
            located[digest] = replace(hashed[index], clip=clip)
    return hashed, located


def fingerprints_of(located: Mapping[str, Entry], engine: Engine) -> dict[str, Fingerprint]:
    """SHA-256 → fingerprint of every recording that can be decoded.

    Raises:
        SerError: the engine's workers cannot go on.
    """
    if not located:
        return {}
    with tempfile.TemporaryDirectory(prefix="ser-") as folder:
        return fingerprint_clips(list(located.values()), Path(folder), engine)


def _written(entry: Entry) -> str:
    return entry.clip.path.as_posix()
