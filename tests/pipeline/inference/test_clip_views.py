"""A network that hears an encoder's frames: trained, evaluated, resumed and asked about single files."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from featurize.encoders.encoder import EncodeParams
from featurize.errors import CheckpointError, TrainingError, WeightsError
from featurize.noise import NoiseFolder
from model.network.tier1 import EncoderStreamParams
from pipeline.experiments.robustness import robustness
from pipeline.inference.predict import Predictor
from pipeline.protocol.manifest_file import read_manifest
from pipeline.protocol.provenance import this_maker
from pipeline.stages.encode import encode
from pipeline.stages.evaluate import evaluate
from pipeline.stages.train import train
from tests.featurize.encoders.toy_encoders import save_toy

SMALL = EncoderStreamParams(projection=8, attention_heads=1, conv_channels=(8,), lstm_hidden=8, lstm_layers=1)


@dataclasses.dataclass
class Run:
    """A run whose network has both views."""

    root: Path
    encoder: Path
    checkpoint: Path


@pytest.fixture(scope="module")
def fused(small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("fused")
    for name in ("manifest.csv", "manifest.json", "denoised", "features"):
        source = small_run.data / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / name)
    toy = save_toy(root / "toy", "whisper")
    encode(EncodeParams(model=str(toy), layers=(0, 2)), root, root / "reports", 0.0)
    network = small_run.params.network.model_copy(update={"views": ("mfcc", "encoder"), "encoder": SMALL})
    result = train(network, small_run.params.train, root, root / "checkpoints", root / "reports")
    evaluate(root, root / "checkpoints", root / "reports")
    return Run(root, toy, result.best_path)


def test_predictions_are_those_of_the_evaluation(fused: Run) -> None:
    lines = (fused.root / "reports" / "predictions.csv").read_text().splitlines()
    header, first = (line.split(",") for line in lines[:2])
    written = dict(zip(header, first, strict=True))
    manifest = read_manifest(fused.root / "manifest.csv").set_index("clip_id")
    predicted = Predictor(fused.checkpoint)(Path(manifest.loc[written["clip_id"], "path"]))
    assert predicted.label == written["pred_label"]
    assert predicted.confidence == pytest.approx(float(written["confidence"]), abs=1e-5)


def test_the_card_names_views_and_encoder(fused: Run) -> None:
    card = json.loads((fused.root / "reports" / "evaluation.json").read_text())["protocol"]
    assert card["views"] == ["mfcc", "encoder"]
    assert (card["encoder"]["name"], card["encoder"]["layers"]) == ("toy", [0, 2])
    made = this_maker("cpu").model_dump()
    assert card["made_by"] == {"denoise": [made], "featurize": [made], "encode": [made]}


def test_robustness_hears_the_same_views(fused: Run, shared: Path, tmp_path: Path) -> None:
    noise = shared / "noise" / "speech-commands"
    assert NoiseFolder(noise, "--noise").kinds
    result = robustness(fused.checkpoint, fused.root, tmp_path, noise, snrs_db=(10.0,))
    evaluation = json.loads((fused.root / "reports" / "evaluation.json").read_text())
    assert result.points[0].uar == pytest.approx(evaluation["uar"])


def test_an_encoder_that_has_moved_is_named_by_an_option(fused: Run, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(fused.encoder, moved)
    Predictor(fused.checkpoint, encoder=str(moved))
    with pytest.raises(WeightsError, match=r"needs toy: .*name its folder with --encoder") as error:
        Predictor(fused.checkpoint, encoder=str(tmp_path / "nowhere"))
    assert "\n" not in str(error.value)


def test_another_encoder_is_refused(fused: Run, tmp_path: Path) -> None:
    other = save_toy(tmp_path / "other", "whisper", seed=1)
    with pytest.raises(WeightsError, match=r"trained on frames of toy \(sha256: .*those here are of other"):
        Predictor(fused.checkpoint, encoder=str(other))


def test_evaluation_refuses_frames_of_another_encoder(fused: Run, small_run: Any, tmp_path: Path) -> None:
    for name in ("manifest.json", "features"):
        source = fused.root / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    with pytest.raises(TrainingError, match=r"encodings: no shards.*run `ser encode`"):
        evaluate(tmp_path, fused.root / "checkpoints", tmp_path)
    shutil.copytree(fused.root / "denoised", tmp_path / "denoised")
    encode(EncodeParams(model=str(fused.encoder), layers=(1, 2)), tmp_path, tmp_path / "reports", 0.0)
    with pytest.raises(CheckpointError, match=r"trained on frames of toy \(layers: 0, 2, here 1, 2\)"):
        evaluate(tmp_path, fused.root / "checkpoints", tmp_path)
