"""Only training clips have copies; copies are computed once, and follow their originals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from featurize.audio import dequantise
from featurize.augment import AugmentParams, augment
from featurize.errors import ParamsError
from featurize.mfcc import MfccParams, mfcc_40
from featurize.shards import Row, Shard, list_shards, write_shard
from featurize.vad import VadParams, find_speech, keep_segments
from featurize.vad_network import load_vad
from model.feature_splits import load_features
from pipeline.extraction import augmented as module
from pipeline.stages import featurize as stage
from pipeline.stages.featurize import featurize

ALL = ("stretch", "pitch", "noise")
TWO = AugmentParams(copies=2, methods=ALL)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is really computed: "mfcc" for each row, and the name of each copy."""
    done: list[str] = []

    def spy_mfcc(*args: Any, **kwargs: Any) -> Any:
        done.append("mfcc")
        return mfcc_40(*args, **kwargs)

    def spy_augment(*args: Any) -> Any:
        copy = augment(*args)
        done.append(copy.name)
        return copy

    monkeypatch.setattr(stage, "mfcc_40", spy_mfcc)
    monkeypatch.setattr(module, "augment", spy_augment)
    return done


@pytest.fixture
def data(small_run: Any, tmp_path: Path) -> Path:
    """The waveforms of six clips, two of each split."""
    source = Shard(list_shards(small_run.data / "denoised")[0])
    write_waveforms(tmp_path, source, ["train", "train", "val", "val", "test", "test"])
    return tmp_path


def write_waveforms(data: Path, source: Shard, splits: list[str]) -> None:
    rows = [Row({**source.fields(i), "split": split}, source.data(i)) for i, split in enumerate(splits)]
    write_shard(data / "denoised" / "part-00000.h5", "waveform", rows, source.attributes)


def run(data: Path, params: AugmentParams, vad: VadParams | None = None) -> Shard:
    featurize(vad or VadParams(), MfccParams(), data, data / "reports", 0.0, params)
    return Shard(data / "features" / "part-00000.h5")


def test_only_training_clips_have_copies_and_every_row_says_what_it_is(data: Path) -> None:
    shard = run(data, TWO)
    rows = [shard.fields(row) for row in range(len(shard))]
    originals = [row for row in rows if row["augmentation"] == ""]
    copied = [row for row in rows if row["augmentation"] != ""]
    assert [row["split"] for row in originals] == ["train", "train", "val", "val", "test", "test"]
    assert len(copied) == 4
    assert {row["split"] for row in copied} == {"train"}
    for row in copied:
        original = next(o for o in originals if o["clip_id"] == row["clip_id"].split("#")[0])
        assert row["clip_id"] == f"{original['clip_id']}#{row['augmentation']}"
        changed = {name for name in row if row[name] != original[name]}
        assert {"clip_id", "augmentation", "sha256"} <= changed
        assert changed <= {"clip_id", "augmentation", "sha256", "duration_s"}
    assert {row["voice"] for row in rows} == {""}
    assert len({row["clip_id"] for row in rows}) == len({row["sha256"] for row in rows}) == 10


def test_the_features_of_a_copy_are_those_of_its_waveform(data: Path) -> None:
    shard = run(data, TWO)
    source = Shard(data / "denoised" / "part-00000.h5")
    vad = load_vad()
    for number in (1, 2):
        fields = source.fields(0)
        waveform = dequantise(source.data(0), fields["peak"])
        name, _, copy = augment(waveform, fields["sha256"], number, TWO)
        scale = len(copy) / len(waveform)
        segments = [[round(edge * scale) for edge in pair] for pair in find_speech(waveform, vad).tolist()]
        segments = np.array(segments)
        assert shard.fields(number)["augmentation"] == name
        assert shard.fields(number)["duration_s"] == len(copy) / 16_000
        np.testing.assert_array_equal(shard.segments(number), segments)
        np.testing.assert_array_equal(shard.data(number), mfcc_40(keep_segments(copy, segments)).T.numpy())


def test_training_takes_all_and_the_other_splits_hold_no_copy(data: Path, small_run: Any) -> None:
    run(data, TWO)
    shards = list_shards(data / "features")
    labels = ["happy", "neutral", "sad", "angry"]
    assert len(load_features(shards, labels, "train")) == 6
    for split in ("val", "test"):
        features = load_features(shards, labels, split)
        assert len(features) == 2
        assert set(features.columns["augmentation"]) == {""}


def test_a_second_run_computes_nothing(data: Path, work: list[str]) -> None:
    first = run(data, TWO).path.read_bytes()
    assert work.count("mfcc") == 10
    work.clear()
    assert run(data, TWO).path.read_bytes() == first
    assert work == []


