"""The errors that the network was surest of, with what it heard: they teach more about a run than its score."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from featurize.shards import Shard

MAX_MISTAKES = 12
MAX_SOUND_S = 30.0  # of one clip; the page would weigh too much with longer ones
LEAD_S = 0.5  # before the speech, where a long clip is cut


@dataclass(frozen=True)
class Sound:
    """What the network heard of a clip: its denoised waveform, cut where the clip is very long.

    Shape:
        waveform: (num_samples,) int16. speech: (num_segments, 2) [start, end) in samples of `waveform`.
    """

    waveform: NDArray[np.int16]
    speech: NDArray[np.int64]
    sample_rate: int
    start_s: float
    """Where `waveform` begins in the clip."""
    clip_s: float
    """Length of the whole clip."""


@dataclass(frozen=True)
class Mistake:
    """A test clip that the network got wrong."""

    clip_id: str
    speaker: str
    gender: str
    true_label: str
    pred_label: str
    confidence: float
    true_probability: float
    sound: Sound | None
    """None where data/denoised and data/features do not hold the clip."""


def find_mistakes(predictions: pd.DataFrame, data: Path, most: int = MAX_MISTAKES) -> list[Mistake]:
    """The wrong predictions of highest confidence, the surest first.

    Args:
        predictions: rows of predictions.csv with numeric `confidence` and `prob_<label>`.
        data: folder with denoised/ and features/.
        most: at most so many.

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
    """Waveforms out of data/denoised/ and speech segments out of data/features/, for the clips that both hold."""
    wanted = set(clip_ids)
    waveforms = {clip: (shard, row) for clip, shard, row in _rows(data / "denoised", wanted)}
    sounds = {}
    for clip, shard, row in _rows(data / "features", wanted & set(waveforms)):
        source, place = waveforms[clip]
        rate = int(source.attributes["sample_rate"])
        sounds[clip] = cut_sound(source.data(place), shard.segments(row), rate)
    return sounds


def _rows(folder: Path, wanted: set[str]) -> Iterable[tuple[str, Shard, int]]:
    """Clip, shard and row of the wanted clips that a folder holds; augmented copies have names of their own."""
    for path in sorted(folder.glob("*.h5")) if wanted else []:
        shard = Shard(path, verify=False)  # a dozen rows are wanted, not the whole file
        for row, clip in enumerate(shard.columns["clip_id"]):
            if clip in wanted:
                yield clip, shard, row


def cut_sound(
    waveform: NDArray[np.int16], speech: NDArray[np.int64], sample_rate: int, max_s: float = MAX_SOUND_S
) -> Sound:
    """At most `max_s` of a clip, from shortly before its first speech."""
    most, length = int(max_s * sample_rate), len(waveform)
    start = 0
    if length > most:
        first = int(speech[0, 0]) if len(speech) else 0
        start = int(np.clip(first - LEAD_S * sample_rate, 0, length - most))
    part = np.array(waveform[start : start + most])
    inside = np.clip(speech - start, 0, len(part))
    return Sound(
        waveform=part,
        speech=inside[inside[:, 1] > inside[:, 0]],
        sample_rate=sample_rate,
        start_s=start / sample_rate,
        clip_s=length / sample_rate,
    )
