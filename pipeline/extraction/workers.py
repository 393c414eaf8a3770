"""Worker processes on this machine, so that whatever kills one costs the clip that it was at, and no other.

A worker tells at which step each of its clips is. When it dies (a decoder's crash, out of memory), the clips that it
had begun are suspects: each is done again, alone, in a fresh process, those being decoded first. The clip that kills
this one too is rejected as "crashed"; the other clips' results are as if nothing had been.
"""

import logging
import os
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from multiprocessing import connection
from types import TracebackType
from typing import Self

import torch

from featurize.errors import SerError
from pipeline.device import resolve_device
from pipeline.extraction.job import Job
from pipeline.extraction.process import Died, Logged, WorkerProcess
from pipeline.extraction.tasks import At, Done, Finished, Task
from pipeline.progress import Advance

log = logging.getLogger(__name__)

FRUITLESS_DEATHS = 3
"""A shard whose worker dies so often without a clip to blame is given up."""
MOST_WORKERS = 16
"""That are started unasked: each takes half a gigabyte for its libraries."""
LIKELY = ("decode", "work", "wait")
"""Steps at which a clip may kill its worker, the likeliest first: decoders crash, and long clips take memory."""


@dataclass
class Work:
    """A task on its way, through deaths of its workers.

    Attributes:
        task: as it is to be run next.
        counted: clips that the progress line knows of.
        at: step of each clip that has been begun.
        suspects: clips to be tried alone, the likeliest first.
        deaths: of its workers.
        fruitless: of them before a clip had been begun.
    """

    task: Task
    counted: set[int] = field(default_factory=set)
    at: dict[int, str] = field(default_factory=dict)
    suspects: list[int] = field(default_factory=list)
    deaths: int = 0
    fruitless: int = 0

    def next_task(self) -> Task:
        """The whole shard, or one suspect alone."""
        return replace(self.task, only=(self.suspects[0],)) if self.suspects else self.task

    def passed(self) -> None:
        """The suspect alone did no harm."""
        del self.suspects[0]

    def died(self, death: str) -> None:
        """Blame the suspect that was alone, or suspect every clip that had been begun.

        Raises:
            SerError: the worker dies again and again, and no clip is to blame.
        """
        begun, self.at = self.at, {}
        self.deaths += 1
        if self.suspects and begun:
            self.task.crashed[self.suspects[0]] = death
            log.warning("%s: crashed twice (%s)", self.task.clips[self.suspects[0]]["path"], death)
            self.suspects = []
            return
        self.fruitless += not begun
        if self.fruitless == FRUITLESS_DEATHS or self.deaths > 2 * len(self.task.clips) + FRUITLESS_DEATHS:
            raise SerError(
                f"shard {self.task.number}: its worker process died {self.deaths} times ({death}), and no clip is to "
                "blame; look at memory (`dmesg` names what the kernel killed), try fewer --workers, "
                "or see where it ends with --workers 0"
            )
        self.suspects = sorted(begun, key=lambda index: LIKELY.index(begun[index]))


class Workers:
    """Worker processes for a job; they keep their models from one call of `run` to the next.

    Args:
        job: what they do.
        count: of processes; each is started when there is work for it.
    """

    def __init__(self, job: Job, count: int) -> None:
        self.job, self.count = job, count
        self.threads = max(1, torch.get_num_threads() // count)
        self._idle: list[WorkerProcess] = []
        self._busy: dict[WorkerProcess, Work] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in [*self._idle, *self._busy]:
            child.kill()
        self._idle.clear()
        self._busy.clear()

    def run(self, tasks: Iterable[Task], advance: Advance) -> Generator[Done]:
        """Run tasks; see `engine.Engine`."""
        waiting = iter(tasks)
        again: deque[Work] = deque()
        while True:
            while len(self._busy) < self.count:
                work = again.popleft() if again else _work(next(waiting, None))
                if work is None:
                    break
                self._give(work)
            if not self._busy:
                return
            ready = connection.wait([child.messages for child in self._busy])
            for child in [child for child in self._busy if child.messages in ready]:
                yield from self._hear(child, again, advance)

    def _give(self, work: Work) -> None:
        child = self._idle.pop() if self._idle else WorkerProcess(self.job, self.threads)
        work.at.clear()
        self._busy[child] = work
        child.give(work.next_task())

    def _hear(self, child: WorkerProcess, again: deque[Work], advance: Advance) -> Generator[Done]:
        work = self._busy[child]
        match child.hear():
            case At(index, step):
                work.at[index] = step
            case Finished(index, audio_s, rejected):
                work.at.pop(index, None)
                if index not in work.counted:
                    work.counted.add(index)
                    advance(audio_s, 1, int(rejected))
            case Logged(name, level, message):
                logging.getLogger(name).log(level, message)
            case SerError() as error:
                raise error
            case Done() as done:
                self._idle.append(child)
                del self._busy[child]
                if work.suspects:
                    work.passed()
                    again.append(work)
                else:
                    yield done
            case Died(death):
                del self._busy[child]
                work.died(death)
                again.append(work)


def _work(task: Task | None) -> Work | None:
    return None if task is None else Work(task)


class LocalEngine:
    """This machine's engine.

    Args:
        workers: processes, which share the cores; None: as many as the job says that pay.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers

    def device(self, name: str) -> str:
        """As `resolve_device`."""
        return resolve_device(name)

    def run(self, job: Job, tasks: Iterable[Task], advance: Advance) -> Generator[Done]:
        """Run the tasks in worker processes; see `engine.Engine`."""
        paying = (os.cpu_count() or 1) // job.cores if job.cores else 1
        with Workers(job, self.workers or max(1, min(paying, MOST_WORKERS))) as workers:
            yield from workers.run(tasks, advance)
