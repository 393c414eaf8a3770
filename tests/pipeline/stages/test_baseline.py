"""Stage baseline: scored as the network is, on a choice that the test split cannot change."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from featurize.errors import SplitError, TrainingError
from featurize.shards import Row, Shard, list_shards, write_shard
from model.baseline.baseline_params import BaselineParams
from model.baseline.choice import fit_baseline
from model.baseline.functionals import Examples, centre_groups
from model.feature_splits import SplitLoader
from pipeline.cli import main
from pipeline.extraction.engine import InProcess
from pipeline.extraction.opensmile_sets import clip_functionals
from pipeline.protocol.card import digest
from pipeline.runs.compare import compare, format_comparison
from pipeline.runs.evaluated_run import read_run, summarise
from pipeline.runs.workspace import read_workspace
from pipeline.stages.baseline import baseline
from pipeline.stages.report import report


def rewritten(small_run: Any, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """The small run's data with other columns, or without the clips for which `change` returns nothing."""
    (folder / "features").mkdir(parents=True)
    for path in list_shards(small_run.data / "features"):
        shard = Shard(path)
        rows = [
            Row(fields, shard.data(k), shard.segments(k))
            for k in range(len(shard))
            if (fields := change(shard.fields(k)))
        ]
        write_shard(folder / "features" / path.name, "mfcc", rows, shard.attributes)
    shutil.copy(small_run.data / "manifest.json", folder)
    return folder


def encode(data: Path, states: int = 3) -> None:
    """Made-up encodings of the clips in data/features, whose last hidden state shows the class."""
    (data / "encodings").mkdir()
    layers = list(range(2, 2 + states))
    encoder = {"name": "toy", "sha256": "00", "layers": layers, "size": 8, "frame_pooling": 2}
    attributes = {"encoder": json.dumps(encoder), "encode_step": '{"version": "1"}', "encode": "{}"}
    labels: list[str] = []
    for path in list_shards(data / "features"):
        shard, rows = Shard(path), []
        for row in range(len(shard)):
            fields = shard.fields(row)
            labels += [fields["label"]] * (fields["label"] not in labels)
            frames = np.random.default_rng(row).normal(size=(60, states, 8)).astype(np.float16)
            frames[:, -1] += 3 * np.eye(8, dtype=np.float16)[labels.index(fields["label"])]
            rows.append(Row(fields, frames))
        write_shard(data / "encodings" / path.name, "encoding", rows, attributes)


