"""fit(): trains a network on one split, selects the best epoch on another, and calibrates it there.

The same seed, device and number of threads give the same weights, also if the run was killed and resumed. The loop
logs nothing: it calls the caller's `on_epoch` after each validation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from featurize.errors import TrainingError
from model.batches import Features
from model.checkpoint import save_checkpoint
from model.distributed import broadcast_from_first, rank, world_size
from model.logits import predict_logits
from model.network.normalisation import is_group
from model.network.tier1 import SERTier1
from model.scoring.calibration import fit_temperature
from model.standardisation import measure, standardise_groups, statistics_of
from model.training.checks import check_features, check_sizes
from model.training.hyperparameters import TrainParams
from model.training.refit import refit
from model.training.resume import EpochResult, Progress, identity_of, read_resume
from model.training.trainer import Trainer

__all__ = ["EpochResult", "FitResult", "TrainParams", "fit"]


@dataclass(frozen=True)
class FitResult:
    """The result of training. Epochs are counted from 1."""

    best_epoch: int
    best_uar: float
    best_path: Path
    last_path: Path
    temperature: float
    history: list[EpochResult]


def fit(
    network: SERTier1,
    train: Features,
    val: Features,
    params: TrainParams,
    out_dir: str | Path,
    *,
    device: str | torch.device = "cpu",
    args: dict[str, Any] | None = None,
    on_epoch: Callable[[EpochResult], None] | None = None,
    resume: bool = False,
    initial: str = "",
) -> FitResult:
    """Train a network; afterwards it is on `device`, with the weights of its best epoch and a fitted temperature.

    The network is validated every `train.validate_every` epochs and after the last one. The best epoch has the highest
    validation UAR and, among equals, the lowest validation loss. Its checkpoint, `best_uar_<score>.pt`, is the only
    such file left in `out_dir`. With `train.refit` that network is then trained on both splits, for as many epochs, and
    keeps the temperature. `last.pt` is the uncalibrated network after the last validated epoch, with the state
    that resuming needs. With a moving average of the weights (`train.ema`), the average is validated and saved. With
    several processes, each takes its share of every batch; only the first one validates, writes files and calls
    `on_epoch`.

    Args:
        network: from `build_network` with the same seed, for a repeatable run.
        train: training clips.
        val: clips to select the epoch and fit the temperature on; of other speakers than the training clips.
        params: of training.
        out_dir: folder for checkpoints.
        device: where to train.
        args: plain types for the checkpoints' `args`: label names, Tier 0 parameters, protocol, ...
        on_epoch: called after each validated epoch; a resumed run first calls it for those already done.
        resume: continue from last.pt in `out_dir`.
        initial: SHA-256 of the checkpoint whose weights the network has; its normalisation and batch norms are kept.

    Raises:
        TrainingError: the features cannot be trained on, the loss is no longer finite, or `train.init` is set, but
            the caller has not started from it.
        CheckpointError: last.pt is missing, damaged or from another run.
        SerError: a checkpoint cannot be written.
    """
    if bool(params.init) != bool(initial):
        raise TrainingError("train.init: this command starts from random weights; set it to null")
    check_features(train, "train", network)
    check_features(val, "val", network)
    check_sizes(train, params, world_size(), network.params.affect)
    out_dir, args, device = Path(out_dir), args or {}, torch.device(device)
    identity = identity_of(
        params.model_dump(mode="json", exclude={"init"}),
        network.params.model_dump(mode="json"),
        args.get("labels"),
        [train, val],
        initial,
    )
    network.freeze(params.freeze)
    measured, of_val = measure(train, network), measure(val, network)
    by = network.params.normalisation
    if is_group(by):
        train, val = standardise_groups(train, measured, by), standardise_groups(val, of_val, by)
    network.to(device)
    initial_state = {name: value.clone() for name, value in network.state_dict().items()}
    # Dropout draws from torch's global random state, which is seeded for each epoch and restored afterwards.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        trainer = Trainer(network, train, params, device)
        progress = Progress()
        if resume:
            saved = read_resume(out_dir / "last.pt", identity)
            trainer.load_state_dict(saved["trainer"])
            progress = Progress.from_state_dict(saved["progress"])
        else:
            trainer.start(None if initial else statistics_of(measured))
        best = _run(_Run(trainer, val, out_dir, args, identity, on_epoch), progress)
    network.load_state_dict(progress.best_state)
    network.eval()
    if network.params.temperature:
        logits = predict_logits(network, val, device=device)
        network.temperature.fill_(fit_temperature(logits, torch.from_numpy(val.labels)))
    if params.refit:
        both = None if initial else statistics_of(measured, of_val)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            refit(network, initial_state, train, val, both, params, best.epoch, device)
    best_path = _best_path(out_dir, best)
    if rank() == 0:
        _save_best(network, best_path, best, args)
    temperature = float(network.temperature)
    return FitResult(best.epoch, best.val_uar, best_path, out_dir / "last.pt", temperature, progress.history)


@dataclass(frozen=True)
class _Run:
    """What the loop over epochs needs."""

    trainer: Trainer
    val: Features
    out_dir: Path
    args: dict[str, Any]
    identity: dict[str, str]
    on_epoch: Callable[[EpochResult], None] | None


def _run(run: _Run, progress: Progress) -> EpochResult:
    """Run the epochs that are not done yet; return the best of all."""
    trainer = run.trainer
    first = rank() == 0
    on_epoch = run.on_epoch if run.on_epoch is not None and first else lambda _: None
    for result in progress.history:
        on_epoch(result)
    while not _finished(trainer.params, progress):
        done = progress.epochs
        epoch = min(done + trainer.params.validate_every, trainer.params.epochs)
        losses = [trainer.run_epoch(number) for number in range(done + 1, epoch + 1)]
        result = _validate(run, epoch, sum(losses) / len(losses))
        trainer.schedule.after_validation(trainer.step, result.val_uar, epoch - done)
        if progress.add(result):
            progress.best_state = {
                name: value.detach().cpu().clone() for name, value in trainer.scored.state_dict().items()
            }
            if first:
                _save_best(trainer.scored, _best_path(run.out_dir, result), result, run.args)
        if first:
            state = {
                "trainer": trainer.state_dict(),
                "progress": progress.state_dict(),
                "identity": run.identity,
            }
            own = {**run.args, "epoch": epoch, "val_uar": result.val_uar}
            save_checkpoint(run.out_dir / "last.pt", trainer.scored, own, state)
        on_epoch(result)
    assert progress.best is not None  # noqa: S101 - epochs > 0
    return progress.best


def _finished(params: TrainParams, progress: Progress) -> bool:
    """Whether all epochs are done, or `patience` epochs have passed without a better one."""
    done, best = progress.epochs, progress.best
    waited = done - best.epoch if best else 0
    return done >= params.epochs or bool(params.patience and waited >= params.patience)


def _validate(run: _Run, epoch: int, train_loss: float) -> EpochResult:
    """Validate in the first process and broadcast the result."""
    outcome: EpochResult | TrainingError | None = None
    if rank() == 0:
        try:
            outcome = run.trainer.validate(run.val, epoch, train_loss)
        except TrainingError as error:
            outcome = error
    result = broadcast_from_first(outcome)
    assert isinstance(result, EpochResult)  # noqa: S101 - the first process always has a result
    return result


def _best_path(out_dir: Path, best: EpochResult) -> Path:
    return out_dir / f"best_uar_{best.val_uar:.4f}.pt"


def _save_best(network: SERTier1, path: Path, best: EpochResult, args: dict[str, Any]) -> None:
    """Write the best checkpoint, then remove the earlier ones."""
    save_checkpoint(path, network, {**args, "epoch": best.epoch, "val_uar": best.val_uar})
    for other in path.parent.glob("best_uar_*.pt"):
        if other != path:
            other.unlink()
