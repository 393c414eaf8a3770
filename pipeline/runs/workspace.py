"""The files of all stages in data/ and reports/, as types."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from featurize.errors import SerError
from featurize.shards import Shard
from pipeline.protocol.findings import Audit
from pipeline.protocol.manifest_file import read_manifest
from pipeline.protocol.manifest_summary import ManifestSummary, read_summary
from pipeline.protocol.typed_json import Model, parse_json
from pipeline.rejects import Reject, read_rejects
from pipeline.runs.cross_matrix import CrossMatrix
from pipeline.runs.evaluated_run import WORKSPACE, Run, read_folder
from pipeline.runs.evaluation import Robustness

BASELINE = Path("baseline")
"""Folder of the baseline in the folder of reports."""
ROBUSTNESS = Path("robustness", "robustness.json")
"""Path in the folder of reports. Its folder is in git, since the stage `report` depends on it even when it is empty."""
CROSS = (Path("cross", "cross.json"), Path("cross", "cross_baseline.json"))
"""Likewise, of the network and of the baseline."""
REJECTS = {"manifest": Path(), "denoise": Path("denoised"), "featurize": Path("features")}
"""Stages that write a rejects.csv, and the folder in data/ that it is in."""


@dataclass(frozen=True)
class Curve:
    """One metric over training."""

    steps: NDArray[np.float64]
    """(num_points,) epochs."""
    values: NDArray[np.float64]
    """(num_points,); NaN or infinite values leave a gap in the plot."""


@dataclass(frozen=True)
class Workspace:
    """One run, from its manifest to its scores."""

    run: Run
    manifest: pd.DataFrame
    summary: ManifestSummary
    rejects: pd.DataFrame
    """Columns stage, clip_id, path, reason, detail."""
    curves: dict[str, dict[str, Curve]]
    """By metric, then by split."""
    audio: pd.DataFrame | None
    """Columns clip_id, label, split, duration_s, speech_s, has_speech of every clip in data/features/; None without
    shards."""
    audit: Audit | None
    """None where there is no audit.json."""
    robustness: Robustness | None
    """None where `ser robustness` has not run."""
    baseline: Run | None
    """None where `ser baseline` has not run."""
    crosses: list[CrossMatrix]
    """Of the network and of the baseline, where `ser cross` has run."""


def read_workspace(data: Path, reports: Path) -> Workspace:
    """Read manifest, rejects, scores, predictions and training curves.

    Raises:
        SerError: a file is missing or damaged, or they are of different runs; the message names the stage to run.
    """
    return Workspace(
        run=read_folder(reports, WORKSPACE),
        manifest=read_manifest(data / "manifest.csv"),
        summary=read_summary(data / "manifest.json"),
        rejects=read_all_rejects(data),
        curves=_read_curves(reports / "training" / "plots" / "metrics"),
        audio=_read_audio(data / "features"),
        audit=_read_optional(data / "audit.json", Audit, "ser manifest"),
        robustness=_read_optional(reports / ROBUSTNESS, Robustness, "ser robustness"),
        baseline=_read_baseline(reports / BASELINE),
        crosses=[
            matrix
            for path in CROSS
            if (matrix := _read_optional(reports / path, CrossMatrix, "ser cross")) is not None
        ],
    )


def read_all_rejects(data: Path) -> pd.DataFrame:
    """The rejects of all stages that have run: columns stage, clip_id, path, reason, detail.

    Raises:
        SerError: the manifest stage's rejects.csv is missing, or one of them is damaged.
    """
    found = {stage: data / folder / "rejects.csv" for stage, folder in REJECTS.items()}
    rows = [
        (stage, *reject)
        for stage, path in found.items()
        if stage == "manifest" or path.exists()
        for reject in read_rejects(path, stage)
    ]
    return pd.DataFrame(rows, columns=["stage", *Reject._fields])


def _read_baseline(folder: Path) -> Run | None:
    return read_folder(folder, "baseline", "ser baseline") if (folder / "evaluation.json").exists() else None


def _read_optional(path: Path, model: type[Model], command: str) -> Model | None:
    """Parse a JSON file, or return None where there is no such file."""
    if not path.exists():
        return None
    return parse_json(model, path.read_bytes(), str(path), f"run `{command}` again")


def _read_curves(folder: Path) -> dict[str, dict[str, Curve]]:
    """Read DVCLive curves from folder/<split>/<metric>.tsv (columns step, <metric>); empty where there are none."""
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
    """Length and speech of every clip in the feature shards, without augmented copies; None without shards."""
    rows = []
    paths = sorted(folder.glob("*.h5"))
    for path in paths:
        shard = Shard(path, verify=False)  # `ser evaluate` has verified it
        rate = int(shard.attributes["sample_rate"])
        names = (shard.columns[name] for name in ("clip_id", "label", "split", "duration_s", "has_speech"))
        for row, (clip, label, split, duration_s, has_speech) in enumerate(zip(*names, strict=True)):
            if not ("augmentation" in shard.columns and shard.columns["augmentation"][row]):
                segments = shard.segments(row)  # (num_segments, 2)
                speech_s = float((segments[:, 1] - segments[:, 0]).sum()) / rate
                rows.append((clip, label, split, float(duration_s), speech_s, bool(has_speech)))
    columns = ["clip_id", "label", "split", "duration_s", "speech_s", "has_speech"]
    return pd.DataFrame(rows, columns=columns) if paths else None
