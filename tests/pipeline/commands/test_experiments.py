"""Options and parameters of the experiment commands are passed on."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.params import Params


def test_summary(reached: Any) -> None:
    call = reached("pipeline.runs.evaluated_run.read_run", "summary", "exp-1", "--reports", "r")
    assert list(call.values()) == ["exp-1", Path("r")]


def test_compare(reached: Any) -> None:
    call = reached("pipeline.runs.compare.compare", "compare", "workspace", "exp-1", "--reports", "r")
    assert call == {"first": "workspace", "second": "exp-1", "reports": Path("r")}


@pytest.mark.parametrize(("queue", "baseline"), [(True, False), (False, False), (False, True)])
def test_cv(reached: Any, queue: bool, baseline: bool) -> None:
    options = ("--seeds", "3", "--reports", "r", *["--queue"] * queue, *["--baseline"] * baseline)
    call = reached("pipeline.experiments.crossvalidation.cross_validate", "cv", *options)
    assert call == {"seeds": 3, "reports": Path("r"), "queue": queue, "baseline": baseline}


def test_ablate(reached: Any) -> None:
    options = ("--denoise", "none", "--denoise", "dns64", "--vad", "none", "--augment", "8", "--seeds", "2")
    options += ("--views", "mfcc", "--views", "mfcc+encoder")
    assert reached("pipeline.experiments.ablation.ablate", "ablate", *options) == {
        "denoise": ["none", "dns64"],
        "vad": ["none"],
        "augment": [8],
        "seeds": 2,
        "reports": Path("reports"),
        "views": ["mfcc", "mfcc+encoder"],
    }


@pytest.mark.parametrize(
    ("train", "hows"),
    [("one", ["one-corpus"]), ("others", ["corpus"]), ("both", ["one-corpus", "corpus"])],
)
def test_cross(reached: Any, train: str, hows: list[str]) -> None:
    call = reached("pipeline.experiments.cross.cross", "cross", "--train", train, "--seeds", "2", "--queue")
    reports = Path("reports")
    assert call == {"hows": hows, "seeds": 2, "reports": reports, "queue": True, "baseline": False}


def test_robustness(reached: Any) -> None:
    options = (
        "--noise",
        "n",
        "--snr",
        "5,-5",
        "--seed",
        "2",
        "-c",
        "b.pt",
        "--weights",
        "w.th",
        "--data",
        "d",
    )
    assert reached(
        "pipeline.experiments.robustness.robustness",
        "robustness",
        *options,
        "--reports",
        "r",
        "--device",
        "cpu",
    ) == {
        "checkpoint": Path("b.pt"),
        "data": Path("d"),
        "reports": Path("r"),
        "noise": Path("n"),
        "snrs_db": [5.0, -5.0],
        "seed": 2,
        "weights": "w.th",
        "device": "cpu",
        "encoder": None,
    }


def test_robustness_uses_the_best_checkpoint_by_default(reached: Any) -> None:
    Path("c").mkdir()
    Path("c/best_uar_0.5.pt").touch()
    options = ("--noise", "n", "--checkpoints", "c", "--device", "cpu")
    call = reached("pipeline.experiments.robustness.robustness", "robustness", *options)
    assert call["checkpoint"] == Path("c/best_uar_0.5.pt")


@pytest.mark.parametrize(
    ("options", "epochs", "seed"), [((), 3, 4), (("--epochs", "9", "--seed", "0"), 9, 0)]
)
def test_leak_tax(reached: Any, params: Params, options: tuple[str, ...], epochs: int, seed: int) -> None:
    call = reached("pipeline.experiments.leak_tax.leak_tax", "leak-tax", *options, "--device", "cpu")
    assert (call["train"].epochs, call["train"].seed) == (epochs, seed)
    assert (call["network"], call["split"]) == (params.network, params.split)
    assert (call["data"], call["reports"], call["device"]) == (Path("data"), Path("reports"), "cpu")
