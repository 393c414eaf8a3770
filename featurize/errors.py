"""The exceptions, as one tree, and how a message counts. Every message is one line: what is wrong, where, what to do.

    SerError
    ├── AudioError        one clip cannot be used; it becomes a row of rejects.csv, and the other clips are processed
    ├── WeightsError      the weights or the package of a denoiser are missing, damaged or of another network
    ├── ShardError        a shard is missing, damaged or of another format
    ├── ParamsError       params.yaml has an unknown key or a value of the wrong type
    ├── CorpusError       a corpus folder or a user's CSV cannot be read
    ├── SplitError        a split is impossible, empty, or leaks between train, val and test
    ├── RejectsError      more clips were rejected than params allow
    ├── TrainingError     training cannot start or continue
    ├── CheckpointError   a checkpoint is missing, damaged, or was trained for other data
    └── ProtocolError     two scores cannot be compared

The command line prints the message of any SerError and exits with code 2.
"""

from pathlib import Path
from typing import Literal, NoReturn

Reason = Literal[
    "missing",  # there is no such file
    "directory",  # the path is a folder
    "unreadable",  # no permission, an I/O error, or not a regular file
    "empty",  # no bytes, or a header without samples
    "lfs-pointer",  # a git-LFS pointer in place of the audio
    "undecodable",  # not audio, damaged, or cut short
    "bad-segment",  # the part of a file is not within the file
    "silent",  # nothing but the noise of the last bit
    "too-short",  # shorter than corpus.min_clip_s
    "non-finite",  # NaN or infinite samples, in the file or after the denoiser
    "no-speech",  # the VAD found no speech, and vad.if_no_speech is reject
    "changed",  # other bytes than when the manifest was made
    "crashed",  # the worker process died on the clip, twice
]
"""Why a clip was rejected: the column `reason` of rejects.csv. pipeline/rejects.py has advice for each."""


class SerError(Exception):
    """Base of every error that a user can cause and fix."""


class AudioError(SerError):
    """A clip that cannot be used.

    Args:
        reason: code for the column `reason` of rejects.csv.
        found: what is wrong with the clip.
        path: of its file; "" where only the samples are known.

    Attributes:
        detail: both in one line.
    """

    def __init__(self, reason: Reason, found: str, path: object = "") -> None:
        self.reason: Reason = reason
        self.found, self.path = found, str(path)
        self.detail = " ".join(f"{self.path}: {found}".split()) if self.path else found
        super().__init__(self.detail)

    def of(self, path: object) -> "AudioError":
        """The same fault, of a file as the user knows it: a temporary copy has another name."""
        return AudioError(self.reason, self.found, path)

    def __reduce__(self) -> tuple[type["AudioError"], tuple[Reason, str, str]]:
        # Exceptions are rebuilt from `args` when they cross a process boundary; `args` holds only the detail.
        return type(self), (self.reason, self.found, self.path)


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number with the noun in its form: 1 clip, 2 clips.

    Args:
        number: how many.
        noun: what, as of one.
        plural: as of several; by default the noun with an s.
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def reject(reason: Reason, path: Path, found: str, cause: Exception | None = None) -> NoReturn:
    """Raise an AudioError about a file, with a message of one line."""
    raise AudioError(reason, found, path) from cause


class WeightsError(SerError):
    """The weights or the package of a denoiser are missing, damaged or of another network."""


class ShardError(SerError):
    """A shard is missing, damaged or of another format.

    Args:
        found: what is wrong with which shard.
        advice: what to do, or empty.
    """

    def __init__(self, found: str, advice: str = "") -> None:
        super().__init__(f"{found}; {advice}" if advice else found)
        self.found, self.advice = found, advice

    def __reduce__(self) -> tuple[type["ShardError"], tuple[str, str]]:
        return type(self), (self.found, self.advice)


class ParamsError(SerError):
    """params.yaml has an unknown key or a value of the wrong type."""


class CorpusError(SerError):
    """A corpus folder or a user's CSV cannot be read."""


class SplitError(SerError):
    """A split is impossible, empty, or leaks between train, val and test."""


class RejectsError(SerError):
    """More clips were rejected than `max_reject_fraction` allows."""


class TrainingError(SerError):
    """Training cannot start or continue."""


class CheckpointError(SerError):
    """A checkpoint is missing, damaged, or was trained for other data."""


class ProtocolError(SerError):
    """Two scores cannot be compared."""
