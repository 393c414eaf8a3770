"""Predictions of a file equal those of its features in the shard; bad files do not stop the others."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from featurize.denoise import DenoiseParams
from featurize.errors import CheckpointError, WeightsError
from featurize.tier0 import Tier0Params
from model.checkpoint import load_checkpoint, save_checkpoint
from pipeline.inference.answers import Prediction
from pipeline.inference.predict import NO_SPEECH, STEPS, UNUSABLE, Predictor, predict
from pipeline.runs.best_checkpoint import best_checkpoint


@pytest.fixture(scope="module")
def predictor(small_run: Any) -> Predictor:
    return Predictor(best_checkpoint(small_run.checkpoints))


def test_a_file_gets_the_answer_of_the_evaluation(small_run: Any, predictor: Predictor) -> None:
    evaluated = pd.read_csv(small_run.reports / "predictions.csv")
    for row in evaluated.to_dict("records"):
        path = small_run.data / "raw" / f"{row['clip_id']}.wav"
        answer = predictor(path)
        assert answer.label == row["pred_label"]
        assert answer.confidence == pytest.approx(row["confidence"], abs=1e-5)
        assert answer.probabilities == pytest.approx(
            {label: row[f"prob_{label}"] for label in predictor.labels}, abs=1e-5
        )


def test_json_and_csv_say_the_same(
    small_run: Any, predictor: Predictor, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted((small_run.data / "raw" / "demo").rglob("*.wav"))[:2]
    assert predict(files, predictor, "json", pytest.fail) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert predict(files, predictor, "csv", pytest.fail) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["file"] for row in rows] == [one["file"] for one in objects] == [str(f) for f in files]
    for row, one in zip(rows, objects, strict=True):
        assert row["label"] == one["label"]
        assert {k: float(row[f"prob_{k}"]) for k in predictor.labels} == pytest.approx(one["probabilities"])


def test_a_bad_file_is_reported_and_the_others_are_predicted(
    small_run: Any, predictor: Predictor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = next((small_run.data / "raw" / "demo").rglob("*.wav"))
    complaints: list[str] = []
    assert predict([tmp_path / "absent.wav", good], predictor, "table", complaints.append) == UNUSABLE
    assert capsys.readouterr().out.startswith(f"{good}: ")
    assert len(complaints) == 1
    assert "absent.wav" in complaints[0]


def test_a_folder_and_standard_input_are_recordings_too(
    small_run: Any, predictor: Predictor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = next((small_run.data / "raw" / "demo").rglob("*.wav")).parent
    files = sorted(folder.iterdir())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(files[0].read_bytes())))
    complaints: list[str] = []
    absent = folder / "absent.wav"
    assert predict([folder, absent, "-"], predictor, "json", complaints.append) == UNUSABLE
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in answers] == [*map(str, files), "stdin"]
    assert answers[-1] == {**answers[0], "file": "stdin"}
    assert complaints == [f"{absent}: no such file"]


def test_a_recording_that_is_no_audio_goes_by_the_name_it_was_given(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "._a.wav").write_bytes(bytes.fromhex("00051607") + bytes(4092))
    for content, what in ((b"text", "not audio, but text"), (b"", "an empty file")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        complaints: list[str] = []
        assert predict([tmp_path / "._a.wav", "-"], predictor, "table", complaints.append) == UNUSABLE
        assert complaints[0].startswith(f"{tmp_path}/._a.wav: attributes that macOS keeps")
        assert complaints[1].startswith(f"stdin: {what}")


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError])
def test_a_recording_too_long_for_the_memory_costs_only_itself(
    error: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    class OutOfMemory:
        labels = ("a", "b")
        dimensions = ()

        def __call__(self, file: Path, *_: object) -> Prediction:
            if file.name == "long.wav":
                raise error
            return Prediction(str(file), "a", 1.0, {"a": 1.0, "b": 0.0}, True, False, "mono", {})

    complaints: list[str] = []
    files = ["long.wav", "short.wav"]
    assert predict(files, cast(Predictor, OutOfMemory()), "table", complaints.append) == UNUSABLE
    assert capsys.readouterr().out.startswith("short.wav: a 1.000")
    assert complaints == ["long.wav: too long for the memory of this machine; cut it into parts"]


def test_a_file_without_speech_has_no_emotion_by_default(
    predictor: Predictor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hum.wav"
    soundfile.write(path, 0.1 * np.sin(np.arange(32_000) * 0.05), 16_000)
    assert predict([path], predictor, "table", pytest.fail) == NO_SPEECH
    assert "no speech" in capsys.readouterr().out
    assert predict([path], predictor, "json", pytest.fail) == NO_SPEECH
    answer = json.loads(capsys.readouterr().out)
    assert (answer["label"], answer["confidence"], answer["speech_found"]) == (None, None, False)
    assert predict([path], predictor, "csv", pytest.fail) == NO_SPEECH
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["label"], row[f"prob_{predictor.labels[0]}"]) == ("", "")
    assert predict([path], predictor, "table", pytest.fail, keep_silence=True) == 0
    assert "no speech" in capsys.readouterr().out


def test_each_channel_has_an_answer(
    small_run: Any, predictor: Predictor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (soundfile.read(path)[0] for path in sorted((small_run.data / "raw" / "demo").rglob("*.wav"))[:2])
    length = min(len(a), len(b))
    both = tmp_path / "both.wav"
    soundfile.write(both, np.stack([a[:length], b[:length]], axis=1), 16_000)
    assert predict([both], predictor, "json", pytest.fail, channel="each") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["channel"] for answer in answers] == ["left", "right"]
    for samples, answer in zip((a, b), answers, strict=True):
        soundfile.write(tmp_path / "one.wav", samples[:length], 16_000)
        assert predictor(tmp_path / "one.wav").probabilities == pytest.approx(
            answer["probabilities"], abs=1e-6
        )


def test_without_a_checkpoint_weights_are_random_but_answers_complete(small_run: Any) -> None:
    good = next((small_run.data / "raw" / "demo").rglob("*.wav"))
    answer = Predictor(None, Tier0Params())(good)
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert list(answer.probabilities) == ["happy", "neutral", "sad", "angry"]
    assert answer.random_weights


def test_other_denoiser_weights_than_those_of_training_are_refused(small_run: Any, tmp_path: Path) -> None:
    network, args = load_checkpoint(best_checkpoint(small_run.checkpoints))
    path = tmp_path / "behind.pt"
    save_checkpoint(path, network, {**args, "denoiser": {"name": "dns64", "sha256": "f" * 64}})
    with pytest.raises(WeightsError, match="trained with denoiser dns64 ffffffffffff"):
        Predictor(path)


def test_another_version_of_the_denoising_package_is_refused(small_run: Any, tmp_path: Path) -> None:
    network, args = load_checkpoint(best_checkpoint(small_run.checkpoints))
    tier0 = {**args["tier0"], "denoise": {"model": "noisereduce"}}
    path = tmp_path / "behind.pt"
    save_checkpoint(
        path, network, {**args, "tier0": tier0, "denoiser": {"name": "noisereduce 0.1", "sha256": ""}}
    )
    with pytest.raises(
        WeightsError, match=r"trained with denoiser noisereduce 0\.1, but installed is noisereduce 3"
    ):
        Predictor(path)


def test_features_that_were_computed_otherwise_are_refused(small_run: Any, tmp_path: Path) -> None:
    network, args = load_checkpoint(best_checkpoint(small_run.checkpoints))
    card = args["protocol"]
    assert set(STEPS) >= set(card["steps"])
    path = tmp_path / "old.pt"
    for steps, token in (({"mfcc": "0"}, "version 0 of the step mfcc"), ({"pitch": "1"}, "pitch")):
        save_checkpoint(path, network, {**args, "protocol": {**card, "steps": steps}})
        with pytest.raises(CheckpointError, match=rf"old\.pt: .*{token}"):
            Predictor(path)
    save_checkpoint(path, network, {**args, "protocol": {}})
    with pytest.raises(CheckpointError, match=r"old\.pt: .*`corpus` is missing; train again"):
        Predictor(path)


def test_weights_that_cannot_be_had_are_one_error(tmp_path: Path) -> None:
    missing = Tier0Params(denoise=DenoiseParams(model="dns64", weights=str(tmp_path / "none.th")))
    with pytest.raises(WeightsError, match=r"none\.th"):
        Predictor(None, missing)
