"""The errors of highest confidence, and the cut of long clips."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from featurize.shards import Row, write_shard
from pipeline.report.mistakes import cut_sound, find_mistakes

RATE = 100


def predictions() -> pd.DataFrame:
    rows = [
        ("a", "sad", "sad", 0.99, 0.99),
        ("b", "sad", "angry", 0.7, 0.2),
        ("c", "sad", "angry", 0.9, 0.05),
        ("d", "sad", "angry", 0.7, 0.3),
    ]
    table = pd.DataFrame(rows, columns=["clip_id", "true_label", "pred_label", "confidence", "prob_sad"])
    return table.assign(speaker="s", gender="")


def write_shards(data: Path, clips: list[str], folders: tuple[str, ...] = ("denoised", "features")) -> None:
    waveform, speech = np.arange(500, dtype=np.int16), np.array([[100, 200], [300, 350]])
    attributes = {"sample_rate": str(RATE)}
    rows = {
        "denoised": [Row({"clip_id": clip}, waveform + i) for i, clip in enumerate(clips)],
        "features": [Row({"clip_id": clip}, np.zeros((3, 2), np.float32), speech) for clip in clips],
    }
    for folder in folders:
        kind = "waveform" if folder == "denoised" else "mfcc"
        write_shard(data / folder / "part-00000.h5", kind, rows[folder], attributes)


def test_the_surest_come_first_and_right_answers_never(tmp_path: Path) -> None:
    found = find_mistakes(predictions(), tmp_path)
    assert [mistake.clip_id for mistake in found] == ["c", "b", "d"]
    assert found[0].true_probability == 0.05
    assert [mistake.clip_id for mistake in find_mistakes(predictions(), tmp_path, most=1)] == ["c"]


def test_each_mistake_gets_its_own_sound(tmp_path: Path) -> None:
    write_shards(tmp_path, ["c", "a", "d"])
    sounds = {mistake.clip_id: mistake.sound for mistake in find_mistakes(predictions(), tmp_path)}
    assert sounds["b"] is None
    assert sounds["c"] is not None
    assert sounds["d"] is not None
    assert (sounds["c"].waveform[0], sounds["d"].waveform[0]) == (0, 2)
    assert sounds["c"].segments.tolist() == [[100, 200], [300, 350]]
    assert sounds["c"].clip_s == 5.0


@pytest.mark.parametrize("folder", ["denoised", "features"])
def test_missing_shards_give_no_sounds(tmp_path: Path, folder: str) -> None:
    write_shards(tmp_path, ["b", "c", "d"], (folder,))
    assert all(mistake.sound is None for mistake in find_mistakes(predictions(), tmp_path))


@pytest.mark.parametrize(
    ("speech", "start", "kept"),
    [
        (
            [[800, 900]],
            750,
            [[50, 100]],
        ),  # from half a second before the speech, which goes on beyond the cut
        ([[10, 20], [90, 120], [400, 500]], 0, [[10, 20], [90, 100]]),
        ([[990, 1000]], 900, [[90, 100]]),  # not past the end
        ([], 0, []),
    ],
)
def test_a_long_clip_is_cut_around_its_speech(
    speech: list[list[int]], start: int, kept: list[list[int]]
) -> None:
    waveform = np.arange(1000, dtype=np.int16)
    sound = cut_sound(waveform, np.array(speech, dtype=np.int64).reshape(-1, 2), RATE, max_s=1.0)
    assert sound.waveform.tolist() == list(range(start, start + 100))
    assert sound.segments.tolist() == kept
    assert (sound.start_s, sound.clip_s) == (start / RATE, 10.0)
