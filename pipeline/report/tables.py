"""The page's tables: scores by speaker and gender, clips and audio by class."""

from dataclasses import dataclass

import pandas as pd

from pipeline.report.protocol_table import SPLITS
from pipeline.runs.results import Run


@dataclass(frozen=True)
class Group:
    """Scores of the test clips that a speaker, or a gender, has in common."""

    name: str
    gender: str
    clips: int
    accuracy: float
    uar: float
    """Mean recall over the classes that the group has."""
    recall: list[float | None]
    """In class order; None where the group has no clip of the class."""


@dataclass(frozen=True)
class Audio:
    """What a class sounds like from afar."""

    label: str
    clips: int
    total_s: float
    mean_s: float
    speech_share: float
    silent: int
    """Clips in which no speech was found."""
    rejected: int


def group_scores(predictions: pd.DataFrame, by: str, labels: list[str]) -> list[Group]:
    """Scores by the values of a column of predictions.csv, the hardest first."""
    table = predictions.assign(correct=(predictions["true_label"] == predictions["pred_label"]).astype(float))
    groups = []
    for name, clips in table.groupby(by, sort=True):
        recall = clips.groupby("true_label")["correct"].mean()
        genders: list[str] = list(clips["gender"].unique()) if "gender" in clips else []
        groups.append(
            Group(
                name=str(name) or "unknown",
                gender=(genders[0] if len(genders) == 1 else "") or "unknown",
                clips=len(clips),
                accuracy=float(clips["correct"].mean()),
                uar=float(recall.mean()),
                recall=[float(recall[label]) if label in recall else None for label in labels],
            )
        )
    return sorted(groups, key=lambda group: (group.uar, group.name))


def clip_table(run: Run) -> list[tuple[str, list[int]]]:
    """Clips, speakers and clips per label: a row's counts are for train, val, test and all of them."""
    manifest = run.manifest
    parts = [manifest[manifest["split"] == split] for split in SPLITS]
    parts.append(manifest)
    rows = [("Clips", [len(part) for part in parts])]
    rows.append(("Speakers", [part.loc[part["speaker"] != "", "speaker"].nunique() for part in parts]))
    return rows + [
        (label, [int((part["label"] == label).sum()) for part in parts]) for label in run.metrics.labels
    ]


def audio_table(run: Run) -> list[Audio]:
    """Length, speech and rejects per label, and of all; empty where there are no feature shards."""
    if run.audio is None:
        return []
    label_of = dict(zip(run.manifest["clip_id"], run.manifest["label"], strict=True))
    rejected = run.rejects["clip_id"].map(label_of).fillna("")
    rows = [
        _audio(label, run.audio[run.audio["label"] == label], int((rejected == label).sum()))
        for label in run.metrics.labels
    ]
    return [*rows, _audio("All", run.audio, len(rejected))]


def _audio(label: str, clips: pd.DataFrame, rejected: int) -> Audio:
    total_s = float(clips["duration_s"].sum())
    return Audio(
        label=label,
        clips=len(clips),
        total_s=total_s,
        mean_s=total_s / max(len(clips), 1),
        speech_share=float(clips["speech_s"].sum()) / total_s if total_s else float("nan"),
        silent=int((clips["speech_s"] == 0).sum()),
        rejected=rejected,
    )
