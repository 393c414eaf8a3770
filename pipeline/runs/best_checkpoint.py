"""Which checkpoint is used: a named file, or the best of a folder."""

import logging
import math
from pathlib import Path

from featurize.errors import CheckpointError
from model.checkpoint import read_checkpoint

log = logging.getLogger(__name__)

LAST = "last.pt"
"""State of training after the last epoch, without a fitted temperature."""


def choose_checkpoint(named: Path | None, folder: Path) -> Path:
    """The checkpoint to use: the named file, or the best of the named folder or pattern, by default of `folder`.

    Raises:
        CheckpointError: no checkpoint there, or none that can be used; a named file is not looked at.
    """
    if named is None:
        return best_checkpoint(folder)
    if named.is_dir():
        return best_checkpoint(named)
    if "*" in named.name and not named.exists():  # a shell that does not expand it
        return best_checkpoint(named.parent, named.name)
    return named


def best_checkpoint(folder: Path, pattern: str = "*.pt") -> Path:
    """The checkpoint of a folder with the highest validation UAR in its metadata; last.pt only where it is alone.

    The log says which one it is, and which files cannot be used.

    Raises:
        CheckpointError: there is none, or none that can be used.
    """
    found = sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
    found = [path for path in found if path.name != LAST] or found
    if not found:
        raise CheckpointError(f"{folder}: no checkpoint ({pattern}) in it; run `ser train`, or name another")
    if len(found) == 1:
        log.info("checkpoint: %s", found[0])
        return found[0]
    scores: dict[Path, float] = {}
    errors: list[CheckpointError] = []
    for path in found:
        try:
            scores[path] = _val_uar(path)
        except CheckpointError as error:
            errors.append(error)
    if not scores:
        raise CheckpointError(
            f"{folder}: none of {len(found)} checkpoints can be used; the first: {errors[0]}"
        )
    for fault in errors:
        log.warning("left out: %s", fault)
    best = max(scores, key=scores.__getitem__)
    log.info(
        "checkpoint: %s, of %d the one with the highest validation UAR (%.3f)",
        *(best, len(scores), scores[best]),
    )
    return best


def _val_uar(path: Path) -> float:
    value = read_checkpoint(path)["args"].get("val_uar")
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise CheckpointError(f"{path}: no validation UAR in its metadata; train again, or name another")
    return float(value)
