"""Batches: padded clips, and splits loaded from shards."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from featurize.errors import ShardError, TrainingError
from featurize.shards import Row, write_shard
from model.batches import Features, evaluation_batches, make_batch
from model.feature_splits import load_features
from model.vote_shares import NO_AGREEMENT


def test_a_batch_is_padded_with_zeros_and_channels_first(
    toy_features: Callable[..., Features],
) -> None:
    features = toy_features(7, seed=0)
    batch = make_batch(features, np.array([4, 0, 6]))
    assert batch.frames["mfcc"].shape == (3, 4, max(len(features.views["mfcc"][i]) for i in (4, 0, 6)))
    for row, clip in enumerate((4, 0, 6)):
        length = len(features.views["mfcc"][clip])
        assert batch.num_frames["mfcc"][row] == length
        assert np.array_equal(batch.frames["mfcc"][row, :, :length].numpy(), features.views["mfcc"][clip].T)
        assert torch.all(batch.frames["mfcc"][row, :, length:] == 0)
    assert batch.labels.tolist() == [1, 0, 0]
    assert batch.index.tolist() == [4, 0, 6]


def test_evaluation_takes_each_clip_once_longest_first(toy_features: Callable[..., Features]) -> None:
    features = toy_features(20, seed=0)
    batches = list(evaluation_batches(features, 6))
    index = torch.cat([batch.index for batch in batches])
    assert sorted(index.tolist()) == list(range(20))
    lengths = torch.cat([batch.num_frames["mfcc"] for batch in batches])
    assert torch.equal(lengths, lengths.sort(descending=True).values)


def rows(names_and_splits: list[tuple[str, str]], start: int = 0) -> list[Row]:
    return [
        Row(
            {"clip_id": f"c{start + i}", "label": label, "split": split, "valence": 0.5},
            np.full((i + 2, 3), start + i, dtype=np.float32),
        )
        for i, (label, split) in enumerate(names_and_splits)
    ]


def test_features_of_a_split_come_from_all_shards_in_order_with_their_columns(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.h5", "mfcc", rows([("sad", "train"), ("happy", "val"), ("angry", "train")]), {})
    write_shard(tmp_path / "b.h5", "mfcc", rows([("happy", "test")], start=10), {})
    write_shard(tmp_path / "c.h5", "mfcc", rows([("happy", "train")], start=20), {})
    paths = [tmp_path / f"{name}.h5" for name in "abc"]
    features = load_features(paths, ["angry", "happy", "sad"], "train")
    assert features.labels.tolist() == [2, 0, 1]
    assert features.columns["clip_id"].tolist() == ["c0", "c2", "c20"]
    assert [clip[0, 0] for clip in features.views["mfcc"]] == [0, 2, 20]
    assert not any(clip.flags.owndata for clip in features.views["mfcc"])  # mapped, not copied
    assert make_batch(features, np.array([1, 2])).frames["mfcc"][0, 0].tolist() == [2, 2, 2, 2]
    assert features.num_frames.tolist() == [2, 4, 2]
    assert features.name(1) == "c2"
    assert len(load_features(paths, ["angry", "happy", "sad"], "elsewhere")) == 0
    assert len(load_features([], ["angry"], "train")) == 0


def test_an_unknown_label_a_waveform_shard_and_a_missing_one_are_named(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.h5", "mfcc", rows([("bored", "train"), ("odd", "test")]), {})
    with pytest.raises(TrainingError, match=r"a\.h5: label 'bored' is not among angry, sad"):
        load_features([tmp_path / "a.h5"], ["angry", "sad"], "train")
    waveform = Row({"label": "sad", "split": "train"}, np.zeros(4, dtype=np.int16))
    write_shard(tmp_path / "w.h5", "waveform", [waveform], {})
    with pytest.raises(TrainingError, match=r"w\.h5: holds waveform, not mfcc"):
        load_features([tmp_path / "w.h5"], ["sad"], "train")
    with pytest.raises(ShardError, match="no such shard"):
        load_features([tmp_path / "absent.h5"], ["sad"], "train")


def test_a_clip_without_a_name_has_a_number() -> None:
    assert Features({"mfcc": [np.zeros((2, 3), np.float32)]}, np.array([0])).name(0) == "clip 0"


def test_clips_without_agreement_are_loaded_on_request_only(tmp_path: Path) -> None:
    write_shard(
        tmp_path / "a.h5", "mfcc", rows([("sad", "train"), (NO_AGREEMENT, "train"), ("angry", "train")]), {}
    )
    paths, labels = [tmp_path / "a.h5"], ["angry", "sad"]
    assert load_features(paths, labels, "train").columns["clip_id"].tolist() == ["c0", "c2"]
    assert load_features(paths, labels, "train", no_agreement=True).labels.tolist() == [1, 2, 0]
