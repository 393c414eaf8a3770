"""Which clips go into one shard: at most 500, and at most 64 MB of audio."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.extraction.tasks import Fields
from pipeline.locations import Location, Url, locate, sizes
from pipeline.span import span_of

CLIPS_PER_SHARD = 500
BYTES_PER_SHARD = 64 << 20
"""Of audio files, or of what parts of them hold at 16 kHz and 16 bits."""
BYTES_PER_SECOND = 32_000


@dataclass(frozen=True)
class Group:
    """The clips of one shard, in order."""

    number: int
    """Of the shard."""
    clips: list[Fields]
    source: Location | None = None
    """The shard that the clips come from, if they come from one."""


def group_clips(clips: Iterable[Fields]) -> Iterator[Group]:
    """Cut a list of clips with a `path` each into the clips of each shard."""
    size_of = _Sizes()
    number, size = 0, 0
    group: list[Fields] = []
    for clip in clips:
        num_bytes = size_of(locate(clip["path"]))
        if (span := span_of(clip)) is not None and span.end_s is not None:
            num_bytes = min(num_bytes, int(BYTES_PER_SECOND * (span.end_s - span.start_s)))
        if group and (len(group) == CLIPS_PER_SHARD or size + num_bytes > BYTES_PER_SHARD):
            yield Group(number, group)
            number, group, size = number + 1, [], 0
        group.append(clip)
        size += num_bytes
    if group:
        yield Group(number, group)


class _Sizes:
    """Bytes of a file, 0 where there is none; behind an address a folder is listed once for all of its files."""

    def __init__(self) -> None:
        self._folder, self._sizes = Url(), dict[str, int]()

    def __call__(self, place: Location) -> int:
        if isinstance(place, Path):
            return place.stat().st_size if place.is_file() else 0
        if place.parent != self._folder:
            self._folder, self._sizes = place.parent, sizes(place.parent)
        return self._sizes.get(place.name, 0)
