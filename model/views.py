"""The views of a clip: its MFCC, or the frames of a frozen encoder that are speech.

Encoding shards cover whole clips; the segments of speech that stand beside the features choose among their frames
when they are read, so that voice activity detection never encodes again.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from featurize.errors import TrainingError
from featurize.shards import Shard

View = Literal["mfcc", "encoder"]
"""What a network hears of a clip."""
STAGE: dict[View, str] = {"mfcc": "featurize", "encoder": "encode"}
"""The stage that makes a view."""
Clips = Sequence[NDArray[np.float32]]
"""Frames of each clip, (num_frames, C)."""

FRAME_SAMPLES = 320
"""Samples of an encoder's frame, 20 ms, before frames are averaged."""


def speech_frames(segments: NDArray[np.int64], num_frames: int, frame_samples: int) -> NDArray[np.bool_]:
    """Which frames are speech: those whose middle is in a segment; all of them where that leaves none.

    Args:
        segments: (num_segments, 2), [start, end) in samples.
        num_frames: of the clip.
        frame_samples: samples of one frame.
    """
    middle = (np.arange(num_frames) + 0.5) * frame_samples
    inside = ((segments[:, :1] <= middle) & (middle < segments[:, 1:])).any(axis=0)
    return np.asarray(inside if inside.any() else np.ones(num_frames), dtype=np.bool_)


class LazyClips(Sequence[NDArray[np.float32]], ABC):
    """Clips that are made on access, so that those of a mapped shard need not be in memory together.

    Attributes:
        lengths: frames of each clip.
    """

    lengths: Sequence[int]

    @abstractmethod
    def clip(self, index: int) -> NDArray[np.float32]:
        """One clip, (num_frames, C) float32."""

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: Any) -> Any:
        """One clip, or those of a slice."""
        if isinstance(index, slice):
            return [self.clip(i) for i in range(*index.indices(len(self)))]
        return self.clip(range(len(self))[index])


def lengths_of(clips: Clips) -> Sequence[int]:
    """Frames of each clip, without making those that are made on access."""
    return clips.lengths if isinstance(clips, LazyClips) else [len(clip) for clip in clips]


class JoinedClips(LazyClips):
    """The clips of two splits, one after the other.

    Args:
        first: clips.
        second: clips that follow them.
    """

    def __init__(self, first: Clips, second: Clips) -> None:
        self._first, self._second = first, second
        self.lengths = [*lengths_of(first), *lengths_of(second)]

    def clip(self, index: int) -> NDArray[np.float32]:
        """One clip, float32."""
        behind = index - len(self._first)
        return self._first[index] if behind < 0 else self._second[behind]


class EncodedClips(LazyClips):
    """The frames of speech of each clip, read from the mapped shards on access: (num_frames, L D).

    Args:
        rows: shard and row of each clip.
        segments: of speech, of each clip.
        frame_samples: samples of one frame.
        verify: called with a shard before it is read.
    """

    def __init__(
        self,
        rows: Sequence[tuple[Shard, int]],
        segments: Sequence[NDArray[np.int64]],
        frame_samples: int,
        verify: Callable[[Shard], None],
    ) -> None:
        self._rows, self._verify = rows, verify
        self._speech = [
            speech_frames(of_clip, len(shard.data(row)), frame_samples)
            for (shard, row), of_clip in zip(rows, segments, strict=True)
        ]
        self.lengths = [int(speech.sum()) for speech in self._speech]

    def clip(self, index: int) -> NDArray[np.float32]:
        """The frames of one clip, float32."""
        shard, row = self._rows[index]
        self._verify(shard)
        frames = np.asarray(shard.data(row))[self._speech[index]]  # (num_frames, L, D) float16
        return frames.reshape(len(frames), -1).astype(np.float32)

    def contents(self) -> Iterator[bytes]:
        """Bytes of each clip that differ where its frames do: the checksum of its shard, its row, what is speech."""
        for (shard, row), speech in zip(self._rows, self._speech, strict=True):
            yield f"{shard.checksum} {row} ".encode() + speech.tobytes()


def contents_of(clips: Clips) -> Iterator[Any]:
    """Bytes of each clip that differ where its frames do, without reading those of encodings."""
    return clips.contents() if isinstance(clips, EncodedClips) else map(np.ascontiguousarray, clips)


class Encodings:
    """The encoding shards of a folder, found by the SHA-256 of a clip or of a copy's recipe.

    They may be larger than memory, so each is compared with its checksum when the first of its clips is read: the
    others, which come next, are then in memory.

    Args:
        shards: files written by the encode stage.

    Attributes:
        encoder: name, sha256, layers, size and frame_pooling of the encoder.
        step: all settings, and the version, of the step that made the frames.
        params: of the encode stage.

    Raises:
        ShardError: a shard is missing or of another format, or when a clip is read, damaged.
        TrainingError: a shard holds something else, or the shards are of different encoders.
    """

    def __init__(self, shards: Sequence[Path]) -> None:
        self._rows: dict[str, tuple[Shard, int]] = {}
        self._verified: set[Path] = set()
        found: dict[str, Path] = {}
        for path in shards:
            shard = Shard(path, verify=False)
            if shard.kind != "encoding":
                raise TrainingError(
                    f"{path}: holds {shard.kind}, not encoding; pass the shards of the encode stage"
                )
            found.setdefault(shard.attributes["encode_step"], path)
            self._rows |= {
                sha256: (shard, row) for row, sha256 in enumerate(shard.columns["sha256"].tolist())
            }
            self.encoder: dict[str, Any] = json.loads(shard.attributes["encoder"])
            self.step: dict[str, Any] = json.loads(shard.attributes["encode_step"])
            self.params: dict[str, Any] = json.loads(shard.attributes["encode"])
        if len(found) > 1:
            first, second = list(found.values())[:2]
            raise TrainingError(f"{first} and {second} are of different encoders; run `ser encode` again")

    @property
    def shape(self) -> tuple[int, int]:
        """Hidden states of a frame, and the values of each."""
        return len(self.encoder["layers"]), self.encoder["size"]

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._rows

    def clips(self, sha256: Sequence[str], segments: Sequence[NDArray[np.int64]]) -> EncodedClips:
        """The clips with these hashes, and the segments of speech of each."""
        frame_samples = self.encoder["frame_pooling"] * FRAME_SAMPLES
        return EncodedClips(
            [self._rows[of_clip] for of_clip in sha256], segments, frame_samples, self._verify
        )

    def _verify(self, shard: Shard) -> None:
        if shard.path not in self._verified:
            Shard(shard.path)
            self._verified.add(shard.path)
