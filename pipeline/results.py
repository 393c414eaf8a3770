"""What one run left behind, read back from its files and checked to belong together."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, ValidationError, model_validator

from featurize.errors import SerError
from pipeline.manifest import read_manifest, read_summary
from pipeline.pictures import Curve

REJECTS = {"manifest": "rejects.csv", "denoise": "denoised/rejects.csv", "featurize": "features/rejects.csv"}


class ClassScore(BaseModel, frozen=True):
    """One class of evaluation.json."""

    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    support: int = Field(ge=0)


class Metrics(BaseModel, frozen=True):
    """evaluation.json as `ser evaluate` writes it; keys that the report does not know are left alone."""

    accuracy: float
    uar: float
    macro_f1: float | None = None
    per_class: dict[str, ClassScore]
    confusion: list[list[int]]
    """(num_classes, num_classes) clips, rows true, columns predicted."""
    labels: list[str] = Field(min_length=1)
    n_clips: int = Field(ge=1)
    temperature: float | None = None
    checkpoint: str = ""
    protocol: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_shape(self) -> "Metrics":
        if [len(row) for row in self.confusion] != [len(self.labels)] * len(self.labels):
            raise ValueError("the confusion matrix does not have one row and one column per label")
        return self


@dataclass(frozen=True)
class Run:
    """What one run left behind: its scores, its data and how it learned."""

    metrics: Metrics
    manifest: pd.DataFrame
    summary: dict[str, Any]
    """manifest.json."""
    rejects: pd.DataFrame
    """Columns stage, clip_id, path, reason, detail."""
    predictions: pd.DataFrame
    curves: dict[str, dict[str, Curve]]
    """By metric, then by split."""


def read_run(data: Path, reports: Path) -> Run:
    """Read manifest, rejects, metrics, predictions and training curves.

    Raises:
        SerError: a file is missing or damaged, or they are of different runs; says which stage to run.
    """
    metrics = _read_metrics(reports / "evaluation.json")
    predictions = _read_table(
        reports / "predictions.csv", ("clip_id", "speaker", "true_label", "pred_label"), "evaluate"
    )
    strange = set(predictions["true_label"]) - set(metrics.labels)
    if len(predictions) != metrics.n_clips or strange:
        raise SerError(
            f"{reports}: predictions.csv and evaluation.json are of different runs ({len(predictions)} and "
            f"{metrics.n_clips} clips); run `ser evaluate` again"
        )
    return Run(
        metrics=metrics,
        manifest=read_manifest(data / "manifest.csv"),
        summary=read_summary(data / "manifest.json"),
        rejects=_read_rejects(data),
        predictions=predictions,
        curves=_read_curves(reports / "training" / "plots" / "metrics"),
    )


def _read_metrics(path: Path) -> Metrics:
    try:
        return Metrics.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise SerError(f"{path}: no metrics; run `ser evaluate` first") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SerError(
            f"{path}: {where + ': ' if where else ''}{first['msg']}; run `ser evaluate` again"
        ) from error
    except ValueError as error:
        raise SerError(f"{path}: damaged ({error}); run `ser evaluate` again") from error


def _read_table(path: Path, columns: tuple[str, ...], stage: str) -> pd.DataFrame:
    """A CSV whose every cell is text, with at least these columns."""
    if not path.is_file():
        raise SerError(f"{path}: missing; run `ser {stage}` first")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except ValueError as error:
        raise SerError(
            f"{path}: damaged ({' '.join(str(error).split())}); run `ser {stage}` again"
        ) from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise SerError(f"{path}: no column {', '.join(missing)}; run `ser {stage}` again")
    return table


def _read_rejects(data: Path) -> pd.DataFrame:
    """The rejects of every stage that has listed any; the manifest stage always has."""
    columns = ("clip_id", "path", "reason", "detail")
    found = {
        stage: data / name for stage, name in REJECTS.items() if stage == "manifest" or (data / name).exists()
    }
    tables = [_read_table(path, columns, stage).assign(stage=stage) for stage, path in found.items()]
    return pd.concat(tables, ignore_index=True)


def _read_curves(folder: Path) -> dict[str, dict[str, Curve]]:
    """DVCLive curves, folder/<split>/<metric>.tsv with columns step and <metric>; empty without training."""
    curves: dict[str, dict[str, Curve]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        try:
            table = pd.read_csv(path, sep="\t", encoding="utf-8")
            steps, values = (table[name].to_numpy(np.float64) for name in ("step", path.stem))
        except (KeyError, ValueError) as error:
            raise SerError(f"{path}: not a DVCLive curve ({error}); run `ser train` again") from error
        if len(steps):
            split = path.parent.relative_to(folder).as_posix()
            curves.setdefault(path.stem, {})["" if split == "." else split] = Curve(steps, values)
    return curves
