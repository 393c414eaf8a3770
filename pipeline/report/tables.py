"""The page's tables of the corpus: clips, audio and clips without speech by class."""

from dataclasses import dataclass

import pandas as pd

from model.vote_shares import NO_AGREEMENT
from pipeline.protocol.split_params import SPLITS
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


@dataclass(frozen=True)
class Silence:
    """Clips of one class in which no speech was found, kept or rejected."""

    label: str
    """Name of the class, or "All"."""
    parts: list[tuple[int, int]]
    """Clips without speech, and all clips: in train, val, test and in total."""

    @property
    def share(self) -> float:
        """Of all clips of the class; NaN without clips."""
        silent, clips = self.parts[-1]
        return silent / clips if clips else float("nan")


UNEVEN = 0.05
"""Difference between the shares of two classes from which the page says why it matters."""


def clip_table(workspace: Workspace) -> list[tuple[str, list[int]]]:
    """Number of clips, of speakers, and of clips per label, each in train, val, test and in total."""
    manifest = workspace.manifest
    parts = [manifest[manifest["split"] == split] for split in SPLITS]
    parts.append(manifest)
    rows = [("Clips", [len(part) for part in parts])]
    rows.append(("Speakers", [part.loc[part["speaker"] != "", "speaker"].nunique() for part in parts]))
    return rows + [
        (label, [int((part["label"] == label).sum()) for part in parts]) for label in _labels(workspace)
    ]


def _labels(workspace: Workspace) -> list[str]:
    """The classes, and "no agreement" where that is one in training."""
    undecided = (workspace.manifest["label"] == NO_AGREEMENT).any()
    return [*workspace.run.evaluation.labels, *[NO_AGREEMENT] * bool(undecided)]


def audio_table(workspace: Workspace) -> list[Audio]:
    """Length, speech and rejects per label and in total; empty where there are no feature shards."""
    if workspace.audio is None:
        return []
    label_of = dict(zip(workspace.manifest["clip_id"], workspace.manifest["label"], strict=True))
    rejected = workspace.rejects["clip_id"].map(label_of).fillna("")
    rows = [
        _audio(label, workspace.audio[workspace.audio["label"] == label], int((rejected == label).sum()))
        for label in _labels(workspace)
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
        silent=int((~clips["has_speech"].astype(bool)).sum()),
        rejected=rejected,
    )


def silence_table(workspace: Workspace) -> list[Silence]:
    """Clips without speech per label and in total; empty where there are no feature shards, or no such clip."""
    if workspace.audio is None:
        return []
    rejects = workspace.rejects
    rejected = rejects.loc[rejects["reason"] == "no-speech", "clip_id"]
    lost = workspace.manifest.loc[workspace.manifest["clip_id"].isin(rejected), ["label", "split"]]
    kept = workspace.audio[["label", "split", "has_speech"]]
    clips = pd.concat([kept, lost.assign(has_speech=False)], ignore_index=True).astype({"has_speech": bool})
    if clips["has_speech"].all():
        return []
    rows = [Silence(label, _silent_parts(clips[clips["label"] == label])) for label in _labels(workspace)]
    return [*rows, Silence("All", _silent_parts(clips))]


def _silent_parts(clips: pd.DataFrame) -> list[tuple[int, int]]:
    parts = [*(clips[clips["split"] == split] for split in SPLITS), clips]
    return [(int((~part["has_speech"]).sum()), len(part)) for part in parts]


def uneven(rows: list[Silence]) -> tuple[Silence, Silence] | None:
    """The classes with the smallest and the largest share of clips without speech, if these differ enough."""
    known = sorted((row for row in rows[:-1] if row.parts[-1][1]), key=lambda row: row.share)
    return (known[0], known[-1]) if known and known[-1].share - known[0].share >= UNEVEN else None
