"""Stage `train`: train on the feature shards, and write the best network by validation UAR and its curves."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from dvclive.live import Live

from featurize.errors import counted
from model.distributed import process_group, rank
from model.feature_splits import SplitLoader
from model.network.tier1 import NetworkParams, build_network
from model.training.fit import EpochResult, FitResult, fit
from model.training.hyperparameters import TrainParams
from model.training.sampling import batch_order, padding_waste
from model.training.targets import learns_votes
from pipeline.protocol.card import training_card
from pipeline.protocol.data_card import data_card, shared_provenance
from pipeline.protocol.manifest_summary import read_summary
from pipeline.protocol.origins import InitCard, encoder_card
from pipeline.protocol.provenance import versions
from pipeline.protocol.wording import describe_leak
from pipeline.runs.initial_network import find_initial, start_from

log = logging.getLogger(__name__)

CURVES = {
    "train_loss": "train/loss",
    "val_loss": "val/loss",
    "val_uar": "val/uar",
    "val_accuracy": "val/accuracy",
    "learning_rate": "train/lr",
    "val_ccc_valence": "val/ccc_valence",
    "val_ccc_arousal": "val/ccc_arousal",
    "val_ccc_dominance": "val/ccc_dominance",
}
"""Field of `EpochResult` → name of its curve."""


def train(
    network_params: NetworkParams,
    params: TrainParams,
    data: Path,
    checkpoints: Path,
    reports: Path,
    device: str = "cpu",
    resume: bool = False,
) -> FitResult:
    """Train on the train split of data/features/ and choose the epoch on its val split.

    Writes checkpoints/best_uar_<score>.pt and last.pt, and the curves under reports/training/. Under torchrun, each
    process takes its share of every batch, and the first one writes.

    Raises:
        ShardError: a shard is damaged, or the shards were made with different settings.
        TrainingError: the features cannot be trained on.
        CheckpointError: `resume` is set, but last.pt is missing or of another run; or `train.init` does not fit.
    """
    summary = read_summary(data / "manifest.json")
    no_agreement = summary.protocol.no_agreement == "class"
    loader = SplitLoader(data, summary.labels, network_params.views, no_agreement=no_agreement)
    made = shared_provenance(loader.shards)
    encoder = encoder_card(loader.encodings)
    clips = data_card(summary, loader.shards, made, loader.encoding_shards)
    views, normalisation = network_params.views, network_params.normalisation
    if params.affect_weight:
        network_params = network_params.model_copy(update={"affect": True})
    n_mfcc = made["tier0"]["mfcc"]["n_mfcc"]
    network = build_network(
        n_mfcc,
        len(summary.labels),
        network_params,
        params.seed,
        loader.encoding,
        no_agreement=no_agreement,
    )
    init: InitCard | None = None
    if params.init:
        found = find_initial(params.init, checkpoints)
        init = start_from(found, network, params, clips, made["tier0"], encoder)
    card = training_card(
        clips, params.seed, views, normalisation, device, refit=params.refit, encoder=encoder, init=init
    )
    if leak := describe_leak(card):
        log.warning("%s", leak)
    train_split, val_split = (loader.load(name) for name in ("train", "val"))
    args = {
        "labels": summary.labels,
        "tier0": made["tier0"],
        "denoiser": made["denoiser"],
        "encode": loader.encodings.params if loader.encodings else None,
        "train": params.model_dump(mode="json"),
        "versions": versions(),
        "protocol": card.model_dump(mode="json"),
    }
    with process_group(device) as device, ExitStack() as stack:  # noqa: PLR1704 - each process has its own
        on_epoch = None
        if rank() == 0:
            draws = int(train_split.original.sum())
            order = batch_order(train_split.num_frames, params.batch_size, params.seed, 1, draws)
            waste = padding_waste(train_split.num_frames, order) if len(train_split) else 0.0
            log.info(
                "%s (%d with their copies) and %s; %.1f %% of a batch is padding",
                counted(draws, "train clip"),
                len(train_split),
                counted(len(val_split), "val clip"),
                100 * waste,
            )
            if params.targets == "soft":
                votes = int((learns_votes(train_split) & train_split.original).sum())
                log.info(
                    "targets: the votes of %s, the label of %d without votes or agreement",
                    counted(votes, "clip"),
                    draws - votes,
                )
            live = stack.enter_context(Live(str(reports / "training"), save_dvc_exp=False, dvcyaml=None))
            on_epoch = _log_epochs(live, params.epochs)
        outcome = fit(
            network,
            train_split,
            val_split,
            params,
            checkpoints,
            device=device,
            args=args,
            on_epoch=on_epoch,
            resume=resume,
            initial=init.sha256 if init else "",
        )
        if rank() == 0:
            _log_outcome(outcome, params)
    return outcome


def _log_epochs(live: Live, epochs: int) -> Callable[[EpochResult], None]:
    """A function that writes each epoch to the curves and logs it."""

    def on_epoch(result: EpochResult) -> None:
        live.step = result.epoch
        for name, curve in CURVES.items():
            if (value := asdict(result)[name]) is not None:
                live.log_metric(curve, value)
        live.make_summary()  # type: ignore[no-untyped-call]
        log.info(
            "epoch %d of %d: loss %.3f, validation loss %.3f, UAR %.3f",
            result.epoch,
            epochs,
            result.train_loss,
            result.val_loss,
            result.val_uar,
        )

    return on_epoch


def _log_outcome(outcome: FitResult, params: TrainParams) -> None:
    if outcome.history[-1].epoch < params.epochs:
        log.info("stopped early: %s without a better validation UAR", counted(params.patience, "epoch"))
    log.info(
        "best epoch %d: validation UAR %.3f, temperature %.2f; %s",
        outcome.best_epoch,
        outcome.best_uar,
        outcome.temperature,
        outcome.best_path,
    )
    if params.refit:
        log.info(
            "refit: trained again on train and val together, for %s", counted(outcome.best_epoch, "epoch")
        )
