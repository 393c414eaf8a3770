"""Experiments run outside the workspace, are reused, and fail separately: a toy project with real git and DVC."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from featurize.atomic import write_json
from featurize.errors import ParamsError, SerError
from pipeline.cli import main
from pipeline.experiments import experiment_runner as module
from pipeline.experiments.experiment_runner import Experiment, ExperimentRunner, override
from pipeline.params import Params
from pipeline.protocol.folds import FoldScheme
from tests.pipeline.made_up import make_card, make_run, make_summary, write_run

TOY = """
import json, pathlib, sys
import yaml
from pathlib import Path
params = yaml.safe_load(Path("params.yaml").read_text())
fold, home = params["split"]["fold"], Path(sys.argv[2])
def note(text):
    with (home / "done.txt").open("a") as file:
        print(text, file=file)
if sys.argv[1] == "featurize":
    note(f"featurize {fold} {len(list(Path('data/features').glob('*.h5')))}")
    for name in ("denoised", "features"):
        Path("data", name).mkdir(parents=True, exist_ok=True)
        Path("data", name, "rejects.csv").write_text("clip_id,path,reason,detail\\n")
    Path("data/features/part.h5").write_text(str(fold))
    columns = "clip_id,path,sha256,corpus,speaker,gender,emotion,label,valence,arousal,dominance,class_votes,split"
    columns += ",start_s,end_s"
    Path("data/manifest.csv").write_text("\\n".join([columns, *(f"c{i}" + "," * 14 for i in range(4))]))
    Path("data/rejects.csv").write_text("clip_id,path,reason,detail\\n")
    Path("data/manifest.json").write_text((home / "manifest.json").read_text())
else:
    note(f"evaluate {fold}")
    Path("reports").mkdir(exist_ok=True)
    Path("reports/predictions.csv").write_text((home / "predictions.csv").read_text())
    scores = json.loads((home / "evaluation.json").read_text())
    Path("reports/evaluation.json").write_text(json.dumps(scores | {"uar": fold / 4}))
"""

PIPELINE = """
stages:
  featurize:
    cmd: {python} toy.py featurize {home}
    params: [split]
    deps: [toy.py]
    outs: [data/manifest.csv, data/manifest.json, data/rejects.csv, data/denoised, data/features: {{persist: true}}]
  evaluate:
    cmd: {python} toy.py evaluate {home}
    params: [train]
    deps: [data/features]
    outs: [reports/evaluation.json, reports/predictions.csv]
