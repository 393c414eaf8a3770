"""Decoding of the formats that libsndfile supports (WAV, FLAC, OGG, MP3, AIFF...), through soundfile."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import soundfile

from featurize.containers.ffmpeg import Block
from featurize.containers.pieces import Steady
from featurize.errors import reject

SEEKABLE = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"})
"""Codecs (soundfile's subtypes; FLAC has those of PCM) that can be decoded from any sample."""

_UNKNOWN_FRAMES = 2**62  # libsndfile reports 2**63 - 1 frames for a FLAC file without a length
_MALFORMED = 3  # libsndfile's SF_ERR_MALFORMED_FILE: a supported format, but damaged


class Sound(soundfile.SoundFile):  # type: ignore[misc]  # the package has no types
    """An open file that is called seekable only if its codec can be decoded from any sample.

    soundfile seeks before and after each read of a seekable file. libmpg123 then lacks the bits that a frame of MP3
    takes from the frames before it: it writes errors to stderr, and the samples depend on the size of the reads.
    """

    def seekable(self) -> bool:
        """Whether the codec can be decoded from any sample."""
        return self.subtype in SEEKABLE


def open_sound(file: BinaryIO) -> Sound | None:
    """Open a file with libsndfile; None if it does not support the format, or cannot determine the length.

    Raises:
        LibsndfileError: a supported format, but damaged.
    """
    try:
        sound = Sound(Steady(file))
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: the name ends in .raw
        if getattr(error, "code", None) == _MALFORMED:
            raise
    else:
        if sound.frames < _UNKNOWN_FRAMES:
            return sound
        sound.close()
    file.seek(0)
    return None


def sound_blocks(sound: Sound, path: Path, at_once: int) -> Iterator[Block]:
    """Blocks of `at_once` samples per channel, from the current position of `sound`, which is closed at the end.

    Raises:
        AudioError: undecodable (truncated).
    """
    found = sound.tell() if sound.seekable() else 0
    with sound:
        while len(samples := sound.read(at_once, dtype="float32", always_2d=True)):
            found += len(samples)
            yield samples.T, int(sound.samplerate)
        if found < 0.99 * sound.frames:
            what = f"truncated: header promises {sound.frames} samples, file has {found}"
            reject("undecodable", path, what)
