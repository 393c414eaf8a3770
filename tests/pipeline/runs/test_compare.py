"""`ser compare`: like with like only, and a verdict that does not promise too much."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from featurize.errors import ProtocolError, SerError
from pipeline.cli import main
from pipeline.runs.compare import compare, tell, verdict
from pipeline.runs.scored import read_scored, summarise
from pipeline.runs.scoring import score

LABELS = ["happy", "sad", "angry"]
CARD: dict[str, Any] = {
    "corpus": "toy",
    "synthetic": False,
    "files_sha256": "ab" * 32,
    "label_set": "map",
    "labels": LABELS,
    "split": "speaker",
    "speaker_independent": True,
    "folds": "5",
    "fold": 1,
    "val": "2 speakers",
    "split_seed": 0,
    "speakers": {"train": ["x"], "val": ["y"], "test": []},
    "untested_labels": [],
    "clips_sha256": "cd" * 32,
    "denoiser": "none",
    "denoiser_sha256": "",
    "denoiser_heard_test_speakers": [],
    "normalisation": "global: by the train split",
    "tier0_sha256": "ef" * 32,
    "seed": 0,
    "code": "0.1.0",
}


def write_run(
    folder: Path, *, right: float = 0.5, num_speakers: int = 12, lr: float = 0.1, seed: int = 0, **card: Any
) -> Path:
    """The files of a run on made-up clips of `num_speakers` people, a share `right` of which is right."""
    rng = np.random.default_rng(seed)
    truth = np.arange(18 * num_speakers) % 3
    columns = {
        "clip_id": np.array([f"c{k:04}" for k in range(len(truth))], dtype=object),
        "speaker": np.repeat([f"s{k:02}" for k in range(num_speakers)], 18).astype(object),
        "gender": np.full(len(truth), "female", dtype=object),
    }
    predicted = np.where(rng.random(len(truth)) < right, truth, (truth + 1) % 3)
    logits = np.log(np.full((len(truth), 3), 0.25) + 0.25 * np.eye(3)[predicted])
    evaluation = score(truth, logits, 1.0, LABELS, columns)
    evaluation |= {"params": {"train": {"lr": lr}}, "protocol": CARD | card, "card": f"card{seed}"}
    names = np.array(LABELS)
    table = pd.DataFrame(columns).assign(
        true_label=names[truth], pred_label=names[predicted], card=evaluation["card"]
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    table.to_csv(folder / "predictions.csv", index=False)
    return folder


def test_a_clear_difference_is_told_as_one(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", right=0.4)
    other = write_run(tmp_path / "other", right=0.7, lr=0.2, seed=1, denoiser="compact")
    comparison = compare(str(one), str(other), tmp_path)
    assert verdict(comparison).startswith(f"{other} is better by ")
    assert comparison.differs == [("train.lr", 0.1, 0.2), ("denoiser", "none", "compact")]
    difference = read_scored(str(other), one).scores.uar - read_scored(str(one), one).scores.uar
    assert comparison.uar.difference == pytest.approx(difference)
    turned = compare(str(other), str(one), tmp_path)
    assert verdict(turned) == verdict(comparison)  # whoever is named first
    assert all(len(line) <= 80 for line in tell(comparison) if str(tmp_path) not in line)


def test_what_may_be_chance_is_not_called_better(tmp_path: Path) -> None:
    one, other = (write_run(tmp_path / str(k), seed=k) for k in (0, 1))
    told = verdict(compare(str(one), str(other), tmp_path))
    assert "which may be chance (95 % interval" in told
    assert "better" not in told
    assert "both have the same UAR" in verdict(compare(str(one), str(one), tmp_path))


def test_too_few_speakers_are_told(tmp_path: Path) -> None:
    for speakers, told in (
        (4, "4 speakers can never show a difference, for their p is 0.12 at the least"),
        (1, "whether that is chance cannot be told"),
    ):
        one, other = (
            write_run(tmp_path / f"{speakers}-{k}", right=0.3 + 0.6 * k, num_speakers=speakers)
            for k in (0, 1)
        )
        comparison = compare(str(one), str(other), tmp_path)
        assert told in verdict(comparison)
        assert " ".join(tell(comparison)).count("McNemar") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpus": "ravdess"}, "corpus: toy and ravdess"),
        ({"files_sha256": "0" * 64}, "recordings (hash): abababab and 00000000"),
        ({"labels": LABELS[::-1]}, "labels: happy, sad, angry and angry, sad, happy"),
        ({"label_set": "four"}, "label set: map and four"),
        ({"fold": 3}, "fold: 1 and 3"),
        ({"split": "random"}, "split by: speaker and random"),
        ({"speakers": {"train": ["x", "z"], "val": [], "test": []}}, "speakers of each split"),
    ],
)
def test_unlike_cards_are_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    one, other = write_run(tmp_path / "one"), write_run(tmp_path / "other", **change)
    with pytest.raises(ProtocolError) as refused:
        compare(str(one), str(other), tmp_path)
    assert f"cannot be compared: {message}" in str(refused.value)
    assert "\n" not in str(refused.value)


def edit(folder: Path, **columns: Any) -> None:
    path = folder / "predictions.csv"
    pd.read_csv(path).assign(**columns).to_csv(path, index=False)


def test_other_clips_and_other_truths_are_refused(tmp_path: Path) -> None:
    one, other = write_run(tmp_path / "one"), write_run(tmp_path / "other")
    edit(other, clip_id=lambda t: t["clip_id"].replace("c0000", "c9999"))
    with pytest.raises(
        ProtocolError, match=r"1 only in .*one \(such as c0000\), 1 only in .*other \(such as c9999"
    ):
        compare(str(one), str(other), tmp_path)
    other = write_run(tmp_path / "other")
    edit(other, true_label=lambda t: t["true_label"].where(t["clip_id"] != "c0000", "sad"))
    with pytest.raises(ProtocolError, match="c0000 is happy in one and sad in the other"):
        compare(str(one), str(other), tmp_path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"pred_label": "disgust"}, "of another label set: 'disgust' is not among happy, sad, angry"),
        ({"card": "0"}, "are of different runs"),
        ({"clip_id": "c"}, "holds c twice"),
    ],
)
def test_predictions_that_do_not_belong_are_refused(
    columns: dict[str, str], message: str, tmp_path: Path
) -> None:
    edit(write_run(tmp_path), **columns)
    with pytest.raises(SerError, match=message):
        read_scored("workspace", tmp_path)


def test_what_is_missing_or_damaged_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = write_run(tmp_path / "run")
    (tmp_path / "empty").mkdir()
    damaged = write_run(tmp_path / "damaged")
    (damaged / "evaluation.json").write_text("{")
    old = write_run(tmp_path / "old")
    content = json.loads((old / "evaluation.json").read_text())
    (old / "evaluation.json").write_text(json.dumps(content | {"protocol": {}}))
    for name, message in {
        "empty": "empty/evaluation.json: missing; run `ser evaluate` first",
        "nowhere": "nowhere: neither a folder, nor an experiment, tag or commit",
        "damaged": "damaged: evaluation.json: Invalid JSON",
        "old": "its protocol card does not tell `corpus`",
    }.items():
        with pytest.raises(SystemExit) as left:
            main(["compare", str(run), name])
        assert left.value.code == 2
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) == 1


def test_the_commands_answer_in_words_and_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "reports")
    write_run(tmp_path / "other", seed=1)
    for arguments in (
        ["compare", "workspace", "other"],
        ["compare", "workspace", "other", "--json"],
        ["summary"],
    ):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert not left.value.code
        text = capsys.readouterr().out
        assert all(len(line) <= 80 for line in text.splitlines()) or "--json" in arguments
        if "--json" in arguments:
            answer = json.loads(text)
            assert answer["verdict"] == verdict(compare("workspace", "other", Path("reports")))
            assert answer["uar"]["speakers"] == 12


def test_a_summary_has_scores_doubts_and_protocol(tmp_path: Path) -> None:
    text = " ".join(summarise(read_scored("workspace", write_run(tmp_path, num_speakers=4))))
    assert "only 4 test speakers" in text
    assert "toy abababab, 3 classes, speaker-independent, fold 1 of 5" in text
    assert "recall: happy 0." in text


def test_a_dvc_experiment_is_read_without_bringing_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An experiment saved by DVC, and then overwritten in the workspace."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "reports", right=0.3)
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
    expected = read_scored("workspace", Path("reports")).scores
    write_run(tmp_path / "reports", right=0.9, seed=1)
    comparison = compare("weak", "workspace", Path("reports"))
    assert comparison.first.scores == expected
    assert verdict(comparison).startswith("workspace is better by ")
    with pytest.raises(SerError, match="absent: neither a folder, nor an experiment, tag or commit"):
        read_scored("absent", Path("reports"))
    with pytest.raises(SerError, match="elsewhere of this revision cannot be read"):
        read_scored("weak", Path("elsewhere"))
