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
from pipeline.stages.denoise import denoise
from pipeline.stages.featurize import featurize


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
    with pytest.raises(RejectsError, match=r"'no-speech', first dog\.ogg: no speech found"):
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
