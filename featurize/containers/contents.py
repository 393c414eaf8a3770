"""The recordings in a file, whatever its format: usually one, as it is."""

from mmap import mmap
from pathlib import Path

from featurize.containers.headers import au_recording, is_riff, riff_recordings
from featurize.containers.joined import joined
from featurize.containers.large_files import CAF, W64, caf_recording, w64_recording
from featurize.containers.pieces import Piece


def recordings(content: mmap, path: Path) -> list[list[Piece]]:
    """The recordings in a file, each as pieces of it that a decoder understands.

    Raises:
        AudioError: undecodable.
    """
    if is_riff(content):
        return riff_recordings(content, path)
    if content[:4] == b".snd":
        return [au_recording(content, path)]
    if content[:16] == W64:
        return [w64_recording(content, path)]
    if content[:4] == CAF:
        return [caf_recording(content, path)]
    return joined(content, path)
