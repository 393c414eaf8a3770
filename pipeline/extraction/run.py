"""What the shard stages share: find what is done, run the rest on an engine, report times and rejects."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

from pipeline.extraction.engine import Engine
from pipeline.extraction.grouping import Group
from pipeline.extraction.job import Job
from pipeline.extraction.shard_folder import ShardFolder
from pipeline.extraction.stopwatch import Stopwatch
from pipeline.progress import clip_progress
from pipeline.rejects import Reject, check_rejects, log_rejects, write_rejects


def new_run() -> str:
    """A name for the pieces of a run; names sort by time."""
    return f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}"


def extract(
    title: str,
    job: Job,
    groups: Callable[[], Iterable[Group]],
    *,
    engine: Engine,
    timing: Path | None = None,
    max_reject_fraction: float | None = None,
    unusable: str = "rejected",
) -> list[Reject]:
    """Make the shards of a stage, and list the rejects beside them.

    Args:
        title: of the progress line.
        job: the work.
        groups: returns an iterator over the clips of each shard, from the start at each call.
        engine: where the job runs.
        timing: file for the seconds of each step, which are then printed as well; one that is there stays as it is
            if no clip was worked on.
        max_reject_fraction: of all clips; None: no limit.
        unusable: what the progress line calls a rejected clip.

    Returns:
        The rejects, in order.

    Raises:
        RejectsError: more clips were rejected than allowed.
        SerError: shards cannot be written, or as `job` has it.
    """
    shards = ShardFolder(job.output, groups, job.keys)
    watch = Stopwatch()
    rejects: dict[int, list[Reject]] = {}
    written: list[int] = []
    with clip_progress(title, shards.num_clips, unusable) as advance:
        if shards.current_clips:
            advance(0.0, shards.current_clips, standing=shards.current_clips)
        with contextlib.closing(engine.run(job, shards.tasks(), advance)) as running:
            for done in running:
                watch.add(done.seconds, done.audio_s)
                rejects[done.number] = done.rejects
                if done.num_rows:
                    written.append(done.number)
    shards.finish(written)
    if timing is not None and (watch.audio_s or not timing.exists()):
        watch.report(timing)
    listed = [reject for number in sorted(rejects) for reject in rejects[number]]
    file = job.output.folder / "rejects.csv"
    write_rejects(file, listed)
    if max_reject_fraction is not None:
        check_rejects(file, listed, shards.num_clips, max_reject_fraction)
        log_rejects(title, file, listed)
    return listed
