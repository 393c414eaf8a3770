"""One small run through every stage, shared by the tests that look at its parts."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from model.hyperparameters import TrainParams
from model.network import NetworkParams
from pipeline.corpora import CorpusParams, DemoParams
from pipeline.params import Params


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
        network=NetworkParams(attention_heads=1, conv_channels=(8,), lstm_hidden=8, lstm_layers=1),
        train=TrainParams(epochs=2, batch_size=4),
    )
    run = SmallRun(root, params)
    corpus(params.corpus, demo)
    manifest(params.corpus, params.labels, params.split, run.data)
    denoise(params.denoise, run.data, run.reports, params.corpus.max_reject_fraction)
    featurize(params.vad, params.mfcc, run.data, run.reports, params.corpus.max_reject_fraction)
    train(params.network, params.train, run.data, run.checkpoints, run.reports)
    evaluate(run.data, run.checkpoints, run.reports)
    report(run.data, run.reports)
    return run
