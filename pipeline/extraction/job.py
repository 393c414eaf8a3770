"""What a stage passes to an engine: how the rows of one shard are made, and where they are written."""

from collections.abc import Callable
from typing import Protocol

from pipeline.extraction.shard_writer import ShardWriter
from pipeline.extraction.tasks import Done, Fields, Output, Report, Task

Make = Callable[[ShardWriter], None]
"""Makes the rows of a shard with loaded models: keeps rows or rejects clips in the writer."""


class Job(Protocol):
    """The work of a stage; pickled and sent to the workers."""

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
        """SHA-256 of each row that is made from a clip, in the order of the shard."""

    def load(self, threads: int | None) -> Make:
        """Load the models, to run on so many threads (None: as torch is configured)."""


def run_task(make: Make, job: Job, task: Task, report: Report) -> Done:
    """Make one shard.

    Raises:
        SerError: it cannot be written, or as `make` has it.
    """
    with ShardWriter(task, job.output, job.device, report) as writer:
        make(writer)
        return writer.close()
