"""The parts of a card that name what a network is made from beside its data: an encoder, a trained network."""

from typing import Any, Literal

from pydantic import BaseModel

from model.views import Encodings
from pipeline.protocol.folds import FoldScheme


class EncoderCard(BaseModel, frozen=True, extra="forbid"):
    """The frozen encoder whose frames a network was trained on."""

    name: str
    sha256: str
    """Of its weights."""
    layers: list[int]
    """Stored hidden states."""
    size: int
    """Values of a hidden state."""
    frame_pooling: int
    """Frames of 20 ms averaged into one."""
    step: dict[str, Any]
    """All settings and the version of the step that made the frames."""


class InitCard(BaseModel, frozen=True, extra="forbid"):
    """The trained network that training started from."""

    sha256: str
    """Of its checkpoint."""
    corpus: str
    files_sha256: str
    labels: list[str]
    folds: FoldScheme | None
    fold: int
    denoiser: str
    tier0_sha256: str
    steps: dict[str, str]
    code: str
    trained_on: list[str]
    """Speakers of its train split, and of those of the networks that it started from itself, as corpus/speaker."""
    validated_on: list[str]
    """Likewise of the validation splits."""
    labels_kept: list[str]
    """Classes whose rows of the head were taken over."""
    frozen: Literal["none", "blocks", "streams"]
    """What of it was not trained further."""


def encoder_card(encodings: Encodings | None) -> EncoderCard | None:
    """The encoder of the shards, if they are used."""
    return EncoderCard(**encodings.encoder, step=encodings.step) if encodings else None
