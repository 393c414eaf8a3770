"""`ser compare`: only equal protocols are compared, and the verdict is cautious."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from featurize.errors import ProtocolError
from pipeline.cli import main
from pipeline.runs.compare import compare, format_comparison, verdict
from pipeline.runs.evaluated_run import read_run, summarise
from tests.pipeline import made_up

LABELS = made_up.LABELS


def write_run(
    folder: Path, *, right: float = 0.5, num_speakers: int = 12, lr: float = 0.1, seed: int = 0, **card: Any
) -> Path:
    """The files of a run on made-up clips of `num_speakers` people, a share `right` of which is right."""
    rng = np.random.default_rng(seed)
    truth = np.arange(18 * num_speakers) % 3
    run = made_up.make_run(
        card=made_up.make_card(**card),
        clip_ids=[f"c{k:04}" for k in range(len(truth))],
        speakers=np.repeat([f"s{k:02}" for k in range(num_speakers)], 18).tolist(),
        truth=truth,
        predicted=np.where(rng.random(len(truth)) < right, truth, (truth + 1) % 3),
        params={"train": {"lr": lr}},
    )
    return made_up.write_run(run, folder)


def test_a_clear_difference_is_called_better(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", right=0.4)
    other = write_run(tmp_path / "other", right=0.7, lr=0.2, seed=1, denoiser="compact")
    comparison = compare(str(one), str(other), tmp_path)
    assert verdict(comparison).startswith(f"{other} is better by ")
    assert comparison.differs == [("train.lr", 0.1, 0.2), ("denoiser", "none", "compact")]
    difference = read_run(str(other), one).evaluation.uar - read_run(str(one), one).evaluation.uar
    assert comparison.uar.difference == pytest.approx(difference)
    turned = compare(str(other), str(one), tmp_path)
    assert verdict(turned) == verdict(comparison)  # whoever is named first
    assert all(len(line) <= 80 for line in format_comparison(comparison) if str(tmp_path) not in line)


def test_what_may_be_chance_is_not_called_better(tmp_path: Path) -> None:
    one, other = (write_run(tmp_path / str(k), seed=k) for k in (0, 1))
    sentence = verdict(compare(str(one), str(other), tmp_path))
    assert "which may be chance (95 % interval" in sentence
    assert "better" not in sentence
    assert verdict(compare(str(one), str(one), tmp_path)) == "both have the same UAR (p = 1, 12 speakers)"


def test_too_few_speakers_are_reported(tmp_path: Path) -> None:
    for speakers, expected in (
        (4, "with 4 speakers, no difference can be significant (p is at least 0.12)"),
        (2, "which may be chance (p = 0.5, 2 speakers); with 2 speakers, no difference can be significant"),
        (1, "cannot be tested for significance"),
    ):
        one, other = (
            write_run(tmp_path / f"{speakers}-{k}", right=0.3 + 0.6 * k, num_speakers=speakers)
            for k in (0, 1)
        )
        comparison = compare(str(one), str(other), tmp_path)
        assert expected in verdict(comparison)
        lines = " ".join(format_comparison(comparison))
        assert lines.count("McNemar") == 1
        assert ("no interval (all test clips are of s00 and" in lines) is (speakers == 2)


def test_a_start_that_knows_the_test_speakers_is_noted(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one")
    leaky = {"init": made_up.INIT, "init_heard_test_speakers": ["toy/s00"]}
    other = write_run(tmp_path / "other", seed=1, **leaky)
    comparison = compare(str(one), str(other), tmp_path)
    assert comparison.differs == [
        ("init", None, "checkpoint 12121212 of toy with frozen streams"),
        ("init_heard_test_speakers", [], ["toy/s00"]),
    ]
    text = " ".join(" ".join(format_comparison(comparison)).split())
    note = "the initial checkpoint was trained or validated on test speakers (toy/s00)"
    assert text.count(note) == 1
    assert f"other: {note}" in text
    assert note in " ".join(" ".join(summarise(read_run(str(other), one))).split())


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
        ({"folds": {"kind": "loso", "number": 5}}, "folds: 5 and 5 (one speaker each)"),
    ],
)
def test_different_protocols_are_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
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
