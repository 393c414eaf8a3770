"""What a shard stage has already done, so that no clip is processed twice.

A finished row is found by the SHA-256 of its clip's audio, wherever the clip is in the manifest now: in shards made
with the same settings and code, and in the pieces that a killed run left. A shard that is up to date is left alone.
Only the columns of one shard at a time are in memory.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from featurize.errors import ShardError, counted
from featurize.shards import Columns, Shard, read_columns
from pipeline.extraction.grouping import Group
from pipeline.extraction.tasks import MAKERS, PIECES, Fields, Output, Place, Task, shard_name
from pipeline.locations import Location, Url, listed, make_folder, move, opened, remove

log = logging.getLogger(__name__)


def columns_of(place: Location) -> Columns:
    """Columns of a shard, here or behind an address, without its data and unchecked.

    Raises:
        ShardError: damaged, or of another format or version.
    """
    with opened(place) as file:
        return read_columns(file, place.as_posix())


class ShardFolder:
    """The shards of one stage before it runs: which are up to date, which rows can be reused, what is left to do.

    Args:
        output: where the shards are, and what they must be.
        groups: returns an iterator over the groups, from the start at each call.
        keys: the SHA-256 of each row that comes of a clip, in the shard's order.

    Attributes:
        num_clips: in all groups.
        current_clips: of them in shards that are up to date.

    Raises:
        SerError: the folder cannot be made or reached.
    """

    def __init__(
        self, output: Output, groups: Callable[[], Iterable[Group]], keys: Callable[[Fields], list[str]]
    ) -> None:
        self.output, self.groups, self.keys = output, groups, keys
        self.num_clips = self.current_clips = 0
        self._pieces = output.folder / PIECES
        self._found: dict[str, Place] = {}
        self._segments: dict[str, Place] = {}
        self._current: set[str] = set()
        self._others: Counter[str] = Counter()  # shards of other settings, by the attributes that differ
        make_folder(self._pieces)
        for piece in listed(self._pieces, "*.h5"):
            if (columns := self._columns(piece)) is not None:
                self._remember(piece, columns)
        self._compare()
        for names, count in self._others.items():
            were = f"{counted(count, 'shard')} {'was' if count == 1 else 'were'}"
            log.info("%s: %s made with another %s; made anew", output.folder, were, names)

    def _compare(self) -> None:
        """Find the shards that are up to date; move the others aside as pieces, since new ones take their names."""
        shards = {shard.name: shard for shard in listed(self.output.folder, "*.h5")}
        for group in self.groups():
            self.num_clips += len(group.clips)
            shard = shards.pop(shard_name(group.number), None)
            if shard is not None and (columns := self._columns(shard)) is not None:
                if self._is_current(columns, group):
                    self._current.add(shard.name)
                    self.current_clips += len(group.clips)
                else:
                    self._put_aside(shard, columns)
        for shard in shards.values():
            if (columns := self._columns(shard)) is not None:
                self._put_aside(shard, columns)

    def _columns(self, place: Location) -> Columns | None:
        """Columns of a shard whose rows, or at least whose segments, this run can reuse; else None, and why is logged.

        Behind an address only the columns are read; the worker that reuses rows verifies the shard.
        """
        try:
            columns = columns_of(place) if isinstance(place, Url) else Shard(place).without_data
        except (ShardError, FileNotFoundError) as error:
            log.warning("%s; it is made anew", error.found if isinstance(error, ShardError) else error)
            return None
        if differing := self.output.differing(columns.attributes):
            names = ", ".join(name.removesuffix("_step") for name in differing)
            self._others[names] += 1
        usable = self.output.accepts(columns.kind, columns.attributes)
        usable = usable or self.output.accepts_segments(columns.kind, columns.attributes)
        return columns if usable else None

    def _is_current(self, columns: Columns, group: Group) -> bool:
        attributes = {name: text for name, text in columns.attributes.items() if name != MAKERS}
        if attributes != self.output.attributes:
            return False
        stored = columns.columns
        keys = [self.keys(clip) for clip in group.clips]
        if [*stored["sha256"]] != [key for of_clip in keys for key in of_clip]:
            return False
        row = 0
        for clip, of_clip in zip(group.clips, keys, strict=True):
            if any(name not in stored or stored[name][row] != value for name, value in clip.items()):
                return False
            row += len(of_clip)
        return True

    def _put_aside(self, shard: Location, columns: Columns) -> None:
        aside = self._pieces / f"{self.output.run}-aside-{shard.name}"
        move(shard, aside)
        self._remember(aside, columns)

    def _remember(self, place: Location, columns: Columns) -> None:
        whole = self.output.accepts(columns.kind, columns.attributes)
        known = self._found if whole else self._segments
        known |= {str(key): Place(place, row) for row, key in enumerate(columns.columns["sha256"])}

    def tasks(self) -> Iterator[Task]:
        """The work that is left, shard by shard."""
        for group in self.groups():
            if shard_name(group.number) not in self._current:
                keys = [key for clip in group.clips for key in self.keys(clip)]
                found, segments = (
                    {key: known[key] for key in keys if key in known}
                    for known in (self._found, self._segments)
                )
                yield Task(group.number, group.clips, found, segments, group.source)

    def finish(self, written: Iterable[int]) -> None:
        """Remove pieces, shards of clips that are no longer listed, and unfinished files of killed processes."""
        remove(self._pieces)
        wanted = self._current | {shard_name(number) for number in written}
        for pattern in ("*.h5", ".*.tmp"):
            for place in listed(self.output.folder, pattern):
                if place.name not in wanted:
                    remove(place)
