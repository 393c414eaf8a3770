"""The protocol card is a guard against leaks: a checkpoint is scored on the data it was trained for, or not at all."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import CheckpointError, ShardError
from featurize.shards import Row, Shard, list_shards, write_shard
from model.checkpoint import load_checkpoint
from pipeline.protocol import provenance
from pipeline.protocol.card import (
    check_card,
    data_card,
    describe,
    differences,
    fingerprint,
    shared_provenance,
)
from pipeline.protocol.manifest_file import read_summary
from pipeline.stages.evaluate import best_checkpoint
from pipeline.stages.train import NORMALISATIONS

CKPT = Path("best.pt")


@pytest.fixture(scope="module")
def trained(small_run: Any) -> dict[str, Any]:
    """`args` of a checkpoint."""
    return load_checkpoint(best_checkpoint(small_run.checkpoints))[1]


@pytest.fixture(scope="module")
def made(small_run: Any) -> dict[str, Any]:
    return shared_provenance(list_shards(small_run.data / "features"))


@pytest.fixture(scope="module")
def data(small_run: Any, made: dict[str, Any]) -> dict[str, Any]:
    return data_card(
        read_summary(small_run.data / "manifest.json"), list_shards(small_run.data / "features"), made
    )


def test_a_checkpoint_fits_the_data_it_was_trained_on(trained: Any, data: Any, made: Any) -> None:
    check_card(CKPT, trained, data, made)
    card = trained["protocol"]
    assert card.items() >= data.items()
    assert {"seed", "split_seed", "val", "code", "versions", "device"} <= card.keys()
    assert card["versions"].keys() >= {"python", "torch"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpus": "ravdess"}, "(corpus: demo, here ravdess)"),
        ({"files_sha256": "f" * 64}, "here ffffffff"),
        ({"label_set": "map"}, "(label set: four, here map)"),
        ({"split": "random"}, "(split by: speaker, here random)"),
        ({"folds": "loso"}, "(folds: 5, here loso)"),
        ({"fold": 2}, "(fold: 1, here 2)"),
        ({"clips_sha256": "0" * 64}, "clips of each split"),
        ({"denoiser": "dns64", "denoiser_sha256": "a" * 64}, "(denoiser: none, here dns64)"),
        ({"denoiser_sha256": "a" * 64}, "here aaaaaaaa"),
    ],
)
def test_other_data_are_refused_in_one_line(
    change: dict[str, Any], message: str, trained: Any, data: Any, made: Any
) -> None:
    with pytest.raises(CheckpointError) as refused:
        check_card(CKPT, trained, {**data, **change}, made)
    text = str(refused.value)
    assert text.startswith("best.pt: trained for other data")
    assert message in text
    assert "\n" not in text


def test_speakers_it_was_trained_on_are_named(trained: Any, data: Any, made: Any) -> None:
    speakers = data["speakers"]
    moved = {**speakers, "test": [*speakers["test"], speakers["train"][0], speakers["val"][0]]}
    heard = ", ".join(sorted([speakers["train"][0], speakers["val"][0]]))
    with pytest.raises(CheckpointError, match=f"a leak: it has heard test speakers {heard}"):
        check_card(CKPT, trained, {**data, "fold": 2, "speakers": moved}, made)


def test_another_tier_0_is_told_by_its_parameters(trained: Any, data: Any, made: Any) -> None:
    tier0 = {**made["tier0"], "mfcc": {**made["tier0"]["mfcc"], "n_mfcc": 20}}
    with pytest.raises(CheckpointError, match=r"Tier 0, mfcc\.n_mfcc: 40, here 20"):
        check_card(CKPT, trained, {**data, "tier0_sha256": fingerprint(tier0)}, {**made, "tier0": tier0})


def test_a_checkpoint_without_a_card_is_refused(trained: Any, data: Any, made: Any) -> None:
    with pytest.raises(CheckpointError, match="does not tell `corpus`, so a leak cannot be ruled out"):
        check_card(CKPT, {**trained, "protocol": {}}, data, made)


def rewritten(small_run: Any, folder: Path, **columns: Any) -> list[Path]:
    """The feature shards once more, with columns changed by functions of a row's fields."""
    for path in list_shards(small_run.data / "features"):
        shard = Shard(path)
        rows = [
            Row(
                {**(fields := shard.fields(k)), **{name: f(fields) for name, f in columns.items()}},
                shard.data(k),
                shard.segments(k),
            )
            for k in range(len(shard))
        ]
        write_shard(folder / path.name, "mfcc", rows, shard.attributes)
    return list_shards(folder)


