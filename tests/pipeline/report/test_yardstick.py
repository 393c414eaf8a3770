"""The report says whether the network is better than the baseline, and when that may be chance."""

from typing import Any

import numpy as np
import pytest

from featurize.errors import SerError
from pipeline.report.yardstick import against_baseline
from pipeline.runs.evaluated_run import Run, read_folder
from pipeline.runs.workspace import BASELINE, read_workspace
from tests.pipeline.made_up import make_card, make_run, write_run

PARAMS = {"params": {"baseline": {"classifier": "svm", "functionals": ["mean", "slope"]}}}


def text_of(network: float, baseline: float, num_speakers: int = 12, **card: Any) -> tuple[str, bool]:
    """What is said of two runs, of which these shares of the clips of each speaker are right."""
    truth = np.tile(np.arange(18) % 3, num_speakers)
    speakers = np.repeat([f"s{k:02}" for k in range(num_speakers)], 18).tolist()

    def run(name: str, right: float, **changes: Any) -> Run:
        hits = np.random.default_rng(len(name)).random(len(truth)) < right
        predicted = np.where(hits, truth, (truth + 1) % 3)
        ids = [f"c{k:03}" for k in range(len(truth))]
        return make_run(name, make_card(**changes), ids, speakers, truth=truth, predicted=predicted, **PARAMS)

    linear = run("baseline", baseline, **{"model": "baseline", "seed": None} | card)
    found = against_baseline(run("workspace", network), linear)
    assert found is not None
    return found.text, found.not_better


def test_a_better_network_is_called_better() -> None:
    text, not_better = text_of(0.9, 0.5)
    assert "a linear SVM on mean, slope of the same view (mfcc)" in text
    assert "the network is better by " in text
    assert "(p = 0.00049, 12 speakers)" in text
    assert not not_better


def test_a_lead_that_may_be_chance_shows_nothing() -> None:
    text, not_better = text_of(0.9, 0.5, num_speakers=3)
    assert "which may be chance (p = 0.25, 3 speakers): this run does not show that it is better" in text
    assert not not_better


@pytest.mark.parametrize(("network", "baseline"), [(0.5, 0.9), (1.0, 1.0)])
def test_a_network_that_is_not_better_is_said_to_be_so(network: float, baseline: float) -> None:
    text, not_better = text_of(network, baseline)
    assert "the network is not better; " in text
    assert not_better


def test_other_views_and_normalisations_are_said() -> None:
    text, not_better = text_of(0.5, 0.9, views=["encoder"], normalisation="speaker")
    assert "of another view (encoder)" in text
    assert text.endswith(
        "More than the model differs: views encoder and mfcc; normalisation speaker and global."
    )
    assert not not_better


def test_another_task_is_not_compared() -> None:
    text, not_better = text_of(0.5, 0.9, fold=2)
    assert text.startswith("Baseline and workspace cannot be compared: fold: 2 and 1. ")
    assert text.endswith("Run ser baseline again.")
    assert not not_better


def test_the_page_shows_it_only_where_there_is_one(sample: Any) -> None:
    assert read_workspace(sample.data, sample.reports).baseline is None
    assert "baseline" not in sample.page().text
    run = read_folder(sample.reports, "")
    same = run.evaluation.protocol.model_copy(update={"model": "baseline", "seed": None})
    evaluation = run.evaluation.model_copy(update={"protocol": same})
    write_run(type(run)("", evaluation, run.predictions), sample.reports / BASELINE)
    page = sample.page()
    assert "both are equal" in page.text
    assert page.stamps() == {"baseline"}
    (sample.reports / BASELINE / "predictions.csv").write_text("clip_id\n")
    with pytest.raises(SerError, match=r"baseline/predictions\.csv: no column .*; run `ser baseline` again"):
        sample.page()
