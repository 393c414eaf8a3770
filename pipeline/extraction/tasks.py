"""Messages between a stage and its workers: the work of one shard, its progress, and its result."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from featurize.shards import Kind
from pipeline.locations import Location
from pipeline.rejects import Reject

Fields = dict[str, Any]
"""A clip: the columns of the manifest, and those that earlier stages added."""

PIECES = ".pieces"
"""Folder beside the shards: rows of shards that are not finished, and shards put aside for their rows."""


STAMPS = ("denoised_by", "featurized_by", "encoded_by")
"""Columns that say what made a row: digests of the makers in the shard's attribute `makers`."""
MAKERS = "makers"
"""Attribute of a shard: every maker of its rows, digest → `Maker`, as JSON. The one that settings have no part in."""


def shard_name(number: int) -> str:
    """File name of a shard."""
    return f"part-{number:05}.h5"


def shard_number(place: Location) -> int:
    """The number in a shard's file name."""
    return int(place.name.removeprefix("part-").removesuffix(".h5"))


class Place(NamedTuple):
    """Where a finished row lies."""

    shard: Location
    row: int


@dataclass(frozen=True)
class Task:
    """The work of one shard."""

    number: int
    """Of the shard."""
    clips: list[Fields]
    """What the shard is made from, in order."""
    found: dict[str, Place] = field(default_factory=dict)
    """Finished rows that can be taken over, by their SHA-256."""
    segments: dict[str, Place] = field(default_factory=dict)
    """Finished rows of which only the speech segments can be taken over, by their SHA-256."""
    source: Location | None = None
    """The shard that the clips come from, if they come from one."""
    only: tuple[int, ...] | None = None
    """Indices of the clips to work on without writing the shard; None: work on all of them, and write it."""
    crashed: dict[int, str] = field(default_factory=dict)
    """Clips that killed their worker and are rejected: index → how the worker died."""


@dataclass(frozen=True)
class Done:
    """The result of a task, apart from the shard that it has written."""

    number: int
    """Of the shard."""
    num_clips: int
    """In the task."""
    num_rows: int
    """In the shard; without rows no shard is written."""
    rejects: list[Reject]
    """Clips that could not be used, in order."""
    seconds: dict[str, float]
    """Spent in each step."""
    audio_s: float
    """Seconds of audio that were worked on, without the clips whose rows were taken over."""
    standing: int
    """Clips whose rows were all taken over."""


class At(NamedTuple):
    """A clip has reached a step ("decode", "wait" or "work"); if its worker dies now, it is a suspect."""

    clip: int
    step: str


class Finished(NamedTuple):
    """A clip is done."""

    clip: int
    audio_s: float
    """That was worked on; 0 if the clip's rows were all taken over."""
    rejected: bool
    standing: bool = False
    """All of its rows were taken over."""


Report = Callable[[At | Finished], None]
"""Takes a worker's events."""


@dataclass(frozen=True)
class Output:
    """Where shards are written, and what is written into all of them."""

    folder: Location
    """Such as data/denoised."""
    kind: Kind
    """What the shards hold."""
    attributes: dict[str, str]
    """The settings, and whatever else all rows share."""
    decisive: tuple[str, ...]
    """Names of the attributes that the numbers depend on; rows made with other values are not taken over."""
    run: str
    """Name of this run, by which it finds its own pieces."""
    stamp: str = ""
    """Column that says what made a row, one of STAMPS; "" for none."""
    segments_decisive: tuple[str, ...] = ()
    """Names of the attributes that the speech segments depend on, where rows have segments."""

    def differing(self, attributes: dict[str, str]) -> list[str]:
        """Names of the decisive attributes whose values are not those of this run; none: its rows can be reused."""
        return [name for name in self.decisive if attributes.get(name) != self.attributes[name]]

    def accepts(self, kind: str, attributes: dict[str, str]) -> bool:
        """Whether rows of a shard with these attributes are as this run would make them."""
        return kind == self.kind and not self.differing(attributes)

    def accepts_segments(self, kind: str, attributes: dict[str, str]) -> bool:
        """Whether at least their segments are."""
        differing = self.differing(attributes)
        return (
            kind == self.kind
            and bool(self.segments_decisive)
            and not {*differing} & {*self.segments_decisive}
        )
