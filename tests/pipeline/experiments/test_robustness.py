"""The robustness curve begins at the score of the evaluation, and uses test clips only."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from featurize.errors import CheckpointError, ParamsError, SerError, SplitError
from model.checkpoint import load_checkpoint, save_checkpoint
from pipeline.cli import main
from pipeline.experiments.robustness import parse_snrs, robustness
from pipeline.runs.best_checkpoint import best_checkpoint
from pipeline.runs.evaluation import Robustness


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("noise")
    soundfile.write(root / "hiss.wav", np.random.default_rng(0).normal(0, 0.1, 30_000), 16_000)
    return root


def scored(small_run: Any, reports: Path, noise: Path, **changes: Any) -> Robustness:
    checkpoint = best_checkpoint(small_run.checkpoints)
    return robustness(checkpoint, small_run.data, reports, noise, **changes)


def test_clean_clips_score_as_in_the_evaluation_and_noise_costs(
    small_run: Any, noise: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = torch.get_num_threads()
    result = scored(small_run, tmp_path, noise, snrs_db=[0.0, 60.0, 0.0])
    assert torch.get_num_threads() == threads
    evaluated = json.loads((small_run.reports / "evaluation.json").read_text())
    clean, faint, loud = result.points
    assert [point.snr_db for point in result.points] == [None, 60.0, 0.0]
    for name in ("uar", "accuracy", "n_clips"):
        assert getattr(clean, name) == evaluated[name]
    predictions = pd.read_csv(small_run.reports / "predictions.csv")
    of_truth = [row[f"prob_{row['true_label']}"] for row in predictions.to_dict("records")]
    assert clean.nll == pytest.approx(-np.log(of_truth).mean(), abs=1e-4)
    # At 60 dB next to nothing is added; at 0 dB something is.
    assert abs(faint.nll - clean.nll) < abs(loud.nll - clean.nll)
    written = json.loads((tmp_path / "robustness" / "robustness.json").read_text())
    assert Robustness.model_validate(written) == result
    assert result.protocol.corpus == "demo"
    assert result.protocol.denoiser_heard_test_speakers == []
    curve = pd.read_csv(tmp_path / "robustness" / "robustness.csv")
    assert curve["snr_db"].tolist() == [60.0, 0.0]
    assert curve["ece"].tolist() == [faint.ece, loud.ece]
    assert set(curve["clean_uar"]) == {clean.uar}
    assert "60 dB" in capsys.readouterr().out


def test_it_is_a_function_of_the_seed(small_run: Any, noise: Path, tmp_path: Path) -> None:
    one, same, other = (
        scored(small_run, tmp_path, noise, snrs_db=[0.0], seed=seed).points for seed in (0, 0, 1)
    )
    assert one == same
    assert one[0] == other[0]
    assert one[1] != other[1]


@pytest.mark.parametrize(
    ("change", "token"),
    [({"fold": 2}, "fold: 1, here 2"), ({"split_seed": 9}, "split seed: 0, here 9"), ({"val": "x"}, "val")],
)
def test_a_network_is_not_scored_on_clips_of_another_split(
    change: dict[str, Any], token: str, small_run: Any, noise: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(small_run.data / "manifest.csv", data)
    summary = json.loads((small_run.data / "manifest.json").read_text())
    summary["protocol"] |= change
    (data / "manifest.json").write_text(json.dumps(summary))
    with pytest.raises(CheckpointError, match=f"trained for other data .{token}"):
        robustness(best_checkpoint(small_run.checkpoints), data, tmp_path, noise)


def test_a_key_that_the_checkpoint_lacks_does_not_pass(small_run: Any, noise: Path, tmp_path: Path) -> None:
    network, args = load_checkpoint(best_checkpoint(small_run.checkpoints))
    del args["protocol"]["speakers"]
    path = tmp_path / "old.pt"
    save_checkpoint(path, network, args)
    with pytest.raises(CheckpointError, match=r"old\.pt: protocol card: `speakers` is missing; train again"):
        robustness(path, small_run.data, tmp_path, noise)


def test_clips_that_cannot_be_used_are_left_out(
    small_run: Any, noise: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(small_run.data / "manifest.json", data)
    manifest = pd.read_csv(small_run.data / "manifest.csv", dtype=str, keep_default_na=False)
    tested = manifest.index[manifest["split"] == "test"]
    manifest.loc[tested[0], "path"] = str(tmp_path / "absent.wav")
    manifest.to_csv(data / "manifest.csv", index=False)
    result = robustness(best_checkpoint(small_run.checkpoints), data, tmp_path, noise, [])
    assert result.points[0].n_clips == len(tested) - 1
    assert f"1 of {len(tested)} clips without noise rejected" in caplog.text
    assert "absent.wav" in caplog.text
    manifest.loc[tested, "path"] = str(tmp_path / "absent.wav")
    manifest.to_csv(data / "manifest.csv", index=False)
    with pytest.raises(SplitError, match=r"no test clip without noise can be used; .*absent\.wav"):
        robustness(best_checkpoint(small_run.checkpoints), data, tmp_path, noise, [])
    manifest[manifest["split"] != "test"].to_csv(data / "manifest.csv", index=False)
    with pytest.raises(SplitError, match="no test clips"):
        robustness(best_checkpoint(small_run.checkpoints), data, tmp_path, noise, [])


def test_unreadable_noise_is_an_error(small_run: Any, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(ParamsError, match=r"--noise.*text\.wav"):
        scored(small_run, tmp_path, tmp_path)


def test_levels() -> None:
    assert parse_snrs("20, 0,-5") == [20.0, 0.0, -5.0]
    for text in ("", "loud", "1,,2", "nan", "inf"):
        with pytest.raises(SerError, match="give numbers in dB"):
            parse_snrs(text)


def test_the_command(small_run: Any, noise: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = ["--data", small_run.data, "--checkpoints", small_run.checkpoints, "--reports", tmp_path]
    arguments = ["robustness", "--noise", noise, "--snr", "-5", "--device", "cpu", *folders]
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    assert left.value.code == 0
    assert "-5 dB" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main(["robustness", "--noise", str(tmp_path / "absent"), "--checkpoint", "any.pt"])
    assert left.value.code == 2
    assert "does not exist; give a folder of noise recordings" in capsys.readouterr().err
