"""Writes one shard, in a worker: reuses rows that are finished, and saves new ones as they come.

About once a second new rows are saved in pieces beside the shards: a process that is killed loses the clips in flight
and that second. A saved row is no longer held in memory, so memory does not grow with the shard.

Each row is stamped with what made it (device, packages, code). A row that is reused keeps its stamp.
"""

import contextlib
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from featurize.errors import AudioError, ShardError
from featurize.shards import Row, Shard, write_shard
from pipeline.extraction.found_rows import FoundRows
from pipeline.extraction.stopwatch import Stopwatch
from pipeline.extraction.tasks import (
    MAKERS,
    PIECES,
    STAMPS,
    At,
    Done,
    Fields,
    Finished,
    Output,
    Report,
    Task,
    shard_name,
)
from pipeline.locations import Url, fetched, listed, remove, send, written
from pipeline.protocol.provenance import this_maker
from pipeline.rejects import Reject

SECONDS_PER_PIECE = 1.0
SECONDS_PER_SENT_PIECE = 30.0
"""Behind an address, where each piece is an object to send."""
BYTES_PER_PIECE = 64 << 20


class ShardWriter:
    """Collects the rows of one shard.

    Args:
        task: the work.
        output: where the shard goes.
        device: that the rows are made on.
        report: called with each clip's progress.

    Attributes:
        found: finished rows that can be taken over.
        watch: seconds spent in each step.
    """

    def __init__(self, task: Task, output: Output, device: str, report: Report) -> None:
        self.task, self.output, self.device = task, output, device
        self.watch = Stopwatch()
        self._report = report
        self._open = contextlib.ExitStack()
        self.found = FoundRows(task, output, self._open)
        self._rows: dict[int, list[Row]] = {}
        self._rejects: dict[int, Reject] = {}
        self._unsaved: list[tuple[int, int]] = []  # (clip, which of its rows)
        self._saved_at = time.monotonic()
        self._audio_s = 0.0
        self._standing = 0
        self._pieces = output.folder / PIECES
        self._own = f"{output.run}-{task.number:05}-"

    def __enter__(self) -> Self:
        for piece in listed(self._pieces, f"{self._own}*.h5"):  # of a worker that died at this very shard
            self.found.add(piece)
        for index, death in self.task.crashed.items():
            path = self.task.clips[index]["path"]
            self.reject(index, AudioError("crashed", f"its worker process died twice ({death})", path))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def todo(self) -> list[tuple[int, Fields]]:
        """Clips that are neither kept nor rejected yet, with their indices."""
        clips = self.task.clips
        indices = range(len(clips)) if self.task.only is None else self.task.only
        done = self._rows.keys() | self._rejects.keys()
        return [(index, clips[index]) for index in indices if index not in done]

    def at(self, index: int, step: str) -> None:
        """A clip reaches a step: "decode", "wait" or "work"."""
        self._report(At(index, step))

    def source(self) -> Shard:
        """The shard that the task's clips come from, checked.

        Raises:
            ShardError: it is missing or damaged.
        """
        place = self.task.source
        try:
            assert place is not None  # noqa: S101 - only jobs over shards ask
            shard = Shard(self._open.enter_context(fetched(place)))
        except FileNotFoundError as error:
            raise ShardError(f"{place}: no such shard", "run the stage that writes it") from error
        self.found.makers |= json.loads(shard.attributes.get(MAKERS, "{}"))
        return shard

    def keep(self, index: int, rows: list[Row], audio_s: float) -> None:
        """Keep a clip's rows; new ones are soon saved, in case the process is killed."""
        new = [number for number, row in enumerate(rows) if str(row.columns["sha256"]) not in self.found]
        self._rows[index] = [self._stamped(row) for row in rows]
        if new:
            self._audio_s += audio_s
            self._unsaved += [(index, number) for number in new]
            if (
                time.monotonic() - self._saved_at >= self._seconds_per_piece()
                or self._unsaved_bytes() > BYTES_PER_PIECE
            ):
                self._save()
        else:
            self._standing += 1
        self._report(Finished(index, audio_s if new else 0.0, rejected=False, standing=not new))

    def _stamped(self, row: Row) -> Row:
        """The row with its stamp: of a reused row the old one, else that of this process."""
        if not (stamp := self.output.stamp):
            return row
        if (by := self.found.stamp(str(row.columns["sha256"]))) is None:
            maker = this_maker(self.device)
            by = maker.digest
            self.found.makers[by] = maker.model_dump()
        return replace(row, columns={**row.columns, stamp: by})

    def reject(self, index: int, error: AudioError) -> None:
        """Reject a clip."""
        clip = self.task.clips[index]
        self._rejects[index] = Reject(clip["clip_id"], clip["path"], error.reason, error.detail)
        self._report(Finished(index, 0.0, rejected=True))

    def _seconds_per_piece(self) -> float:
        return SECONDS_PER_SENT_PIECE if isinstance(self._pieces, Url) else SECONDS_PER_PIECE

    def _unsaved_bytes(self) -> int:
        return sum(self._rows[index][number].data.nbytes for index, number in self._unsaved)

    def _write(self, path: Path, rows: list[Row]) -> None:
        used = {str(row.columns[stamp]) for row in rows for stamp in STAMPS if stamp in row.columns}
        makers = {digest: self.found.makers[digest] for digest in sorted(used & self.found.makers.keys())}
        attributes = {**self.output.attributes, MAKERS: json.dumps(makers)}
        write_shard(path, self.output.kind, rows, attributes)

    def _save(self) -> None:
        """Save new rows as a piece, and map them from there instead of holding them in memory."""
        with self.watch("write"):
            name = f"{self._own}{time.time_ns()}.h5"
            if isinstance(self._pieces, Url):
                folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="ser-"))
                path = Path(folder) / name
            else:
                path = self._pieces / name
            self._write(path, [self._rows[index][number] for index, number in self._unsaved])
            if isinstance(self._pieces, Url):
                send(path, self._pieces / name)
            piece = Shard(path, verify=False)
            for row, (index, number) in enumerate(self._unsaved):
                columns = self._rows[index][number].columns
                self._rows[index][number] = Row(
                    columns, piece.data(row), piece.segments(row), piece.input_speech(row)
                )
            self._unsaved.clear()
            self._saved_at = time.monotonic()

    def close(self) -> Done:
        """Write the shard, unless there are no rows; or save what `only` asked for.

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
                    self._write(path, rows)
                for piece in listed(self._pieces, f"{self._own}*.h5"):
                    remove(piece)
        return Done(
            number=self.task.number,
            num_clips=len(self.task.clips),
            num_rows=len(rows),
            rejects=[self._rejects[index] for index in sorted(self._rejects)],
            seconds=self.watch.seconds,
            audio_s=self._audio_s,
            standing=self._standing,
        )
