"""A checkpoint is only scored on the data that it was trained for."""

import json
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import CheckpointError, ShardError
from featurize.shards import Row, Shard, list_shards, write_shard
from model.checkpoint import load_checkpoint
from pipeline.protocol.card import DataCard, differing_fields, digest
from pipeline.protocol.data_card import check_checkpoint, data_card, shared_provenance
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.manifest_summary import ManifestSummary, read_summary
from pipeline.protocol.provenance import this_maker
from pipeline.protocol.wording import describe_mixture
from pipeline.runs.best_checkpoint import best_checkpoint

CKPT = Path("best.pt")


@pytest.fixture(scope="module")
def trained(small_run: Any) -> dict[str, Any]:
    """`args` of a checkpoint."""
    return load_checkpoint(best_checkpoint(small_run.checkpoints))[1]


@pytest.fixture(scope="module")
def made(small_run: Any) -> dict[str, Any]:
    return shared_provenance(list_shards(small_run.data / "features"))


@pytest.fixture(scope="module")
def summary(small_run: Any) -> ManifestSummary:
    return read_summary(small_run.data / "manifest.json")


@pytest.fixture(scope="module")
def data(small_run: Any, summary: ManifestSummary, made: dict[str, Any]) -> DataCard:
    return data_card(summary, list_shards(small_run.data / "features"), made)


def test_a_checkpoint_fits_the_data_it_was_trained_on(
    trained: dict[str, Any], data: DataCard, made: dict[str, Any]
) -> None:
    card = check_checkpoint(CKPT, trained, data, made)
    assert dict(card).items() >= dict(data).items()
    assert card.model_dump(mode="json") == trained["protocol"]


def test_shards_of_an_older_version_are_one_line(
    small_run: Any, summary: ManifestSummary, made: dict[str, Any], tmp_path: Path
) -> None:
    shard = Shard(list_shards(small_run.data / "features")[0])
    fields = {name: value for name, value in shard.fields(0).items() if name != "dominance"}
    path = tmp_path / "part-00000.h5"
    write_shard(path, "mfcc", [Row(fields, shard.data(0))], shard.attributes)
    with pytest.raises(ShardError, match=r"without the column dominance; run denoise and featurize again"):
        data_card(summary, [path], made)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpus": "ravdess"}, "(corpus: demo, here ravdess)"),
        ({"files_sha256": "f" * 64}, "here ffffffff"),
        ({"label_set": "map"}, "(label set: four, here map)"),
        ({"split": "random"}, "(split by: speaker, here random)"),
        ({"folds": FoldScheme(kind="loso", number=5)}, "(folds: 5, here 5 (one speaker each))"),
        ({"fold": 2}, "(fold: 1, here 2)"),
        ({"clips_sha256": "0" * 64}, "clips of each split"),
        ({"denoiser": "dns64", "denoiser_sha256": "a" * 64}, "(denoiser: none, here dns64)"),
        ({"denoiser_sha256": "a" * 64}, "here aaaaaaaa"),
        ({"steps": {"mfcc": "99"}}, "version of step"),
    ],
)
def test_other_data_are_refused_in_one_line(
    change: dict[str, Any], message: str, trained: dict[str, Any], data: DataCard, made: dict[str, Any]
) -> None:
    with pytest.raises(CheckpointError) as refused:
        check_checkpoint(CKPT, trained, data.model_copy(update=change), made)
    text = str(refused.value)
    assert text.startswith("best.pt: trained for other data")
    assert message in text
    assert "\n" not in text


def test_speakers_it_was_trained_on_are_named(
    trained: dict[str, Any], data: DataCard, made: dict[str, Any]
) -> None:
    speakers = data.speakers
    moved = {**speakers, "test": [*speakers["test"], speakers["train"][0], speakers["val"][0]]}
    seen = ", ".join(sorted(f"{data.corpus}/{speakers[split][0]}" for split in ("train", "val")))
    other = data.model_copy(update={"fold": 2, "speakers": moved})
    with pytest.raises(CheckpointError, match=f"a leak: .* {seen}"):
        check_checkpoint(CKPT, trained, other, made)


