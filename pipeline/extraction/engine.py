"""Runs a function over shards: in worker processes of this machine, on a Ray cluster, or in this very process.

A stage defines how the rows of one shard are made (a `Job`, see `job`); an engine decides where. The result depends
neither on the engine, nor on the number of workers, nor on the order. Hardware is no parameter: engine and workers are
command-line options, or SER_ENGINE and SER_WORKERS.
"""

from collections.abc import Generator, Iterable
from typing import Protocol

from featurize.errors import SerError
from pipeline.device import resolve_device
from pipeline.extraction.job import Job, Make, run_task
from pipeline.extraction.ray_engine import RayEngine
from pipeline.extraction.tasks import At, Done, Finished, Task
from pipeline.extraction.workers import LocalEngine
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
                advance(event.audio_s, 1, int(event.rejected))

        make: Make | None = None
        for task in tasks:
            make = make or job.load(None)
            yield run_task(make, job, task, report)


def choose_engine(name: str, workers: int | None) -> Engine:
    """The engine that the command line names.

    Args:
        name: "local" or "ray".
        workers: number of worker processes; None: as many as are of use; 0 with "local": none, in this process.

    Raises:
        SerError: no such engine, or Ray is not installed or no cluster answers.
    """
    if name == "ray":
        return RayEngine(workers)
    if name != "local":
        raise SerError(f"--engine {name}: no such engine; choose local or ray")
    return InProcess() if workers == 0 else LocalEngine(workers)
