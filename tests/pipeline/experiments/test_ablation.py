"""Each combination of the levels is run once and averaged."""

import json
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import ParamsError, SerError
from pipeline.experiments import ablation as module
from pipeline.experiments.ablation import ablate
from pipeline.experiments.experiment_runner import Experiment, ExperimentRunner
from pipeline.params import Params
from pipeline.runs.evaluated_run import Run
from tests.pipeline.made_up import make_card, make_run


class FakeRunner:
    """The UAR encodes the levels: 0.4 for compact, 0.2 for no VAD, 0.1 per copy, 0.01 per seed."""

    ill: tuple[str, ...] = ()
    check = ExperimentRunner.check

    def __init__(self, reports: Path) -> None:
        self.params = Params()

    def prepare(self) -> None:
        pass

    def run(self, experiments: list[Experiment]) -> tuple[dict[str, Run], dict[str, str]]:
        labels = [one.label for one in experiments]
        assert len(set(labels)) == len(labels)
        runs = {}
        for one in experiments:
            o = one.overrides
            uar = 0.4 * (o["denoise.model"] == "compact") + 0.2 * (o["vad.method"] == "none")
            uar += 0.1 * int(o["augment.copies"]) + 0.01 * int(o["train.seed"])
            seen = ["x"] if o["denoise.model"] == "compact" else []
            card = make_card(denoiser=o["denoise.model"], denoiser_heard_test_speakers=seen)
            runs[one.label] = make_run(f"{one.label}-1234567", card, uar=uar, val_uar=1 - uar)
        for label in self.ill:
            del runs[label]
        return runs, dict.fromkeys(self.ill, "power cut")


@pytest.fixture(autouse=True)
def runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ExperimentRunner", FakeRunner)


def read(reports: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((reports / "ablation.json").read_text())
    return content


def test_every_combination_is_run_once_and_averaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ablate(["none", "compact"], ["silero", "none"], [0, 2, 2], 2, tmp_path)
    content = read(tmp_path)
    assert len(content["runs"]) == 16
    assert [(row["denoise"], row["vad"], row["augment"]) for row in content["combinations"]] == [
        (denoise, vad, augment)
        for denoise in ("none", "compact")
        for vad in ("silero", "none")
        for augment in (0, 2)
    ]
    assert content["combinations"][-1]["uar"] == pytest.approx(0.4 + 0.2 + 0.2 + 0.005)
    assert [row["uar"] for row in content["levels"]["denoise"]] == pytest.approx([0.205, 0.605])
    assert [row["uar"] for row in content["levels"]["augment"]] == pytest.approx([0.305, 0.505])
    assert content["protocols"] == [
        "toy abababab, 3 classes, speaker-independent, fold 1 of 5, denoiser compact "
        "(TRAINED ON 1 OF THE TEST SPEAKERS)",
        "toy abababab, 3 classes, speaker-independent, fold 1 of 5, denoiser none",
    ]
    assert "Choose by the validation UAR" in capsys.readouterr().out


def test_the_views_are_a_factor(tmp_path: Path) -> None:
    ablate(["none"], ["none"], [0], 1, tmp_path, ["mfcc", "mfcc+encoder"])
    assert [row["views"] for row in read(tmp_path)["combinations"]] == ["mfcc", "mfcc+encoder"]
    with pytest.raises(ParamsError, match=r"network\.views"):
        ablate(["none"], ["none"], [0], 1, tmp_path, ["picture"])


def test_a_path_as_denoiser_makes_a_valid_name_in_git(tmp_path: Path) -> None:
    ablate(["/a b/net~1.pt"], ["none"], [0], 1, tmp_path)
    assert (
        read(tmp_path)["runs"][0]["experiment"]
        == "ablate-denoise-a-b-net-1-pt-vad-none-augment-0-views-mfcc-seed0-1234567"
    )


def test_only_the_levels_and_the_seed_vary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Experiment] = []
    run = FakeRunner.run
    monkeypatch.setattr(FakeRunner, "run", lambda self, runs: seen.extend(runs) or run(self, runs))
    ablate(["none"], ["silero"], [0, 2, 8], 1, tmp_path)
    for one, copies in zip(seen, (0, 2, 8), strict=True):
        assert one.overrides == {
            "denoise.model": "none",
            "vad.method": "silero",
            "augment.copies": copies,
            "network.views": ["mfcc"],
            "train.seed": 0,
        }


def test_an_unknown_level_is_refused_before_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeRunner, "prepare", lambda _: pytest.fail("ran"))
    with pytest.raises(ParamsError, match=r"vad\.method = 'loud'"):
        ablate(["none"], ["silero", "loud"], [0], 1, tmp_path)
    with pytest.raises(ParamsError, match=r"augment\.copies = -1"):
        ablate(["none"], ["silero"], [-1], 1, tmp_path)


def test_failed_runs_are_named_and_the_others_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ill = "ablate-denoise-none-vad-silero-augment-0-views-mfcc-seed0"
    monkeypatch.setattr(FakeRunner, "ill", (ill,))
    with pytest.raises(SerError, match=rf"1 of 2 runs failed, .*: {ill}: power cut"):
        ablate(["none"], ["silero"], [0, 1], 1, tmp_path)
    content = read(tmp_path)
    assert not content["complete"]
    assert len(content["runs"]) == 1
