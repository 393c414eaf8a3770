"""Trained networks: the part of a checkpoint's metadata that predicting and scoring need."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from featurize.encoders.encoder import EncodeParams
from featurize.errors import CheckpointError
from featurize.tier0 import Tier0Params
from model.network.tier1 import SERTier1
from pipeline.protocol.typed_json import validate

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