def test_augmented_copies_are_no_clips(small_run: Any, tmp_path: Path, data: Any, made: Any) -> None:
    """The same clips, and copies of them that any count would notice."""
    paths = rewritten(small_run, tmp_path, augmentation=lambda fields: "")
    shard = Shard(paths[0])
    copies = [
        Row({**shard.fields(k), "clip_id": f"copy{k}", "augmentation": "pitch+2"}, shard.data(k))
        for k in (0, 1)
    ]
    write_shard(tmp_path / "part-99999.h5", "mfcc", copies, shard.attributes)
    summary = read_summary(small_run.data / "manifest.json")
    assert data_card(summary, list_shards(tmp_path), made) == data


def test_features_of_another_split_are_refused(small_run: Any, tmp_path: Path, made: Any) -> None:
    turn = {"train": "val", "val": "test", "test": "train"}
    paths = rewritten(small_run, tmp_path, split=lambda fields: turn[fields["split"]])
    with pytest.raises(ShardError, match=r"is in split .*, but not in manifest\.json's"):
        data_card(read_summary(small_run.data / "manifest.json"), paths, made)


def test_a_denoiser_that_has_heard_a_test_speaker_is_told(
    small_run: Any, data: Any, made: Any, trained: Any
) -> None:
    tested = data["speakers"]["test"][0]
    heard = {**made, "denoiser": {**made["denoiser"], "trained_on": [f"demo/{tested}", "demo/somebody-else"]}}
    shards = list_shards(small_run.data / "features")
    card = data_card(read_summary(small_run.data / "manifest.json"), shards, heard)
    assert card["denoiser_heard_test_speakers"] == [f"demo/{tested}"]
    assert "HAS HEARD 1 OF THE TEST SPEAKERS" in describe({**trained["protocol"], **card})


def test_one_line_says_what_a_score_is_worth(trained: Any) -> None:
    card = trained["protocol"]
    assert describe(card).startswith(f"demo (synthetic) {card['files_sha256'][:8]}, 4 classes, speaker-indep")
    assert "seeds 0 (split) and 0 (training)" in describe(card)
    assert "SPEAKER-DEPENDENT" in describe({**card, "speaker_independent": False})
    assert "TRANSDUCTIVE" not in describe(card)
    assert "TRANSDUCTIVE (normalised by speaker)" in describe(
        {**card, "normalisation": NORMALISATIONS["speaker"]}
    )
    assert "4 classes (1 WITHOUT TEST CLIPS)" in describe({**card, "untested_labels": ["sad"]})


def test_differences_are_dotted_and_tell_absence() -> None:
    one = {"a": 1, "b": {"c": 2, "d": [1]}, "e": {}}
    other = {"a": 1, "b": {"c": 3, "d": [1]}, "f": {"g": 4}}
    assert differences(one, other) == [("b.c", 2, 3), ("f.g", None, 4)]
    assert differences(one, one) == []


def test_the_code_is_named_by_its_commit_and_says_where_it_was_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert " " not in provenance.code_version()
    source = tmp_path / "a.py"
    source.write_text("1")
    identity = ["-c", "user.name=x", "-c", "user.email=x"]
    for command in (["init", "-q"], ["add", "a.py"], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    version, commit = provenance.code_version().split(" ", 1)
    assert len(commit) == 12
    (tmp_path / "params.yaml").write_text("not code")
    assert provenance.code_version() == f"{version} {commit}"
    source.write_text("2")
    assert provenance.code_version() == f"{version} {commit} with edits"
