"""The protocol card: on which recordings, how split and made with what a number was found.

A card grows from stage to stage, and its type says which stage has written it:

    Card          manifest            recordings, classes, split         manifest.json
    DataCard      + denoise, features what the features were made with
    TrainingCard  + train             seed, normalisation, code, device  the checkpoint
    ScoringCard   + evaluate          what was other than in training    evaluation.json

No field has a default: a card of another version, which lacks a field or has one more, is refused in one line.
"""

import hashlib
import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from pipeline.protocol.confounding import Confounding
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.provenance import Maker, this_maker
from pipeline.protocol.splits import Method, Split

Normalisation = Literal["global", "clip", "speaker"]


class Card(BaseModel, frozen=True, extra="forbid"):
    """What the manifest says: which recordings, which classes, and who is tested on."""

    corpus: str
    synthetic: bool
    """Made by a speech synthesiser."""
    files_sha256: str
    """Over which recordings the corpus holds."""
    label_set: str
    labels: list[str]
    """In class order."""
    split: Method
    speaker_independent: bool
    """No speaker of one split is in another, and every speaker is known."""
    folds: FoldScheme | None
    """None where the split has no folds."""
    fold: int
    """The one that is tested on, counted from 1; 0 where there are none."""
    val: str
    """How validation clips were chosen, in words."""
    split_seed: int
    speakers: Annotated[dict[Split, list[str]], Field(min_length=3)]
    confounding: Confounding | None
    """How far speakers predict labels; None where no speaker is known."""


class DataCard(Card):
    """What the features add: which clips could be used, denoiser, Tier 0."""

    untested_labels: list[str]
    """Classes without a test clip."""
    clips_sha256: str
    """Over the clips that became features, their labels and splits."""
    denoiser: str
    denoiser_sha256: str
    """Of its weights; empty where it has none."""
    denoiser_heard_test_speakers: list[str]
    """Test speakers, as corpus/speaker, that its weights were trained on."""
    tier0_sha256: str
    """Of Tier 0's parameters."""
    steps: dict[str, str]
    """Version of each step that makes numbers, such as "mfcc": "1"."""
    made_by: dict[Literal["denoise", "featurize"], list[Maker]]
    """What made the rows in each stage; more than one where rows were taken over from other runs."""


class TrainingCard(DataCard):
    """What training adds. It travels in the checkpoint."""

    normalisation: Normalisation
    seed: int
    """Of the training."""
    code: str
    versions: dict[str, str]
    device: str


class ScoringCard(TrainingCard):
    """What evaluation adds. It stands in evaluation.json."""

    scored_with: dict[Literal["code", "versions", "device"], str | dict[str, str]]
    """What of the three was other than in training."""


def training_card(data: DataCard, seed: int, normalisation: Normalisation, device: str) -> TrainingCard:
    """The card of weights that are trained here and now."""
    maker = this_maker(device)
    return TrainingCard(**dict(data), normalisation=normalisation, seed=seed, **dict(maker))


def scoring_card(card: TrainingCard, device: str) -> ScoringCard:
    """The card of scores that are computed here and now."""
    here: dict[Any, Any] = dict(this_maker(device))
    return ScoringCard(
        **dict(card), scored_with={key: value for key, value in here.items() if value != getattr(card, key)}
    )


_CORPUS = ("corpus", "files_sha256", "label_set", "labels", "split", "folds")
_MAKING = ("denoiser", "denoiser_sha256", "tier0_sha256", "steps")
_TASK = (*_CORPUS, "fold", "speakers")

Likeness: TypeAlias = Literal["folds", "task", "clips", "data"]

FIELDS: dict[Likeness, tuple[str, ...]] = {
    "folds": (*_CORPUS, "split_seed", *_MAKING, "normalisation"),
    "task": _TASK,
    "clips": (*_TASK, "val", "split_seed"),
    "data": (*_TASK, "clips_sha256", *_MAKING),
}
"""What two cards have to agree on. They are

    folds  of one cross-validation, and differ in fold and training seed alone
    task   comparable: their scores answer the same question
    clips  of one manifest: no clip that one is trained on is a test clip of the other
    data   of the same features: a checkpoint with the one may be scored on the other
"""


def unlike(one: Card, other: Card, likeness: Likeness) -> list[str]:
    """Fields in which two cards differ though they should not; `pipeline.protocol.wording` words them."""
    return [name for name in FIELDS[likeness] if getattr(one, name) != getattr(other, name)]


def digest(content: Any) -> str:
    """SHA-256 of plain types, in hex; the order of keys does not count."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
