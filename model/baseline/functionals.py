"""Functionals: numbers that describe the course of a clip's frames, whatever its length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurize.errors import TrainingError
from model.baseline.baseline_params import Functional
from model.batches import Features
from model.network.normalisation import Group
from model.views import STAGE, View

PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Examples:
    """The clips of one split as functionals."""

    values: NDArray[np.float32]
    """(num_clips, L, F): F functionals of each of L hidden states; L is 1 without the view "encoder"."""
    labels: NDArray[np.int64]
    """(num_clips,) classes."""


def functionals(frames: NDArray[Any], names: Sequence[Functional]) -> NDArray[np.float64]:
    """Functionals over time of each value of a frame.

    Args:
        frames: (num_frames, C), at least one frame.
        names: mean; std, the standard deviation (not corrected); percentiles, interpolated linearly; slope, of the
            straight line of least squares, per frame. With one frame, std and slope are 0.

    Returns:
        (K, C), in the order of the names; percentiles are five rows.
    """
    x = frames.astype(np.float64)
    parts: list[NDArray[np.float64]] = []
    for name in names:
        if name == "mean":
            parts.append(x.mean(axis=0)[None])
        elif name == "std":
            parts.append(x.std(axis=0)[None])
        elif name == "percentiles":
            parts.append(np.percentile(x, PERCENTILES, axis=0))
        else:
            time = np.arange(len(x)) - (len(x) - 1) / 2
            parts.append((time @ x / (float(time @ time) or 1.0))[None])  # 0 with one frame
    return np.concatenate(parts)


def make_examples(
    features: Features, split: str, view: View, names: Sequence[Functional], num_states: int = 1
) -> Examples:
    """The functionals of a split's clips, without augmented copies.

    Args:
        features: clips with frames of (num_frames, L * D).
        split: its name, for messages.
        view: of which functionals are taken.
        names: see `functionals`.
        num_states: L, the hidden states of a frame.

    Raises:
        TrainingError: no clips, a clip without frames or with another number of values, or values that are not finite.
    """
    rows = _originals(features, split)
    clips = features.views[view]
    width = clips[int(rows[0])].shape[-1]
    values = []
    for row in rows.tolist():
        frames = clips[row]
        if frames.ndim != 2 or frames.shape[1] != width or len(frames) == 0:
            raise TrainingError(
                f"{features.name(row)}: features of shape {frames.shape}, not (frames, {width}); "
                f"run {STAGE[view]} again"
            )
        found = functionals(frames, names)  # (K, L * D)
        if not np.isfinite(found).all():
            raise TrainingError(
                f"{features.name(row)}: features hold NaN or infinite values; run {STAGE[view]} again"
            )
        of_states = found.reshape(len(found), num_states, -1).transpose(1, 0, 2)  # (L, K, D)
        values.append(of_states.reshape(num_states, -1).astype(np.float32))
    return Examples(np.stack(values), features.labels[rows])


def known_examples(features: Features, split: str, values_of: Mapping[str, NDArray[np.float32]]) -> Examples:
    """The clips of a split whose functionals are known, without augmented copies.

    Args:
        features: the clips.
        split: its name, for messages.
        values_of: (F,) of each clip, by the SHA-256 of its audio.

    Raises:
        TrainingError: no clips, or a clip whose functionals are not known.
    """
    rows = _originals(features, split)
    values = []
    for row, sha256 in zip(rows.tolist(), features.columns["sha256"][rows].tolist(), strict=True):
        if (found := values_of.get(sha256)) is None:
            raise TrainingError(
                f"{features.name(row)}: has no functionals; choose another baseline.view, or leave the clip out"
            )
        values.append(found[None])
    return Examples(np.stack(values), features.labels[rows])


def _originals(features: Features, split: str) -> NDArray[np.int64]:
    rows = np.flatnonzero(features.original)
    if len(rows) == 0:
        raise TrainingError(f"the {split} split is empty; choose another fold or label set")
    return rows


def centre_groups(examples: Examples, groups: NDArray[Any], by: Group) -> Examples:
    """Subtract from each clip the mean functionals of all clips of its speaker, or corpus, in this split.

    This uses all clips of a test speaker before the first is classified: it is transductive.

    Args:
        examples: of one split.
        groups: (num_clips,) names of the speakers or corpora, none of them empty.
        by: what they are.

    Raises:
        TrainingError: a name is empty.
    """
    if not all(groups):
        raise TrainingError(f"baseline.normalisation {by} needs the {by} of every clip; choose global")
    values = examples.values.copy()
    for group in set(groups.tolist()):
        own = groups == group
        values[own] -= values[own].mean(axis=0, dtype=np.float64).astype(np.float32)
    return Examples(values, examples.labels)
