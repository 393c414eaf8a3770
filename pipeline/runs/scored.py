"""One evaluated run: of this workspace, of a folder, or of a DVC experiment, tag or commit."""

import io
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from featurize.errors import SerError
from pipeline.protocol.card import OWN, TASK, describe
from pipeline.runs.evaluation import first_fault

WORKSPACE = "workspace"
FILES = ("evaluation.json", "predictions.csv")
COLUMNS = ("clip_id", "speaker", "true_label", "pred_label", "card")


class Scores(BaseModel, frozen=True):
    """What is used here of evaluation.json."""

    uar: float
    accuracy: float
    macro_f1: float
    labels: list[str] = Field(min_length=2)
    n_clips: int
    per_class: dict[str, dict[str, Any]]
    missing_classes_note: str
    intervals: dict[str, Any] | None
    intervals_note: str
    calibration: dict[str, Any]
    params: dict[str, Any]
    protocol: dict[str, Any]
    card: str


@dataclass(frozen=True)
class ScoredRun:
    """Scores, and the predictions that they are of.

    Args:
        name: as the user gave it.
        scores: evaluation.json.
        predictions: one row a clip, every cell text, in order of clip_id.
    """

    name: str
    scores: Scores
    predictions: pd.DataFrame

    def classes(self, column: str) -> NDArray[np.int64]:
        """A column of labels as classes (n,)."""
        return self.predictions[column].map(self.scores.labels.index).to_numpy(np.int64)


def read_scored(name: str, reports: Path) -> ScoredRun:
    """Read a run and check that its files belong together.

    Args:
        name: "workspace", a folder that holds evaluation.json and predictions.csv, or what DVC knows as a revision.
        reports: where these files lie in the workspace, and in a revision.

    Raises:
        SerError: it is not there, damaged, without a protocol card, or its files are of different runs.
    """
    folder = reports if name == WORKSPACE else Path(name)
    here = name == WORKSPACE or folder.is_dir()
    evaluation, table = _read_folder(folder) if here else _read_revision(name, reports)
    scores = _parse_scores(name, evaluation)
    return ScoredRun(name, scores, _parse_predictions(name, table, scores))


def describe_scores(scores: Scores) -> str:
    """The scores that matter most, in one line."""
    interval = scores.intervals
    between = " ({:.3f} to {:.3f})".format(*interval["uar"]) if interval else ""
    ece = scores.calibration["after"]["ece"]
    return (
        f"UAR {scores.uar:.3f}{between}, accuracy {scores.accuracy:.3f}, "
        f"macro F1 {scores.macro_f1:.3f}, ECE {ece:.3f}"
    )


def summarise(run: ScoredRun) -> list[str]:
    """A run in lines of at most 80 columns: scores, recalls, doubts, protocol."""
    scores = run.scores
    recalls = ", ".join(
        f"{label} {'–' if each['recall'] is None else format(each['recall'], '.3f')}"
        for label, each in scores.per_class.items()
    )
    notes = [note for note in (scores.missing_classes_note, scores.intervals_note) if note]
    return fit_lines([describe_scores(scores), f"recall: {recalls}", *notes, describe(scores.protocol)])


def fit_lines(paragraphs: list[str]) -> list[str]:
    """Break paragraphs into lines of at most 80 columns; an empty one stays an empty line."""
    return [
        line
        for paragraph in paragraphs
        for line in textwrap.wrap(paragraph, 80, subsequent_indent="  ") or [""]
    ]


def _read_folder(folder: Path) -> tuple[bytes, bytes]:
    for file in FILES:
        if not (folder / file).is_file():
            raise SerError(f"{folder / file}: missing; run `ser evaluate` first, or name another run")
    evaluation, predictions = ((folder / file).read_bytes() for file in FILES)
    return evaluation, predictions


def _read_revision(name: str, reports: Path) -> tuple[bytes, bytes]:
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.scm import SCMError

    try:
        files = DVCFileSystem(rev=name)
        evaluation, predictions = (files.read_bytes((reports / file).as_posix()) for file in FILES)
    except (SCMError, NotDvcRepoError) as error:
        raise SerError(
            f"{name}: neither a folder, nor an experiment, tag or commit; see `dvc exp list -A`"
        ) from error
    except (DvcException, OSError) as error:
        raise SerError(
            f"{name}: {reports} of this revision cannot be read ({' '.join(str(error).split())[:120]}); "
            "`dvc pull` or `dvc exp apply` may bring it"
        ) from error
    return evaluation, predictions


def _parse_scores(name: str, content: bytes) -> Scores:
    try:
        scores = Scores.model_validate_json(content)
    except ValidationError as error:
        raise SerError(f"{name}: evaluation.json: {first_fault(error)}; run `ser evaluate` again") from error
    if missing := [key for key in (*TASK, *OWN) if key not in scores.protocol]:
        raise SerError(
            f"{name}: its protocol card does not tell `{missing[0]}`; run train and evaluate again"
        )
    return scores


def _parse_predictions(name: str, content: bytes, scores: Scores) -> pd.DataFrame:
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8")
    except ValueError as error:
        raise SerError(f"{name}: predictions.csv: {' '.join(str(error).split())}") from error
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise SerError(f"{name}: predictions.csv: no column {', '.join(missing)}; run `ser evaluate` again")
    strange = sorted({*table["true_label"], *table["pred_label"]} - set(scores.labels))
    if strange:
        raise SerError(
            f"{name}: predictions.csv is of another label set: {strange[0]!r} is not among {', '.join(scores.labels)}"
        )
    if len(table) != scores.n_clips or set(table["card"]) != {scores.card}:
        raise SerError(
            f"{name}: predictions.csv and evaluation.json are of different runs; run `ser evaluate` again"
        )
    if table["clip_id"].duplicated().any():
        twice = table.loc[table["clip_id"].duplicated(), "clip_id"].iloc[0]
        raise SerError(f"{name}: predictions.csv holds {twice} twice")
    return table.sort_values("clip_id", ignore_index=True)
