"""What one run left behind, read back from its files and checked to belong together."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from featurize.errors import SerError
from featurize.shards import Shard
from pipeline.protocol.manifest_file import read_manifest, read_summary
from pipeline.runs.evaluation import Audit, Metrics, Robustness, first_fault

Model = TypeVar("Model", bound=BaseModel)

REJECTS = {"manifest": "rejects.csv", "denoise": "denoised/rejects.csv", "featurize": "features/rejects.csv"}


@dataclass(frozen=True)
class Curve:
    """One measured quantity over training.

    Shape:
        steps: (num_points,) step numbers. values: (num_points,); NaN or infinite points leave a gap.
    """

    steps: NDArray[np.float64]
    values: NDArray[np.float64]


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
    """predictions.csv; confidence and the probabilities are numbers, all else is text."""
    curves: dict[str, dict[str, Curve]]
    """By metric, then by split."""
    audio: pd.DataFrame | None = None
    """Columns clip_id, label, duration_s, speech_s of every clip in data/features/; None without shards."""
    audit: Audit | None = None
    """data/audit.json; None where no audit was made."""
    robustness: Robustness | None = None
    """reports/robustness.json; None where `ser robustness` has not run."""


def read_run(data: Path, reports: Path) -> Run:
    """Read manifest, rejects, metrics, predictions and training curves.

    Raises:
        SerError: a file is missing or damaged, or they are of different runs; says which stage to run.
    """
    metrics = _read_model(reports / "evaluation.json", Metrics, "ser evaluate")
    if metrics is None:
        raise SerError(f"{reports / 'evaluation.json'}: no metrics; run `ser evaluate` first")
    return Run(
        metrics=metrics,
        manifest=read_manifest(data / "manifest.csv"),
        summary=read_summary(data / "manifest.json"),
        rejects=_read_rejects(data),
        predictions=_read_predictions(reports / "predictions.csv", metrics),
        curves=_read_curves(reports / "training" / "plots" / "metrics"),
        audio=_read_audio(data / "features"),
        audit=_read_model(data / "audit.json", Audit, "ser manifest"),
        robustness=_read_model(reports / "robustness.json", Robustness, "ser robustness"),
    )


def _read_model(path: Path, model: type[Model], command: str) -> Model | None:
    """A JSON file as its type, or None where there is no such file."""
    try:
        return model.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise SerError(f"{path}: {first_fault(error)}; run `{command}` again") from error
    except ValueError as error:
        raise SerError(f"{path}: damaged ({error}); run `{command}` again") from error


def _read_predictions(path: Path, metrics: Metrics) -> pd.DataFrame:
    """The predictions that the metrics were computed from."""
    predictions = _read_table(path, ("clip_id", "speaker", "true_label", "pred_label"), "evaluate")
    strange = set(predictions["true_label"]) - set(metrics.labels)
    if len(predictions) != metrics.n_clips or strange:
        raise SerError(
            f"{path.parent}: predictions.csv and evaluation.json are of different runs ({len(predictions)} and "
            f"{metrics.n_clips} clips); run `ser evaluate` again"
        )
    for name in predictions.columns:
        if name == "confidence" or name.startswith("prob_"):
            numbers = pd.to_numeric(predictions[name], errors="coerce")
            if numbers.isna().any():
                raise SerError(f"{path}: column {name} does not hold numbers; run `ser evaluate` again")
            predictions[name] = numbers
    return predictions


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


def _read_audio(folder: Path) -> pd.DataFrame | None:
    """Length and speech of every clip in the feature shards, augmented copies left out; None without shards."""
    rows = []
    paths = sorted(folder.glob("*.h5"))
    for path in paths:
        shard = Shard(path, verify=False)  # `ser evaluate` has just read all of it
        rate = int(shard.attributes["sample_rate"])
        names = (shard.columns[name] for name in ("clip_id", "label", "duration_s"))
        for row, (clip, label, duration_s) in enumerate(zip(*names, strict=True)):
            if not ("augmentation" in shard.columns and shard.columns["augmentation"][row]):
                segments = shard.segments(row)  # (num_segments, 2)
                speech_s = float((segments[:, 1] - segments[:, 0]).sum()) / rate
                rows.append((clip, label, float(duration_s), speech_s))
    return pd.DataFrame(rows, columns=["clip_id", "label", "duration_s", "speech_s"]) if paths else None
