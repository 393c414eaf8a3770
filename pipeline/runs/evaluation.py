"""What `ser evaluate`, the leak audit and `ser robustness` write as JSON, as types.

Keys that are not known here are left alone; keys that an older version did not write are None.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

Interval = tuple[float, float]
"""Lower and upper end."""


def first_fault(error: ValidationError) -> str:
    """Where such a file is wrong first, and how, in a few words."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where + ': ' if where else ''}{first['msg']}"


class ClassScore(BaseModel, frozen=True):
    """One class of evaluation.json."""

    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    support: int = Field(ge=0)


class Intervals(BaseModel, frozen=True):
    """Bootstrap over the test speakers."""

    level: float = Field(gt=0, lt=1)
    draws: int = Field(ge=1)
    speakers: int = Field(ge=1)
    uar: Interval
    accuracy: Interval | None = None
    macro_f1: Interval | None = None
    recall: dict[str, Interval] = Field(default_factory=dict)


class Confidence(BaseModel, frozen=True):
    """How far confidences can be believed, on the test split."""

    nll: float | None = None
    brier: float | None = None
    ece: float


class Bin(BaseModel, frozen=True):
    """A bin of the reliability diagram: means of its clips' confidence and correctness."""

    confidence: float = Field(ge=0, le=1)
    accuracy: float = Field(ge=0, le=1)
    count: int = Field(ge=1)


class Calibration(BaseModel, frozen=True):
    """Before and after the temperature; the bins are after it."""

    before: Confidence
    after: Confidence
    bins: list[Bin] = Field(min_length=1)


class RiskCoverage(BaseModel, frozen=True):
    """The error among the clips that are answered, the surest first."""

    aurc: float
    points: list[tuple[float, float]] = Field(min_length=1)
    """Coverage and risk."""


class Metrics(BaseModel, frozen=True):
    """evaluation.json."""

    accuracy: float
    uar: float
    macro_f1: float | None = None
    macro_precision: float | None = None
    macro_recall: float | None = None
    per_class: dict[str, ClassScore]
    confusion: list[list[int]]
    """(num_classes, num_classes) clips, rows true, columns predicted."""
    labels: list[str] = Field(min_length=1)
    n_clips: int = Field(ge=1)
    temperature: float | None = None
    checkpoint: str = ""
    protocol: dict[str, Any] = Field(default_factory=dict)
    intervals: Intervals | None = None
    intervals_note: str = ""
    """Why there are no intervals, or what is to be held against them."""
    missing_classes_note: str = ""
    """Classes without test clips, and what that means for the scores."""
    calibration: Calibration | None = None
    risk_coverage: RiskCoverage | None = None

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        if [len(row) for row in self.confusion] != [len(self.labels)] * len(self.labels):
            raise ValueError("the confusion matrix does not have one row and one column per label")
        return self


class Finding(BaseModel, frozen=True):
    """One leak that the audit found."""

    kind: str
    severity: Literal["stop", "warning", "note"]
    splits: list[str] = Field(default_factory=list)
    clips: list[str] = Field(default_factory=list)
    detail: str = ""


class Audit(BaseModel, frozen=True):
    """audit.json."""

    clips: int = Field(ge=0)
    fingerprinted: int = Field(ge=0)
    findings: list[Finding] = Field(default_factory=list)


class RobustnessPoint(BaseModel, frozen=True):
    """Scores at one signal-to-noise ratio."""

    snr_db: float | None
    """None: clean speech."""
    n_clips: int = Field(ge=1)
    uar: float
    accuracy: float
    nll: float | None = None
    ece: float | None = None


class Robustness(BaseModel, frozen=True):
    """robustness.json."""

    checkpoint: str = ""
    protocol: dict[str, Any] = Field(default_factory=dict)
    noise: str = ""
    points: list[RobustnessPoint] = Field(min_length=1)
