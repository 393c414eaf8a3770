"""The types of cross.json: scores on each corpus of networks that were trained on others."""

from typing import Literal

from pydantic import BaseModel

from model.scoring.intervals import Interval

How = Literal["one-corpus", "corpus"]
"""Trained on one corpus, or on all but one: the value of split.method."""


class Cell(BaseModel, frozen=True, extra="forbid"):
    """Scores on one corpus, means over the training seeds."""

    corpus: str
    within: bool
    """Other speakers of the corpus were trained on."""
    n_clips: int
    n_speakers: int
    uar: float
    """Over the classes that the corpus has."""
    uar_interval: Interval | None
    """Over its speakers; None with fewer than three."""
    accuracy: float
    uar_by_seed: list[float]
    recall: dict[str, float | None]
    """By label name; None where the corpus has no clip of the class."""


class Row(BaseModel, frozen=True, extra="forbid"):
    """What was trained on, and the scores on each corpus."""

    how: How
    trained_on: list[str]
    val_uar: float
    """Mean over seeds, of speakers of the corpora that were trained on."""
    cells: list[Cell]
    """In the order of the corpora."""
    experiments: list[str]
    """Name of each seed's experiment."""

    def cell(self, corpus: str) -> Cell | None:
        """The scores on a corpus; None where it was not tested on."""
        return next((cell for cell in self.cells if cell.corpus == corpus), None)


class CrossMatrix(BaseModel, frozen=True, extra="forbid"):
    """cross.json, or cross_baseline.json."""

    model: Literal["network", "baseline"]
    corpora: list[str]
    labels: list[str]
    seeds: list[int]
    rows: list[Row]
    protocols: list[str]
    """One line for each way of training."""
    failed: dict[str, str]
    """Experiment that failed → why; its row is over the other seeds, or missing."""

    def mean_uar(self, row: Row) -> float | None:
        """Mean UAR over the corpora of which no speaker was trained on; None where there is none."""
        scores = [cell.uar for cell in row.cells if not cell.within]
        return sum(scores) / len(scores) if scores else None