"""


def call(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Root of a committed toy project with a single fold, beside what its stages copy."""
    root = tmp_path_factory.mktemp("toy") / "project"
    root.mkdir()
    card = make_card(folds=FoldScheme(kind="dealt", number=1), labels=["a", "b"])
    predicted = np.array([0, 0, 1, 1])
    write_run(make_run("", card, ["c0", "c1", "c2", "c3"], predicted=predicted), root.parent)
    write_json(root.parent / "manifest.json", make_summary(card).model_dump(mode="json"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "t")
            patch.setenv(f"GIT_{role}_EMAIL", "t@example.org")
        Path("toy.py").write_text(TOY)
        Path("dvc.yaml").write_text(PIPELINE.format(python=sys.executable, home=root.parent))
        Path("params.yaml").write_text("split: {folds: 2, fold: 1} # mine\ntrain: {seed: 5}\n")
        Path(".gitignore").write_text("/data/\n/reports/\n")
        call("git", "init", "-q")
        call(sys.executable, "-m", "dvc", "init", "-q")
        call("git", "add", "-A")
        call("git", "commit", "-qm", "Baseline")
        yield root


def ser(*arguments: str) -> int:
    try:
        main(list(arguments))
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def test_a_fold_runs_outside_the_workspace_and_is_reused(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = "split: {folds: 2, fold: 2} # mine, changed\ntrain: {epochs: 3}\n"
    Path("params.yaml").write_text(mine)
    assert ser("cv") == 0
    content = json.loads(Path("reports/cv.json").read_text())
    assert content["protocol"] in capsys.readouterr().out
    assert [(run["fold"], run["seed"], run["uar"]) for run in content["runs"]] == [(1, 0, 0.25)]
    assert content["pooled"]["n_clips"] == 4
    assert content["pooled"]["confusion"] == [[1, 1], [1, 1]]
    # The workspace begins with nothing; the fold's copy with the features that stand in the workspace.
    done = Path(toy.parent / "done.txt")
    assert done.read_text().splitlines() == ["featurize 2 0", "featurize 1 1", "evaluate 1"]
    assert Path("params.yaml").read_text() == mine
    assert Path("data/features/part.h5").read_text() == "2"
    assert not Path("reports/evaluation.json").exists()

    again = Experiment("cv-fold1-seed0", {"split.fold": 1, "train.seed": 0})
    outcomes, failures = ExperimentRunner(Path("reports")).run([again])
    assert failures == {}
    assert outcomes[again.label].name == content["runs"][0]["experiment"]
    assert len(done.read_text().splitlines()) == 3


def prepared(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ExperimentRunner, list[tuple[str, ...]]]:
    """A runner whose calls of DVC are only recorded."""
    monkeypatch.chdir(root)
    calls: list[tuple[str, ...]] = []

    def fake(_log: Path, *arguments: str) -> str:
        calls.append(arguments)
        return "Task Name Created Status\n1a b2 07:23 Queued\n"

    monkeypatch.setattr(module, "run_dvc", fake)
    Path("data").mkdir(exist_ok=True)
    write_json("data/manifest.json", make_summary(make_card()).model_dump(mode="json"))
    return ExperimentRunner(Path("reports")), calls


def test_a_name_depends_on_parameters_code_and_audio(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, _ = prepared(toy, monkeypatch)

    def name(overrides: dict[str, Any]) -> str:
        return runner.names([Experiment("x", overrides)])["x"]

    first = name({"split.fold": 1})
    assert first.startswith("x-")
    assert name({"split.fold": 1}) == first
    assert name({"split.fold": 2}) != first
    with pytest.raises(ParamsError, match=r"experiment: split\.fold = 0"):
        name({"split.fold": 0})
    start = toy.parent / "start.pt"
    started = []
    for content in (b"1", b"2", b"1"):  # at the same path
        start.write_bytes(content)
        started.append(name({"train.init": str(start)}))
    assert started[0] == started[2] != started[1]
    code = Path("toy.py").read_text()
    Path("toy.py").write_text(code + "\n")
    assert name({"split.fold": 1}) != first
    Path("toy.py").write_text(code)
    assert name({"split.fold": 1}) == first
    write_json("data/manifest.json", make_summary(make_card(files_sha256="0" * 64)).model_dump(mode="json"))
    assert name({"split.fold": 1}) != first


def test_experiments_that_are_finished_or_queued_are_not_queued(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, calls = prepared(toy, monkeypatch)
    monkeypatch.setattr(runner, "names", lambda all_: {one.label: one.label for one in all_})
    queued = runner.queue([Experiment("b2", {}), Experiment("b3", {"denoise.model": "a b'c"})])
    assert queued == ["b3"]
    assert calls[-1] == (
        *("exp", "run", "--queue", "--copy-paths", "dvc.lock", "--name", "b3"),
        *("-S", "++denoise.model='a b\\'c'", "evaluate"),
    )


def test_the_baseline_of_an_experiment_is_run_and_read(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, calls = prepared(toy, monkeypatch)
    runner = ExperimentRunner(Path("reports"), "baseline")
    name = runner.names([Experiment("b1", {})])["b1"]
    for file in ("evaluation.json", "predictions.csv"):
        (runner.folder / name).mkdir(parents=True, exist_ok=True)
        (runner.folder / name / file).unlink(missing_ok=True)
    runner.run([Experiment("b1", {})])
    assert [call[-1] for call in calls if call[:2] == ("exp", "run")] == ["baseline"]
    assert next(call for call in calls if call[0] == "get")[2] == "reports/baseline/evaluation.json"


@pytest.mark.parametrize(
    ("params", "through", "stages"),
    [
        ({}, "evaluate", ["featurize"]),
        ({"encode.model": "x"}, "evaluate", ["featurize", "encode"]),
        ({"encode.model": "x"}, "baseline", ["featurize", "encode"]),
        ({"baseline.view": "compare"}, "evaluate", ["featurize"]),
        ({"baseline.view": "compare"}, "baseline", ["featurize", "baseline"]),
    ],
)
def test_what_folds_share_is_made_before_any_experiment(
    toy: Path, monkeypatch: pytest.MonkeyPatch, params: dict[str, str], through: str, stages: list[str]
) -> None:
    runner, calls = prepared(toy, monkeypatch)
    runner.params, runner.through = override(runner.params, params), through
    runner.prepare()
    assert calls == [("repro", *stages)]


def test_a_failed_experiment_does_not_stop_the_others(
    toy: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runner, _ = prepared(toy, monkeypatch)
    monkeypatch.setattr(runner, "names", lambda all_: {one.label: one.label for one in all_})

    def fail_at_b(_log: Path, *arguments: str) -> str:
        if "b" in arguments and arguments[0] == "exp":
            raise SerError("power cut")
        if arguments[0] == "get":
            write_run(make_run(clip_ids=["NA", "b", "c"]), Path(arguments[-1]).parent)
        return ""

    monkeypatch.setattr(module, "run_dvc", fail_at_b)
    outcomes, failures = runner.run([Experiment(name, {}) for name in "abc"])
    assert list(outcomes) == ["a", "c"]
    assert outcomes["c"].predictions["clip_id"].tolist() == ["NA", "b", "c"]
    assert failures == {"b": "power cut"}
    assert "b failed: power cut" in caplog.text


def test_overrides_are_checked_and_change_nothing_else() -> None:
    params = override(Params(), {"augment.copies": 2, "vad.method": "none"})
    assert params.augment.copies == 2
    assert params.vad.method == "none"
    assert params.train == Params().train
    with pytest.raises(ParamsError, match=r"did you mean vad\.method"):
        override(Params(), {"vad.methode": "none"})
    with pytest.raises(ParamsError, match=r"experiment: vad\.method = 'loud'"):
        override(Params(), {"vad.method": "loud"})


def test_missing_requirements_of_experiments_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ser("cv") == 2
    assert "no params.yaml here; experiments run from the root of the project" in capsys.readouterr().err
    for file in ("params.yaml", "dvc.yaml"):
        Path(file).touch()
    Path(".dvc").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for command in ("cv", "ablate"):
        assert ser(command) == 2
        output = capsys.readouterr().err
        assert "no git commit" in output
        assert output.count("\n") == 1
    call("git", "init", "-q")
    assert ser("cv") == 2
    assert "git init && git add -A && git commit" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SerError, match="git is not installed"):
        ExperimentRunner(tmp_path)
