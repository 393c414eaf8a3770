"""Stage `evaluate`: score the best checkpoint on the test split, and write a prediction for every clip."""

from pathlib import Path

import pandas as pd

from featurize.atomic import write_text
from model.affect import DIMENSIONS
from model.checkpoint import load_checkpoint
from model.feature_splits import SplitLoader
from model.logits import predict
from pipeline.protocol.card import scoring_card
from pipeline.protocol.data_card import check_checkpoint, check_encoder, data_card, shared_provenance
from pipeline.protocol.manifest_summary import read_summary
from pipeline.protocol.origins import encoder_card
from pipeline.runs.best_checkpoint import choose_checkpoint
from pipeline.runs.evaluation import Evaluation
from pipeline.runs.scoring import score, score_affect
from pipeline.runs.trained import read_trained
from pipeline.runs.writing import card_hash, load_test, write_run


def evaluate(
    data: Path, checkpoints: Path, reports: Path, checkpoint: Path | None = None, device: str = "cpu"
) -> Evaluation:
    """Score a checkpoint, by default the best of `checkpoints`, on the test split of data/features/.

    Writes evaluation.json (all scores), metrics.json (the metrics that DVC compares), predictions.csv, and the data of
    DVC's plots (confusion.csv, reliability.csv, risk_coverage.csv) to `reports`.

    Raises:
        CheckpointError: there is no checkpoint, or it was trained for other data.
        SplitError: the test split is empty.
        ShardError: a shard is missing or damaged, or the features were made from another manifest.
    """
    path = choose_checkpoint(checkpoint, checkpoints)
    network, args = load_checkpoint(path, device)
    summary = read_summary(data / "manifest.json")
    labels = summary.labels
    loader = SplitLoader(data, labels, network.params.views)
    made = shared_provenance(loader.shards)
    card = check_checkpoint(path, args, data_card(summary, loader.shards, made, loader.encoding_shards), made)
    check_encoder(path, card, encoder_card(loader.encodings))
    trained = read_trained(path, network, args)
    test = load_test(loader, data)
    temperature = float(network.temperature)
    # The network divides its logits by the temperature; undo this, to score calibration without it as well.
    outputs = predict(network, test, device=device)
    logits = outputs["logits"].double().numpy() * temperature
    affect = {name: outputs["affect"][:, DIMENSIONS.index(name)].numpy() for name in network.dimensions}
    protocol = scoring_card(card, device)
    evaluation = Evaluation(
        **dict(score(test.labels, logits, temperature, labels, test.columns, test.votes)),
        temperature=temperature,
        checkpoint=path.name,
        val_uar=trained.val_uar,
        best_epoch=trained.epoch,
        choice=None,
        affect=score_affect(test.affect, affect, test.columns["speaker"]),
        params={**args["tier0"], "network": args["network"], "train": trained.train},
        protocol=protocol,
        card=card_hash(protocol),
    )
    predictions = write_run(reports, evaluation, test, logits, affect)
    _write_plots(reports, evaluation, predictions)
    return evaluation


def _write_plots(reports: Path, evaluation: Evaluation, predictions: pd.DataFrame) -> None:
    confusion = predictions[["true_label", "pred_label"]].set_axis(["actual", "predicted"], axis=1)
    bins = pd.DataFrame(evaluation.calibration.bins)
    risk = pd.DataFrame(evaluation.risk_coverage.points, columns=["coverage", "risk"])
    for name, table in {"confusion": confusion, "reliability": bins, "risk_coverage": risk}.items():
        write_text(reports / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
