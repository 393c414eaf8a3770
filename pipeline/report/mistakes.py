"""The wrong predictions of highest confidence, with the audio that the network was given."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from featurize.shards import Shard

MAX_MISTAKES = 12
MAX_SOUND_S = 30.0
"""Longer clips are cut, since all audio is embedded in the page."""
LEAD_S = 0.5
"""A cut clip starts this long before its first speech."""


@dataclass(frozen=True)
class Sound:
    """The denoised waveform of a clip, cut where the clip is very long."""

    waveform: NDArray[np.int16]
    """(num_samples,)."""
    segments: NDArray[np.int64]
    """(num_segments, 2) speech segments, [start, end) in samples of `waveform`."""
    sample_rate: int
    """In Hz."""
    start_s: float
    """Where `waveform` begins in the clip."""
    clip_s: float
    """Length of the whole clip."""


@dataclass(frozen=True)
class Mistake:
    """A test clip with a wrong prediction."""

    clip_id: str
    speaker: str
    """Empty where unknown."""
    gender: str
    """Empty where unknown."""
    true_label: str
    pred_label: str
    confidence: float
    """Probability of `pred_label`."""
    true_probability: float
    """Probability of `true_label`."""
    sound: Sound | None
    """None where data/denoised and data/features do not hold the clip."""


def find_mistakes(predictions: pd.DataFrame, data: Path, most: int = MAX_MISTAKES) -> list[Mistake]:
    """The wrong predictions of highest confidence, the most confident first.

    Args:
        predictions: rows of predictions.csv with numeric `confidence` and `prob_<label>`.
        data: folder with denoised/ and features/.
        most: the largest number to return.

    Raises:
        ShardError: a shard is damaged.
    """
    wrong = predictions[predictions["true_label"] != predictions["pred_label"]]
    surest = wrong.sort_values(["confidence", "clip_id"], ascending=[False, True]).head(most)
    rows: list[dict[Any, Any]] = surest.to_dict("records")
    sounds = find_sounds(data, [row["clip_id"] for row in rows])
    return [
        Mistake(
            clip_id=row["clip_id"],
            speaker=row["speaker"],
            gender=row["gender"],
            true_label=row["true_label"],
            pred_label=row["pred_label"],
            confidence=row["confidence"],
            true_probability=row[f"prob_{row['true_label']}"],
            sound=sounds.get(row["clip_id"]),
        )
        for row in rows
    ]


def find_sounds(data: Path, clip_ids: Iterable[str]) -> dict[str, Sound]:
    """Read waveforms from data/denoised/ and segments from data/features/, for the clips that are in both."""
    wanted = set(clip_ids)
    waveforms = {clip: (shard, row) for clip, shard, row in _rows(data / "denoised", wanted)}
    sounds = {}
    for clip, shard, row in _rows(data / "features", wanted & set(waveforms)):
        source, place = waveforms[clip]
        rate = int(source.attributes["sample_rate"])
        sounds[clip] = cut_sound(source.data(place), shard.segments(row), rate)
    return sounds


def _rows(folder: Path, wanted: set[str]) -> Iterable[tuple[str, Shard, int]]:
    """Clip, shard and row of the wanted clips in a folder; augmented copies have other clip ids, so none matches."""
    for path in sorted(folder.glob("*.h5")) if wanted else []:
        shard = Shard(path, verify=False)  # only a dozen rows are read, not the whole file
        for row, clip in enumerate(shard.columns["clip_id"]):
            if clip in wanted:
                yield clip, shard, row


def cut_sound(
    waveform: NDArray[np.int16], segments: NDArray[np.int64], sample_rate: int, max_s: float = MAX_SOUND_S
) -> Sound:
    """Cut a clip to at most `max_s`, starting shortly before its first speech."""
    most, length = int(max_s * sample_rate), len(waveform)
    start = 0
    if length > most:
        first = int(segments[0, 0]) if len(segments) else 0
        start = int(np.clip(first - LEAD_S * sample_rate, 0, length - most))
    part = np.array(waveform[start : start + most])
    inside = np.clip(segments - start, 0, len(part))
    return Sound(
        waveform=part,
        segments=inside[inside[:, 1] > inside[:, 0]],
        sample_rate=sample_rate,
        start_s=start / sample_rate,
        clip_s=length / sample_rate,
    )
