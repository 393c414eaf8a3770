"""Stage evaluate: its files agree with each other and with scikit-learn."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from dvc_render.vega_templates import get_template
from ruamel.yaml import YAML
from scipy.stats import entropy
from sklearn.metrics import balanced_accuracy_score

from featurize.errors import CheckpointError, SplitError
from featurize.shards import Row, Shard, list_shards, write_shard
from model.checkpoint import load_checkpoint, save_checkpoint
from model.network.tier1 import SERTier1
from model.scoring.concordance import concordance
from model.vote_shares import NO_AGREEMENT
from pipeline.inference.predict import Predictor, predict
from pipeline.protocol.card import ScoringCard, digest
from pipeline.protocol.data_card import data_card, shared_provenance
from pipeline.protocol.manifest_file import read_manifest
from pipeline.protocol.manifest_summary import read_summary
from pipeline.protocol.wording import describe
from pipeline.runs.best_checkpoint import best_checkpoint
from pipeline.runs.evaluated_run import read_run, summarise
from pipeline.stages.baseline import baseline
from pipeline.stages.evaluate import evaluate
from pipeline.stages.train import train


def test_predictions_cover_the_test_split_and_nothing_else(small_run: Any) -> None:
    predictions = pd.read_csv(small_run.reports / "predictions.csv", dtype={"speaker": str})
    manifest = read_manifest(small_run.data / "manifest.csv")
    test = manifest[manifest["split"] == "test"].set_index("clip_id")
    assert sorted(predictions["clip_id"]) == sorted(test.index)
    truth = test.loc[predictions["clip_id"]]
    assert predictions["true_label"].tolist() == truth["label"].tolist()
    assert predictions["speaker"].tolist() == truth["speaker"].tolist()


def test_probabilities_prediction_and_confidence_agree(small_run: Any) -> None:
    predictions = pd.read_csv(small_run.reports / "predictions.csv")
    probabilities = predictions.filter(like="prob_")
    assert probabilities.columns.tolist() == [f"prob_{x}" for x in ("happy", "neutral", "sad", "angry")]
    torch.testing.assert_close(
        torch.tensor(probabilities.sum(axis=1).to_numpy()),
        torch.ones(len(predictions), dtype=torch.float64),
        atol=1e-5,
        rtol=0,
    )
    best = probabilities.idxmax(axis=1).str.removeprefix("prob_")
    assert predictions["pred_label"].tolist() == best.tolist()
    assert predictions["confidence"].tolist() == pytest.approx(probabilities.max(axis=1).tolist())
    assert (predictions["correct"] == (predictions["true_label"] == predictions["pred_label"])).all()


def test_metrics_are_those_of_the_predictions_and_carry_their_protocol(small_run: Any) -> None:
    metrics = json.loads((small_run.reports / "evaluation.json").read_text())
    predictions = pd.read_csv(small_run.reports / "predictions.csv")
    expected = balanced_accuracy_score(predictions["true_label"], predictions["pred_label"])
    assert metrics["uar"] == pytest.approx(expected)
    assert metrics["accuracy"] == pytest.approx(predictions["correct"].mean())
    assert metrics["checkpoint"] == best_checkpoint(small_run.checkpoints).name
    assert metrics["protocol"]["corpus"] == "demo"
    assert metrics["protocol"]["denoiser"] == "none"


def test_the_headline_is_short_and_never_without_its_protocol(small_run: Any) -> None:
    headline = json.loads((small_run.reports / "metrics.json").read_text())
    whole = json.loads((small_run.reports / "evaluation.json").read_text())
    assert headline["uar"] == whole["uar"]
    assert headline["recall"]["sad"] == whole["per_class"]["sad"]["recall"]
    assert headline["protocol"] == describe(ScoringCard.model_validate(whole["protocol"]))
    assert headline["ece"] == whole["calibration"]["after"]["ece"]


def test_every_prediction_bears_the_hash_of_the_card(small_run: Any) -> None:
    whole = json.loads((small_run.reports / "evaluation.json").read_text())
    predictions = pd.read_csv(small_run.reports / "predictions.csv")
    assert whole["card"] == digest(whole["protocol"])[:12]
    assert set(predictions["card"]) == {whole["card"]}
    assert whole["protocol"]["scored_with"] == {}  # trained and scored by the same code, here
    assert whole["params"].keys() == {"load", "denoise", "vad", "mfcc", "network", "train"}


def test_the_tables_of_the_plots_are_those_of_the_evaluation(small_run: Any) -> None:
    whole = json.loads((small_run.reports / "evaluation.json").read_text())
    bins = pd.read_csv(small_run.reports / "reliability.csv")
    assert bins["count"].sum() == whole["n_clips"]
    risk = pd.read_csv(small_run.reports / "risk_coverage.csv")
    assert risk["risk"].iloc[-1] == pytest.approx(1 - whole["accuracy"])


def with_other_splits(
    small_run: Any, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Path:
    """A data folder whose feature shards and manifest.json are of another split."""
    (folder / "features").mkdir(parents=True)
    for path in list_shards(small_run.data / "features"):
        shard = Shard(path)
        rows = [Row(change(shard.fields(k)), shard.data(k), shard.segments(k)) for k in range(len(shard))]
        write_shard(folder / "features" / path.name, "mfcc", rows, shard.attributes)
    fields = [change(shard.fields(k)) for k in range(len(shard))]
    summary = json.loads((small_run.data / "manifest.json").read_text())
    for split in ("train", "val", "test"):
        found = sorted({each["speaker"] for each in fields if each["split"] == split})
        summary["protocol"]["speakers"][split] = found
    (folder / "manifest.json").write_text(json.dumps(summary))
    return folder


def test_a_checkpoint_trained_on_test_speakers_is_refused(small_run: Any, tmp_path: Path) -> None:
    turn = {"train": "test", "val": "val", "test": "train"}
    data = with_other_splits(small_run, tmp_path / "data", lambda f: {**f, "split": turn[f["split"]]})
    with pytest.raises(CheckpointError, match=r"a leak: .* test speakers"):
        evaluate(data, small_run.checkpoints, tmp_path)
    assert not (tmp_path / "metrics.json").exists()


def test_an_empty_test_split_is_an_error(small_run: Any, tmp_path: Path) -> None:
    data = with_other_splits(
        small_run,
        tmp_path / "data",
        lambda f: {**f, "split": "train" if f["split"] == "test" else f["split"]},
    )
    network, args = load_checkpoint(best_checkpoint(small_run.checkpoints))
    shards = list_shards(data / "features")
    card = data_card(read_summary(data / "manifest.json"), shards, shared_provenance(shards))
    path = tmp_path / "fits.pt"
    save_checkpoint(path, network, {**args, "protocol": {**args["protocol"], **card.model_dump(mode="json")}})
    with pytest.raises(SplitError, match=r"the test split has no clips"):
        evaluate(data, small_run.checkpoints, tmp_path, path)


def test_a_checkpoint_of_other_labels_is_refused(small_run: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.pt"
    save_checkpoint(other, SERTier1(40, 2), {"labels": ["yes", "no"], "protocol": {}})
    with pytest.raises(CheckpointError, match=r"other\.pt: trained on labels \['yes', 'no'\]"):
        evaluate(small_run.data, small_run.checkpoints, tmp_path, other)
    assert not (tmp_path / "metrics.json").exists()


def test_the_best_checkpoint_of_a_folder_is_scored(small_run: Any, tmp_path: Path) -> None:
    best = best_checkpoint(small_run.checkpoints)
    network, args = load_checkpoint(best)
    shutil.copy(best, tmp_path / "a.pt")
    save_checkpoint(tmp_path / "b.pt", network, {**args, "val_uar": args["val_uar"] + 0.1})
    assert evaluate(small_run.data, tmp_path, tmp_path / "r").checkpoint == "b.pt"
    assert evaluate(small_run.data, tmp_path / "absent", tmp_path / "r", tmp_path).checkpoint == "b.pt"
    with pytest.raises(CheckpointError, match=r"absent: no checkpoint"):
        evaluate(small_run.data, tmp_path / "absent", tmp_path)


def test_dvc_draws_columns_that_exist_with_templates_that_exist(small_run: Any) -> None:
    root = Path(__file__).resolve().parents[3]
    plots = {k: v for each in YAML(typ="safe").load(root / "dvc.yaml")["plots"] for k, v in each.items()}
    assert {"confusion", "confusion, normalised", "reliability", "risk by coverage"} <= plots.keys()
    for plot in plots.values():
        template = get_template(plot["template"], str(root / ".dvc" / "plots"))
        assert template.content
        for file, column in plot["y"].items():
            path = small_run.root / file
            columns = pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",").columns
            assert {plot["x"], column} <= {*columns}


@pytest.fixture(scope="module")
def affect_run(small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on clips with valence and dominance, but without arousal, and with votes of raters for some.

    Some clips of the train split are without agreement.
    """
    root = tmp_path_factory.mktemp("affect")
    values = {"happy": ("5", "4"), "neutral": ("3", ""), "sad": ("1.5", "2"), "angry": ("1", "6")}

    def rated(fields: dict[str, Any]) -> dict[str, Any]:
        valence, dominance = values[fields["label"]]
        votes = "" if fields["label"] == "sad" else f'{{"{fields["label"]}": 2, "sad": 1}}'
        undecided = fields["split"] == "train" and fields["label"] == "sad" and fields["speaker"] == "f01"
        label = NO_AGREEMENT if undecided else fields["label"]
        return {**fields, "valence": valence, "dominance": dominance, "class_votes": votes, "label": label}

    data = with_other_splits(small_run, root / "data", rated)
    summary = json.loads((data / "manifest.json").read_text())
    summary["protocol"]["no_agreement"] = "class"
    (data / "manifest.json").write_text(json.dumps(summary))
    params = small_run.params.train.model_copy(update={"affect_weight": 1.0, "targets": "soft"})
    train(small_run.params.network, params, data, root / "checkpoints", root / "reports")
    evaluate(data, root / "checkpoints", root / "reports")
    return root


