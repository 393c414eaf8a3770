"""Options and parameters of the stage commands are passed on."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.extraction.engine import InProcess
from pipeline.extraction.workers import LocalEngine
from pipeline.locations import Url
from pipeline.params import Params

FOLDERS = ("--data", "d", "--reports", "r")


def test_corpus(reached: Any, params: Params) -> None:
    call = reached("pipeline.stages.corpus.corpus", "corpus", "--data", "d")
    assert call == {"params": params.corpus, "out": Path("d/raw/demo")}


def test_manifest(reached: Any, params: Params) -> None:
    call = reached("pipeline.stages.manifest.manifest", "manifest", "--data", "s3://b/d", "--workers", "3")
    engine = call.pop("engine")
    assert call == {
        "corpus": params.corpus,
        "labels": params.labels,
        "split": params.split,
        "data": Url("s3://b/d"),
        "audit_params": params.audit,
    }
    assert isinstance(engine, LocalEngine)
    assert engine.workers == 3


def test_denoise(reached: Any, params: Params) -> None:
    options = (*FOLDERS, "--device", "cuda:1", "--workers", "0")
    call = reached("pipeline.stages.denoise.denoise", "denoise", *options)
    assert isinstance(call.pop("engine"), InProcess)
    assert call == {
        "params": params.denoise,
        "data": Path("d"),
        "reports": Path("r"),
        "max_reject_fraction": 0.25,
        "device": "cuda:1",
        "load": params.corpus.load,
    }


def test_featurize(reached: Any, params: Params) -> None:
    call = reached("pipeline.stages.featurize.featurize", "featurize", *FOLDERS, "--workers", "2")
    engine = call.pop("engine")
    assert call == {
        "vad_params": params.vad,
        "mfcc_params": params.mfcc,
        "data": Path("d"),
        "reports": Path("r"),
        "max_reject_fraction": 0.25,
        "augment_params": params.augment,
    }
    assert engine.workers == 2


@pytest.mark.parametrize("resume", [True, False])
def test_train(reached: Any, params: Params, resume: bool) -> None:
    options = (*FOLDERS, "--checkpoints", "c", "--device", "cpu", *["--resume"] * resume)
    assert reached("pipeline.stages.train.train", "train", *options) == {
        "network_params": params.network,
        "params": params.train,
        "data": Path("d"),
        "checkpoints": Path("c"),
        "reports": Path("r"),
        "device": "cpu",
        "resume": resume,
    }


def test_evaluate(reached: Any) -> None:
    options = (*FOLDERS, "--checkpoints", "c", "--checkpoint", "c/best.pt", "--device", "cpu")
    assert reached("pipeline.stages.evaluate.evaluate", "evaluate", *options) == {
        "data": Path("d"),
        "checkpoints": Path("c"),
        "reports": Path("r"),
        "checkpoint": Path("c/best.pt"),
        "device": "cpu",
    }


def test_baseline(reached: Any, params: Params) -> None:
    call = reached("pipeline.stages.baseline.baseline", "baseline", *FOLDERS, "--workers", "3")
    engine = call.pop("engine")
    assert isinstance(engine, LocalEngine)
    assert engine.workers == 3
    assert call == {"params": params.baseline, "data": Path("d"), "reports": Path("r")}


def test_report(reached: Any) -> None:
    assert reached("pipeline.stages.report.report", "report", *FOLDERS) == {
        "data": Path("d"),
        "reports": Path("r"),
    }


def test_hardware_options_can_be_set_by_the_environment(
    reached: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_DEVICE", "cuda:7")
    monkeypatch.setenv("SER_WORKERS", "5")
    call = reached("pipeline.stages.denoise.denoise", "denoise")
    assert (call["device"], call["engine"].workers) == ("cuda:7", 5)


def test_another_file_of_parameters(reached: Any) -> None:
    Path("other.yaml").write_text("train: {lr: 0.5}")
    call = reached("pipeline.stages.train.train", "train", "--params", "other.yaml", "--device", "cpu")
    assert call["params"].lr == 0.5
