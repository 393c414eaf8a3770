"""The page's tables of the corpus: clips and audio by class."""

from dataclasses import dataclass

import pandas as pd

from pipeline.protocol.splits import SPLITS
from pipeline.runs.workspace import Workspace


@dataclass(frozen=True)
class Audio:
    """Length of the clips of one class, and how much of it is speech."""

    label: str
    """Name of the class, or "All"."""
    clips: int
    """Number of clips that became features."""
    total_s: float
    """Length of all clips."""
    mean_s: float
    """Mean length of a clip."""
    speech_share: float
    """Fraction of the length that is speech; NaN without clips."""
    silent: int
    """Number of clips in which no speech was found."""
    rejected: int
    """Number of clips that a stage has rejected."""


def clip_table(workspace: Workspace) -> list[tuple[str, list[int]]]:
    """Number of clips, of speakers, and of clips per label, each in train, val, test and in total."""
    manifest = workspace.manifest
    parts = [manifest[manifest["split"] == split] for split in SPLITS]
    parts.append(manifest)
    rows = [("Clips", [len(part) for part in parts])]
    rows.append(("Speakers", [part.loc[part["speaker"] != "", "speaker"].nunique() for part in parts]))
    return rows + [
        (label, [int((part["label"] == label).sum()) for part in parts])
        for label in workspace.run.evaluation.labels
    ]


def audio_table(workspace: Workspace) -> list[Audio]:
    """Length, speech and rejects per label and in total; empty where there are no feature shards."""
    if workspace.audio is None:
        return []
    label_of = dict(zip(workspace.manifest["clip_id"], workspace.manifest["label"], strict=True))
    rejected = workspace.rejects["clip_id"].map(label_of).fillna("")
    rows = [
        _audio(label, workspace.audio[workspace.audio["label"] == label], int((rejected == label).sum()))
        for label in workspace.run.evaluation.labels
    ]
    return [*rows, _audio("All", workspace.audio, len(rejected))]


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
