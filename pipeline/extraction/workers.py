"""Worker processes on this machine: a clip that kills one is rejected, and costs no other clip anything.

A worker reports which step each of its clips has reached. When it dies (a decoder crashes, memory runs out), the clips
that it had begun are suspects: each is processed again, alone, in a new process, clips that were being decoded first.
The clip that kills that process as well is rejected as "crashed"; the results of all others are unaffected.

Where fewer shards than workers wait, the clips of a shard are shared out: each worker saves the rows of its part as
pieces, and then one of them writes the shard from the pieces.
"""

import logging
import os
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from multiprocessing import connection
from types import TracebackType
from typing import Self

import torch

from featurize.errors import SerError
from pipeline.device import resolve_device
from pipeline.extraction.job import Job
from pipeline.extraction.process import Died, Logged, WorkerProcess
from pipeline.extraction.stopwatch import Stopwatch
from pipeline.extraction.tasks import At, Done, Finished, Task
from pipeline.progress import Advance

log = logging.getLogger(__name__)

FRUITLESS_DEATHS = 3
"""After so many deaths of its worker without a clip to blame, a shard is given up."""
MOST_WORKERS = 16
"""Started by default: each needs half a gigabyte for its libraries."""
CLIPS_PER_PART = 16
"""At least: a process takes about as long to start as it takes to encode so many clips."""
LIKELY = ("decode", "work", "wait")
"""Steps at which a clip may kill its worker, the likeliest first: decoders crash, and long clips take memory."""


@dataclass
class Work:
    """A task in progress, which may outlive several workers."""

    task: Task
    """As it will be run next."""
    counted: set[int] = field(default_factory=set)
    """Clips that the progress line has counted."""
    at: dict[int, str] = field(default_factory=dict)
    """Step of each clip that has been begun and is not finished."""
    suspects: list[int] = field(default_factory=list)
    """Clips to try alone, the likeliest first."""
    deaths: int = 0
    """Of its workers."""
    fruitless: int = 0
    """Deaths before any clip had been begun."""
    shard: "Work | None" = None
    """What this is a part of, if the clips of a shard are shared out."""
    parts: int = 0
    """Of this shard that are not finished."""
    spent: Stopwatch = field(default_factory=Stopwatch)
    """The time of its parts, and of suspects."""

    def next_task(self) -> Task:
        """The whole shard, or one suspect alone."""
        return replace(self.task, only=(self.suspects[0],)) if self.suspects else self.task

    def clear_suspect(self) -> None:
        """The suspect did not kill its worker when it ran alone."""
        del self.suspects[0]

    def result(self, done: Done) -> Done:
        """The result with all the time that was spent on it."""
        self.spent.add(done.seconds, done.audio_s)
        return replace(done, seconds=self.spent.seconds, audio_s=self.spent.audio_s)

    def finish_part(self, part: Done) -> bool:
        """A part is finished; return whether it was the last one, so that the shard can be written."""
        self.spent.add(part.seconds, part.audio_s)
        self.parts -= 1
        return not self.parts

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


def share_out(task: Task, workers: int) -> list[Work]:
    """A shard as parts of about the same number of clips, at most one for each worker; a small shard stays whole."""
    clips = range(len(task.clips))
    parts = min(workers, len(clips) // CLIPS_PER_PART)
    shard = Work(task)
    if parts < 2:
        return [shard]
    shard.parts = parts
    cuts = [len(clips) * number // parts for number in range(parts + 1)]
    # `crashed`, and what the progress line has counted, are the shard's.
    return [
        Work(replace(task, only=(*clips[start:end],)), shard.counted, shard=shard)
        for start, end in pairwise(cuts)
    ]


class Workers:
    """Worker processes for a job; they keep their models loaded between calls of `run`.

    Args:
        job: the work.
        count: number of processes; each is started once there is work for it.
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
        for worker in [*self._idle, *self._busy]:
            worker.kill()
        self._idle.clear()
        self._busy.clear()

    def run(self, tasks: Iterable[Task], advance: Advance) -> Generator[Done]:
        """Run tasks; see `engine.Engine`."""
        waiting = iter(tasks)
        ahead: deque[Task] = deque()
        ready: deque[Work] = deque()
        while True:
            while len(self._busy) < self.count:
                ahead.extend(islice(waiting, self.count - len(ahead)))
                if ahead and not ready:
                    few = len(ahead) < self.count
                    ready.extend(share_out(ahead.popleft(), self.count if few else 1))
                if not ready:
                    break
                self._assign(ready.popleft())
            if not self._busy:
                return
            # Bounded, since a Ctrl-C just before the wait is handled only after it.
            pipes = connection.wait([worker.messages for worker in self._busy], timeout=1.0)
            for worker in [worker for worker in self._busy if worker.messages in pipes]:
                yield from self._handle(worker, ready, advance)

    def _assign(self, work: Work) -> None:
        worker = self._idle.pop() if self._idle else WorkerProcess(self.job, self.threads)
        work.at.clear()
        self._busy[worker] = work
        worker.send(work.next_task())

    def _handle(self, worker: WorkerProcess, ready: deque[Work], advance: Advance) -> Generator[Done]:
        work = self._busy[worker]
        match worker.receive():
            case At(index, step):
                work.at[index] = step
            case Finished(index, audio_s, rejected, standing):
                work.at.pop(index, None)
                if index not in work.counted:
                    work.counted.add(index)
                    advance(audio_s, 1, int(rejected), int(standing))
            case Logged(name, level, message):
                logging.getLogger(name).log(level, message)
            case SerError() as error:
                raise error
            case Done() as done:
                self._idle.append(worker)
                del self._busy[worker]
                yield from _finish(work, done, ready)
            case Died(death):
                del self._busy[worker]
                work.died(death)
                ready.append(work)


def _finish(work: Work, done: Done, ready: deque[Work]) -> Generator[Done]:
    """The result of a shard; or what is to be done next, after a suspect or a part of a shard."""
    if work.suspects:
        work.clear_suspect()
        work.spent.add(done.seconds, done.audio_s)
        ready.append(work)
    elif work.shard is None:
        yield work.result(done)
    elif work.shard.finish_part(work.result(done)):
        ready.append(work.shard)


class LocalEngine:
    """This machine's engine.

    Args:
        workers: processes, which share the cores; None: one for each group of cores that the job can use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers

    def device(self, name: str) -> str:
        """As `resolve_device`."""
        return resolve_device(name)

    def run(self, job: Job, tasks: Iterable[Task], advance: Advance) -> Generator[Done]:
        """Run the tasks in worker processes; see `engine.Engine`."""
        useful = (os.cpu_count() or 1) // job.cores if job.cores else 1
        with Workers(job, self.workers or max(1, min(useful, MOST_WORKERS))) as workers:
            yield from workers.run(tasks, advance)
