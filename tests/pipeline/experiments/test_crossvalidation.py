"""Scores over folds and seeds equal slow references, and incomplete ones are marked."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, recall_score

from featurize.errors import ProtocolError, SerError
from pipeline.experiments import crossvalidation as module
from pipeline.experiments.crossvalidation import FoldSeed, cross_validate, describe_all, tabulate
from pipeline.experiments.experiment_runner import Experiment
from pipeline.params import Params
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.manifest_summary import ManifestSummary
from pipeline.protocol.split_params import SplitParams
from pipeline.runs.evaluated_run import Run
from tests.pipeline.made_up import INIT, LABELS, make_card, make_run, make_summary

FOUR_FOLDS = FoldScheme(kind="dealt", number=4)
CLIPS = {f"clip{index}" for index in range(40)}


def outcome(fold: int, seed: int, clips: list[str] | None = None, **card: Any) -> Run:
    """Random predictions for every fourth clip, and scores that are random, too."""
    rng = np.random.default_rng([fold, seed])
    clips = clips or [f"clip{index}" for index in range(fold - 1, 40, 4)]
    true, predicted = np.arange(len(clips)) % 3, rng.choice(3, len(clips))
    scores = dict(zip(("uar", "accuracy", "macro_f1", "val_uar"), rng.uniform(size=4).tolist(), strict=True))
    seen = {"denoiser": "compact", "denoiser_heard_test_speakers": [f"toy/{fold % 2}"]}
    own = make_card(
        **{"folds": FOUR_FOLDS, "fold": fold, "seed": None if "model" in card else seed, **seen, **card}
    )
    speakers = [f"s{5 * fold + index % 5}" for index in range(len(clips))]
    return make_run(f"cv-{fold}-{seed}", own, clips, speakers, truth=true, predicted=predicted, **scores)


FOUND: dict[FoldSeed, Run] = {(fold, seed): outcome(fold, seed) for seed in (0, 1) for fold in (1, 2, 3, 4)}


def test_means_and_deviations_are_those_of_numpy() -> None:
    scores = tabulate(FOUND, {}, CLIPS)["scores"]
    uar = np.array([[FOUND[fold, seed].evaluation.uar for fold in (1, 2, 3, 4)] for seed in (0, 1)])
    assert scores["uar"]["mean"] == pytest.approx(uar.mean())
    assert scores["uar"]["std_folds"] == pytest.approx(np.std(uar.mean(axis=0), ddof=1))
    assert scores["uar"]["std_seeds"] == pytest.approx(np.std(uar.mean(axis=1), ddof=1))


def test_one_seed_has_no_deviation() -> None:
    scores = tabulate({run: o for run, o in FOUND.items() if run[1] == 0}, {}, CLIPS)["scores"]
    assert scores["uar"]["std_seeds"] is None
    assert scores["uar"]["std_folds"] > 0


def test_pooled_figures_are_those_of_all_clips_together() -> None:
    pooled = tabulate(FOUND, {}, CLIPS)["pooled"]
    uars, matrix = [], np.zeros((3, 3), dtype=int)
    for seed in (0, 1):
        table = pd.concat([FOUND[fold, seed].predictions for fold in (1, 2, 3, 4)])
        uars.append(recall_score(table["true_label"], table["pred_label"], average="macro"))
        matrix += confusion_matrix(table["true_label"], table["pred_label"], labels=LABELS)
    assert pooled["uar_by_seed"] == pytest.approx(uars)
    assert pooled["uar"] == pytest.approx(np.mean(uars))
    assert pooled["confusion"] == matrix.tolist()
    assert np.sum(pooled["confusion"]) == 2 * pooled["n_clips"] == 80


def test_the_protocol_is_one_line_with_what_a_reader_must_know() -> None:
    line = tabulate(FOUND, {}, CLIPS)["protocol"]
    assert line == (
        "toy abababab, 3 classes, speaker-independent, all folds of 4, "
        "denoiser compact (TRAINED ON 2 OF THE TEST SPEAKERS), seeds 0, 1"
    )
    by_speaker = outcome(1, 0, normalisation="speaker", untested_labels=["sad"])
    line = describe_all({(1, 0): by_speaker}, {(2, 0): "power cut"})
    assert "3 classes (1 WITHOUT TEST CLIPS)" in line
    assert "TRANSDUCTIVE (normalised by speaker), denoiser compact" in line


def test_a_checkpoint_that_all_folds_start_from_has_heard_some_of_them() -> None:
    found = {
        (fold, 0): outcome(fold, 0, init=INIT, init_heard_test_speakers=["toy/ann"] * (fold == 2))
        for fold in (1, 2, 3, 4)
    }
    line = tabulate(found, {}, CLIPS)["protocol"]
    assert "SPEAKER-DEPENDENT" in line
    assert "started from checkpoint 12121212 of toy with frozen streams (TRAINED ON 1 OF THE TEST" in line


@pytest.mark.parametrize(
    ("change", "token"),
    [
        ({"init": INIT}, "started from: checkpoint 12121212 of toy with frozen streams, not none"),
        ({"files_sha256": "0" * 64}, "recordings"),
        ({"denoiser": "none"}, "denoiser: none, not compact"),
        ({"steps": {"mfcc": "9"}}, "step"),
    ],
)
def test_folds_of_different_tasks_are_not_averaged(change: dict[str, Any], token: str) -> None:
    with pytest.raises(ProtocolError, match=f"fold 2, seed 1 .*{token}"):
        tabulate({**FOUND, (2, 1): outcome(2, 1, **change)}, {}, CLIPS)


def test_a_clip_that_is_scored_twice_or_never_is_an_error() -> None:
    twice = {**FOUND, (2, 0): outcome(2, 0, ["clip0", "clip1"])}
    with pytest.raises(SerError, match="1 clip is in the test split of two folds, first clip0"):
        tabulate(twice, {}, CLIPS)
    with pytest.raises(SerError, match=r"seed 0: 1 clip is in no fold's test split.* clip99"):
        tabulate(FOUND, {}, CLIPS | {"clip99"})


def test_figures_of_incomplete_folds_say_so() -> None:
    found = {run: o for run, o in FOUND.items() if run != (3, 1)}
    content = tabulate(found, {(3, 1): "power cut"}, CLIPS)
    assert content["protocol"].endswith("seeds 0, 1, INCOMPLETE: 1 of 8 runs failed")
    assert not content["complete"]
    assert content["failed"] == [{"fold": 3, "seed": 1, "reason": "power cut"}]
    assert len(content["runs"]) == 7


class FakeRunner:
    """Four folds; those in `ill` fail."""

    params = Params()
    ill: tuple[str, ...] = ()
    queued: tuple[Experiment, ...] = ()

    def __init__(self, reports: Path, through: str = "evaluate") -> None:
        self.own = {"model": "baseline"} if through == "baseline" else {}

    def prepare(self) -> ManifestSummary:
        return make_summary(make_card(folds=FOUR_FOLDS))

    def run(self, experiments: list[Experiment]) -> tuple[dict[str, Run], dict[str, str]]:
        good = [one for one in experiments if one.label not in self.ill]
        return {
            one.label: outcome(
                int(one.overrides["split.fold"]), int(one.overrides.get("train.seed", 0)), **self.own
            )
            for one in good
        }, dict.fromkeys(self.ill, "power cut")

    def queue_all(self, experiments: list[Experiment], command: str) -> None:
        FakeRunner.queued = tuple(experiments)
        assert command.startswith("ser cv")


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> type[FakeRunner]:
    class Fresh(FakeRunner):
        """Changed by one test alone."""

    monkeypatch.setattr(module, "ExperimentRunner", Fresh)
    monkeypatch.setattr(module, "usable_clips", lambda _: CLIPS)
    return Fresh


def test_every_fold_runs_with_every_seed(
    runner: type[FakeRunner], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cross_validate(2, tmp_path)
    content = json.loads((tmp_path / "cv.json").read_text())
    assert [(run["fold"], run["seed"]) for run in content["runs"]] == list(FOUND)
    printed = capsys.readouterr().out
    assert "std over folds" in printed
    assert content["pooled"]["intervals_note"] in printed
    for name, end in itertools.product(("uar", "accuracy", "macro_f1"), (0, 1)):
        assert f"{content['pooled']['intervals'][name][end]:.3f}" in printed
    assert content["protocol"] in printed


def test_failed_folds_are_named_and_the_others_kept(runner: type[FakeRunner], tmp_path: Path) -> None:
    runner.ill = ("cv-fold3-seed0",)
    with pytest.raises(SerError, match=r"1 of 4 runs failed, .*: fold 3, seed 0: power cut"):
        cross_validate(1, tmp_path)
    assert len(json.loads((tmp_path / "cv.json").read_text())["runs"]) == 3
    runner.ill = tuple(f"cv-fold{fold}-seed0" for fold in (1, 2, 3, 4))
    with pytest.raises(SerError, match="every run failed, the first with: power cut"):
        cross_validate(1, tmp_path)


def test_the_baseline_has_no_seeds(runner: type[FakeRunner], tmp_path: Path) -> None:
    with pytest.raises(SerError, match="leave out --seeds"):
        cross_validate(2, tmp_path, baseline=True)
    cross_validate(1, tmp_path, baseline=True)
    content = json.loads((tmp_path / "cv_baseline.json").read_text())
    assert [run["fold"] for run in content["runs"]] == [1, 2, 3, 4]
    assert "BASELINE of mfcc" in content["protocol"]
    assert "seeds" not in content["protocol"]
    assert not (tmp_path / "cv.json").exists()
    cross_validate(1, tmp_path, queue=True, baseline=True)
    assert [dict(one.overrides) for one in FakeRunner.queued] == [
        {"split.fold": fold} for fold in (1, 2, 3, 4)
    ]


def test_queueing_runs_nothing(runner: type[FakeRunner], tmp_path: Path) -> None:
    cross_validate(3, tmp_path, queue=True)
    assert len(FakeRunner.queued) == 12
    assert not (tmp_path / "cv.json").exists()


def test_a_predefined_split_has_no_folds(runner: type[FakeRunner], tmp_path: Path) -> None:
    runner.params = Params(split=SplitParams(method="predefined"))
    with pytest.raises(SerError, match="predefined has no folds"):
        cross_validate(1, tmp_path)
