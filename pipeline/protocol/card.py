"""The protocol card: the recordings, splits and processing behind a score.

Each stage adds fields to the card; its type shows which stage has written it:

    Card          manifest            recordings, classes, split         manifest.json
    DataCard      + denoise, features clips used, denoiser, Tier 0
    TrainingCard  + train             seed, normalisation, code, device  the checkpoint
    ScoringCard   + evaluate          differences from training          evaluation.json

No field has a default, so a card of another version, with a field missing or unknown, is rejected with one line.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from model.baseline.baseline_params import BaselineParams, BaselineView
from model.network.normalisation import Normalisation
from model.views import View
from pipeline.protocol.confounding import Confounding
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.origins import EncoderCard, InitCard
from pipeline.protocol.provenance import Maker, this_maker
from pipeline.protocol.split_params import Method, Split

Model = Literal["network", "baseline"]


class Card(BaseModel, frozen=True, extra="forbid"):
    """The fields that the manifest adds: recordings, classes and split."""

    corpus: str
    """Its name; of several, their names with + between them."""
    corpora: list[str]
    """Those that the clips are of, in their order: one, or several."""
    synthetic: bool
    """The clips come from a speech synthesiser."""
    files_sha256: str
    """Hash of the list of recordings that have a label."""
    licence: str
    """Of the corpus, as its publishers state it; empty if unknown."""
    label_set: str
    labels: list[str]
    """In class order."""
    labels_of: Literal["standard", "intended", "perceived"]
    """What the emotions are: as the corpus goes by, as acted, or as heard."""
    min_agreement: float
    """Share of the raters that a clip's label must have."""
    no_agreement: Literal["drop", "class"]
    """Whether training clips without a majority are a class in training, whose output is dropped at scoring."""
    split: Method
    speaker_independent: bool
    """No speaker of one split is in another, and every speaker is known."""
    folds: FoldScheme | None
    """None where the split has no folds."""
    fold: int
    """The test fold, counted from 1; 0 where there are no folds."""
    val: str
    """How validation clips were chosen, in words."""
    split_seed: int
    speakers: Annotated[dict[Split, list[str]], Field(min_length=3)]
    """Names of the known speakers of each split."""
    confounding: Confounding | None
    """How far speakers predict labels; None where no speaker is known."""

    @property
    def tests_new_speakers(self) -> bool:
        """Whether training has heard no test speaker."""
        return self.speaker_independent


class DataCard(Card):
    """The fields that the features add: clips used, denoiser, Tier 0."""

    untested_labels: list[str]
    """Classes without a test clip."""
    clips_sha256: str
    """Hash of the clips that became features, with their labels and splits."""
    denoiser: str
    denoiser_sha256: str
    """Hash of its weights; empty where it has none."""
    denoiser_heard_test_speakers: list[str]
    """Test speakers that its weights were trained on, as corpus/speaker."""
    tier0_sha256: str
    """Hash of Tier 0's parameters."""
    steps: dict[str, str]
    """Version of each step of Tier 0, such as "mfcc": "1"."""
    made_by: dict[Literal["denoise", "featurize", "encode"], list[Maker]]
    """Devices and versions that made the rows of each stage; several if rows of other runs were reused."""


class TrainingCard(DataCard):
    """The fields that training adds. This card is stored in the checkpoint."""

    model: Model
    """What was trained: the network, or the linear baseline."""
    views: list[BaselineView]
    """Of each clip, that it was trained on."""
    encoder: EncoderCard | None
    """None without the view "encoder"."""
    normalisation: Normalisation
    init: InitCard | None
    """None: training started from random weights."""
    init_heard_test_speakers: list[str]
    """Test speakers that `init` was trained or validated on, as corpus/speaker: a leak."""
    init_heard_val_speakers: list[str]
    """Validation speakers that `init` was trained on, although epoch and temperature are chosen on them."""
    seed: int | None
    """Training seed; None for the baseline, which draws nothing at random."""
    refit: bool
    """Whether the clips of the validation split were trained on as well, after all choices were made."""
    code: str
    """This project's version and commit, as in `Maker`."""
    versions: dict[str, str]
    """Versions of Python and packages, as in `Maker`."""
    device: str
    """As in `Maker`."""

    @property
    def tests_new_speakers(self) -> bool:
        """Whether training, or that of the network that it started from, has heard no test speaker."""
        return self.speaker_independent and not self.init_heard_test_speakers


