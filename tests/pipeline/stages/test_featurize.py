"""Stage featurize: features from shards equal those of Tier 0 for one file."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from featurize.augment import AugmentParams
from featurize.denoise import DenoiseParams
from featurize.errors import RejectsError, ShardError
from featurize.mfcc import MfccParams
from featurize.shards import Row, Shard, list_shards, write_shard
from featurize.tier0 import Tier0Params, tier0
from featurize.vad import VadParams
from featurize.vad_network import input_speech, load_vad
from pipeline.extraction import grouping, loading
from pipeline.extraction.workers import LocalEngine
from pipeline.stages.denoise import denoise
from pipeline.stages.featurize import featurize
from tests.pipeline.made_up import manifest_row, write_manifest


def test_features_are_those_of_the_reference(small_run: Any) -> None:
    shard = Shard(list_shards(small_run.data / "features")[0])
    assert len(shard) == 20
    for row in range(0, len(shard), 4):
        fields = shard.fields(row)
        reference = tier0(fields["path"], small_run.params.tier0)
        np.testing.assert_array_equal(shard.segments(row), reference.segments)
        np.testing.assert_array_equal(shard.data(row), reference.mfcc.T.numpy())
        assert fields["has_speech"] == reference.has_speech
        assert fields["duration_s"] == len(reference.waveform) / 16_000


def written(data: Path, paths: list[Path]) -> list[str]:
    """A manifest over clips, one speaker each, all in train; their hashes."""
    emotion = {"emotion": "x", "label": "x"}
    rows = [
        manifest_row(n, path, clip_id=f"t/{path.stem}", speaker=path.stem, **emotion)
        for n, path in enumerate(paths)
    ]
    return write_manifest(data, rows)["sha256"].tolist()


def rows_by_hash(folder: Path) -> dict[str, tuple[Shard, int]]:
    shards = [Shard(path) for path in list_shards(folder)]
    return {str(key): (shard, row) for shard in shards for row, key in enumerate(shard.columns["sha256"])}


def test_behind_a_denoiser_features_are_those_of_the_reference_in_any_company(
    shared: Path, ravdess_clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a shout that the denoiser erases, with workers, another order, and rows that are taken over."""
    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 2)
    (shout,) = (shared / "corpora" / "ravdess").rglob("03-01-06-02-02-02-24.flac")
    paths = [shout, *ravdess_clips[:3]]
    augment = AugmentParams(copies=1, methods=("stretch",))

    def run(engine: LocalEngine | None = None) -> None:
        denoise(DenoiseParams(), tmp_path, tmp_path / "reports", 0.0, engine=engine)
        featurize(VadParams(), MfccParams(), tmp_path, tmp_path / "reports", 0.0, augment, engine)

    network = load_vad()
    for clips, engine in ((paths[1:], None), (paths, LocalEngine(2)), (paths[::-1], None)):
        keys = written(tmp_path, clips)
        run(engine)
        waveforms, features = (rows_by_hash(tmp_path / name) for name in ("denoised", "features"))
        for path, key in zip(clips, keys, strict=True):
            reference = tier0(path)
            shard, row = waveforms[key]
            start, probabilities = input_speech(reference.waveform, network)
            assert shard.fields(row)["sound_from"] == start
            np.testing.assert_array_equal(shard.input_speech(row), probabilities)
            shard, row = features[key]
            np.testing.assert_array_equal(shard.segments(row), reference.segments)
            np.testing.assert_array_equal(shard.data(row), reference.mfcc.T.numpy())
            copy = next(
                i for i in range(len(shard)) if shard.fields(i)["clip_id"].startswith(f"t/{path.stem}#")
            )
            assert len(shard.segments(copy)) == len(reference.segments) > 0


