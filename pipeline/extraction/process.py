"""A worker process, and both ends of the pipe to it.

It is spawned (not forked: threads and GPUs do not survive a fork), loads a job's models once, and then makes one shard
after the other. It ends when its parent ends, however that happens.
"""

import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import NamedTuple

from featurize.errors import SerError
from pipeline.extraction.job import Job, run_task
from pipeline.extraction.tasks import At, Done, Finished, Task

SECONDS_TO_DIE = 60.0
"""How long to wait for the exit code of a process whose pipe has closed; the last resort against one that hangs."""


class Logged(NamedTuple):
    """A log record of a worker: logger, level, message."""

    name: str
    level: int
    message: str


class Died(NamedTuple):
    """A worker process has died, or is about to exit after an unexpected error."""

    death: str


Message = At | Finished | Logged | Done | SerError | Died
"""What a worker sends."""


class WorkerProcess:
    """A worker process, seen from its parent.

    Args:
        job: the work.
        threads: how many its arithmetic may use.
    """

    def __init__(self, job: Job, threads: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.messages, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_main, args=(job, threads, theirs), daemon=False)
        with _ignoring_interrupts():
            self._process.start()
        theirs.close()  # only the child holds it now, so that its death closes the pipe

    def send(self, task: Task) -> None:
        """Send a task."""
        with suppress(OSError):  # the process is dead: the next `receive` returns `Died`
            self.messages.send(task)

    def receive(self) -> Message:
        """The next message, or how the process died."""
        try:
            message: Message = self.messages.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            self._process.join(SECONDS_TO_DIE)
            message = Died(_death(self._process.exitcode))
        if isinstance(message, Died):
            self.kill()
        return message

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self.messages.close()


def _death(exitcode: int | None) -> str:
    if exitcode is None:
        return f"no exit {SECONDS_TO_DIE:.0f} s after it stopped answering"
    if exitcode < 0:
        with suppress(ValueError):
            return signal.Signals(-exitcode).name
    return f"exit code {exitcode}"


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Processes started here ignore Ctrl-C: the parent handles it and ends them, without tracebacks."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _main(job: Job, threads: int, messages: Connection) -> None:
    """Entry point of the process: load, then run one task after the other."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sending = threading.Lock()  # loader threads send events as well

    def send(message: Message) -> None:
        with sending:
            messages.send(message)

    _send_log(send)
    try:
        make = job.load(threads)
        while True:
            send(run_task(make, job, messages.recv(), send))
    except SerError as error:
        send(error)
    except (EOFError, BrokenPipeError):  # the parent has no more work, or has ended
        pass
    except Exception as error:  # such as a GPU out of memory; `--workers 0` shows the whole traceback
        send(Died(" ".join(f"{type(error).__name__}: {error}".split())[:200]))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _send_log(send: Callable[[Message], None]) -> None:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            send(Logged(record.name, record.levelno, record.getMessage()))

    for floor in ("featurize", "model", "pipeline"):
        logger = logging.getLogger(floor)
        logger.setLevel(logging.INFO)
        logger.addHandler(Handler())
        logger.propagate = False