def test_another_tier_0_is_named_by_its_parameters(
    trained: dict[str, Any], data: DataCard, made: dict[str, Any]
) -> None:
    tier0 = {**made["tier0"], "mfcc": {**made["tier0"]["mfcc"], "n_mfcc": 20}}
    other = data.model_copy(update={"tier0_sha256": digest(tier0)})
    with pytest.raises(CheckpointError, match=r"Tier 0, mfcc\.n_mfcc: 40, here 20"):
        check_checkpoint(CKPT, trained, other, {**made, "tier0": tier0})


def test_a_checkpoint_without_a_card_is_refused(
    trained: dict[str, Any], data: DataCard, made: dict[str, Any]
) -> None:
    with pytest.raises(CheckpointError, match="protocol card: `corpus` is missing; train again"):
        check_checkpoint(CKPT, {**trained, "protocol": {}}, data, made)


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


def test_augmented_copies_are_no_clips(
    small_run: Any, tmp_path: Path, summary: ManifestSummary, data: DataCard, made: dict[str, Any]
) -> None:
    """The same clips, and copies of them that any count would notice."""
    paths = rewritten(small_run, tmp_path, augmentation=lambda fields: "")
    shard = Shard(paths[0])
    copies = [
        Row({**shard.fields(k), "clip_id": f"copy{k}", "augmentation": "pitch+2"}, shard.data(k))
        for k in (0, 1)
    ]
    write_shard(tmp_path / "part-99999.h5", "mfcc", copies, shard.attributes)
    assert data_card(summary, list_shards(tmp_path), made) == data


def test_features_of_another_split_are_refused(
    small_run: Any, tmp_path: Path, summary: ManifestSummary, made: dict[str, Any]
) -> None:
    turn = {"train": "val", "val": "test", "test": "train"}
    paths = rewritten(small_run, tmp_path, split=lambda fields: turn[fields["split"]])
    with pytest.raises(ShardError, match=r"is in split .*, but not in manifest\.json's"):
        data_card(summary, paths, made)


def test_test_speakers_of_the_denoisers_training_are_named(
    small_run: Any, summary: ManifestSummary, data: DataCard, made: dict[str, Any]
) -> None:
    tested = data.speakers["test"][0]
    provenance = {**made, "denoiser": {**made["denoiser"], "trained_on": [f"demo/{tested}", "demo/other"]}}
    card = data_card(summary, list_shards(small_run.data / "features"), provenance)
    assert card.denoiser_heard_test_speakers == [f"demo/{tested}"]


def test_steps_and_makers_come_from_the_shards(
    small_run: Any, tmp_path: Path, summary: ManifestSummary, data: DataCard, made: dict[str, Any]
) -> None:
    """Rows of which one was taken over from a run on another device."""
    assert data.steps.keys() == {"load", "vad", "mfcc"}  # nothing was denoised
    assert data.made_by == {stage: [this_maker("cpu")] for stage in ("denoise", "featurize")}
    taken = this_maker("cpu").model_copy(update={"device": "cuda"})
    (path,) = list_shards(small_run.data / "features")
    shard = Shard(path)
    first = shard.fields(0)["clip_id"]
    (changed,) = rewritten(
        small_run,
        tmp_path,
        denoised_by=lambda f: taken.digest if f["clip_id"] == first else f["denoised_by"],
    )
    rows = [Row(Shard(changed).fields(k), shard.data(k), shard.segments(k)) for k in range(len(shard))]
    makers = json.loads(shard.attributes["makers"]) | {taken.digest: taken.model_dump()}
    write_shard(changed, "mfcc", rows, shard.attributes | {"makers": json.dumps(makers)})
    card = data_card(summary, [changed], made)
    assert sorted(maker.device for maker in card.made_by["denoise"]) == ["cpu", "cuda"]
    assert card.made_by["featurize"] == [this_maker("cpu")]
    assert "2 devices or versions (denoise: " in describe_mixture(card)
    assert not differing_fields(data, card, "data")


def test_shards_of_different_versions_do_not_belong_together(small_run: Any, tmp_path: Path) -> None:
    (path,) = list_shards(small_run.data / "features")
    shard = Shard(path)
    step = json.dumps(json.loads(shard.attributes["mfcc_step"]) | {"version": "0"})
    rows = [Row(shard.fields(0), shard.data(0), shard.segments(0))]
    write_shard(tmp_path / "other.h5", "mfcc", rows, shard.attributes | {"mfcc_step": step})
    with pytest.raises(ShardError, match=r"other\.h5 were made with different settings"):
        shared_provenance([path, tmp_path / "other.h5"])
