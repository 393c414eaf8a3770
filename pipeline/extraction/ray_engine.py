"""The same work on a Ray cluster (https://docs.ray.io): an actor for each GPU or group of cores, models loaded once.

An actor is the local engine with one worker process, so a clip that kills its worker is handled on that node. An actor
that dies with its node is replaced as soon as there is room, and a free actor redoes its shard from the saved
pieces. The data folder must be visible to every node: a shared disk or an address.
"""

import logging
import os
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from featurize.errors import SerError, counted
from pipeline.extraction.job import Job
from pipeline.extraction.tasks import Done, Task
from pipeline.extraction.workers import Workers
from pipeline.progress import Advance

log = logging.getLogger(__name__)

CORES_PER_ACTOR = 8
"""Demucs gains little from more cores than this; a larger node runs several actors."""
DEATHS_PER_SHARD = 4
PATIENCE_S = 300.0
"""How long no actor may be working before it is checked whether the cluster still has a node that can hold one."""
RESOURCES = {"num_cpus": "CPU", "num_gpus": "GPU"}
"""Ray's names of what an actor needs, and of what a node has."""


class RayEngine:
    """A cluster's engine; connects at once.

    Args:
        workers: actors; None: one for each GPU, or one for each group of cores.

    Raises:
        SerError: Ray is not installed, or no cluster answers.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers
        self.ray = _connect()

    def device(self, name: str) -> str:
        """Cuda or cpu: "auto" asks the cluster, not this machine.

        Raises:
            SerError: the cluster has no such device.
        """
        gpus = self.ray.cluster_resources().get("GPU", 0)
        if name == "auto":
            return "cuda" if gpus else "cpu"
        if name not in {"cpu", "cuda"} or (name == "cuda" and not gpus):
            raise SerError(
                f"--device {name}: the Ray cluster has {gpus:g} GPUs; choose cpu, auto, or cuda where there are any"
            )
        return name

    def run(self, job: Job, tasks: Iterable[Task], advance: Advance) -> Generator[Done]:
        """Run the tasks on the cluster; progress is reported shard by shard. See `engine.Engine`."""
        pool = _ActorPool(self.ray, job, *self._shape(job))
        try:
            for done in pool.run(iter(tasks)):
                advance(done.audio_s, done.num_clips, len(done.rejects), done.standing)
                yield done
        finally:
            pool.shut_down()

    def _shape(self, job: Job) -> tuple[int, dict[str, float]]:
        """How many actors, and what each needs."""
        if job.device == "cuda":
            gpus = int(self.ray.cluster_resources().get("GPU", 0))
            return self.workers or max(1, gpus), {"num_gpus": 1, "num_cpus": 1}
        nodes = [int(node["Resources"].get("CPU", 0)) for node in self.ray.nodes() if node["Alive"]]
        cores = [number for number in nodes if number]
        each = min([job.cores or CORES_PER_ACTOR, *cores])
        return self.workers or max(1, sum(number // each for number in cores)), {"num_cpus": each}


def _connect() -> Any:
    try:
        import ray
    except ImportError as error:
        raise SerError(
            "--engine ray: Ray is not installed; install the extra: pip install 'ser[ray]'"
        ) from error
    address = os.environ.get("RAY_ADDRESS") or "auto"
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        except Exception as error:  # whatever the network answers
            what = " ".join(str(error).split())[:160]
            raise SerError(
                f"--engine ray: no cluster answers at {address} ({what}); "
                "start one with `ray start --head`, or say where it is in RAY_ADDRESS"
            ) from error
    return ray


class _Actor:
    """One worker process on a node, and the parent that watches it."""

    def __init__(self, job: Job) -> None:
        self.workers = Workers(job, 1)

    def ready(self) -> None:
        """Return once the actor has been placed on a node."""

    def run(self, task: Task) -> Done | SerError:
        """Make one shard; return a SerError instead of raising it, which would count as a failure of the actor."""
        try:
            return next(self.workers.run([task], lambda _audio_s, clips=1, rejected=0, standing=0: None))
        except SerError as error:
            return error


class _ActorPool:
    """The actors, and which task each one runs."""

    def __init__(self, ray: Any, job: Job, count: int, needs: dict[str, float]) -> None:
        self.ray = ray
        self.needs = needs
        self._job = ray.put(job)
        self._actor = ray.remote(_Actor).options(max_restarts=0, **needs)
        self._at: dict[
            Any, tuple[Any, Task | None]
        ] = {}  # pending result → (actor, its task; None while it starts)
        self._idle: list[Any] = []
        self._again: deque[Task] = deque()
        self._deaths: Counter[int] = Counter()
        for _ in range(count):
            self._start_actor()

    def _start_actor(self) -> None:
        actor = self._actor.remote(self._job)
        self._at[actor.ready.remote()] = (actor, None)

    def run(self, waiting: Iterator[Task]) -> Iterator[Done]:
        """Assign tasks to free actors; reassign those of actors that died."""
        active_at = time.monotonic()
        while True:
            while self._idle and (task := self._next(waiting)) is not None:
                actor = self._idle.pop()
                self._at[actor.run.remote(task)] = (actor, task)
            working = any(task is not None for _, task in self._at.values())
            if self._idle and not working:
                return  # an actor is free, none is working: all tasks are done
            ready, _ = self.ray.wait(list(self._at), num_returns=1, timeout=1.0)
            if working or ready:
                active_at = time.monotonic()
            elif time.monotonic() - active_at > PATIENCE_S:
                check_nodes(self.ray.nodes(), self.needs)
                active_at = time.monotonic()
            for answer in ready:
                if (done := self._handle(answer)) is not None:
                    yield done

    def _next(self, waiting: Iterator[Task]) -> Task | None:
        return self._again.popleft() if self._again else next(waiting, None)

    def _handle(self, answer: Any) -> Done | None:
        """The result of an actor; if it has died, start another one and queue its task again."""
        actor, task = self._at.pop(answer)
        try:
            done: Done | SerError | None = self.ray.get(answer)
        except self.ray.exceptions.RayTaskError:
            raise  # a bug in this program, not a death
        except self.ray.exceptions.RayError as error:
            self._start_actor()
            if task is not None:
                self._deaths[task.number] += 1
                if self._deaths[task.number] == DEATHS_PER_SHARD:
                    what = " ".join(str(error).split())[:200]
                    raise SerError(
                        f"--engine ray: shard {task.number} lost its worker {DEATHS_PER_SHARD} times, last: {what}"
                    ) from error
                self._again.append(task)
            return None
        if isinstance(done, SerError):
            raise done
        self._idle.append(actor)
        return done

    def shut_down(self) -> None:
        """Kill all actors, and with them their worker processes."""
        for actor in [*self._idle, *(actor for actor, _ in self._at.values())]:
            self.ray.kill(actor)


def check_nodes(nodes: list[dict[str, Any]], needs: dict[str, float]) -> None:
    """Where nothing starts, tell a cluster that is busy or slow, and is waited for, from one that never will.

    Args:
        nodes: as Ray lists them.
        needs: of an actor: num_cpus, and num_gpus if any.

    Raises:
        SerError: no node that is alive is large enough for an actor.
    """
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    if not any(all(node.get(RESOURCES[name], 0) >= need for name, need in needs.items()) for node in alive):
        number = counted(len(alive), "node")
        raise SerError(
            f"--engine ray: no worker could start for {PATIENCE_S:.0f} s, and none of the {number} alive is "
            f"large enough for one (each needs {needs})"
        )
    log.warning("no worker has started for %.0f s: the cluster is busy; still waiting", PATIENCE_S)
