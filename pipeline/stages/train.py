"""Feature shards in, the best network by validation UAR out, with its curves."""

import logging
from dataclasses import asdict
from pathlib import Path

from dvclive.live import Live

from featurize.shards import list_shards
from model.batches import load_features
from model.network import NetworkParams, build_network
from model.training import EpochResult, FitResult, TrainParams, fit
from pipeline.card import data_card, shared_provenance, training_card
from pipeline.manifest import read_summary
from pipeline.provenance import versions

log = logging.getLogger(__name__)

CURVES = {
    "train_loss": "train/loss",
    "val_loss": "val/loss",
    "val_uar": "val/uar",
    "val_accuracy": "val/accuracy",
    "learning_rate": "train/lr",
}


def train(
    network_params: NetworkParams,
    params: TrainParams,
    data: Path,
    checkpoints: Path,
    reports: Path,
    device: str = "cpu",
) -> FitResult:
    """Train on the train split of data/features/, choose on its val split.

    Writes checkpoints/best_uar_<score>.pt and last.pt, and the curves under reports/training/.

    Raises:
        ShardError: a shard is damaged, or the shards were made with different settings.
        TrainingError: the features cannot be trained on.
    """
    shards = list_shards(data / "features")
    summary = read_summary(data / "manifest.json")
    tier0 = shared_provenance(shards)
    card = data_card(summary, shards, tier0)
    train_split, val_split = (load_features(shards, summary["labels"], name) for name in ("train", "val"))
    args = {
        "labels": summary["labels"],
        **tier0,
        "train": params.model_dump(mode="json"),
        "versions": versions(),
        "protocol": training_card(card, params.seed, device),
    }
    n_mfcc = tier0["tier0"]["mfcc"]["n_mfcc"]
    network = build_network(n_mfcc, len(summary["labels"]), network_params, params.seed)
    with Live(str(reports / "training"), save_dvc_exp=False, dvcyaml=None) as live:

        def on_epoch(result: EpochResult) -> None:
            live.step = result.epoch
            for name, curve in CURVES.items():
                live.log_metric(curve, asdict(result)[name])
            live.make_summary()
            log.info(
                "epoch %d of %d: loss %.3f, validation loss %.3f, UAR %.3f",
                result.epoch,
                params.epochs,
                result.train_loss,
                result.val_loss,
                result.val_uar,
            )

        outcome = fit(
            network, train_split, val_split, params, checkpoints, device=device, args=args, on_epoch=on_epoch
        )
    if len(outcome.history) < params.epochs:
        log.info("stopped early: %d epochs without a better validation UAR", params.patience)
    log.info(
        "best epoch %d: validation UAR %.3f, temperature %.2f; %s",
        outcome.best_epoch,
        outcome.best_uar,
        outcome.temperature,
        outcome.best_path,
    )
    return outcome
