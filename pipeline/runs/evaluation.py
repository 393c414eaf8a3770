"""What `ser evaluate` and `ser robustness` write as JSON, and what is read back.

Scores are those of `model.scoring`; here they get the protocol without which they are worth nothing.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from model.scoring.confidence import Bin, CalibrationScores, RiskCoverage
from model.scoring.intervals import Intervals
from model.scoring.metrics import GroupScore, Metrics
from pipeline.protocol.card import ScoringCard, TrainingCard


class Calibration(BaseModel, frozen=True):
    """How far confidences can be believed, before and after the temperature; the bins are after it."""

    before: CalibrationScores
    after: CalibrationScores
    bins: Annotated[list[Bin], Field(min_length=1)]


@dataclass(frozen=True)
class SpeakerScore(GroupScore):
    """Scores of the clips of one speaker."""

    speaker: str
    gender: str
    """Empty where unknown."""


@dataclass(frozen=True)
class GenderScore(GroupScore):
    """Scores of the clips of all speakers of one gender."""

    gender: str


class Scores(Metrics):
    """Everything that can be said of logits; `pipeline.runs.scoring` computes it."""

    missing_classes_note: str
    """Classes without test clips, and what that means for the scores."""
    intervals: Intervals | None
    """Over the test speakers."""
    intervals_note: str
    """Why there are no intervals, or what is to be held against them."""
    calibration: Calibration
    risk_coverage: RiskCoverage
    speakers: list[SpeakerScore]
    """By name; clips without a speaker's name belong to none."""
    genders: list[GenderScore]

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        if [len(row) for row in self.confusion] != [len(self.labels)] * len(self.labels):
            raise ValueError("the confusion matrix does not have one row and one column per label")
        if list(self.per_class) != self.labels:
            raise ValueError("per_class does not hold the labels in their order")
        return self


class Evaluation(Scores):
    """evaluation.json."""

    temperature: float
    checkpoint: str
    """Name of its file."""
    val_uar: float
    best_epoch: int
    params: dict[str, Any]
    """Of Tier 0, network and training, as in params.yaml."""
    protocol: ScoringCard
    card: str
    """The first digits of the protocol's SHA-256; in every row of predictions.csv, too."""


class RobustnessPoint(BaseModel, frozen=True):
    """Scores at one signal-to-noise ratio."""

    snr_db: float | None
    """None: clean speech."""
    n_clips: int
    uar: float
    accuracy: float
    nll: float
    ece: float


class Robustness(BaseModel, frozen=True):
    """robustness.json."""

    checkpoint: str
    protocol: TrainingCard
    noise: str
    """Where the noise came from, in words."""
    points: Annotated[list[RobustnessPoint], Field(min_length=1)]
