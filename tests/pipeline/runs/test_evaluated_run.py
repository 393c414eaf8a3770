"""A run is read from a folder or a revision if its two files match."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from featurize.errors import SerError
from pipeline.cli import main
from pipeline.runs.compare import compare, verdict
from pipeline.runs.evaluated_run import read_folder, read_run, summarise
from tests.pipeline.made_up import make_card, make_run, write_run


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the content of evaluation.json."""
    path = folder / "evaluation.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    run = make_run("mine", make_card(synthetic=True), uar=0.25)
    found = read_folder(write_run(run, tmp_path), "mine")
    assert found.evaluation == run.evaluation
    pd.testing.assert_frame_equal(found.predictions, run.predictions, check_dtype=False, rtol=1e-6)
    assert found.classes("true_label").tolist() == [number % 3 for number in range(12)]
    assert read_run("workspace", tmp_path).evaluation == read_run(str(tmp_path), Path("nowhere")).evaluation


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"pred_label": "disgust"}, "another label set .*'disgust' is not among happy, sad, angry"),
        ({"card": "0"}, "of another run"),
        ({"clip_id": "c"}, "lists c twice"),
        ({"confidence": "sure"}, "column confidence"),
        ({"prob_sad": ""}, "column prob_sad"),
    ],
)
def test_predictions_that_do_not_belong_are_refused(
    columns: dict[str, str], message: str, tmp_path: Path
) -> None:
    path = write_run(make_run(), tmp_path) / "predictions.csv"
    pd.read_csv(path).assign(**columns).to_csv(path, index=False)
    with pytest.raises(SerError, match=rf"predictions\.csv: .*{message}"):
        read_run("workspace", tmp_path)
    pd.read_csv(path).drop(columns="confidence").to_csv(path, index=False)
    with pytest.raises(SerError, match=r"predictions\.csv: no column confidence; run `ser evaluate` again"):
        read_run("workspace", tmp_path)


@pytest.mark.parametrize(
    ("change", "token"),
    [
        (lambda content: content.pop("val_uar"), "`val_uar` is missing"),
        (lambda content: content["protocol"].clear(), "`protocol.corpus` is missing"),
        (lambda content: content["protocol"].pop("steps"), "`protocol.steps` is missing"),
        (lambda content: content["protocol"].update(vad=1), "`protocol.vad` is unknown"),
        (lambda content: content["protocol"].update(folds="EmoBox 6"), "`protocol.folds`"),
        (lambda content: content["protocol"].update(normalisation="SPEAKER"), "`protocol.normalisation`"),
        (lambda content: content.update(confusion=[[1]]), "confusion matrix"),
        (lambda content: content["per_class"].pop("sad"), "per_class"),
        (lambda content: content["calibration"].update(bins=[]), "`calibration.bins`"),
        (lambda content: content.update(intervals={"level": 0.95, "draws": 1000}), "`intervals.method`"),
    ],
)
def test_an_evaluation_of_another_version_is_one_line(
    change: Callable[[dict[str, Any]], object], token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(write_run(make_run(), tmp_path), change)
    with pytest.raises(SystemExit) as left:
        main(["summary", str(tmp_path)])
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert token in error
    assert "evaluation.json" in error
    assert "run `ser evaluate` again" in error
    assert len(error.splitlines()) == 1


def test_what_is_missing_or_damaged_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = write_run(make_run(), tmp_path / "run")
    (tmp_path / "empty").mkdir()
    damaged = write_run(make_run(), tmp_path / "damaged")
    (damaged / "evaluation.json").write_text("{")
    for name, message in {
        "empty": "empty/evaluation.json: missing; run `ser evaluate` first",
        "nowhere": "nowhere: neither a folder, nor an experiment, tag or commit",
        "damaged": "damaged/evaluation.json: damaged",
    }.items():
        with pytest.raises(SystemExit) as left:
            main(["compare", str(run), name])
        assert left.value.code == 2
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) == 1


def test_a_summary_has_scores_doubts_and_protocol() -> None:
    makers = [{"device": device, "versions": {}, "code": "0.1.0"} for device in ("cpu", "cuda")]
    speakers = [f"s{number % 4}" for number in range(12)]
    text = " ".join(summarise(make_run(speakers=speakers)))
    assert "only 4 test speakers" in text
    assert "toy abababab, 3 classes, speaker-independent, fold 1 of 5" in text
    assert "recall: happy 1." in text
    assert text.startswith("UAR 1.000 (0.398 to 1.000), ")
    apart = [f"s{number % 3}" for number in range(12)]  # each speaks one class
    assert summarise(make_run(speakers=apart))[0].startswith("UAR 1.000, ")
    assert "features made by" not in text
    mixed = summarise(make_run(card=make_card(made_by={"denoise": makers})))
    text = " ".join(" ".join(mixed).split())
    assert "features made by 2 devices or versions (denoise: cpu, ser 0.1.0 | cuda, ser 0.1.0)" in text
    assert all(len(line) <= 80 for line in mixed)


def test_a_dvc_experiment_is_read_without_bringing_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An experiment saved by DVC, and then overwritten in the workspace."""
    monkeypatch.chdir(tmp_path)
    truth = make_run().classes("true_label")
    names = {"speakers": [f"s{number:02}" for number in range(12)]}
    write_run(make_run(predicted=(truth + 1) % 3, **names), tmp_path / "reports")
    stage = "stages: {a: {cmd: 'true', outs: [reports/evaluation.json, reports/predictions.csv]}}"
    (tmp_path / "dvc.yaml").write_text(stage)
    for command in (
        ["git", "init", "-q"],
        ["git", "config", "user.name", "x"],
        ["git", "config", "user.email", "x"],
        ["dvc", "init", "-q"],
        ["dvc", "commit", "-q", "-f"],
        ["git", "add", "."],
        ["git", "commit", "-qm", "x"],
        ["dvc", "exp", "save", "-f", "-n", "weak"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    expected = read_run("workspace", Path("reports")).evaluation
    write_run(make_run(**names), tmp_path / "reports")
    comparison = compare("weak", "workspace", Path("reports"))
    assert comparison.first.evaluation == expected
    assert verdict(comparison).startswith("workspace is better by ")
    with pytest.raises(SerError, match="absent: neither a folder, nor an experiment, tag or commit"):
        read_run("absent", Path("reports"))
    with pytest.raises(SerError, match="elsewhere of this revision cannot be read"):
        read_run("weak", Path("elsewhere"))


def test_a_repository_that_cannot_be_opened_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Exception):
        """Such as pygit2's own."""

    def fail(**_: object) -> None:
        raise Broken("repository path is not owned by\ncurrent user")

    monkeypatch.setattr("dvc.api.DVCFileSystem", fail)
    monkeypatch.chdir(tmp_path)
    identity = ["-c", "user.name=x", "-c", "user.email=x"]
    for command in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *command], check=True)
    with pytest.raises(
        SerError, match=r"exp-1: reports of this revision cannot be read .*not owned by current"
    ):
        read_run("exp-1", Path("reports"))
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(SerError, match=r"does not trust this repository.*safe\.directory"):
        read_run("exp-1", Path("reports"))
