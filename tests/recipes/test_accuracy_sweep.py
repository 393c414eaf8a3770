"""The sweep: variants have valid parameters, the last one has the defaults, and only missing runs are run."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from featurize.errors import ParamsError
from pipeline.params import Params
from recipes.accuracy import sweep as module
from recipes.accuracy.sweep import list_runs, sweep

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "accuracy"
LISTED = yaml.safe_load((RECIPE / "sweep.yaml").read_text(encoding="utf-8"))
TINY: dict[str, Any] = {
    "folds": [2],
    "seeds": [0],
    "base": {
        "corpus.name": "table",
        "split.folds": 3,
        "denoise.model": "none",
        "vad.method": "none",
        "augment.copies": 0,
        "network.conv_channels": [4],
        "network.lstm_hidden": 4,
        "train.epochs": 1,
        "train.batch_size": 4,
    },
    "variants": {"plain": {}, "fast": {"train.lr": 1e-2}},
}


def test_the_last_variant_is_what_the_defaults_are() -> None:
    (params,) = list_runs(LISTED | {"folds": [1]}, ["defaults"]).values()
    assert list(LISTED["variants"])[-1] == "defaults"
    assert params.network == Params().network
    assert params.augment == Params().augment
    assert params.train.model_copy(update={"patience": Params().train.patience}) == Params().train


def test_every_variant_differs_from_every_other() -> None:
    runs = list_runs(LISTED, list(LISTED["variants"]))
    assert len({digest for *_, digest in runs}) == len(runs) == 2 * len(LISTED["variants"])
    with pytest.raises(ParamsError, match=r"no variant plain; there are description, regularised"):
        list_runs(LISTED, ["plain"])


def test_a_second_call_runs_only_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    rows = ["file_path,emotion_code,speaker"]
    for number in range(24):
        soundfile.write(tmp_path / f"{number}.wav", 0.1 * rng.standard_normal(4000), 16_000)
        rows.append(f"{number}.wav,{('happy', 'sad')[number % 2]},speaker{number // 4}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    listed = TINY | {"base": TINY["base"] | {"corpus.root": str(tmp_path / "table.csv")}}
    first = sweep(listed, ["plain"], tmp_path / "work", 1)
    assert first[["variant", "fold", "seed"]].to_numpy().tolist() == [["plain", 2, 0]]
    assert first["val_uar"].between(0, 1).all()
    assert (first["best_epoch"] == 1).all()
    monkeypatch.setattr(module, "featurize", lambda *_: pytest.fail("made again"))
    again = sweep(listed, ["plain"], tmp_path / "work", 1)
    pd.testing.assert_frame_equal(first, again, check_dtype=False)
    monkeypatch.undo()
    both = sweep(listed, ["plain", "fast"], tmp_path / "work", 1)
    assert sorted(both["variant"]) == ["fast", "plain"]
    assert capsys.readouterr().out.count("validation UAR") == 3
