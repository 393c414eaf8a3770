"""Options and parameters of the commands for single files and for the machine reach what does the work."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.inference import predict as module
from pipeline.params import Params


@pytest.mark.parametrize(
    ("more", "changes"),
    [
        ((), None),
        (("--encoder", "some/encoder"), {"model": "some/encoder"}),
        (("--encoder", "e", "--layer", "3", "--layer", "1"), {"model": "e", "layers": (3, 1)}),
    ],
)
def test_inspect(reached: Any, params: Params, more: tuple[str, ...], changes: dict[str, Any] | None) -> None:
    options = ("--plot", "a.svg", "--device", "cpu", "--channel", "each", *more)
    assert reached("pipeline.inference.inspection.inspect", "inspect", "a.wav", *options) == {
        "file": Path("a.wav"),
        "params": params.tier0,
        "plot": Path("a.svg"),
        "device": "cpu",
        "channel": "each",
        "encode": changes and params.encode.model_copy(update=changes),
    }


def test_a_layer_is_one_of_an_encoder(params: Params, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["inspect", "a.wav", "--layer", "3"])
    assert left.value.code == 2
    assert "--layer is of no use without --encoder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "asked_for"),
    [
        ((), ("table", None, False)),
        (("--json", "--channel", "right"), ("json", "right", False)),
        (("--csv", "--keep-silence"), ("csv", None, True)),
    ],
)
@pytest.mark.parametrize("network", [("-c", "named.pt"), ("--checkpoints", "c"), ("--random-weights",)])
def test_predict(
    params: Params,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    asked_for: tuple[str, str | None, bool],
    network: tuple[str, ...],
) -> None:
    made: list[tuple[Any, ...]] = []
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(module, "Predictor", lambda *arguments: made.append(arguments))

    def predict(recordings: Any, _predictor: Any, style: Any, _print_error: Any, *others: Any) -> int:
        asked.append((recordings, style, *others))
        return 0

    monkeypatch.setattr(module, "predict", predict)
    Path("c").mkdir()
    Path("c/best_uar_0.5.pt").touch()
    recordings = ["a.wav", "-", "http://h/b.wav"]
    with pytest.raises(SystemExit) as left:
        main(["predict", *recordings, *options, *network, "--weights", "w.th", "--device", "cpu"])
    assert left.value.code == 0
    # A checkpoint brings its own Tier 0.
    chosen = {"-c": Path("named.pt"), "--checkpoints": Path("c/best_uar_0.5.pt")}.get(network[0])
    assert made == [(chosen, None if chosen else params.tier0, "w.th", "cpu", None)]
    assert asked == [(recordings, *asked_for)]


@pytest.mark.parametrize("code", [module.UNUSABLE, module.NO_SPEECH])
def test_a_file_without_an_answer_shows_in_the_exit_code(
    params: Params, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(module, "Predictor", lambda *_: None)
    monkeypatch.setattr(module, "predict", lambda *_: code)
    with pytest.raises(SystemExit) as left:
        main(["predict", "a.wav", "--device", "cpu", "-c", "best.pt"])
    assert left.value.code == code


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("a.wav",), "ser: no --checkpoint was given, and checkpoints: no checkpoint"),
        (
            ("a.wav", "-c", "empty"),
            "ser: empty: no checkpoint (*.pt) in it; run `ser train`, or name another",
        ),
        (("a.wav", "-c", "1.pt", "2.pt"), "ser: 2.pt: a checkpoint among the recordings"),
        (("a.wav", "-c", "1.pt", "--random-weights"), "choose --checkpoint or --random-weights"),
    ],
)
def test_without_one_network_there_is_no_answer(
    params: Params, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], what: str
) -> None:
    Path("empty").mkdir()
    with pytest.raises(SystemExit) as left:
        main(["predict", *arguments])
    assert left.value.code == 2
    captured = capsys.readouterr()
    assert what in captured.err
    assert captured.out == ""


def test_doctor(reached: Any) -> None:
    assert reached("pipeline.doctor.doctor", "doctor") == {"params_file": Path("params.yaml")}
