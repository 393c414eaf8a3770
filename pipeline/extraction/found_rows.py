"""Finished rows in shards and pieces, found again by their SHA-256, in a worker."""

import json
import logging
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from featurize.errors import ShardError
from featurize.shards import Shard
from pipeline.extraction.tasks import MAKERS, STAMPS, Fields, Output, Place, Task
from pipeline.locations import Location, Url, fetched

log = logging.getLogger(__name__)


class Found(NamedTuple):
    """A finished row."""

    columns: dict[str, Any]
    data: NDArray[Any]
    segments: NDArray[np.int64]
    input_speech: NDArray[np.float16]


class FoundRows:
    """The rows that a task can reuse.

    Args:
        task: lists the rows.
        output: of the stage.
        open_files: keeps fetched files until the task ends.

    Attributes:
        makers: of the rows of every shard that was opened, digest → `Maker` as plain types.
    """

    def __init__(self, task: Task, output: Output, open_files: ExitStack) -> None:
        self.output, self.open_files = output, open_files
        self.makers: dict[str, Any] = {}
        self._rows = dict(task.found)
        self._segments = dict(task.segments)
        self._shards: dict[Location, Shard | None] = {}

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._rows

    def add(self, piece: Location) -> None:
        """Add all rows of a piece."""
        if (shard := self._shard(piece)) is not None:
            keys = enumerate(shard.columns["sha256"])
            self._rows |= {str(key): Place(piece, row) for row, key in keys}

    def row(self, sha256: str, clip: Fields) -> Found | None:
        """The finished row of this SHA-256, or None: it has to be made from what `clip` is now made from."""
        row = self._look_up(self._rows.get(sha256), clip)
        if row is None:
            self._rows.pop(sha256, None)
        return row

    def segments(self, sha256: str, clip: Fields) -> NDArray[np.int64] | None:
        """Speech segments (num_segments, 2) of a row that has to be made anew otherwise, or None."""
        row = self._look_up(self._segments.get(sha256), clip)
        return None if row is None else row.segments

    def stamp(self, sha256: str) -> str | None:
        """Digest of what made a row; None for one that is not taken over."""
        place = self._rows.get(sha256)
        shard = self._shard(place.shard) if place is not None else None
        if place is None or shard is None:
            return None
        return str(shard.columns[self.output.stamp][place.row])

    def _look_up(self, place: Place | None, clip: Fields) -> Found | None:
        if place is None or (shard := self._shard(place.shard)) is None:
            return None
        columns = shard.fields(place.row)
        if any(columns.get(stamp) != clip[stamp] for stamp in STAMPS if stamp in clip):
            return None  # an earlier stage has made the clip anew since then
        row = place.row
        return Found(columns, shard.data(row), shard.segments(row), shard.input_speech(row))

    def _shard(self, place: Location) -> Shard | None:
        """Open a shard, only once; one behind an address is checked, others have been."""
        if place not in self._shards:
            self._shards[place] = None
            try:
                path = self.open_files.enter_context(fetched(place))
                shard = Shard(path, verify=isinstance(place, Url))
            except FileNotFoundError:
                return None
            except ShardError as error:
                log.warning("%s; its rows are made anew", error.found)
                return None
            self._shards[place] = shard
            self.makers |= json.loads(shard.attributes.get(MAKERS, "{}"))
        return self._shards[place]
