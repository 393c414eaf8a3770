"""What runs a job over shards: worker processes (`workers`), a Ray cluster (`ray_engine`), or this process.

A stage defines how the rows of one shard are made (a `Job`, see `job`); an engine decides where. The result depends
neither on the engine, nor on the number of workers, nor on the order.
"""

from collections.abc import Generator, Iterable
from typing import Protocol

from pipeline.device import resolve_device
from pipeline.extraction.job import Job, Make, run_task
from pipeline.extraction.tasks import At, Done, Finished, Task
from pipeline.progress import Advance


class Engine(Protocol):
    """Somewhere to run a job."""

    def device(self, name: str) -> str:
        """Resolve a name such as "auto" to the device that the work will run on."""

    def run(self, job: Job, tasks: Iterable[Task], advance: Advance) -> Generator[Done]:
        """Run the tasks, reading the next one whenever a worker is free; they may end in any order.

        Raises:
            SerError: as the job has it, or the workers cannot go on.
        """


class InProcess:
    """No worker processes: a clip that crashes its decoder ends the stage. For tests, debuggers and short lists."""

    def device(self, name: str) -> str:
        """As `resolve_device`."""
        return resolve_device(name)

    def run(self, job: Job, tasks: Iterable[Task], advance: Advance) -> Generator[Done]:
        """One task after the other."""

        def report(event: At | Finished) -> None:
            if isinstance(event, Finished):
                advance(event.audio_s, 1, int(event.rejected), int(event.standing))

        make: Make | None = None
        for task in tasks:
            make = make or job.load(None)
            yield run_task(make, job, task, report)
