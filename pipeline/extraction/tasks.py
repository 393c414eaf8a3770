"""What travels between a stage and its workers: the work of one shard, what came of it, and how far it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from featurize.shards import Kind
from pipeline.locations import Location
from pipeline.rejects import Reject

Fields = dict[str, Any]
"""A clip: the manifest's columns, and whatever an earlier stage added."""

PIECES = ".pieces"
"""Folder beside the shards: rows of shards that are not finished, and shards put aside for their rows."""


STAMPS = ("denoised_by", "featurized_by")
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
    """The work of one shard.

    Attributes:
        number: of the shard.
        clips: what it is made from, in order.
        found: finished rows that can be taken over, by their SHA-256.
        segments: finished rows of which only the speech segments can.
        source: the shard that the clips come from, if they come from one.
        only: indices of the clips to work on, without writing the shard; None: all of them, and write it.
        crashed: clips that killed their worker, index → how it died; they are rejected.
    """

    number: int
    clips: list[Fields]
    found: dict[str, Place] = field(default_factory=dict)
    segments: dict[str, Place] = field(default_factory=dict)
    source: Location | None = None
    only: tuple[int, ...] | None = None
    crashed: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What came of a task, beside the shard that it has written.

    Attributes:
        number: of the shard.
        num_clips: that the task had.
        num_rows: that the shard has; no shard is written where there are none.
        rejects: clips that could not be used, in order.
        seconds: spent in each step.
        new_audio_s: seconds of audio that were worked on.
        audio_s: the same with what was taken over.
    """

    number: int
    num_clips: int
    num_rows: int
    rejects: list[Reject]
    seconds: dict[str, float]
    new_audio_s: float
    audio_s: float


class At(NamedTuple):
    """A clip has reached a step ("decode", "wait" or "work"), where it may be what kills its worker."""

    clip: int
    step: str


class Finished(NamedTuple):
    """A clip is done."""

    clip: int
    audio_s: float
    rejected: bool


Report = Callable[[At | Finished], None]
"""Takes a worker's events."""


@dataclass(frozen=True)
class Output:
    """Where shards are written, and what is written into all of them.

    Attributes:
        folder: such as data/denoised.
        kind: what the shards hold.
        attributes: the settings, and what else all rows share.
        decisive: names of the attributes that decide about the numbers; rows made with others are not taken over.
        run: names this run, so that it knows its own pieces.
        stamp: column that says what made a row, one of STAMPS; "" for none.
        segments_decisive: names of the attributes that decide about the segments, where a row may have some.
    """

    folder: Location
    kind: Kind
    attributes: dict[str, str]
    decisive: tuple[str, ...]
    run: str
    stamp: str = ""
    segments_decisive: tuple[str, ...] = ()

    def differing(self, attributes: dict[str, str]) -> list[str]:
        """The decisive attributes in which a shard's are others than this run's: with none, its rows are as this
        run would make them.
        """
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
