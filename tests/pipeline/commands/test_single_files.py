"""Options and parameters of the commands for single files and for the machine reach what does the work."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.inference import predict as module
from pipeline.params import Params


def test_inspect(reached: Any, params: Params) -> None:
    options = ("--plot", "a.svg", "--device", "cpu", "--channel", "each")
    assert reached("pipeline.inference.inspection.inspect", "inspect", "a.wav", *options) == {
        "file": Path("a.wav"),
        "params": params.tier0,
        "plot": Path("a.svg"),
        "device": "cpu",
        "channel": "each",
    }


@pytest.mark.parametrize(
    ("options", "asked_for"),
    [
        ((), ("table", None, False)),
        (("--json", "--channel", "right"), ("json", "right", False)),
        (("--csv", "--keep-silence"), ("csv", None, True)),
    ],
)
@pytest.mark.parametrize("checkpoint", ["best.pt", None])
def test_predict(
    params: Params,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    asked_for: tuple[str, str | None, bool],
    checkpoint: str | None,
) -> None:
    made: list[tuple[Any, ...]] = []
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(module, "Predictor", lambda *arguments: made.append(arguments))

    def predict(files: Any, _predictor: Any, style: Any, _print_error: Any, *others: Any) -> int:
        asked.append((files, style, *others))
        return 0

    monkeypatch.setattr(module, "predict", predict)
    named = ("-c", checkpoint) if checkpoint else ()
    with pytest.raises(SystemExit) as left:
        main(["predict", "a.wav", "b.wav", *options, *named, "--weights", "w.th", "--device", "cpu"])
    assert left.value.code == 0
    # A checkpoint brings its own Tier 0.
    expected = (Path(checkpoint), None) if checkpoint else (None, params.tier0)
    assert made == [(*expected, "w.th", "cpu")]
    assert asked == [([Path("a.wav"), Path("b.wav")], *asked_for)]


@pytest.mark.parametrize("code", [module.UNUSABLE, module.NO_SPEECH])
def test_a_file_without_an_answer_shows_in_the_exit_code(
    params: Params, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(module, "Predictor", lambda *_: None)
    monkeypatch.setattr(module, "predict", lambda *_: code)
    with pytest.raises(SystemExit) as left:
        main(["predict", "a.wav", "--device", "cpu"])
    assert left.value.code == code


def test_doctor(reached: Any) -> None:
    assert reached("pipeline.doctor.doctor", "doctor") == {"params_file": Path("params.yaml")}
