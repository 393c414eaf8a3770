"""One small run through every stage, shared by the tests that look at its parts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from featurize.denoise import DenoiseParams
from model.network.tier1 import NetworkParams
from model.training.hyperparameters import TrainParams
from pipeline.corpora import CorpusParams, DemoParams
from pipeline.params import Params
from pipeline.protocol.manifest_file import COLUMNS
from pipeline.stages.manifest import hash_audio


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
    """Makes so many clips of noise of different lengths in a folder, and a manifest over them."""

    def make(data: Path, number: int, seconds: float = 0.05, paths: str = "") -> pd.DataFrame:
        noise = np.random.default_rng(0)
        rows = []
        for index in range(number):
            path = data / "raw" / f"{index}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, noise.normal(0, 0.1, int(16_000 * seconds) + index), 16_000)
            place = f"{paths}/{path.name}" if paths else path
            values = (
                f"t/{index}",
                place,
                "",
                "",
                hash_audio(path),
                "t",
                "s",
                "",
                "happy",
                "happy",
                "",
                "",
                "train",
            )
            rows.append(dict(zip(COLUMNS, values, strict=True)))
        table = pd.DataFrame(rows)
        table.to_csv(data / "manifest.csv", index=False)
        return table

    return make
