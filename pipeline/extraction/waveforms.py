"""The denoised waveforms as the source of a stage: one task per shard, with the attributes that all shards share."""

import json
from collections.abc import Iterator

from featurize.errors import ShardError
from pipeline.extraction.grouping import Group
from pipeline.extraction.shard_folder import columns_of
from pipeline.extraction.tasks import MAKERS, shard_number
from pipeline.locations import Location, listed


def waveform_shards(data: Location) -> list[Location]:
    """The shards in data/denoised/.

    Raises:
        ShardError: there are none.
    """
    if not (sources := listed(data / "denoised", "*.h5")):
        raise ShardError(f"{data / 'denoised'}: no shards; run the stage that writes them")
    return sources


def shared_attributes(sources: list[Location]) -> dict[str, str]:
    """The attributes that all waveform shards share.

    Raises:
        ShardError: the shards were made with different settings.
    """
    found = {}
    for source in sources:
        attributes = {name: text for name, text in columns_of(source).attributes.items() if name != MAKERS}
        found[json.dumps(attributes, sort_keys=True)] = (source, attributes)
    if len(found) > 1:
        first, second = (source for source, _ in list(found.values())[:2])
        raise ShardError(f"{first} and {second} were made with different settings", "run `ser denoise` again")
    ((_, attributes),) = found.values()
    return attributes


def group_shards(sources: list[Location]) -> Iterator[Group]:
    """One group per waveform shard."""
    for source in sources:
        columns = columns_of(source).columns
        clips = [
            dict(zip(columns, row, strict=True))
            for row in zip(*(values.tolist() for values in columns.values()), strict=True)
        ]
        yield Group(shard_number(source), clips, source)
