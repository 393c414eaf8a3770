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
"""Folder beside the shards: rows of shards that are not finished."""


def shard_name(number: int) -> str:
    """File name of a shard."""
    return f"part-{number:05}.h5"


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
        source: the shard that the clips come from, if they come from one.
        only: indices of the clips to work on, without writing the shard; None: all of them, and write it.
        crashed: clips that killed their worker, index → how it died; they are rejected.
    """

    number: int
    clips: list[Fields]
    found: dict[str, Place] = field(default_factory=dict)
    source: Location | None = None
    only: tuple[int, ...] | None = None
    crashed: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What came of a task: its shard stands; this is what else there is to tell.

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


Tell = Callable[[At | Finished], None]


@dataclass(frozen=True)
class Output:
    """Where shards are written, and what is written into all of them.

    Attributes:
        folder: such as data/denoised.
        kind: what the shards hold.
        attributes: provenance.
        decisive: names of the attributes that decide about the numbers; rows made with others are not taken over.
        run: names this run, so that it knows its own pieces.
    """

    folder: Location
    kind: Kind
    attributes: dict[str, str]
    decisive: tuple[str, ...]
    run: str

    def accepts(self, kind: str, attributes: dict[str, str]) -> bool:
        """Whether rows of a shard with these attributes are as this run would make them."""
        return kind == self.kind and all(
            attributes.get(name) == self.attributes[name] for name in self.decisive
        )
