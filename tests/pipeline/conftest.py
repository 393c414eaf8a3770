"""One small run through all stages, shared by the tests."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from featurize.denoise import DenoiseParams
from model.network.tier1 import NetworkParams
from model.training.hyperparameters import TrainParams
from pipeline.corpora import CorpusParams, DemoParams
from pipeline.params import Params
from tests.pipeline.made_up import write_noise_corpus


@dataclass(frozen=True)
class SmallRun:
    """Folders and parameters of a run on a few synthetic clips with a toy network."""

    root: Path
    params: Params

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def reports(self) -> Path:
        return self.root / "reports"


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    from pipeline.stages.corpus import corpus
    from pipeline.stages.denoise import denoise
    from pipeline.stages.evaluate import evaluate
    from pipeline.stages.featurize import featurize
    from pipeline.stages.manifest import manifest
    from pipeline.stages.report import report
    from pipeline.stages.train import train

    root = tmp_path_factory.mktemp("run")
    demo = root / "data" / "raw" / "demo"
    params = Params(
        corpus=CorpusParams(root=demo, demo=DemoParams(voices=5, sentences=1)),
        denoise=DenoiseParams(model="none"),
        network=NetworkParams(attention_heads=1, conv_channels=(8,), lstm_hidden=8, lstm_layers=1),
        train=TrainParams(epochs=2, validate_every=1, batch_size=4, warmup_epochs=1.0),
    )
    run = SmallRun(root, params)
    corpus(params.corpus, demo)
    manifest(params.corpus, params.labels, params.split, run.data)
    denoise(params.denoise, run.data, run.reports, params.corpus.max_reject_fraction, load=params.corpus.load)
    featurize(params.vad, params.mfcc, run.data, run.reports, params.corpus.max_reject_fraction)
    train(params.network, params.train, run.data, run.checkpoints, run.reports)
    evaluate(run.data, run.checkpoints, run.reports)
    report(run.data, run.reports)
    return run


@pytest.fixture
def noise_corpus() -> Callable[..., pd.DataFrame]:
    """Writes noise clips of different lengths and their manifest."""
    return write_noise_corpus