class ScoringCard(TrainingCard):
    """The field that evaluation adds. This card is stored in evaluation.json."""

    scored_with: dict[Literal["code", "versions", "device"], str | dict[str, str]]
    """Those of the three that differ from training."""


def training_card(
    data: DataCard,
    seed: int,
    views: Sequence[View],
    normalisation: Normalisation,
    device: str,
    *,
    refit: bool,
    encoder: EncoderCard | None = None,
    init: InitCard | None = None,
) -> TrainingCard:
    """The card of a training run on this machine, with this code."""
    maker = this_maker(device)
    trained_on, validated_on = (init.trained_on, init.validated_on) if init else ([], [])
    return TrainingCard(
        **dict(data),
        model="network",
        views=list(views),
        encoder=encoder,
        normalisation=normalisation,
        init=init,
        init_heard_test_speakers=sorted({*trained_on, *validated_on} & {*named_speakers(data, "test")}),
        init_heard_val_speakers=sorted({*trained_on} & {*named_speakers(data, "val")}),
        seed=seed,
        refit=refit,
        **dict(maker),
    )


def baseline_card(data: DataCard, params: BaselineParams, encoder: EncoderCard | None = None) -> ScoringCard:
    """The card of a baseline that is fitted and scored on this machine, with this code."""
    return ScoringCard(
        **dict(data) | {"no_agreement": "drop"},
        model="baseline",
        views=[params.view],
        encoder=encoder,
        normalisation=params.normalisation,
        init=None,
        init_heard_test_speakers=[],
        init_heard_val_speakers=[],
        seed=None,
        refit=True,
        **dict(this_maker("cpu")),
        scored_with={},
    )


def named_speakers(card: Card, split: Split) -> list[str]:
    """The known speakers of a split, as corpus/speaker; of several corpora, their names are so already."""
    several = len(card.corpora) > 1
    return [name if several else f"{card.corpus}/{name}" for name in card.speakers[split]]


def scoring_card(card: TrainingCard, device: str) -> ScoringCard:
    """The card of scores that are computed on this machine, with this code."""
    here: dict[Any, Any] = dict(this_maker(device))
    return ScoringCard(
        **dict(card), scored_with={key: value for key, value in here.items() if value != getattr(card, key)}
    )


_LABELS = ("label_set", "labels", "labels_of", "min_agreement")
_CORPUS = ("corpus", "corpora", "files_sha256", *_LABELS, "split", "folds")
_MAKING = ("denoiser", "denoiser_sha256", "tier0_sha256", "steps")
_TASK = (*_CORPUS, "fold", "speakers")

Scope: TypeAlias = Literal["folds", "task", "clips", "data"]

FIELDS: dict[Scope, tuple[str, ...]] = {
    "folds": (
        *_CORPUS,
        "no_agreement",
        "split_seed",
        *_MAKING,
        "model",
        "views",
        "encoder",
        "normalisation",
        "init",
    ),
    "task": _TASK,
    "clips": (*_TASK, "val", "split_seed"),
    "data": (*_TASK, "clips_sha256", *_MAKING),
}
"""The fields that two cards must share to be

    folds  of one cross-validation: they differ only in fold and training seed
    task   of one task: their scores can be compared
    clips  of one manifest: no training clip of one is a test clip of the other
    data   of the same features: a checkpoint with one card may be scored on features with the other
"""


def differing_fields(first: Card, second: Card, scope: Scope) -> list[str]:
    """Names of the fields that two cards must share for this scope, but that differ."""
    return [name for name in FIELDS[scope] if getattr(first, name) != getattr(second, name)]


def digest(content: Any) -> str:
    """SHA-256 of plain types, in hex; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
