"""The matrix across corpora: who is trained on, and the scores of each corpus."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import recall_score

from featurize.errors import ProtocolError, SerError
from pipeline.experiments import cross as module
from pipeline.experiments.cross import Training, cross, tabulate
from pipeline.experiments.experiment_runner import Experiment
from pipeline.params import Params, check_params
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.manifest_summary import ManifestSummary
from pipeline.runs.cross_matrix import CrossMatrix, How
from pipeline.runs.evaluated_run import Run
from tests.pipeline.made_up import make_card, make_run, make_summary

CORPORA = ["x", "y", "z"]
MEMBERS = {"corpus": {"name": "several", "members": ["emodb", "emovo", "ravdess"]}}


def outcome(how: How, fold: int, seed: int, **card: Any) -> Run:
    """Random predictions for four speakers of each corpus that is tested on."""
    rng = np.random.default_rng([fold, seed])
    tested = CORPORA if how == "one-corpus" else [CORPORA[fold - 1]]
    corpora = [corpus for corpus in tested for _ in range(24)]
    scheme = FoldScheme(kind=how, number=3)
    own = make_card(
        **{
            "folds": scheme,
            "fold": fold,
            "seed": None if "model" in card else seed,
            "split": how,
            "corpora": CORPORA,
            **card,
        }
    )
    return make_run(
        f"cross-{how}-{fold}-{seed}",
        own,
        [f"{corpus}/{number}" for number, corpus in enumerate(corpora)],
        [f"{corpus}/{number % 4}" for number, corpus in enumerate(corpora)],
        corpora=corpora,
        truth=np.arange(len(corpora)) % 3,
        predicted=rng.choice(3, len(corpora)),
        val_uar=0.1 * fold + 0.01 * seed,
    )


HOWS: tuple[How, ...] = ("one-corpus", "corpus")
FOUND = {
    Training(how, fold, seed): outcome(how, fold, seed)
    for how in HOWS
    for fold in (1, 2, 3)
    for seed in (0, 1)
}


class FakeRunner:
    ill: tuple[str, ...] = ()
    params = check_params(MEMBERS, "test")

    def __init__(self, reports: Path, through: str) -> None:
        self.through = through

    def prepare(self) -> ManifestSummary:
        return make_summary(make_card(corpora=CORPORA))

    def run(self, experiments: list[Experiment]) -> tuple[dict[str, Run], dict[str, str]]:
        runs = {}
        for one in experiments:
            method, fold = str(one.overrides["split.method"]), int(str(one.overrides["split.fold"]))
            assert one.overrides["split.folds"] == "auto"
            how: How = "corpus" if method == "corpus" else "one-corpus"
            if self.through == "baseline":
                runs[one.label] = outcome(how, fold, 0, model="baseline")
            else:
                runs[one.label] = outcome(how, fold, int(str(one.overrides["train.seed"])))
        for label in self.ill:
            del runs[label]
        return runs, dict.fromkeys(self.ill, "power cut")


@pytest.fixture(autouse=True)
def runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ExperimentRunner", FakeRunner)


def test_each_cell_is_the_mean_over_seeds_of_one_corpus() -> None:
    matrix = tabulate(FOUND, {}, CORPORA)
    assert [(row.how, row.trained_on) for row in matrix.rows] == [
        ("one-corpus", ["x"]),
        ("one-corpus", ["y"]),
        ("one-corpus", ["z"]),
        ("corpus", ["y", "z"]),
        ("corpus", ["x", "z"]),
        ("corpus", ["x", "y"]),
    ]
    row = matrix.rows[1]
    assert [(cell.corpus, cell.within) for cell in row.cells] == [("x", False), ("y", True), ("z", False)]
    for cell in row.cells:
        uars = []
        for seed in (0, 1):
            table = FOUND[Training("one-corpus", 2, seed)].predictions
            own = table[table["corpus"] == cell.corpus]
            uars.append(recall_score(own["true_label"], own["pred_label"], average="macro"))
        assert cell.uar_by_seed == pytest.approx(uars)
        assert cell.uar == pytest.approx(np.mean(uars))
        assert cell.uar_interval is not None
        assert cell.uar_interval[0] < cell.uar < cell.uar_interval[1]
        assert (cell.n_clips, cell.n_speakers) == (24, 4)
    assert row.val_uar == pytest.approx(0.205)
    assert matrix.mean_uar(row) == pytest.approx((row.cells[0].uar + row.cells[2].uar) / 2)
    (alone,) = matrix.rows[3].cells
    assert (alone.corpus, alone.within) == ("x", False)
    assert matrix.mean_uar(matrix.rows[3]) == alone.uar
    one, others = matrix.protocols
    assert "trained on one corpus in each" in one
    assert "one corpus left out in each" in others


def test_the_matrix_is_written_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cross(["corpus"], 1, tmp_path)
    matrix = CrossMatrix.model_validate_json((tmp_path / "cross" / "cross.json").read_bytes())
    assert [row.trained_on for row in matrix.rows] == [["y", "z"], ["x", "z"], ["x", "y"]]
    printed = capsys.readouterr().out
    assert "y + z" in printed
    assert f"{matrix.rows[0].cells[0].uar:.3f}" in printed
    cross(["one-corpus", "corpus"], 1, tmp_path, baseline=True)
    content = json.loads((tmp_path / "cross" / "cross_baseline.json").read_text())
    assert (content["model"], len(content["rows"])) == ("baseline", 6)


def test_failed_runs_are_named_and_the_others_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRunner, "ill", ("cross-others2-seed0",))
    with pytest.raises(
        SerError, match="1 of 3 runs failed, missing in the figures: cross-others2-seed0: power"
    ):
        cross(["corpus"], 1, tmp_path)
    content = json.loads((tmp_path / "cross" / "cross.json").read_text())
    assert content["failed"] == {"cross-others2-seed0": "power cut"}
    assert [row["trained_on"] for row in content["rows"]] == [["y", "z"], ["x", "y"]]


def test_what_cannot_be_crossed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SerError, match="leave out --seeds"):
        cross(["corpus"], 2, tmp_path, baseline=True)
    monkeypatch.setattr(FakeRunner, "params", Params())
    with pytest.raises(SerError, match=r"corpus\.members names fewer than two corpora"):
        cross(["corpus"], 1, tmp_path)


def test_runs_of_other_tasks_are_refused() -> None:
    strange = outcome("corpus", 2, 0, denoiser="dns64")
    found = {Training("corpus", 1, 0): FOUND[Training("corpus", 1, 0)], Training("corpus", 2, 0): strange}
    with pytest.raises(ProtocolError, match="denoiser"):
        tabulate(found, {}, CORPORA)
