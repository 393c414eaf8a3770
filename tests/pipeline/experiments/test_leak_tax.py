"""`ser leak-tax`: the same clips under two splits with all else equal."""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurize.errors import ShardError, SplitError
from featurize.shards import Row, Shard, write_shard
from model.batches import Features
from model.feature_splits import SplitLoader
from pipeline.cli import main
from pipeline.experiments.leak_tax import leak_tax, load_originals, shuffle_splits, split_by_speaker
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.split_params import SPLITS, SplitParams
from tests.pipeline.made_up import make_card, make_summary

ROOT = Path(__file__).resolve().parents[3]


@given(
    clips=st.lists(st.tuples(st.sampled_from(SPLITS), st.integers(0, 3)), max_size=60), seed=st.integers(0, 9)
)
def test_shuffled_splits_keep_sizes_and_classes(clips: list[tuple[str, int]], seed: int) -> None:
    splits, labels = [split for split, _ in clips], [label for _, label in clips]
    assigned = shuffle_splits(splits, labels, seed)
    assert Counter(zip(assigned, labels, strict=True)) == Counter(clips)
    assert shuffle_splits(splits, labels, seed) == assigned


def test_shuffled_splits_depend_on_the_seed() -> None:
    splits = ["train"] * 60 + ["test"] * 20
    assigned = [shuffle_splits(splits, [0] * 80, seed) for seed in (0, 1)]
    assert assigned[0] != assigned[1]
    assert 0 < assigned[0][:60].count("test") < 20


def contents(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def test_both_trainings_are_named_and_no_file_is_changed(
    small_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(
        "network: {attention_heads: 1, conv_channels: [8], lstm_hidden: 8, lstm_layers: 1}\ntrain: {batch_size: 4}\n"
    )
    before = contents(small_run.root)
    reports = tmp_path / "reports"
    arguments = [
        "--params",
        params,
        "--data",
        small_run.data,
        "--reports",
        reports,
        "--epochs",
        1,
        "--seed",
        3,
    ]
    with pytest.raises(SystemExit) as left:
        main(["leak-tax", *map(str, arguments)])
    assert not left.value.code
    assert contents(small_run.root) == before
    assert [path.name for path in reports.iterdir()] == ["leak_tax.json"]
    result = json.loads((reports / "leak_tax.json").read_text())
    random, apart = result["random"], result["speaker_independent"]
    assert result["leak_tax"] == random["uar"] - apart["uar"]
    assert (result["epochs"], result["seed"]) == (1, 3)
    assert random["clips"] == apart["clips"] == {"train": 12, "val": 4, "test": 4}
    assert apart["speakers_in_two_splits"] == 0 < random["speakers_in_two_splits"]
    text = capsys.readouterr().out
    assert f"leak tax             {result['leak_tax']:+.3f}" in text
    for arm, kind in (
        (random, "SPEAKER-DEPENDENT, assigned at random with seed 3"),
        (apart, "speaker-independent, fold 1 of 5"),
    ):
        assert kind in arm["protocol"]
        assert f"test UAR {arm['uar']:.3f}   {arm['protocol']}" in text


def with_columns(small_run: Any, folder: Path, **changed: Any) -> Path:
    """The run's features with other columns, in a folder of their own."""
    source = Shard(next((small_run.data / "features").glob("*.h5")))
    rows = []
    for index in range(len(source)):
        columns = {**source.fields(index), **{name: make(index) for name, make in changed.items()}}
        rows.append(Row(columns, source.data(index), source.segments(index)))
    write_shard(folder / "features" / "part-00000.h5", "mfcc", rows, source.attributes)
    (folder / "manifest.json").write_bytes((small_run.data / "manifest.json").read_bytes())
    return folder


def test_augmented_copies_are_left_out(small_run: Any, tmp_path: Path) -> None:
    data = with_columns(small_run, tmp_path, augmentation=lambda index: "pitch+2" if index % 2 else "")
    labels = json.loads((data / "manifest.json").read_text())["labels"]
    assert len(load_originals(SplitLoader(data, labels))) == 10
    whole = load_originals(SplitLoader(small_run.data, labels))
    assert len(whole) == 20
    assert Counter(whole.columns["split"].tolist()) == {"train": 12, "val": 4, "test": 4}


def test_a_corpus_without_speakers_is_an_error(small_run: Any, tmp_path: Path) -> None:
    data = with_columns(small_run, tmp_path, speaker=lambda _: "")
    params = small_run.params
    with pytest.raises(SplitError, match=r"20 of 20 clips have no speaker .*add a column speaker") as error:
        leak_tax(params.network, params.train, params.split, data, tmp_path / "reports")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "reports").exists()


def test_missing_features_are_an_error(small_run: Any, tmp_path: Path) -> None:
    params = small_run.params
    shutil.copy(small_run.data / "manifest.json", tmp_path)
    with pytest.raises(ShardError, match="no shards"):
        leak_tax(params.network, params.train, params.split, tmp_path, tmp_path)


def test_features_that_share_speakers_are_split_again() -> None:
    clips = [(f"s{n % 8}", SPLITS[n % 3], n % 2) for n in range(48)]
    columns = {
        "clip_id": np.array([f"c{n}" for n in range(48)], dtype=object),
        "speaker": np.array([speaker for speaker, _, _ in clips], dtype=object),
        "gender": np.array([""] * 48, dtype=object),
        "split": np.array([split for _, split, _ in clips], dtype=object),
    }
    # Both classes of every speaker.
    labels = np.array([n // 8 % 2 for n in range(48)])
    features = Features({"mfcc": [np.zeros((1, 1), np.float32)] * 48}, labels, columns)
    summary = make_summary(make_card(labels=["a", "b"]))
    splits, folds, fold = split_by_speaker(features, SplitParams(method="random", fold=2, folds=4), summary)
    assert (folds, fold) == (FoldScheme(kind="dealt", number=4), 2)
    assert set(splits) == set(SPLITS)
    found = {(speaker, split) for (speaker, _, _), split in zip(clips, splits, strict=True)}
    assert len(found) == 8
