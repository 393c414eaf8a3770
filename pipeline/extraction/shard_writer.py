"""One shard in the making, on a worker's side: what is done is found, what is new is kept.

About once a second new rows are saved in pieces beside the shards: a process that is killed loses the clips in flight
and that second. A saved row is no longer held in memory, so that a shard of any size is put together in the same.
"""

import contextlib
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from featurize.errors import AudioError, ShardError
from featurize.shards import Row, Shard, write_shard
from pipeline.extraction.stopwatch import Stopwatch
from pipeline.extraction.tasks import (
    PIECES,
    At,
    Done,
    Fields,
    Finished,
    Output,
    Place,
    Task,
    Tell,
    shard_name,
)
from pipeline.locations import Location, Url, fetched, listed, remove, send, written
from pipeline.rejects import Reject

log = logging.getLogger(__name__)

SECONDS_PER_PIECE = 1.0
SECONDS_PER_SENT_PIECE = 30.0
"""Behind an address, where each piece is an object to send."""
BYTES_PER_PIECE = 64 << 20


class Assembly:
    """Rows of one shard, as they come.

    Args:
        task: the work.
        output: where the shard goes.
        tell: is told which clip is at which step.
    """

    def __init__(self, task: Task, output: Output, tell: Tell) -> None:
        self.task, self.output = task, output
        self.watch = Stopwatch()
        self._tell = tell
        self._open = contextlib.ExitStack()
        self._shards: dict[Location, Shard | None] = {}
        self._found = dict(task.found)
        self._rows: dict[int, list[Row]] = {}
        self._rejects: dict[int, Reject] = {}
        self._unsaved: list[tuple[int, int]] = []  # (clip, which of its rows)
        self._saved_at = time.monotonic()
        self._new_audio_s = self._audio_s = 0.0
        self._pieces = output.folder / PIECES
        self._own = f"{output.run}-{task.number:05}-"

    def __enter__(self) -> Self:
        for piece in listed(self._pieces, f"{self._own}*.h5"):  # of a worker that died at this very shard
            if (shard := self._shard(piece)) is not None:
                keys = enumerate(shard.columns["sha256"])
                self._found |= {str(key): Place(piece, row) for row, key in keys}
        for index, death in self.task.crashed.items():
            path = self.task.clips[index]["path"]
            self.refuse(index, AudioError("crashed", f"{path}: its worker process died twice ({death})"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shards.clear()
        self._open.close()

    @property
    def todo(self) -> list[tuple[int, Fields]]:
        """Clips that are neither kept nor refused yet, with their indices."""
        clips = self.task.clips
        indices = range(len(clips)) if self.task.only is None else self.task.only
        settled = self._rows.keys() | self._rejects.keys()
        return [(index, clips[index]) for index in indices if index not in settled]

    def at(self, index: int, step: str) -> None:
        """A clip reaches a step: "decode", "wait" or "work"."""
        self._tell(At(index, step))

    def find(self, sha256: str) -> tuple[dict[str, Any], NDArray[Any], NDArray[np.int64]] | None:
        """Columns, data and speech of a row that is already done, or None."""
        if (place := self._found.get(sha256)) is None:
            return None
        if (shard := self._shard(place.shard)) is None:
            del self._found[sha256]
            return None
        return shard.fields(place.row), shard.data(place.row), shard.speech(place.row)

    def source(self) -> Shard:
        """The shard that the task's clips come from, checked.

        Raises:
            ShardError: it is missing or damaged.
        """
        place = self.task.source
        try:
            assert place is not None  # noqa: S101 - only jobs over shards ask
            return Shard(self._open.enter_context(fetched(place)))
        except FileNotFoundError as error:
            raise ShardError(f"{place}: no such shard; run the stage that writes it") from error

    def _shard(self, place: Location) -> Shard | None:
        """Open a shard that may hold finished rows; each only once, and from an address checked."""
        if place not in self._shards:
            self._shards[place] = None
            try:
                path = self._open.enter_context(fetched(place))
                shard = Shard(path, verify=isinstance(place, Url))
            except FileNotFoundError:
                return None
            except ShardError as error:
                log.warning("%s; it is made anew", str(error).split(";")[0])
                return None
            if self.output.accepts(shard.kind, shard.attributes):
                self._shards[place] = shard
        return self._shards[place]

    def keep(self, index: int, rows: list[Row], audio_s: float) -> None:
        """Keep a clip's rows; those that were not found are saved, in case the process is killed."""
        self._rows[index] = rows
        new = [number for number, row in enumerate(rows) if row.columns["sha256"] not in self._found]
        self._audio_s += audio_s
        if new:
            self._new_audio_s += audio_s
            self._unsaved += [(index, number) for number in new]
            if (
                time.monotonic() - self._saved_at >= self._patience_s()
                or self._unsaved_bytes() > BYTES_PER_PIECE
            ):
                self._save()
        self._tell(Finished(index, audio_s, rejected=False))

    def refuse(self, index: int, error: AudioError) -> None:
        """Reject a clip."""
        clip = self.task.clips[index]
        self._rejects[index] = Reject(clip["clip_id"], clip["path"], error.reason, error.detail)
        self._tell(Finished(index, 0.0, rejected=True))

    def _patience_s(self) -> float:
        return SECONDS_PER_SENT_PIECE if isinstance(self._pieces, Url) else SECONDS_PER_PIECE

    def _unsaved_bytes(self) -> int:
        return sum(self._rows[index][number].data.nbytes for index, number in self._unsaved)

    def _save(self) -> None:
        """Save new rows as a piece, and hold them there instead of in memory."""
        with self.watch("write"):
            name = f"{self._own}{time.time_ns()}.h5"
            if isinstance(self._pieces, Url):
                folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="ser-"))
                path = Path(folder) / name
            else:
                path = self._pieces / name
            rows = [self._rows[index][number] for index, number in self._unsaved]
            write_shard(path, self.output.kind, rows, self.output.attributes)
            if isinstance(self._pieces, Url):
                send(path, self._pieces / name)
            piece = Shard(path, verify=False)
            for row, (index, number) in enumerate(self._unsaved):
                columns = self._rows[index][number].columns
                self._rows[index][number] = Row(columns, piece.data(row), piece.speech(row))
            self._unsaved.clear()
            self._saved_at = time.monotonic()

    def close(self) -> Done:
        """Write the shard, unless there are no rows or it stands already; or save what `only` asked for.

        Raises:
            SerError: it cannot be written.
        """
        rows = [row for index in sorted(self._rows) for row in self._rows[index]]
        if self.task.only is not None:
            if self._unsaved:
                self._save()
        elif rows:
            with self.watch("write"):
                with written(self.output.folder / shard_name(self.task.number)) as path:
                    write_shard(path, self.output.kind, rows, self.output.attributes)
                for piece in listed(self._pieces, f"{self._own}*.h5"):
                    remove(piece)
        return Done(
            number=self.task.number,
            num_clips=len(self.task.clips),
            num_rows=len(rows),
            rejects=[self._rejects[index] for index in sorted(self._rejects)],
            seconds=self.watch.seconds,
            new_audio_s=self._new_audio_s,
            audio_s=self._audio_s,
        )


Make = Callable[[Assembly], None]
"""Makes the rows of a shard, with models that are loaded: keeps them, or refuses clips, in the assembly."""


class Job(Protocol):
    """A stage's work, ready to be sent to where it is done."""

    @property
    def output(self) -> Output:
        """Where the shards go."""

    @property
    def cores(self) -> int | None:
        """Cores that one worker keeps busy; None: all of a machine's."""

    @property
    def device(self) -> str:
        """Where arithmetic runs."""

    def keys(self, clip: Fields) -> list[str]:
        """SHA-256 of each row that comes of a clip, in the shard's order."""

    def load(self, threads: int | None) -> Make:
        """Load the models, to run on so many threads (None: as torch is set)."""


def run_task(make: Make, task: Task, output: Output, tell: Tell) -> Done:
    """Make one shard.

    Raises:
        SerError: it cannot be written, or as `make` has it.
    """
    with Assembly(task, output, tell) as assembly:
        make(assembly)
        return assembly.close()
