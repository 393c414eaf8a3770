"""Options and parameters of the commands for single files and for the machine reach what does the work."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.inference import predict as module
from pipeline.params import Params


def test_inspect(reached: Any, params: Params) -> None:
    options = ("--plot", "a.svg", "--device", "cpu")
    assert reached("pipeline.inference.inspection.inspect", "inspect", "a.wav", *options) == {
        "file": Path("a.wav"),
        "params": params.tier0,
        "plot": Path("a.svg"),
        "device": "cpu",
    }


@pytest.mark.parametrize(("options", "style"), [((), "table"), (("--json",), "json"), (("--csv",), "csv")])
@pytest.mark.parametrize("checkpoint", ["best.pt", None])
def test_predict(
    params: Params,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    style: str,
    checkpoint: str | None,
) -> None:
    made: list[tuple[Any, ...]] = []
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(module, "Predictor", lambda *arguments: made.append(arguments))
    monkeypatch.setattr(
        module, "predict", lambda files, _predictor, style, _print_error: asked.append((files, style)) or True
    )
    named = ("-c", checkpoint) if checkpoint else ()
    with pytest.raises(SystemExit) as left:
        main(["predict", "a.wav", "b.wav", *options, *named, "--weights", "w.th", "--device", "cpu"])
    assert left.value.code == 0
    # A checkpoint brings its own Tier 0.
    expected = (Path(checkpoint), None) if checkpoint else (None, params.tier0)
    assert made == [(*expected, "w.th", "cpu")]
    assert asked == [([Path("a.wav"), Path("b.wav")], style)]


def test_a_file_without_an_answer_shows_in_the_exit_code(
    params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Predictor", lambda *_: None)
    monkeypatch.setattr(module, "predict", lambda *_: False)
    with pytest.raises(SystemExit) as left:
        main(["predict", "a.wav", "--device", "cpu"])
    assert left.value.code == 2


def test_doctor(reached: Any) -> None:
    assert reached("pipeline.doctor.doctor", "doctor") == {"params_file": Path("params.yaml")}