def test_concordance_is_that_of_the_predictions(affect_run: Path) -> None:
    whole = json.loads((affect_run / "reports" / "evaluation.json").read_text())
    predictions = pd.read_csv(affect_run / "reports" / "predictions.csv")
    assert whole["affect"].keys() == {"valence", "dominance"}
    for name, own in whole["affect"].items():
        truth, predicted = (predictions[f"{kind}_{name}"].to_numpy() for kind in ("true", "pred"))
        assert own["ccc"] == pytest.approx(concordance(truth, predicted), abs=1e-5)  # of rounded values
        assert own["clips"] == predictions[f"true_{name}"].notna().sum()
        assert "one speaker" in own["note"]
    assert predictions["true_dominance"].isna().sum() == (predictions["true_label"] == "neutral").sum()
    assert "pred_arousal" not in predictions.columns
    metrics = json.loads((affect_run / "reports" / "metrics.json").read_text())
    assert metrics["ccc"] == {name: own["ccc"] for name, own in whole["affect"].items()}
    assert any(
        line.startswith("CCC: valence ") for line in summarise(read_run(str(affect_run / "reports"), Path()))
    )


def test_divergence_from_votes_is_that_of_the_predictions(affect_run: Path, small_run: Any) -> None:
    whole = json.loads((affect_run / "reports" / "evaluation.json").read_text())
    predictions = pd.read_csv(affect_run / "reports" / "predictions.csv")
    voted = predictions[predictions["true_label"] != "sad"]
    votes = pd.get_dummies(voted["true_label"]).reindex(columns=whole["labels"], fill_value=0) * 2 / 3
    votes["sad"] = 1 / 3
    probabilities = voted[[f"prob_{label}" for label in whole["labels"]]]
    expected = entropy(votes.to_numpy(float), probabilities.to_numpy(), axis=1).mean()
    assert whole["votes"] == {"kl": pytest.approx(expected, abs=1e-5), "clips": len(voted)}
    metrics = json.loads((affect_run / "reports" / "metrics.json").read_text())
    assert metrics["kl"] == whole["votes"]["kl"]
    assert metrics["accuracy"] <= metrics["top2"] <= metrics["top3"] <= 1
    assert "kl" not in json.loads((small_run.reports / "metrics.json").read_text())