@pytest.fixture(scope="module")
def reports(small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small run's reports, with a baseline."""
    folder = tmp_path_factory.mktemp("baseline") / "reports"
    shutil.copytree(small_run.reports, folder)
    baseline(BaselineParams(), small_run.data, folder)
    return folder


def test_the_files_agree_and_say_what_made_them(reports: Path) -> None:
    run = read_run(str(reports / "baseline"), reports)
    evaluation, table = run.evaluation, run.predictions
    assert evaluation.uar == pytest.approx(balanced_accuracy_score(table["true_label"], table["pred_label"]))
    assert evaluation.protocol.model == "baseline"
    assert (evaluation.protocol.views, evaluation.protocol.seed) == (["mfcc"], None)
    assert evaluation.params["baseline"] == BaselineParams().model_dump(mode="json")
    assert evaluation.choice is not None
    assert evaluation.choice.penalty in BaselineParams().penalties
    assert digest(evaluation.protocol.model_dump(mode="json")).startswith(evaluation.card)
    headline = json.loads((reports / "baseline/metrics.json").read_text())["baseline"]
    assert headline["uar"] == evaluation.uar
    assert "BASELINE of mfcc" in headline["protocol"]
    assert "best_epoch" not in headline
    assert sorted(path.name for path in (reports / "baseline").iterdir()) == [
        "evaluation.json", "metrics.json", "predictions.csv",
    ]  # fmt: skip


def test_it_is_compared_with_the_network(reports: Path, small_run: Any) -> None:
    found = compare("workspace", str(reports / "baseline"), reports)
    assert ("model", "network", "baseline") in found.differs
    assert not [name for name, *_ in found.differs if name.startswith(("network.", "train.", "baseline."))]
    network = pd.read_csv(reports / "predictions.csv")
    assert sorted(found.second.predictions["clip_id"]) == sorted(network["clip_id"])
    assert any("model: network → baseline" in line for line in format_comparison(found))
    assert any("chosen on validation: C " in line for line in summarise(found.second))


def test_the_report_names_it(reports: Path, small_run: Any) -> None:
    workspace = read_workspace(small_run.data, reports)
    assert workspace.baseline is not None
    page = report(small_run.data, reports).read_text(encoding="utf-8")
    assert "The baseline, logistic regression on mean, std of the same view (mfcc), has a UAR of " in page
    assert f"{workspace.baseline.evaluation.uar:.3f}" in page


def test_the_test_split_cannot_change_the_choice(small_run: Any, tmp_path: Path) -> None:
    """Other test labels and no fit change only the scores."""
    labels = ["happy", "neutral", "sad", "angry"]

    def turn(fields: dict[str, Any]) -> dict[str, Any]:
        following = labels[(labels.index(fields["label"]) + 1) % 4]
        return fields | ({"label": following} if fields["split"] == "test" else {})

    first = baseline(BaselineParams(), small_run.data, tmp_path / "first")
    second = baseline(BaselineParams(), rewritten(small_run, tmp_path / "data", turn), tmp_path / "second")
    assert (first.choice, first.val_uar, first.temperature) == (
        *(second.choice, second.val_uar, second.temperature),
    )
    chances = [
        pd.read_csv(tmp_path / name / "baseline/predictions.csv").filter(like="prob_")
        for name in ("first", "second")
    ]
    assert chances[0].equals(chances[1])
    assert first.confusion != second.confusion


def test_copies_change_nothing(small_run: Any, tmp_path: Path) -> None:
    data = rewritten(small_run, tmp_path / "data", lambda fields: fields | {"augmentation": ""})
    (path, *_) = list_shards(data / "features")
    shard = Shard(path)
    rows = [Row(shard.fields(k), shard.data(k), shard.segments(k)) for k in range(len(shard))]
    rows += [
        Row(row.columns | {"clip_id": f"{number}#", "sha256": f"{number}", "augmentation": "noise"}, row.data + 9,
            row.segments)
        for number, row in enumerate(rows) if row.columns["split"] == "train"
    ]  # fmt: skip
    write_shard(path, "mfcc", rows, shard.attributes)
    found = [baseline(BaselineParams(), folder, tmp_path) for folder in (small_run.data, data)]
    assert found[0].model_dump() == found[1].model_dump()


@pytest.mark.parametrize("classifier", ["logistic", "svm"])
def test_hidden_states_are_chosen_and_named_by_their_numbers(
    small_run: Any, tmp_path: Path, classifier: Any
) -> None:
    data = rewritten(small_run, tmp_path / "data", dict)
    encode(data)
    params = BaselineParams(view="encoder", neighbours=2, classifier=classifier)
    found = baseline(params, data, tmp_path)
    assert found.choice is not None
    assert found.choice.states == (4,)
    assert found.uar == 1
    assert found.protocol.encoder is not None
    assert found.protocol.encoder.layers == [2, 3, 4]


def test_functionals_of_opensmile_are_a_view(small_run: Any, tmp_path: Path) -> None:
    data = rewritten(small_run, tmp_path / "data", dict)
    (data / "denoised").symlink_to(small_run.data / "denoised")
    found = baseline(BaselineParams(view="egemaps", normalisation="speaker"), data, tmp_path)
    assert (found.protocol.views, found.protocol.encoder) == (["egemaps"], None)
    assert found.params["opensmile"]["set"] == "eGeMAPSv02"
    assert found.choice is not None
    assert found.choice.states == ()
    values = clip_functionals("egemaps", data, InProcess())
    loader = SplitLoader(data, found.labels)
    train, val = (
        centre_groups(
            Examples(np.stack([values[key] for key in split.columns["sha256"]])[:, None], split.labels),
            split.columns["speaker"],
            "speaker",
        )
        for split in map(loader.load, ("train", "val"))
    )
    fitted = fit_baseline(train, val, BaselineParams(), found.labels)
    assert (found.val_uar, found.choice) == (fitted.val_uar, fitted.choice)
    metrics = json.loads((tmp_path / "baseline/metrics.json").read_text())
    assert "BASELINE of egemaps, TRANSDUCTIVE" in metrics["baseline"]["protocol"]


def test_a_clip_without_functionals_is_named(small_run: Any, tmp_path: Path) -> None:
    data = rewritten(
        small_run, tmp_path / "data", lambda fields: fields | {"sha256": f"other {fields['sha256']}"}
    )
    (data / "denoised").symlink_to(small_run.data / "denoised")
    with pytest.raises(TrainingError, match=r"demo/\S+: has no functionals; choose another baseline\.view"):
        baseline(BaselineParams(view="egemaps"), data, tmp_path)


def test_normalisation_by_speaker_is_stamped(small_run: Any, tmp_path: Path) -> None:
    baseline(BaselineParams(normalisation="speaker"), small_run.data, tmp_path)
    metrics = json.loads((tmp_path / "baseline/metrics.json").read_text())
    assert "BASELINE of mfcc, TRANSDUCTIVE (normalised by speaker)" in metrics["baseline"]["protocol"]
    unknown = rewritten(small_run, tmp_path / "data", lambda fields: fields | {"speaker": ""})
    with pytest.raises(TrainingError, match="needs the speaker of every clip"):
        baseline(BaselineParams(normalisation="speaker"), unknown, tmp_path)


def test_bad_input_is_one_line(small_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("baseline: {view: encoder}")
    options = ["--params", str(params), "--data", str(small_run.data), "--reports", str(tmp_path)]
    with pytest.raises(SystemExit) as left:
        main(["baseline", *options])
    assert left.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.endswith("no shards, which the view encoder needs; set encode.model and run `ser encode`")
    no_test = rewritten(
        small_run, tmp_path / "data", lambda fields: {} if fields["split"] == "test" else fields
    )
    with pytest.raises(SplitError, match="the test split has no clips"):
        baseline(BaselineParams(), no_test, tmp_path)
    assert not (tmp_path / "baseline").exists()
