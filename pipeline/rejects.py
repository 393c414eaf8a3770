"""rejects.csv: lists the clips that cannot be used, with a reason; too many of them stop the stage."""

import csv
import io
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from featurize.atomic import write_text
from featurize.errors import Reason, RejectsError, SerError, counted
from pipeline.locations import Location, written

log = logging.getLogger(__name__)

NAMED = 5
"""Rejects that the log names."""
_LISTEN = "listen to a few of them"
ADVICE: dict[Reason, str] = {
    "missing": "check the paths of the corpus or table, and run `ser manifest` again",
    "directory": "check the paths of the corpus",
    "unreadable": "check the permissions of the audio",
    "empty": "copy the audio again",
    "lfs-pointer": "fetch the audio with `git lfs pull`",
    "undecodable": _LISTEN,
    "bad-segment": "check the columns start and end of the table, which are seconds from the start of the file",
    "silent": _LISTEN,
    "too-short": "cut the recordings less closely, or lower corpus.min_clip_s",
    "non-finite": _LISTEN,
    "no-speech": "check vad.threshold, or set vad.if_no_speech to keep",
    "changed": "run `ser manifest` again",
    "crashed": "check the memory (`dmesg` lists the processes that the kernel killed), and try fewer --workers",
}
"""Reason → what the user should do if many clips are rejected for it."""


class Reject(NamedTuple):
    """A clip that a stage could not use; a row of rejects.csv."""

    clip_id: str
    path: str
    """Of the audio: a path or a URL."""
    reason: Reason
    detail: str
    """The error message, in one line."""


def write_rejects(path: Location, rejects: Sequence[Reject]) -> None:
    """Write rejects.csv, with its header even where nothing was rejected."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Reject._fields)
    writer.writerows(rejects)
    with written(path) as local:
        write_text(local, text.getvalue())


def read_rejects(path: Path, stage: str) -> list[Reject]:
    """Read a rejects.csv.

    Raises:
        SerError: it is missing or damaged; the message names the `stage` to run.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file, strict=True)
            if missing := set(Reject._fields) - set(table.fieldnames or ()):
                raise ValueError(f"no column {min(missing)}")
            return [_reject(row) for row in table]
    except FileNotFoundError as error:
        raise SerError(f"{path}: missing; run `ser {stage}` first") from error
    except (ValueError, csv.Error) as error:
        raise SerError(f"{path}: damaged ({error}); run `ser {stage}` again") from error


def _reject(row: dict[str, str | None]) -> Reject:
    clip_id, path, reason, detail = (row[name] or "" for name in Reject._fields)
    if reason not in ADVICE:
        raise ValueError(f"unknown reason {reason!r}")
    return Reject(clip_id, path, reason, detail)


def log_rejects(stage: str, path: Location, rejects: Sequence[Reject]) -> None:
    """Name the first few rejects, and the file that lists all of them."""
    if rejects:
        log.warning("%s: %s rejected: %s; see %s", stage, counted(len(rejects), "clip"), named(rejects), path)


def named(rejects: Sequence[Reject]) -> str:
    """Clip and reason of the first few."""
    first = ", ".join(f"{reject.clip_id} ({reject.reason})" for reject in rejects[:NAMED])
    return first + (f" and {len(rejects) - NAMED} more" if len(rejects) > NAMED else "")


def check_rejects(path: Location, rejects: Sequence[Reject], num_clips: int, max_fraction: float) -> None:
    """Stop the stage if more than `max_fraction` of `num_clips` clips, or all of them, were rejected.

    Raises:
        RejectsError: too many were; names the most common reason, an example, and the file that lists all.
    """
    if len(rejects) <= max_fraction * num_clips and len(rejects) < num_clips:
        return
    reason, count = Counter(reject.reason for reject in rejects).most_common(1)[0]
    example = next(reject for reject in rejects if reject.reason == reason)
    raise RejectsError(
        f"{len(rejects)} of {counted(num_clips, 'clip')} rejected, more than corpus.max_reject_fraction = "
        f"{max_fraction} allows; {count} {reason}, the first {example.detail}; {ADVICE[reason]}; "
        f"all of them are in {path}"
    )
