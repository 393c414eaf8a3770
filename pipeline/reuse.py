"""What a shard stage has already done, so that no clip is worked on twice.

A finished row is found by the SHA-256 of its clip's audio, wherever the clip now stands in the manifest, in shards
that were made with the same settings. While a shard is being made, its rows are saved in pieces beside it about
once a second: a process that is killed loses the clips in flight and that second.
"""

import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurize.errors import SerError, ShardError
from featurize.shards import Kind, Row, Shard, write_shard

log = logging.getLogger(__name__)

PIECES = ".pieces"
SECONDS_PER_PIECE = 1.0


class ShardFolder:
    """The shards of one stage: rows that can be taken over, and new shards in their place.

    Args:
        folder: where the shards lie, such as data/denoised.
        kind: what they hold.
        attributes: provenance, for new shards.
        decisive: names of the attributes that decide about the numbers; rows made with others are not taken.

    Raises:
        SerError: the folder cannot be made.
    """

    def __init__(
        self, folder: Path, kind: Kind, attributes: dict[str, str], decisive: tuple[str, ...]
    ) -> None:
        self.folder, self.kind, self.attributes, self.decisive = folder, kind, attributes, decisive
        try:
            (folder / PIECES).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SerError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
        self._found: dict[str, tuple[Shard, int]] = {}
        self._usable: dict[Path, Shard] = {}
        self._buffer: list[Row] = []
        self._saved_at = time.monotonic()
        self._written: set[Path] = set()
        for path in self._shards():
            self._index(path)

    def _shards(self) -> Iterator[Path]:
        yield from sorted(self.folder.glob("*.h5"))
        yield from sorted((self.folder / PIECES).glob("*.h5"))

    def _index(self, path: Path) -> None:
        try:
            shard = Shard(path)
        except ShardError as error:
            log.warning("%s; it is made anew", str(error).split(";")[0])
            return
        if shard.kind == self.kind and all(
            shard.attributes.get(name) == self.attributes[name] for name in self.decisive
        ):
            self._usable[path] = shard
            self._found |= {str(digest): (shard, row) for row, digest in enumerate(shard.columns["sha256"])}

    def find(self, sha256: str) -> tuple[dict[str, Any], NDArray[Any], NDArray[np.int64]] | None:
        """Columns, data and speech of a clip that is already done, or None."""
        if (found := self._found.get(sha256)) is None:
            return None
        shard, row = found
        return shard.fields(row), shard.data(row), shard.speech(row)

    def save(self, row: Row) -> None:
        """Keep a new row in case the process is killed before its shard stands."""
        self._buffer.append(row)
        if time.monotonic() - self._saved_at >= SECONDS_PER_PIECE:
            path = self.folder / PIECES / f"{time.time_ns()}.h5"
            write_shard(path, self.kind, self._buffer, self.attributes)
            self._buffer.clear()
            self._saved_at = time.monotonic()

    def write(self, number: int, rows: list[Row]) -> None:
        """Write one shard; leave it alone if it stands already as it should be."""
        path = self.folder / f"part-{number:05}.h5"
        self._written.add(path)
        if not self._stands(path, rows):
            write_shard(path, self.kind, rows, self.attributes)
        self._buffer.clear()

    def _stands(self, path: Path, rows: list[Row]) -> bool:
        shard = self._usable.get(path)
        if shard is None or len(shard) != len(rows) or shard.attributes != self.attributes:
            return False
        return all(
            self._found.get(str(row.columns["sha256"])) == (shard, index)
            and shard.fields(index) == row.columns
            for index, row in enumerate(rows)
        )

    def finish(self) -> None:
        """Remove pieces, shards that the manifest no longer fills, and what a killed process was writing."""
        shutil.rmtree(self.folder / PIECES)
        for path in [*self.folder.glob("*.h5"), *self.folder.glob(".*.tmp")]:
            if path not in self._written:
                path.unlink()