def test_an_original_is_converted_once_for_all_its_copies(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(data, AugmentParams(copies=0))
    converted: list[float] = []
    monkeypatch.setattr(stage, "dequantise", lambda *args: converted.append(args[1]) or dequantise(*args))
    run(data, AugmentParams(copies=4, methods=ALL))
    assert len(converted) == 2


def test_more_copies_cost_only_the_new_ones_and_fewer_cost_nothing(data: Path, work: list[str]) -> None:
    none = run(data, AugmentParams(copies=0)).path.read_bytes()
    work.clear()
    two = run(data, TWO).path.read_bytes()
    assert work.count("mfcc") == 4
    work.clear()
    run(data, AugmentParams(copies=3, methods=ALL))
    assert work.count("mfcc") == 2
    work.clear()
    assert run(data, TWO).path.read_bytes() == two
    assert run(data, AugmentParams(copies=0)).path.read_bytes() == none
    assert work == []


def test_another_augment_parameter_costs_the_copies_alone(data: Path, work: list[str]) -> None:
    run(data, TWO)
    work.clear()
    run(data, AugmentParams(copies=2, methods=ALL, snr_db=(0.0, 5.0)))
    assert work.count("mfcc") == 4


def test_copies_follow_their_original_into_train_and_out_of_it(
    data: Path, small_run: Any, work: list[str]
) -> None:
    run(data, TWO)
    source = Shard(list_shards(small_run.data / "denoised")[0])
    write_waveforms(data, source, ["test", "train", "train", "val", "val", "test"])
    work.clear()
    shard = run(data, TWO)
    assert work.count("mfcc") == 2
    of = [shard.fields(row)["clip_id"].split("#") for row in range(len(shard))]
    assert sorted(clip for clip, *copy in of if copy) == sorted(
        2 * [source.fields(1)["clip_id"], source.fields(2)["clip_id"]]
    )


def test_the_voices_of_a_speaker_are_found_again_until_the_speaker_is_another(
    data: Path, small_run: Any, work: list[str]
) -> None:
    params = AugmentParams(copies=2)
    first = run(data, params)
    source = Shard(data / "denoised" / "part-00000.h5")
    voices = [first.fields(row)["voice"] for row in (1, 2)]
    assert first.fields(0)["voice"] == ""
    speaker = f"{source.fields(0)['corpus']}/{source.fields(0)['speaker']}"
    waveform = dequantise(source.data(0), source.fields(0)["peak"])
    sha256 = source.fields(0)["sha256"]
    assert voices == [augment(waveform, sha256, n, params, None, speaker).voice for n in (1, 2)]
    work.clear()
    rows = [
        Row(
            {**source.fields(i), "speaker": "someone else" if i == 0 else source.fields(i)["speaker"]},
            source.data(i),
        )
        for i in range(len(source))
    ]
    write_shard(source.path, "waveform", rows, source.attributes)
    again = run(data, params)
    assert work.count("mfcc") == 2
    assert not {again.fields(row)["voice"] for row in (1, 2)} & set(voices)
    assert again.fields(4)["voice"] == first.fields(4)["voice"] == voices[0]  # found, and of the other clip


def test_a_changed_noise_folder_costs_the_copies_again(data: Path, work: list[str], tmp_path: Path) -> None:
    import soundfile

    noise = tmp_path / "noise"
    noise.mkdir()
    soundfile.write(noise / "a.wav", np.random.default_rng(0).normal(0, 0.1, 8000), 16_000)
    params = AugmentParams(copies=1, methods=("noise",), noise=str(noise))
    run(data, params)
    soundfile.write(noise / "a.wav", np.random.default_rng(1).normal(0, 0.1, 8000), 16_000)
    work.clear()
    run(data, params)
    assert work.count("mfcc") == 2


def test_a_noise_folder_that_is_not_there_stops_the_stage(data: Path) -> None:
    with pytest.raises(ParamsError, match=r"augment\.noise"):
        run(data, AugmentParams(copies=1, methods=ALL, noise=str(data / "absent")))


def test_copies_of_a_clip_without_speech_are_whole_and_say_so(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "find_speech", lambda *_: np.zeros((0, 2), dtype=np.int64))
    shard = run(data, TWO)
    rows = [shard.fields(row) for row in range(len(shard))]
    assert [row["has_speech"] for row in rows] == [False] * 10
    for number, row in enumerate(rows):
        assert len(shard.segments(number)) == 0
        assert len(shard.data(number)) == 1 + round(row["duration_s"] * 16_000) // 160