def test_other_rules_denoise_nothing_and_find_speech_in_both(
    ravdess_clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = written(tmp_path, ravdess_clips[:1])
    denoise(DenoiseParams(), tmp_path, tmp_path / "reports", 0.0)
    monkeypatch.setattr(loading, "load_audio", None)
    denoise(DenoiseParams(), tmp_path, tmp_path / "reports", 0.0)
    params = VadParams(threshold=0.8, pad_ms=0)
    featurize(params, MfccParams(), tmp_path, tmp_path / "reports", 0.0)
    shard, row = rows_by_hash(tmp_path / "features")[key]
    np.testing.assert_array_equal(
        shard.segments(row), tier0(ravdess_clips[0], Tier0Params(vad=params)).segments
    )


def test_denoised_shards_without_the_speech_of_the_input_are_one_clear_error(
    ravdess_clips: list[Path], tmp_path: Path
) -> None:
    written(tmp_path, ravdess_clips[:1])
    denoise(DenoiseParams(), tmp_path, tmp_path / "reports", 0.0)
    (path,) = list_shards(tmp_path / "denoised")
    shard = Shard(path)
    fields = {name: value for name, value in shard.fields(0).items() if name != "sound_from"}
    step = json.loads(shard.attributes["denoise_step"])
    del step["vad_network"]
    attributes = shard.attributes | {"denoise_step": json.dumps(step)}
    expected = shard.input_speech(0).tolist()
    write_shard(path, "waveform", [Row(fields, shard.data(0))], attributes)
    with pytest.raises(
        ShardError, match=r"part-00000\.h5: .* without the speech of the input; run `ser denoise`"
    ):
        featurize(VadParams(), MfccParams(), tmp_path, tmp_path / "reports", 0.0)
    denoise(DenoiseParams(), tmp_path, tmp_path / "reports", 0.0)  # makes it anew
    assert Shard(path).input_speech(0).tolist() == expected


def test_the_shard_says_how_it_was_made(small_run: Any) -> None:
    attributes = Shard(list_shards(small_run.data / "features")[0]).attributes
    tier0_params = Tier0Params.model_validate(json.loads(attributes["tier0"]))
    assert tier0_params == small_run.params.tier0
    assert json.loads(attributes["denoiser"]) == {"name": "none", "sha256": "", "trained_on": []}
    (maker,) = json.loads(attributes["makers"]).values()
    assert {"torch", "torchaudio", "silero-vad"} <= maker["versions"].keys()
    assert maker["device"] == "cpu"


def test_without_vad_whole_clips_become_features(small_run: Any, tmp_path: Path) -> None:
    shutil.copytree(small_run.data / "denoised", tmp_path / "denoised")
    params = VadParams(method="none")
    featurize(params, MfccParams(), tmp_path, tmp_path / "reports", 0.0)
    shard = Shard(tmp_path / "features" / "part-00000.h5")
    assert json.loads(shard.attributes["tier0"])["vad"]["method"] == "none"
    reference = tier0(shard.fields(0)["path"], Tier0Params(denoise=DenoiseParams(model="none"), vad=params))
    assert shard.segments(0).tolist() == [[0, len(reference.waveform)]]
    np.testing.assert_array_equal(shard.data(0), reference.mfcc.T.numpy())


def without_speech(data: Path, oddities: Path) -> None:
    """One clip of a barking dog and one that Silero takes for speech, as waveform shards."""
    dog, _ = soundfile.read(oddities / "dog-bark-no-speech.ogg", dtype="int16")
    row = Row({"clip_id": "dog", "path": "dog.ogg", "sha256": "0" * 64, "split": "test", "peak": 1.0}, dog)
    attributes = {"denoise": "{}", "denoiser": "{}", "sample_rate": "16000"}
    write_shard(data / "denoised" / "part-00000.h5", "waveform", [row], attributes)


def test_a_clip_without_speech_is_kept_whole_and_flagged(
    tmp_path: Path, oddities: Path, caplog: pytest.LogCaptureFixture
) -> None:
    without_speech(tmp_path, oddities)
    caplog.set_level("INFO")
    featurize(VadParams(threshold=0.95), MfccParams(), tmp_path, tmp_path / "reports", 0.0)
    shard = Shard(tmp_path / "features" / "part-00000.h5")
    assert not shard.fields(0)["has_speech"]
    assert len(shard.segments(0)) == 0
    assert len(shard.data(0)) == 1 + round(shard.fields(0)["duration_s"] * 16_000) // 160
    assert "1 clip without speech, kept whole, and flagged: dog" in caplog.text
    assert "features: train 0 clips, val 0 clips, test 1 clip" in caplog.text


def test_the_log_counts_copies_apart_and_names_only_clips(
    noise_corpus: Callable[..., pd.DataFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noise_corpus(tmp_path, 3, seconds=0.3)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    caplog.set_level("INFO")
    copies = AugmentParams(copies=2)
    featurize(VadParams(threshold=0.99), MfccParams(), tmp_path, tmp_path / "reports", 0.0, copies)
    assert "features: train 3 clips + 6 augmented copies, val 0 clips, test 0 clips" in caplog.text
    assert "3 clips without speech, kept whole, and flagged: t/0, t/1, t/2\n" in caplog.text


def test_a_clip_without_speech_is_rejected_where_params_say_so(tmp_path: Path, oddities: Path) -> None:
    without_speech(tmp_path, oddities)
    with pytest.raises(RejectsError, match=r"1 no-speech, the first dog\.ogg: no speech found"):
        featurize(
            VadParams(threshold=0.95, if_no_speech="reject"),
            MfccParams(),
            tmp_path,
            tmp_path / "reports",
            0.5,
        )
    rejects = pd.read_csv(tmp_path / "features" / "rejects.csv")
    assert rejects.to_dict("records")[0]["reason"] == "no-speech"


def test_a_damaged_waveform_shard_is_named(small_run: Any, tmp_path: Path) -> None:
    shutil.copytree(small_run.data / "denoised", tmp_path / "denoised")
    path = tmp_path / "denoised" / "part-00000.h5"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ShardError, match=r"part-00000\.h5: damaged"):
        featurize(VadParams(), MfccParams(), tmp_path, tmp_path / "reports", 0.0)
