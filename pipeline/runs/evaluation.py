"""The types of evaluation.json and robustness.json, for writing and for reading.

The scores are those of `model.scoring`; each file also holds the protocol under which they were obtained.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from model.baseline.baseline_params import Choice
from model.scoring.concordance import DimensionScore
from model.scoring.confidence import Bin, CalibrationScores, RiskCoverage
from model.scoring.intervals import Intervals
from model.scoring.metrics import GroupScore, Metrics
from model.scoring.shares import VoteScores
from pipeline.protocol.card import ScoringCard, TrainingCard


class Calibration(BaseModel, frozen=True):
    """How well confidences match accuracy."""

    before: CalibrationScores
    """Without the temperature."""
    after: CalibrationScores
    """With the temperature."""
    bins: Annotated[list[Bin], Field(min_length=1)]
    """Of the reliability diagram, with the temperature."""


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


@dataclass(frozen=True)
class CorpusScore(GroupScore):
    """Scores of the clips of one of several corpora."""

    corpus: str
    intervals: Intervals | None
    """Over its test speakers; None with fewer than three."""


class Scores(Metrics):
    """All scores of a set of logits; `pipeline.runs.scoring` computes them."""

    missing_classes_note: str
    """Names the classes without test clips and explains the effect on the scores; else empty."""
    intervals: Intervals | None
    """Over the test speakers."""
    intervals_note: str
    """Why there are no intervals, or why they are unreliable; else empty."""
    calibration: Calibration
    top2: float | None
    """Share of clips whose class is among the two most probable ones; None where there are no more classes."""
    top3: float | None
    """Likewise among three."""
    votes: VoteScores | None
    """With the temperature; None where no test clip has votes of raters."""
    risk_coverage: RiskCoverage
    speakers: list[SpeakerScore]
    """Sorted by name; clips without a speaker are left out."""
    genders: list[GenderScore]
    corpora: list[CorpusScore]
    """Sorted by name; empty where all test clips are of one corpus."""

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
    """File name; empty for the baseline."""
    val_uar: float
    best_epoch: int | None
    """None for the baseline."""
    choice: Choice | None
    """What the validation split chose for the baseline; None for a network."""
    affect: dict[str, DimensionScore]
    """By dimension, of those that the network predicts and test clips have; none for the baseline."""
    params: dict[str, Any]
    """Parameters of Tier 0, and of network and training or of the baseline, as in params.yaml."""
    protocol: ScoringCard
    card: str
    """The first digits of the protocol's SHA-256, which every row of predictions.csv repeats."""


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
    """Folder and seed of the noise, in words."""
    points: Annotated[list[RobustnessPoint], Field(min_length=1)]