def test_no_agreement_is_trained_as_a_class_and_never_predicted(affect_run: Path) -> None:
    network, args = load_checkpoint(best_checkpoint(affect_run / "checkpoints"))
    assert (network.num_classes, network.num_trained, len(args["labels"])) == (4, 5, 4)
    whole = json.loads((affect_run / "reports" / "evaluation.json").read_text())
    predictions = pd.read_csv(affect_run / "reports" / "predictions.csv")
    assert predictions.filter(like="prob_").sum(axis=1).tolist() == pytest.approx(
        [1] * len(predictions), abs=1e-5
    )
    assert NO_AGREEMENT not in {*whole["labels"], *predictions["pred_label"]}
    assert whole["protocol"]["no_agreement"] == "class"
    assert "no agreement as a class in training" in describe(ScoringCard.model_validate(whole["protocol"]))


def test_the_baseline_leaves_clips_without_agreement_out(affect_run: Path, small_run: Any) -> None:
    found = baseline(small_run.params.baseline, affect_run / "data", affect_run / "reports")
    assert found.protocol.no_agreement == "drop"
    assert found.labels == ["happy", "neutral", "sad", "angry"]
    assert "no agreement" not in describe(found.protocol)


def test_a_recording_gets_the_dimensions_of_the_evaluation(
    small_run: Any, affect_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictor = Predictor(best_checkpoint(affect_run / "checkpoints"))
    row = pd.read_csv(affect_run / "reports" / "predictions.csv").iloc[0]
    path = small_run.data / "raw" / f"{row['clip_id']}.wav"
    answers = {}
    for style in ("json", "csv", "table"):
        assert predict([path], predictor, style, pytest.fail) == 0
        answers[style] = capsys.readouterr().out
    found = json.loads(answers["json"])["affect"]
    expected = {name: row[f"pred_{name}"] for name in ("valence", "dominance")}
    assert found == pytest.approx(expected, abs=1e-4)
    (written,) = csv.DictReader(io.StringIO(answers["csv"]))
    assert {name: float(written[name]) for name in expected} == pytest.approx(found)
    assert f"]  valence {found['valence']:.2f}  dominance {found['dominance']:.2f}" in answers["table"]
