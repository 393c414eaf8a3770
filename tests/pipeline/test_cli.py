"""The command `ser`: help, output, and errors as one line."""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from featurize.encoders.hub import find_encoder
from pipeline.cli import app, main
from pipeline.commands import experiments, published_corpora, single_files, split_files, stages
from pipeline.runs.best_checkpoint import best_checkpoint
from tests.featurize.encoders.toy_encoders import save_toy

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> int:
    """Exit code of `ser` with these arguments."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def commands_of(module: ModuleType) -> set[str]:
    """The public functions that a module of commands defines."""
    found = inspect.getmembers(module, inspect.isfunction)
    own = {name for name, function in found if function.__module__ == module.__name__ and name[0] != "_"}
    return {name.replace("_", "-") for name in own}


def test_help_lists_every_command_and_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    tree = get_command(app)
    assert isinstance(tree, TyperGroup)
    modules = (stages, published_corpora, experiments, split_files, single_files)
    assert tree.commands.keys() == set().union(*map(commands_of, modules))
    assert run("--help") == 0
    listed = dict(re.findall(r"^│ ([a-z][a-z-]*) +(\S.*?) *│$", capsys.readouterr().out, re.MULTILINE))
    assert listed.keys() == tree.commands.keys()
    for name, command in tree.commands.items():
        assert command.help
        assert command.help.startswith(listed[name].split()[0])
        assert run(name, "--help") == 0
        text = capsys.readouterr().out
        for parameter in command.params:
            assert max(parameter.opts, key=len) in text or str(parameter.name).upper() in text
            assert getattr(parameter, "help", None), f"ser {name} {parameter.name} says nothing of itself"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--params", "absent.yaml"), "absent.yaml: does not exist"),
        (("featurize", "--data", "nowhere"), "nowhere/denoised: no shards"),
        (("denoise", "--data", "nowhere"), "nowhere/manifest.csv: no manifest"),
        (("evaluate", "--checkpoints", "nowhere"), "nowhere: no checkpoint"),
        (("report", "--reports", "nowhere"), "nowhere"),
        (("inspect", "absent.wav"), "absent.wav"),
        (("predict", "a.wav", "--checkpoints", "nowhere"), "and nowhere: no checkpoint"),
        (("predict", "x.wav", "--checkpoint", "absent.pt"), "absent.pt: no such file"),
        (("train", "--device", "quantum"), "--device quantum: not usable here"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert len(captured.err.splitlines()) == 1


def test_inspect_prints_and_draws(
    small_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    clip = next((small_run.data / "raw" / "demo").rglob("*.wav"))
    assert run("inspect", clip, "--plot", tmp_path / "clip.png") == 0
    text = capsys.readouterr().out
    assert "22050 Hz, 1 channel" in text
    assert "40 coefficients" in text
    assert "dB before the denoiser" in text
    assert "compact" in text
    assert (tmp_path / "clip.png").read_bytes().startswith(b"\x89PNG")
    assert run("inspect", clip, "--plot", tmp_path / "clip.docx") == 2
    assert "unknown picture format 'docx'" in capsys.readouterr().err


def test_predict_answers_in_json(
    small_run: Any,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    clip = next((small_run.data / "raw" / "demo").rglob("*.wav"))
    checkpoint = best_checkpoint(small_run.checkpoints)
    assert run("predict", clip, "--json", "-c", checkpoint) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["file"], answer["random_weights"]) == (str(clip), False)
    assert run("predict", clip, "--json", "--checkpoints", small_run.checkpoints) == 0
    assert json.loads(capsys.readouterr().out) == answer
    assert caplog.messages[-1] == f"checkpoint: {checkpoint}"
    assert run("predict", clip, "--json", "--csv") == 2


def test_random_weights_answer_only_when_asked_for_and_say_so(
    small_run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    clip = next((small_run.data / "raw" / "demo").rglob("*.wav"))
    assert run("predict", clip, "--random-weights") == 0
    captured = capsys.readouterr()
    assert "(random weights)" in captured.out
    assert captured.err.startswith("ser: RANDOM WEIGHTS: the network is untrained")


def test_doctor_finds_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert run("doctor") == 0
    said = capsys.readouterr().out
    assert re.search(r"weights of compact +found at .*compact\.safetensors", said)
    assert "weights of dns64" in said
    assert re.search(r"encode\.model +none", said)
    params = tmp_path / "params.yaml"
    params.write_text("denoise: {model: dns64, weights: absent.th}\ncorpus: {name: ravdess, root: absent}")
    assert run("doctor", "--params", params) == 2
    problems = capsys.readouterr().err
    assert "its weights are not on this machine" in problems
    assert "absent does not exist" in problems


def test_doctor_finds_the_encoder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    params, toy = tmp_path / "params.yaml", save_toy(tmp_path / "toy", "hubert")
    params.write_text(f"encode: {{model: {toy}}}")
    assert run("doctor", "--params", params) == 0
    sha256 = find_encoder(str(toy)).sha256[:8]
    found = f"encode.model{toy}:hubert,SHA-256{sha256},foundat{toy}"
    assert found in "".join(capsys.readouterr().out.split())  # a table of a narrow terminal
    (toy / "config.json").unlink()
    assert run("doctor", "--params", params) == 2
    assert "lacks config.json" in " ".join(capsys.readouterr().err.split())
    params.write_text("encode: {model: toys/absent}")
    assert run("doctor", "--params", params) == 2
    assert "toys/absent is not in the Hub's cache" in " ".join(capsys.readouterr().err.split())
    monkeypatch.setattr("pipeline.doctor.find_spec", lambda _name: None)
    assert run("doctor", "--params", params) == 2
    assert "transformers is not installed; pip install" in " ".join(capsys.readouterr().err.split())
    params.write_text("baseline: {view: compare}")
    assert run("doctor", "--params", params) == 2
    assert "baseline.view is compare, and opensmile is not installed" in capsys.readouterr().err


def test_the_installed_script_runs() -> None:
    script = Path(sys.executable).with_name("ser")
    result = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert "Speech emotion recognition" in result.stdout


def test_inspect_reports_a_clip_that_bypasses_the_denoiser(
    small_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = next((small_run.data / "raw" / "demo").rglob("*.wav"))
    params = tmp_path / "params.yaml"
    for gate, left in ((-30, True), (90, False)):
        params.write_text(f"denoise: {{gate_snr_db: {gate}}}")
        assert run("inspect", clip, "--params", params) == 0
        assert ("compact (bypassed" in capsys.readouterr().out) == left
