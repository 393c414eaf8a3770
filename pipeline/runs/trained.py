"""Trained networks: which checkpoint of a folder, and the part of its metadata that predicting and scoring need."""

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from featurize.encoders.encoder import EncodeParams
from featurize.errors import CheckpointError
from featurize.tier0 import Tier0Params
from model.checkpoint import read_checkpoint
from model.network.tier1 import SERTier1
from pipeline.protocol.typed_json import validate

log = logging.getLogger(__name__)

LAST = "last.pt"
"""State of training after the last epoch, without a fitted temperature."""
AGAIN = "train again, or use the version of the code that it was trained with"


class DenoiserIdentity(BaseModel, frozen=True, extra="ignore"):
    """The denoiser that the features were made with."""

    name: str
    sha256: str
    """Of its weights; empty where it has none."""


class TrainedArgs(BaseModel, frozen=True, extra="ignore"):
    """What a checkpoint of `ser train` holds beside the network; `model.checkpoint` reads the network's own part."""

    labels: Annotated[list[str], Field(min_length=2)]
    """In class order."""
    tier0: Tier0Params
    denoiser: DenoiserIdentity | None = None
    encode: EncodeParams | None = None
    """Of the encoder whose frames the network was trained on; None without the view "encoder"."""
    train: dict[str, Any]
    epoch: int
    val_uar: float
    """Validation UAR after that epoch."""


def read_trained(path: Path, network: SERTier1, args: Mapping[str, Any]) -> TrainedArgs:
    """The metadata of a loaded checkpoint.

    Args:
        path: the checkpoint, for messages.
        network: the network, from `load_checkpoint`.
        args: the stored `args`, likewise.

    Raises:
        CheckpointError: the metadata is of another version, or does not fit the network.
    """
    trained = validate(TrainedArgs, args, f"{path}: metadata", AGAIN, CheckpointError)
    if len(trained.labels) != network.num_classes or trained.tier0.mfcc.n_mfcc != network.n_mfcc:
        raise CheckpointError(
            f"{path}: a network of {network.num_classes} classes and {network.n_mfcc} coefficients, but "
            f"{len(trained.labels)} labels and mfcc.n_mfcc {trained.tier0.mfcc.n_mfcc}; {AGAIN}"
        )
    return trained


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
        raise CheckpointError(f"{path}: no validation UAR in its metadata; {AGAIN}")
    return float(value)
